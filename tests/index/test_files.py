"""`discover`: every file met has a source, and one that is left out has a reason."""

import os
from pathlib import Path

import pytest

from index.errors import UsageError
from index.files import SIZE_LIMIT, Found, discover

Row = tuple[str, str, str]


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("words", encoding="utf-8")


def rows(*paths: Path) -> list[Row]:
    return [(found.source, found.status, found.reason) for found in discover(paths)]


def test_a_folder_in_byte_order(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/z.md", "a/B.txt", "c.xyz", "é.txt")
    assert rows(tmp_path) == [
        ("a/B.txt", "", ""),
        ("a/z.md", "", ""),
        ("b.txt", "", ""),
        ("c.xyz", "skipped", "unknown format .xyz"),
        ("é.txt", "", ""),
    ]
    assert next(discover([tmp_path])) == Found(tmp_path / "a/B.txt", "a/B.txt", tmp_path)


def test_files_folders_and_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "one/readme.md", "two/readme.md", "two/deep/x.txt", "two/deep/y.pdf", "[odd].txt")
    monkeypatch.chdir(tmp_path)
    assert [(found.root.name, found.source) for found in discover([Path("one"), Path("two/readme.md")])] == [
        ("one", "readme.md"),
        ("two", "readme.md"),
    ]
    assert rows(Path("two/**/*.txt")) == [("deep/x.txt", "", "")]
    assert rows(Path("two/deep/?.p*")) == [("y.pdf", "", "")]
    assert rows(Path("[odd].txt")) == [("[odd].txt", "", "")]
    assert [found.path for found in discover([Path("one"), Path("one/readme.md")])] == [tmp_path / "one/readme.md"]


def test_what_does_not_exist_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        discover([tmp_path, tmp_path / "gone.txt"])
    assert str(error.value) == f"no such file or folder: {tmp_path}/gone.txt"
    with pytest.raises(UsageError) as error:
        discover([tmp_path / "x*.pdf"])
    assert str(error.value) == f"no file matches '{tmp_path}/x*.pdf'"


def test_ignored_folders_are_one_row_each(tmp_path: Path) -> None:
    make(
        tmp_path,
        ".git/a.txt",
        "node_modules/a.txt",
        ".secret.txt",
        ".hidden/a.txt",
        "old/CURRENT",
        "old/manifests/1.txt",
    )
    assert rows(tmp_path) == [
        (".git", "skipped", "ignored by its name"),
        (".hidden", "skipped", "hidden"),
        (".secret.txt", "skipped", "hidden"),
        ("node_modules", "skipped", "ignored by its name"),
        ("old", "skipped", "an index, not documents"),
    ]
    assert rows(tmp_path / ".secret.txt") == [(".secret.txt", "", "")]


def test_links_pipes_and_sizes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(root, "inside.txt")
    make(tmp_path, "outside.txt")
    (root / "big.txt").touch()
    os.truncate(root / "big.txt", SIZE_LIMIT + 1)
    (root / "big.jsonl").touch()
    os.truncate(root / "big.jsonl", SIZE_LIMIT + 1)
    (root / "dangling.txt").symlink_to("nothing")
    (root / "escape.txt").symlink_to("../outside.txt")
    (root / "link.txt").symlink_to("inside.txt")
    (root / "loop").symlink_to(".")
    (root / "self.txt").symlink_to("self.txt")
    os.mkfifo(root / "pipe.txt")
    assert rows(root) == [
        ("big.jsonl", "skipped", "made of holes: it takes far less of the disk than its size"),
        ("big.txt", "skipped", "larger than 200 MB"),
        ("dangling.txt", "failed", "a link to nothing"),
        ("escape.txt", "skipped", "a link out of the folder"),
        ("inside.txt", "", ""),
        ("link.txt", "", ""),
        ("loop", "skipped", "a link to a folder that is read where it stands"),
        ("pipe.txt", "skipped", "not a file but a pipe, socket or device"),
        ("self.txt", "skipped", "a link that leads back to itself"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "folder/b.txt")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "folder").chmod(0)
    try:
        assert rows(tmp_path) == [
            ("a.txt", "failed", "no permission to read it"),
            ("folder", "failed", "no permission to read it"),
        ]
    finally:
        (tmp_path / "folder").chmod(0o700)


def test_names_that_are_no_text_are_printable(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/bad\xff\xfe\n.txt", "wb") as file:  # noqa: PTH123 - bytes
        file.write(b"words")
    assert rows(tmp_path) == [("bad\\xff\\xfe\\n.txt", "", "")]
