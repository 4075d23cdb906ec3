"""Reading and writing the package's files: every fault is one line that names the file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from index.errors import UsageError


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 text file that are not blank, numbered from 1, without line ends."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except FileNotFoundError:
        raise UsageError(f"no such file: {path}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None


def bad_line(path: Path, number: int, wanted: str, got: object) -> UsageError:
    """The error for one line of a file: which line, what belongs there, and what stood there."""
    shown = got if isinstance(got, str) else json.dumps(got, default=str)
    return UsageError(f"{path} line {number}: {wanted}, got {shown[:80]!r}")


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file with their line numbers; anything else is a UsageError."""
    for number, line in lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise bad_line(path, number, "every line must be one JSON object", line)
        yield number, row


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a JSON Lines file, ASCII-escaped."""
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write one JSON object, indented, ASCII-escaped."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, making the folders above it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
