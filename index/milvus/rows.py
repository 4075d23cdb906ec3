"""A file as rows of the store's collections, and back.

A row is named by its file's number and its passage's place in it, so whoever writes a file again, in this process or
another, writes the same rows.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contents import Embedded, FileRecord
from ..documents import Document, Page, Passage, Section
from ..embedding import Vectors
from ..errors import DamagedIndex, FailedFile
from ..inputs import bare_hash
from .notes import json_note, note
from .schema import LONGEST, LONGEST_SOURCE
from .server import Row
from .statistics import Terms, length, tokens

# Passages of a file: their places are the last bits of a row.
BITS = 20
MOST = 1 << BITS
_LONG = "\0long"
FIELDS = (
    "row", "file", "document", "id", "source", "title", "start", "end", "text", "heading", "page", "sentences",
    "language", "tokens", "codes", "scales", "vector",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as the catalogue has it; `sha256` is that of its stored text."""

    source: str
    title: str
    characters: int
    passages: int
    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that was written under a number, and its documents in order."""

    file: int
    record: FileRecord
    documents: tuple[Listed, ...]

    @property
    def passages(self) -> int:
        return sum(one.passages for one in self.documents)


@dataclass(frozen=True, slots=True)
class Counted:
    """What passages add to the counts of a generation: how many in each language, their terms, and which terms."""

    languages: Counter[str]
    length: int
    terms: Terms

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Counted":
        """Of passages, of which `language` and `tokens` are known."""
        given = [(row["language"], row["tokens"]) for row in rows]
        return cls(
            Counter(language for language, _ in given),
            sum(length(stored) for _, stored in given),
            Terms.of(stored for _, stored in given),
        )

    def plus(self, other: "Counted") -> "Counted":
        return Counted(self.languages + other.languages, self.length + other.length, self.terms.plus(other.terms))


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it is to be written."""

    entry: Entry
    passages: list[Row]
    notes: list[Row]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A passage as it was read: `vector` (dim,), `codes` (s, dim) and `scales` (s,) of its s sentences."""

    passage: Passage
    vector: Vectors
    codes: NDArray[np.int8]
    scales: Vectors
    tokens: str


def check(documents: Sequence[tuple[Document, Sequence[Passage]]]) -> None:
    """Raises FailedFile for what the rows of a file cannot hold."""
    if sum(len(inside) for _, inside in documents) > MOST:
        raise FailedFile(f"more than {MOST:,} passages in one file: split it")
    for document, _ in documents:
        if len(document.source.encode()) > LONGEST_SOURCE:
            raise FailedFile(f"the name of a document in it is longer than {LONGEST_SOURCE:,} bytes")


def as_rows(file: int, record: FileRecord, documents: Sequence[tuple[Document, Sequence[Embedded]]]) -> Written:
    """A file under a number; `check` has found that it fits."""
    listed: list[Listed] = []
    passages: list[Row] = []
    notes: list[Row] = []
    for number, (document, inside) in enumerate(documents):
        spoken = Counter(one.passage.language for one in inside)
        text = document.text
        listed.append(
            Listed(
                document.source,
                document.title,
                len(text),
                len(inside),
                spoken.most_common(1)[0][0] if spoken else "",
                hashlib.sha256(text.encode()).hexdigest(),
            )
        )
        notes += json_note("text", text_name(file, number), _document(document), file)
        for one in inside:
            row, long = _passage_row(file, len(passages), number, one)
            passages.append(row)
            notes += long
    entry = Entry(file, record, tuple(listed))
    notes += json_note("file", entry_name(file), [asdict(record), [_plain(one) for one in listed]], file)
    return Written(entry, passages, notes)


def text_name(file: int, document: int) -> str:
    return f"text/{file}/{document}"


def entry_name(file: int) -> str:
    return f"file/{file}"


def _plain(one: Listed) -> list[Any]:
    return [one.source, one.title, one.characters, one.passages, one.language, one.sha256]


def entry_of(name: str, value: bytes) -> Entry:
    record, listed = json.loads(value)
    return Entry(int(name.rpartition("/")[2]), FileRecord(**record), tuple(Listed(*one) for one in listed))


def _document(document: Document) -> dict[str, Any]:
    return {
        "source": document.source,
        "title": document.title,
        "text": document.text,
        "sections": [[section.start, section.end, section.level] for section in document.sections],
        "pages": [[page.start, page.number] for page in document.pages],
        "sha256": document.sha256,
    }


def document_of(value: bytes) -> Document:
    """Raises DamagedIndex for what is none."""
    try:
        kept = json.loads(value)
        text = kept["text"]
        sections = tuple(Section(start, end, level, text[start:end]) for start, end, level in kept["sections"])
        pages = tuple(Page(start, number) for start, number in kept["pages"])
        return Document(kept["source"], kept["title"], text, sections, pages, kept["sha256"])
    except (ValueError, TypeError, LookupError):
        raise DamagedIndex("the text of a document is damaged: footnoted index --rebuild PATH") from None


def _passage_row(file: int, place: int, document: int, one: Embedded) -> tuple[Row, list[Row]]:
    """The row, and notes of what is too long for its fields."""
    passage = one.passage
    spans = [[start - passage.start, end - passage.start] for start, end in passage.sentences]
    row: Row = {
        "row": file << BITS | place,
        "file": file,
        "document": document,
        "id": passage.id,
        "source": passage.source,
        "title": passage.title,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "heading": passage.heading,
        "page": -1 if passage.page is None else passage.page,
        "sentences": json.dumps(spans, separators=(",", ":")),
        "language": passage.language,
        "content": one.content,
        "bare": bare_hash(passage),
        "tokens": tokens(one.words, LONGEST),
        "codes": _text(one.codes.tobytes()),
        "scales": _text(one.scales.astype("<f4").tobytes()),
        "vector": one.vector,
    }
    long = []
    for field in ("title", "heading", "text", "sentences", "codes", "scales"):
        if len(row[field].encode()) > LONGEST:
            long += note("long", _long_name(row["row"], field), row[field].encode(), file)
            row[field] = _LONG
    return row, long


def _long_name(row: int, field: str) -> str:
    return f"long/{row}/{field}"


def long_names(row: Row) -> dict[str, str]:
    """The notes of a row's fields that are kept apart, by field."""
    return {field: _long_name(row["row"], field) for field, value in row.items() if value == _LONG}


def fetched(row: Row) -> Fetched:
    """A row of FIELDS, its long fields put in."""
    start = row["start"]
    spans = tuple((start + first, start + last) for first, last in json.loads(row["sentences"]))
    passage = Passage(
        row["id"],
        row["source"],
        row["title"],
        start,
        row["end"],
        row["text"],
        row["heading"],
        None if row["page"] < 0 else row["page"],
        spans,
        row["language"],
    )
    vector = np.array(row["vector"], dtype=np.float32)
    codes, scales = sentences_of(row, len(vector))
    return Fetched(passage, vector, codes, scales, row["tokens"])


def sentences_of(row: Row, dimension: int) -> tuple[NDArray[np.int8], Vectors]:
    codes = np.frombuffer(base64.b64decode(row["codes"]), np.int8).reshape(-1, dimension)
    return codes, np.frombuffer(base64.b64decode(row["scales"]), "<f4")


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
