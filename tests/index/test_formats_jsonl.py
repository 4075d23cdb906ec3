"""JSON lines through `load`: rows in, documents and named problems out."""

import hashlib
from pathlib import Path

import pytest

from index.documents import Document
from index.errors import FailedFile, SkippedFile
from index.loading import Problem, load


def test_rows_and_problems_in_order(tmp_path: Path) -> None:
    rows = [
        '{"_id": "4983", "title": "Cells", "text": "They divide.\\r\\nOften."}',
        "not json",
        "",
        '{"id": 7, "contents": "By number."}',
        '{"text": "By line."}',
        '{"_id": "4983", "text": "Again."}',
        '{"_id": "empty", "title": "Only a title", "text": ""}',
        '{"_id": "none"}',
        '["a"]',
    ]
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert list(load(path, "corpus.jsonl")) == [
        Document(
            "corpus.jsonl#4983", "Cells", "They divide.\nOften.", sha256=hashlib.sha256(rows[0].encode()).hexdigest()
        ),
        Problem("line 2: not JSON"),
        Document("corpus.jsonl#7", "", "By number.", sha256=hashlib.sha256(rows[3].encode()).hexdigest()),
        Document("corpus.jsonl#5", "", "By line.", sha256=hashlib.sha256(rows[4].encode()).hexdigest()),
        Problem("line 6: id '4983' is that of line 1 already"),
        Document(
            "corpus.jsonl#empty", "Only a title", "Only a title", sha256=hashlib.sha256(rows[6].encode()).hexdigest()
        ),
        Problem("line 8: no text in it"),
        Problem('line 9: not a JSON object: {"_id": ..., "text": ...}'),
    ]


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"_id": 1, "text": "a"}\n' + "{" * 100, encoding="utf-8")
    first = next(iter(load(path, "a.jsonl")))
    assert isinstance(first, Document)
    assert first.source == "a.jsonl#1"


def test_offsets_of_a_wrapped_row_stay(tmp_path: Path) -> None:
    text = (
        "An experimental study of a wing in a propeller slipstream was made to\\n"
        "determine the spanwise distribution of the lift increase due to it at\\n"
        "different angles of attack.\\n\\nA second paragraph."
    )
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"_id": "1", "text": "{text}"}}\n', encoding="utf-8")
    (document,) = load(path, "a.jsonl")
    assert isinstance(document, Document)
    raw = text.replace("\\n", "\n")
    assert document.text == raw.replace("to\ndet", "to det").replace("at\ndiff", "at diff")


def test_many_problems_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "good"}\n' + "bad\n" * 25, encoding="utf-8")
    found = list(load(path, "a.jsonl"))
    assert len(found) == 22
    assert found[-1] == Problem("5 more lines could not be read")


def test_no_good_row(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("bad\n", encoding="utf-8")
    with pytest.raises(FailedFile, match=r"^no line could be read; line 1: not JSON$"):
        list(load(path, "a.jsonl"))
    path.write_bytes(b"\xef\xbb\xbf\n\n")
    with pytest.raises(SkippedFile, match=r"^no text in it$"):
        list(load(path, "a.jsonl"))
    path.write_bytes(b"\0" * 100)
    with pytest.raises(SkippedFile, match=r"^binary content, not text$"):
        list(load(path, "a.jsonl"))
