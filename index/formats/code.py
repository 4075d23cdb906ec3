"""Source code and configuration: its lines as they stand, under the functions and classes they are in."""

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from ..documents import Document
from ..loading import Problem
from .blocks import Blocks, clean, stem
from .decoding import decode

# A longer line was made by a program, not by a person.
_LONGEST = 2000

_PYTHON = re.compile(r"(?P<indent>[ \t]*)(?:async[ \t]+)?(?P<kind>def|class)[ \t]+(?P<name>\w+)")
_OTHER = re.compile(
    r"(?P<indent>[ \t]*)(?:(?:export|default|public|private|protected|internal|static|abstract|final|sealed|open|"
    r"data|async|pub(?:\(\w+\))?|unsafe)[ \t]+)*"
    r"(?P<kind>function|func|fn|fun|def|sub|class|struct|interface|trait|enum|module|object|impl)[ \t]+"
    r"(?P<name>[\w.:]+)"
)
_PYTHONS = (".py", ".pyi")
# Configuration and prose have words like "class" or "object" at the beginning of lines.
_NOT_CODE = frozenset(
    """.bib .cfg .cmake .conf .css .diff .ini .json .patch .properties .proto .sass .scss .sql .sty .tex .toml .xml
    .yaml .yml""".split()  # noqa: SIM905
)


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a source file, and a problem before it if its encoding is a guess.

    JSON that stands on one line is spread over many. Nothing is run.
    """
    text, guessed = decode(data)
    suffix = PurePosixPath(source).suffix.lower()
    if suffix == ".json":
        text = _spread(text)
    blocks = Blocks()
    write(blocks, text, suffix)
    document = blocks.document(source, stem(source) if suffix in _NOT_CODE else PurePosixPath(source).name)
    if guessed:
        yield Problem(f"its encoding is a guess: read as {guessed}", lost=False)
    yield document


def write(blocks: Blocks, text: str, suffix: str) -> None:
    """Add code to `blocks`, line by line, each function and class a section; none without a `suffix`."""
    pattern = None if not suffix or suffix in _NOT_CODE else _PYTHON if suffix in _PYTHONS else _OTHER
    for line in clean(text.replace("\f", "\n")).expandtabs(4).split("\n"):
        found = pattern.match(line[:200]) if pattern else None
        if found:
            level = min(6, 1 + len(found["indent"]) // 4)
            blocks.named_line(line.rstrip(), f"{found['kind']} {found['name']}", level)
        else:
            blocks.line(line)


def _spread(text: str) -> str:
    """JSON with a line for each value, if its lines are no person's; other text unchanged.

    Raises RecursionError for JSON that is nested too deeply to be anything.
    """
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if max(map(len, text.split("\n"))) <= _LONGEST:
        return text
    return json.dumps(value, indent=1, ensure_ascii=False)
