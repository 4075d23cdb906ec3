"""A file on disk to documents, one at a time, in this process; `index.parsing` does it in another.

Each format has a module in `index.formats`; it is imported when the first such file is met, so
that importing this module costs nothing.
"""

import errno
import hashlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import BinaryIO

from .documents import Document
from .errors import DocumentError, FailedFile, SkippedFile

_CODE = (
    "asm bash bat bib c cc cfg clj cmake conf cpp cs css cxx dart diff el erl ex f90 fish go gradle groovy h hh hpp hs "
    "ini java jl js json jsx kt lisp lua m mjs ml patch php pl pm properties proto ps1 py pyi r rb rs sass scala scss "
    "sh sql sty svelte swift tex toml ts tsx vb vue xml yaml yml zig zsh"
)

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
    ".epub": "epub",
    ".ipynb": "notebook",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "table",
    ".tsv": "table",
    ".tab": "table",
    ".zip": "archive",
    **{f".{suffix}": "code" for suffix in _CODE.split()},
}
SUFFIXES = frozenset(FORMATS)

# Read row by row, so of any size.
ROW_SUFFIXES = frozenset(suffix for suffix, name in FORMATS.items() if name in ("jsonl", "table"))
# Their module has `read_rows`, which takes an open file and the suffix and gives many documents.
_ROWS = ROW_SUFFIXES | {".zip"}

_NAMES = {
    "plain": "text",
    "markdown": "Markdown",
    "code": "text",
    "notebook": "notebook",
    "table": "table",
    "archive": "ZIP",
}

NEEDS_MEMORY = "needs too much memory to read: more than 1 GB, or far more than its size"


@dataclass(frozen=True, slots=True)
class Problem:
    """Part of a file that could not be read, or is uncertain, while the rest goes on; one short line.

    `lost` tells whether something of the file is missing from the documents.
    """

    reason: str
    lost: bool = True


def unknown_format(path: PurePath) -> str:
    """Why no reader takes this file, or empty if one does."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return ""
    return f"unknown format {ascii(suffix)[1:-1]}" if suffix else "unknown format: its name has no ending"


def load(path: Path, source: str) -> Iterator[Document | Problem]:
    """Yield what is in a file: one document, or one for each row or member, and problems as they are met.

    `source` names the document; a row is `source#_id`, a member of an archive `source/name`. Rows
    come in file order as they are read, so a file of any size is never held whole. Raises
    SkippedFile (nothing to read in it) or FailedFile (it cannot be read) while iterating, with a
    reason for a person; nothing else. Both may come after documents were yielded, when a file
    breaks off in the middle.
    """
    if reason := unknown_format(path):
        raise SkippedFile(reason)
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as file:
            yield from load_open(file, suffix, source)
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise FailedFile(NEEDS_MEMORY) from error
        raise FailedFile(f"cannot be read: {(error.strerror or 'input error').lower()}") from error


def load_open(file: BinaryIO, suffix: str, source: str) -> Iterator[Document | Problem]:
    """`load` for what stands in an open file, of a format that is known. OSError passes through."""
    name = FORMATS[suffix]
    try:
        reader = importlib.import_module(f".formats.{name}", __package__)
        if suffix in _ROWS:
            yield from reader.read_rows(file, suffix, source)
            return
        data = file.read()
        digest = hashlib.sha256(data).hexdigest()
        if not data.strip():
            raise SkippedFile("no text in it")
        for item in reader.read(data, source):
            yield replace(item, sha256=digest) if isinstance(item, Document) else item
    except (DocumentError, OSError):
        raise
    except MemoryError as error:
        raise FailedFile(NEEDS_MEMORY) from error
    except RecursionError as error:
        raise FailedFile("too deeply nested to read") from error
    except Exception as error:
        # Parsers raise anything on damaged input; one file must never stop the others.
        if "memory" in str(error).lower():  # libxml2 says so in a syntax error
            raise FailedFile(NEEDS_MEMORY) from error
        raise FailedFile(f"damaged, or not a {_NAMES.get(name, name.upper())} file") from error
