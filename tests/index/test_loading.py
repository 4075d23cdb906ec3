"""`load`: which reader, which digest, and what a file that cannot be read says."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from index.documents import Document
from index.errors import FailedFile, SkippedFile
from index.loading import FORMATS, ROW_SUFFIXES, SUFFIXES, load


def test_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "A.TXT"
    path.write_bytes(b"\xef\xbb\xbfOne line.\r\n")
    assert list(load(path, "sub/A.TXT")) == [
        Document("sub/A.TXT", "A", "One line.", sha256=hashlib.sha256(b"\xef\xbb\xbfOne line.\r\n").hexdigest())
    ]


@pytest.mark.parametrize(
    ("name", "reason"), [("a.xyz", "unknown format .xyz"), ("LICENCE", "unknown format: its name has no ending")]
)
def test_unknown_formats_are_skipped(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(SkippedFile) as error:
        list(load(tmp_path / name, name))
    assert str(error.value) == reason


def test_a_file_that_is_gone_fails(tmp_path: Path) -> None:
    with pytest.raises(FailedFile, match=r"^cannot be read: no such file or directory$"):
        list(load(tmp_path / "gone.txt", "gone.txt"))


_MANY = {*ROW_SUFFIXES, ".zip"}


@pytest.mark.parametrize("suffix", sorted(SUFFIXES - _MANY))
def test_an_unexpected_error_of_a_parser_is_one_line(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"%PDF- words")

    def explode(*_: object) -> None:
        raise ZeroDivisionError("deep\ninside")

    monkeypatch.setattr(f"index.formats.{FORMATS[suffix]}.read", explode)
    with pytest.raises(FailedFile) as error:
        list(load(path, path.name))
    assert str(error.value).startswith("damaged, or not a ")
    assert "\n" not in str(error.value)


def test_importing_costs_no_parser() -> None:
    code = (
        "import sys, index.loading, index.files;"
        "print(sorted({'lxml', 'docx', 'pypdf', 'pypdfium2', 'markdown_it'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout == "[]\n"
