"""A segment's files, written once: from documents that were just embedded."""

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ..contents import Contents
from ..durable import make_folder, sync_file, sync_folder
from ..inputs import bare_hash
from ..lexical import count_terms
from ..manifest import SegmentEntry
from ..sums import file_sum
from .segment import TYPES

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA page_size = 4096;
CREATE TABLE files (row INTEGER PRIMARY KEY, path TEXT, source TEXT, size INTEGER, mtime INTEGER,
                    sha256 TEXT, status TEXT, reason TEXT);
CREATE TABLE documents (row INTEGER PRIMARY KEY, file INTEGER, source TEXT, title TEXT, text TEXT,
                        sections TEXT, pages TEXT, sha256 TEXT);
CREATE TABLE passages (row INTEGER PRIMARY KEY, document INTEGER, id TEXT, start INTEGER, "end" INTEGER,
                       heading TEXT, page INTEGER, sentences TEXT, content TEXT, bare TEXT);
CREATE TABLE languages (row INTEGER PRIMARY KEY, code TEXT);
CREATE TABLE terms (term TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX documents_source ON documents (source);
CREATE INDEX documents_file ON documents (file);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_content ON passages (content);
CREATE INDEX passages_bare ON passages (bare);
"""


def write_segment(folder: Path, contents: Contents, dimension: int) -> SegmentEntry:
    """Write a new segment at `folder`, which must not exist; all of it is on the disk on return."""
    make_folder(folder)
    embedded = [one for _, documents in contents for _, passages in documents for one in passages]
    vocabulary, postings = count_terms(one.words for one in embedded)
    languages = sorted({one.passage.language for one in embedded})
    texts = new_texts(folder)
    _write_texts(texts, contents)
    finish_texts(texts, vocabulary, languages)
    vectors = faiss.IndexFlatIP(dimension)
    if embedded:
        vectors.add(np.stack([one.vector for one in embedded]))
    faiss.write_index(vectors, str(folder / "vectors.faiss"))
    none = np.empty((0, dimension), dtype=np.int8)
    arrays = {
        "sentences": np.concatenate([none, *(one.codes for one in embedded)]),
        "scales": np.concatenate([np.empty(0, dtype=np.float32), *(one.scales for one in embedded)]),
        "bounds": np.cumsum([0, *(len(one.codes) for one in embedded)]),
        "languages": np.array([languages.index(one.passage.language) for one in embedded]),
        "pointers": postings.pointers,
        "postings": np.stack([postings.rows, postings.counts]),
        "lengths": postings.lengths,
    }
    write_arrays(folder, arrays)
    return synced(folder)


def new_texts(folder: Path) -> sqlite3.Connection:
    """The empty texts of a segment, to be filled in one go: nothing reads them before `finish_texts`."""
    location = f"{(folder / 'texts.sqlite').absolute().as_uri()}?mode=rwc"
    connection = sqlite3.connect(location, uri=True, isolation_level=None)
    connection.executescript(_TABLES)
    return connection


def finish_texts(connection: sqlite3.Connection, vocabulary: Sequence[str], languages: Sequence[str]) -> None:
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO terms VALUES (?, ?)", ((term, row) for row, term in enumerate(vocabulary)))
    connection.executemany("INSERT INTO languages VALUES (?, ?)", enumerate(languages))
    connection.execute("COMMIT")
    connection.executescript(_INDEXES)
    connection.close()


def write_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        array.astype(TYPES[name], copy=False).tofile(folder / f"{name}.bin")


def synced(folder: Path) -> SegmentEntry:
    """What the manifest says of a segment whose files are all written."""
    files = sorted(folder.iterdir())
    for file in files:
        sync_file(file)
    sync_folder(folder)
    return SegmentEntry(folder.name, {file.name: file_sum(file) for file in files})


def _storable(path: str) -> str | bytes:
    """A path as SQLite can hold it: the bytes of a name that is not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _write_texts(connection: sqlite3.Connection, contents: Contents) -> None:
    connection.execute("BEGIN")
    document_row = passage_row = 0
    for file_row, (record, documents) in enumerate(contents):
        connection.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                file_row,
                _storable(record.path),
                record.source,
                record.size,
                record.mtime,
                record.sha256,
                record.status,
                record.reason,
            ),
        )
        for document, passages in documents:
            sections = [(section.start, section.end, section.level) for section in document.sections]
            pages = [(page.start, page.number) for page in document.pages]
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (document_row, file_row, document.source, document.title, document.text,
                 json.dumps(sections), json.dumps(pages), document.sha256),
            )  # fmt: skip
            for one in passages:
                passage = one.passage
                spans = [(start - passage.start, end - passage.start) for start, end in passage.sentences]
                connection.execute(
                    "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (passage_row, document_row, passage.id, passage.start, passage.end, passage.heading,
                     passage.page, json.dumps(spans), one.content, bare_hash(passage)),
                )  # fmt: skip
                passage_row += 1
            document_row += 1
    connection.execute("COMMIT")
