"""Copies of documents in an index's own library: what may come in, and what becomes of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from index import Embedder, Index
from index.errors import UsageError
from index.index import verify
from index.indexing import create_empty, remove, update
from index.library import Library, Limits, library_folder


@pytest.fixture
def library(tmp_path: Path, embedder: Embedder) -> Library:
    """That of an index without documents."""
    create_empty(tmp_path / "at", embedder=embedder)
    return Library(tmp_path / "at", Limits(file=40, total=60))


def take(library: Library, name: str, content: bytes, announced: int | None = None) -> None:
    with library.receiving(name, len(content) if announced is None else announced) as arrival:
        for at in range(0, len(content), 7):
            arrival.write(content[at : at + 7])


def statuses(library: Library, embedder: Embedder) -> dict[str, str]:
    done = update(library.at, [library.folder], embedder=embedder)
    return {Path(row.path).relative_to(library.folder).as_posix(): row.status for row in done.files}


def test_a_copy_is_indexed_under_its_name_and_one_of_the_same_name_replaces_it(
    library: Library, embedder: Embedder
) -> None:
    take(library, "papers/tea.txt", b"Tea is hot.")
    assert statuses(library, embedder) == {"papers/tea.txt": "added"}
    take(library, "papers/tea.txt", b"Tea is very cold.")
    assert statuses(library, embedder) == {"papers/tea.txt": "updated"}
    opened = Index.open(library.at, embedder=embedder)
    assert [source for source, *_ in opened.sources()] == ["papers/tea.txt"]
    assert opened.document("papers/tea.txt").text == "Tea is very cold."
    assert library.size == 17
    assert verify(library.at) == []


def test_a_removed_copy_is_deleted_and_may_come_back(library: Library, embedder: Embedder) -> None:
    take(library, "tea.txt", b"Tea is hot.")
    statuses(library, embedder)
    remove(library.at, "tea.txt")
    assert list(library.folder.iterdir()) == []
    assert Index.open(library.at, embedder=embedder).sources() == []
    take(library, "tea.txt", b"Tea is hot.")
    assert statuses(library, embedder) == {"tea.txt": "added"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../tea.txt", "leads out"),
        ("a/../../tea.txt", "leads out"),
        ("/tea.txt", "leads out"),
        ("a//tea.txt", "leads out"),
        ("", "leads out"),
        ("a\\tea.txt", "characters"),
        ("te\x00a.txt", "characters"),
        ("te\na.txt", "characters"),
        (".hidden/tea.txt", "hidden"),
        (".starters.json", "hidden"),
        ("node_modules/tea.txt", "ignored by its name"),
        ("x" * 252 + ".txt", "too long"),
        ("x/" * 600 + "a.txt", "too long"),
        ("photo.png", r"unknown format \.png"),
    ],
)
def test_a_name_that_leads_elsewhere_or_cannot_be_read_is_refused(library: Library, name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        take(library, name, b"Tea is hot.")
    assert [path for path in library.at.rglob("*") if path.suffix in (".txt", ".png")] == []


def test_a_library_has_limits_whatever_size_is_announced(library: Library) -> None:
    for announced in (None, 0):
        with pytest.raises(UsageError, match=r"^larger than 0 MB: footnoted index reads it where it is$"):
            take(library, "tea.txt", b"x" * 41, announced)
    take(library, "a.txt", b"x" * 40)
    with pytest.raises(UsageError, match=r"^the library would be larger than 0 MB: remove something$"):
        take(library, "b.txt", b"x" * 21)
    take(library, "a.txt", b"y" * 30)  # replaced, it counts once
    take(library, "b.txt", b"x" * 30)
    assert sorted(path.name for path in library.folder.iterdir()) == ["a.txt", "b.txt"]
    assert library.size == 60


def test_a_file_that_breaks_off_leaves_the_one_before(library: Library) -> None:
    take(library, "tea.txt", b"Tea is hot.")

    def broken_off() -> None:
        with library.receiving("tea.txt", 5) as arrival:
            arrival.write(b"Tea")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        broken_off()
    assert (library.folder / "tea.txt").read_bytes() == b"Tea is hot."
    assert list((library.at / "incoming").iterdir()) == []


def test_a_file_is_no_folder_and_a_link_leads_nowhere(library: Library, tmp_path: Path) -> None:
    take(library, "a/tea.txt", b"Tea is hot.")
    for name in ("a/tea.txt/more.txt", "a.txt/x.txt"):
        (library.folder / "a.txt").mkdir(exist_ok=True)
        (library.folder / "a.txt" / "x.txt").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="a file where this one has a folder"):
            take(library, name, b"Tea.")
    (tmp_path / "outside").mkdir()
    (library.folder / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="a link out of the library"):
        take(library, "link/tea.txt", b"Tea.")
    assert list((tmp_path / "outside").iterdir()) == []


def test_an_index_begins_empty_and_may_stand_beside_a_history(tmp_path: Path, embedder: Embedder) -> None:
    (tmp_path / "at" / "history").mkdir(parents=True)
    create_empty(tmp_path / "at", embedder=embedder)
    opened = Index.open(tmp_path / "at", embedder=embedder)
    assert (opened.passages, opened.sources()) == (0, [])
    assert library_folder(tmp_path / "at").is_dir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds other files and is no index"):
        create_empty(tmp_path / "other", embedder=embedder)


def test_what_else_is_indexed_stays_where_it_is_when_it_is_removed(
    library: Library, embedder: Embedder, write: Callable[..., Path]
) -> None:
    folder = write({"rice.txt": "Rice is white."})
    update(library.at, [folder], embedder=embedder)
    remove(library.at, "rice.txt")
    assert (folder / "rice.txt").exists()


@pytest.mark.parametrize("named", [True, False])
def test_an_index_that_is_moved_takes_its_library_along(
    library: Library, embedder: Embedder, tmp_path: Path, named: bool
) -> None:
    take(library, "tea.txt", b"Tea is hot.")
    take(library, "rice.txt", b"Rice is white.")
    statuses(library, embedder)
    moved = library.at.rename(tmp_path / "moved")
    asked = len(embedder.asked)
    done = update(moved, [moved / "library"] if named else [], embedder=embedder)
    opened = Index.open(moved, embedder=embedder)
    assert [source for source, *_ in opened.sources()] == ["rice.txt", "tea.txt"]
    assert {Path(record.path).parent for record in opened.files()} == {moved / "library"}
    assert [row.status for row in done.files] == ["added", "added"]
    assert opened.manifest.roots == (str(moved / "library"),)
    assert [text for text in embedder.asked[asked:] if "Tea" in text or "Rice" in text] == []
