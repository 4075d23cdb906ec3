"""DOCX through `load`: documents made with python-docx."""

import io
import zipfile
from pathlib import Path

import docx
import pytest

from index.documents import Document
from index.errors import FailedFile
from index.loading import load


def loaded(tmp_path: Path, data: bytes) -> Document:
    path = tmp_path / "minutes.DOCX"
    path.write_bytes(data)
    (document,) = load(path, "minutes.DOCX")
    assert isinstance(document, Document)
    return document


def saved(word: docx.document.Document) -> bytes:
    stream = io.BytesIO()
    word.save(stream)
    return stream.getvalue()


def test_body_in_order(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_heading("Minutes of the meeting", 0)
    word.add_paragraph("Present: thirteen.")
    word.add_heading("Coffee", 1)
    word.add_paragraph("Rationed.", style="List Bullet")
    word.add_paragraph("Weaker.", style="List Bullet")
    word.add_paragraph("Vote", style="List Number")
    word.add_paragraph("Count", style="List Number")
    table = word.add_table(2, 2)
    for cell, text in zip(table._cells, ("Name", "Vote", "Noor", "against"), strict=True):
        cell.text = text
    word.add_heading("Who counts", 2)
    word.add_paragraph("Nobody\ncounts.")
    document = loaded(tmp_path, saved(word))
    assert document.text == (
        "Minutes of the meeting\n\nPresent: thirteen.\n\nCoffee\n\n- Rationed.\n- Weaker.\n1. Vote\n2. Count\n\n"
        "Name | Vote\nNoor | against\n\nWho counts\n\nNobody\ncounts."
    )
    assert [(one.level, one.heading) for one in document.sections] == [
        (1, "Minutes of the meeting"),
        (1, "Coffee"),
        (2, "Who counts"),
    ]
    assert all(document.text[one.start : one.end] == one.heading for one in document.sections)
    assert document.title == "Minutes of the meeting"


@pytest.mark.parametrize(
    ("named", "title"), [("On Coffee", "On Coffee"), ("Word Document", "minutes"), ("", "minutes")]
)
def test_title_of_the_core_properties(tmp_path: Path, named: str, title: str) -> None:
    word = docx.Document()
    word.core_properties.title = named
    word.add_paragraph("Coffee is rationed.")
    assert loaded(tmp_path, saved(word)).title == title


def test_insertions_stay_and_deletions_go(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_paragraph("MARK")
    data = io.BytesIO(saved(word))
    out = io.BytesIO()
    with zipfile.ZipFile(data) as source, zipfile.ZipFile(out, "w") as target:
        for part in source.namelist():
            content = source.read(part)
            if part == "word/document.xml":
                changed = (
                    b"<w:r><w:t>Two </w:t></w:r><w:ins><w:r><w:t>cups</w:t></w:r></w:ins>"
                    b"<w:del><w:r><w:delText> mugs</w:delText></w:r></w:del>"
                )
                content = content.replace(b"<w:r><w:t>MARK</w:t></w:r>", changed)
            target.writestr(part, content)
    assert loaded(tmp_path, out.getvalue()).text == "Two cups"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"plain text", "damaged, or not a DOCX file"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "encrypted, or in the old Word format: save it as DOCX without a password",
        ),
    ],
)
def test_not_docx_fails(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(FailedFile) as error:
        loaded(tmp_path, data)
    assert str(error.value) == reason


def test_bomb_fails_before_it_is_unpacked(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"A" * (51 << 20))
    with pytest.raises(FailedFile, match=r"^too large when unpacked$"):
        loaded(tmp_path, stream.getvalue())
