"""A file on disk to documents, one at a time.

Each format has a module in `index.formats`; it is imported when the first such file is met, so
that importing this module costs nothing.
"""

import hashlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .documents import Document
from .errors import DocumentError, FailedFile, SkippedFile

# Suffix to the module in `index.formats` that reads it.
FORMATS = {
    ".txt": "plain",
    ".text": "plain",
    ".log": "plain",
    ".rst": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
SUFFIXES = frozenset(FORMATS)

# Read row by row, so of any size.
ROW_SUFFIXES = frozenset(suffix for suffix, name in FORMATS.items() if name == "jsonl")

_NAMES = {"plain": "text", "markdown": "Markdown"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Part of a file that could not be read, or is uncertain, while the rest goes on; one short line."""

    reason: str


def unknown_format(path: Path) -> str:
    """Why no reader takes this file, or empty if one does."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return ""
    return f"unknown format {ascii(suffix)[1:-1]}" if suffix else "unknown format: its name has no ending"


def load(path: Path, source: str) -> Iterator[Document | Problem]:
    """Yield what is in a file: one document, or one for each row of JSONL, and problems as they are met.

    `source` names the document; a row is `source#_id`. Rows come in file order as they are read, so
    a file of any size is never held whole. Raises SkippedFile (nothing to read in it) or FailedFile
    (it cannot be read) while iterating, with a reason for a person; nothing else. Both may come
    after documents were yielded, when a file breaks off in the middle.
    """
    if reason := unknown_format(path):
        raise SkippedFile(reason)
    name = FORMATS[path.suffix.lower()]
    try:
        reader = importlib.import_module(f".formats.{name}", __package__)
        if name == "jsonl":
            yield from reader.read_rows(path, source)
            return
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if not data.strip():
            raise SkippedFile("no text in it")
        for item in reader.read(data, source):
            yield replace(item, sha256=digest) if isinstance(item, Document) else item
    except DocumentError:
        raise
    except OSError as error:
        raise FailedFile(f"cannot be read: {(error.strerror or 'input error').lower()}") from error
    except (MemoryError, RecursionError) as error:
        raise FailedFile("too large or too deeply nested to read") from error
    except Exception as error:
        # Parsers raise anything on damaged input; one file must never stop the others.
        raise FailedFile(f"damaged, or not a {_NAMES.get(name, name.upper())} file") from error
