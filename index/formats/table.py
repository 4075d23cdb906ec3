"""CSV and TSV: each row a document of its own that says which column each value is from."""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from ..documents import Document
from ..errors import FailedFile, SkippedFile
from ..loading import Problem
from .blocks import clean, collapse, stem
from .decoding import encoding_of
from .jsonl import LINE_LIMIT, NAMED_PROBLEMS

# A value longer than this is a text, and stands on lines of its own.
LONG_VALUE = 200
# A name of a column is no longer.
_LONGEST_NAME = 80
_SAMPLE_LENGTH = 1 << 16
_SAMPLE_ROWS = 20
_DELIMITERS = ",;\t|"

_NUMBER = re.compile(r"[-+]?[\d.,:/ %$€£]*\d[\d.,:/ %$€£]*(?:[eE][-+]?\d+)?$")


def read_rows(file: BinaryIO, suffix: str, source: str) -> Iterator[Document | Problem]:
    """Yield a document for each row with anything in it, in file order, and problems between them.

    A row reads "Column: value; Column: value" on one line, with long values on lines of their own;
    one with a column `text` is that text. It is named by its `_id` or `id`, or else by its row as
    spreadsheets count: the header is row 1.
    """
    encoding, guessed = encoding_of(file)
    if guessed:
        yield Problem(f"its encoding is a guess: read as {guessed}", lost=False)
    start = file.tell()
    sample = io.TextIOWrapper(io.BytesIO(file.read(_SAMPLE_LENGTH)), encoding, "replace", newline="").read()
    file.seek(start)
    csv.field_size_limit(LINE_LIMIT)
    delimiter = "\t" if suffix in (".tsv", ".tab") else _delimiter(sample)
    text = io.TextIOWrapper(file, encoding, "replace", newline="")
    # Many programs write TSV without quoting; a quotation mark there is one.
    bare = delimiter == "\t" and '\t"' not in sample and '"\t' not in sample
    lines = (line.replace("\0", "") for line in text)
    rows = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL)
    try:
        yield from _documents(rows, source)
    except csv.Error as error:
        raise FailedFile(f"row {rows.line_num}: {error}") from error
    finally:
        text.detach()


def _documents(rows: Iterator[list[str]], source: str) -> Iterator[Document | Problem]:
    header = next((row for row in rows if any(map(str.strip, row))), None)
    if header is None:
        raise SkippedFile("no text in it")
    named = _is_header(header)
    columns = [collapse(clean(name)) for name in header] if named else []
    met: dict[str, int] = {}
    bad = 0
    for number, row in enumerate(rows if named else _with(header, rows), 2 if named else 1):
        if not any(map(str.strip, row)):
            continue
        name, title, text = _row(columns, [clean(value) for value in row])
        name = name or str(number)
        reason = f"id {name!a} is that of row {met[name]} already" if name in met else "" if text else "no text in it"
        if reason:
            bad += 1
            if bad <= NAMED_PROBLEMS:
                yield Problem(f"row {number}: {reason}")
            continue
        met[name] = number
        digest = hashlib.sha256("\0".join(row).encode("utf-8", "surrogatepass")).hexdigest()
        yield Document(f"{source}#{name}", title or stem(source), text, sha256=digest)
    if not met:
        raise SkippedFile("no rows in it but the header" if not bad else "no text in its rows")
    if bad > NAMED_PROBLEMS:
        yield Problem(f"{bad - NAMED_PROBLEMS} more rows could not be read")


def _with(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def _row(columns: Sequence[str], row: Sequence[str]) -> tuple[str, str, str]:
    """Name, title and text of a row."""
    by_name = {name.lower(): value.strip() for name, value in zip(columns, row, strict=False)}
    name = collapse(by_name.get("_id") or by_name.get("id") or "")
    title = collapse(by_name.get("title") or by_name.get("name") or "")[:_LONGEST_NAME]
    if by_name.get("text") and by_name.keys() <= {"_id", "id", "title", "text"}:
        return name, title, by_name["text"]
    if not columns:
        return "", "", " | ".join(value for value in map(collapse, row) if value)
    short, long = [], []
    for place, value in enumerate(row):
        column = columns[place] if place < len(columns) else ""
        value = value.strip()
        if not value:
            continue
        if len(value) > LONG_VALUE:
            long.append(f"{column}: {value}" if column else value)
        else:
            short.append(f"{column}: {collapse(value)}" if column else collapse(value))
    return name, title, "\n".join([*(["; ".join(short)] if short else []), *long])


def _is_header(row: Sequence[str]) -> bool:
    """Whether a first row names columns: each name short, its own, and no number."""
    names = [collapse(name) for name in row]
    while names and not names[-1]:
        names.pop()
    filled = [name for name in names if name]
    return (
        len(filled) == len(set(filled))
        and len(filled) >= 0.8 * len(names)
        and all(len(name) <= _LONGEST_NAME and not _NUMBER.match(name) for name in filled)
    )


def _delimiter(sample: str) -> str:
    """The character that cuts the first rows into the same number of values most often."""

    def regularity(delimiter: str) -> tuple[float, int]:
        try:
            rows = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), _SAMPLE_ROWS))
        except csv.Error:
            return (0.0, 0)
        widths = Counter(len(row) for row in rows if row)
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        return (count / widths.total(), width) if width > 1 else (0.0, 0)

    return max(_DELIMITERS, key=regularity)
