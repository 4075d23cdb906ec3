"""Conversations, kept beside the index: a file of JSON lines each, a line an answered turn.

`history/ID.jsonl` in the index folder is only added to, each line synced, and belongs to no generation. A turn that is
answered again has a second line under its id, which counts; one that is taken back has a line that says so. A line
that a crash cut off is no turn.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from index.durable import append_line, committing, make_folder, read_lines, sync_folder
from index.errors import UsageError
from index.index import Index

from .answers import Answer

FOLDER = "history"
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
# Conversations that are listed: more are kept than anybody looks through.
_LISTED = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """An answered question. `alone`: searched without what was asked before; `sources`: the documents that were
    asked, None for all of them; `documents`: the sha256 of each cited document's file, by source; `at` in UTC.
    """

    id: str
    at: str
    question: str
    alone: bool
    sources: tuple[str, ...] | None
    answer: Answer
    documents: dict[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation as it is listed: `title` is its first question, `at` the time of its last answer."""

    id: str
    title: str
    at: str
    turns: int


def new_id() -> str:
    """A name for a conversation that starts now; in order of time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def answered(
    index: Index, id: str, question: str, answer: Answer, *, alone: bool = False, sources: Sequence[str] | None = None
) -> Turn:
    """The turn of an answer that was just given."""
    documents = {}
    for one in answer.citations:
        with suppress(UsageError):  # committed away since
            documents[one.source] = index.document(one.source).sha256
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return Turn(id, at, question, alone, None if sources is None else tuple(sources), answer, documents)


def keep(folder: Path, conversation: str, turn: Turn) -> None:
    """Add a turn to a conversation in an index folder. Raises FailedWrite, and then nothing was added."""
    _append(folder, conversation, asdict(turn))


def take_back(folder: Path, conversation: str, id: str) -> None:
    """A turn is no longer part of its conversation. Raises FailedWrite."""
    if _path(folder, conversation).exists():
        _append(folder, conversation, {"id": id, "taken back": True})


def _append(folder: Path, conversation: str, values: Mapping[str, Any]) -> None:
    path = _path(folder, conversation)
    with committing(folder):
        make_folder(path.parent)
        append_line(path, json.dumps(values, ensure_ascii=True).encode() + b"\n")


def read_conversation(folder: Path, conversation: str) -> tuple[Turn, ...]:
    """The turns of a conversation, in order. Raises UsageError if there is none of that name, or it cannot be read."""
    path = _path(folder, conversation)
    if not path.exists():
        raise UsageError(f"no conversation {conversation} in the index at {folder}")
    turns: dict[str, Turn] = {}
    for values in _lines(path):
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            if values.get("taken back"):
                turns.pop(str(values["id"]), None)
            else:
                turns[str(values["id"])] = _restored(Turn, values)
    return tuple(turns.values())


def conversations(folder: Path) -> list[Listed]:
    """The conversations in an index folder that have an answer, the one last added to first."""
    found = []
    for path in sorted((folder / FOLDER).glob("*.jsonl"), key=_changed, reverse=True)[:_LISTED]:
        with suppress(UsageError):
            if turns := read_conversation(folder, path.stem):
                found.append(Listed(path.stem, turns[0].question, turns[-1].at, len(turns)))
    return found


def forget(folder: Path, conversation: str) -> None:
    """Delete a conversation. Raises UsageError if there is none of that name, FailedWrite."""
    path = _path(folder, conversation)
    if not path.exists():
        raise UsageError(f"no conversation {conversation} in the index at {folder}")
    with committing(folder):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def forget_all(folder: Path) -> int:
    """Delete every conversation of an index; how many there were."""
    paths = list((folder / FOLDER).glob("*.jsonl"))
    with committing(folder):
        for path in paths:
            path.unlink(missing_ok=True)
    return len(paths)


def _path(folder: Path, conversation: str) -> Path:
    if not _ID.fullmatch(conversation):
        raise UsageError("that is not the name of a conversation")
    return folder / FOLDER / f"{conversation}.jsonl"


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines that are whole."""
    try:
        lines = read_lines(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    for line in lines:
        with suppress(ValueError, RecursionError):
            values = json.loads(line)
            if isinstance(values, dict):
                yield values


def _restored(kind: Any, value: Any) -> Any:
    """What `asdict` and JSON made of a value of a type, made that value again; a field that a line does not have has
    its default. Raises TypeError or KeyError for anything else.
    """
    if kind is Any:
        return value
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        needed = [field for field in fields(kind) if field.name in value or _without_default(field)]
        made: Any = kind
        return made(**{field.name: _restored(hints[field.name], value[field.name]) for field in needed})
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (other,) = [one for one in inner if one is not type(None)]
        return None if value is None else _restored(other, value)
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[1:] == (...,) else inner
        return tuple(_restored(one, part) for one, part in zip(kinds, value, strict=True))
    if origin is dict:
        return {str(key): _restored(inner[1], part) for key, part in value.items()}
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(kind)
    return value


def _without_default(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
