"""JSON lines, one document a row, in the layout of BEIR: `_id`, `title`, `text`."""

import hashlib
import json
from collections.abc import Iterator
from typing import BinaryIO

from ..documents import Document
from ..errors import FailedFile, SkippedFile
from ..loading import Problem
from .blocks import clean_in_place, collapse
from .plain import unwrapped

# Problems named one by one; the rest are counted.
NAMED_PROBLEMS = 20
# A longer line is no row of text, and must not fill the memory.
LINE_LIMIT = 64 * 1024 * 1024

_TEXT_KEYS = ("text", "contents", "content", "body")


def read_rows(file: BinaryIO, suffix: str, source: str) -> Iterator[Document | Problem]:
    """Yield a document for each good row, in file order, and a problem for each bad one.

    A row is named by its `_id` or `id`, or else by its line number, counted from 1; its sha256 is
    that of its line without the line end. Raises SkippedFile if there is no row, FailedFile if
    there is none that is good.
    """
    lines: dict[str, int] = {}
    bad, first = 0, ""
    if b"\0" in file.read(4096):
        raise SkippedFile("binary content, not text")
    file.seek(0)
    for number, line in _lines(file):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            name, document = _row(line.rstrip(b"\r\n"), number, source)
            if name in lines:
                raise ValueError(f"id {name!a} is that of line {lines[name]} already")
        except (ValueError, RecursionError) as error:
            reason = str(error) if not isinstance(error, RecursionError) else "too deeply nested"
            bad, first = bad + 1, first or f"line {number}: {reason}"
            if bad <= NAMED_PROBLEMS:
                yield Problem(f"line {number}: {reason}")
            continue
        lines[name] = number
        yield document
    if not lines:
        raise FailedFile(f"no line could be read; {first}") if bad else SkippedFile("no text in it")
    if bad > NAMED_PROBLEMS:
        yield Problem(f"{bad - NAMED_PROBLEMS} more lines could not be read")


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line; of an endless one, its beginning."""
    number = 0
    while line := file.readline(LINE_LIMIT):
        number += 1
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == LINE_LIMIT:
            rest = file.readline(LINE_LIMIT)
        yield number, line


def _row(line: bytes, number: int, source: str) -> tuple[str, Document]:
    """Name and document of one line. Raises ValueError with the reason if there is none in it."""
    if len(line) >= LINE_LIMIT:
        raise ValueError("longer than 64 MB")
    try:
        row = json.loads(line.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        raise ValueError("not JSON") from error
    if not isinstance(row, dict):
        raise ValueError('not a JSON object: {"_id": ..., "text": ...}')
    identity = row.get("_id", row.get("id"))
    if identity is not None and (isinstance(identity, bool) or not isinstance(identity, str | int)):
        raise ValueError("its _id is neither text nor a number")
    name = str(number if identity is None or identity == "" else identity)
    title, text = row.get("title") or "", next((row[key] for key in _TEXT_KEYS if row.get(key)), "")
    if not isinstance(text, str) or not isinstance(title, str):
        raise ValueError("its title or text is not text")
    # The text is a program's own and others count characters in it, so no character is moved.
    text = unwrapped(clean_in_place(text if text.strip() else title))
    if not text.strip():
        raise ValueError("no text in it")
    return name, Document(f"{source}#{name}", collapse(title), text, sha256=hashlib.sha256(line).hexdigest())
