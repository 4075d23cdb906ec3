"""A conversation with its sources as a file, and the quotes of such a file read again."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from index.errors import UsageError
from rag.answers import Answer, Citation
from rag.checking import Quoted
from rag.history import Turn

from .printing import answer_values, place

# Between the parts of a footnote; a part that has it is written with its number instead.
_BETWEEN = " · "
# What Markdown would make something of, and what would end a line; written so that it is read back exactly.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~$&!@]|:(?=//)|(?<=[wW]{3})\.")
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u00b7\u2028\u2029]|^ | $")
_WRITTEN = re.compile(r"\\(.)|&#(\d{1,7});")
_MARKER = re.compile(r"\[\^(\d+-\d+)\]: ")
_SPAN = re.compile(r"characters (\d{1,12}) to (\d{1,12})")
# Larger, or with more quotes, is no answer that we wrote.
_LARGEST, _MOST = 64 << 20, 10_000


def as_values(turns: Sequence[Turn]) -> dict[str, Any]:
    """A conversation as an object: its turns are those of `ask --json`, with the sha256 of each cited document."""
    return {
        "title": turns[0].question,
        "turns": [
            {
                "at": turn.at,
                "sources": turn.sources,
                **answer_values(turn.answer),
                "citations": [
                    {**values, "sha256": turn.documents.get(values["source"])}
                    for values in answer_values(turn.answer)["citations"]
                ],
            }
            for turn in turns
        ],
    }


def as_markdown(turns: Sequence[Turn]) -> str:
    """A conversation as Markdown, each answer with its footnotes: place, sha256 of the document, quote."""
    parts = [f"# {_escaped(turns[0].question)}"]
    for number, turn in enumerate(turns, 1):
        parts.append(f"## {_escaped(turn.question)}")
        if turn.answer.searched not in ("", turn.answer.question):
            parts.append(f"Searched for: {_escaped(turn.answer.searched)}")
        if turn.sources is not None:
            parts.append(f"Asked: {', '.join(map(_escaped, turn.sources))}")
        *before, last = re.split(r" ?\[(\d+)\]", turn.answer.text)
        said = [_escaped(piece) if at % 2 == 0 else f"[^{number}-{piece}]" for at, piece in enumerate(before)]
        parts.append("".join(said) + _escaped(last))
        parts += [_footnote(number, one, turn) for one in turn.answer.citations]
        parts += [_escaped(line) for line in _remarks(turn.answer)]
        writer = f", written by {_escaped(turn.answer.generator)}" if turn.answer.generator else ""
        parts.append(f"*Answered {turn.at}, confidence {turn.answer.confidence:.2f}{writer}*")
    return "\n\n".join(parts) + "\n"


def _remarks(answer: Answer) -> list[str]:
    """What a person was told beside the answer: what of it is doubted, how it came about."""
    doubted = [f"{grade}: “{answer.text[one.start : one.end]}”: {one.reason}" for grade, one in answer.doubts]
    return [line[:1].upper() + line[1:] for line in (*doubted, *answer.notices)]


def _footnote(turn_number: int, one: Citation, turn: Turn) -> str:
    where = place("", "", one.page, one.heading).removeprefix(", ")
    sha256 = turn.documents.get(one.source, "")
    fields = [
        _escaped(one.title or one.source),
        f"document {_escaped(one.source)}",
        f"characters {one.start} to {one.end}",
        *([_escaped(where)] if where else []),
        *([f"sha256 {sha256}"] if sha256 else []),
        f"“{_escaped(one.quote)}”",
    ]
    return f"[^{turn_number}-{one.marker}]: {_BETWEEN.join(fields)}"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    marked = _MARKUP.sub(lambda found: f"\\{found[0]}", text)
    return _ODD.sub(lambda found: f"&#{ord(found[0])};", marked)


def _plain(written: str) -> str:
    return _WRITTEN.sub(lambda found: found[1] or chr(min(int(found[2]), 0x10FFFF)), written)


def read_quotes(path: Path) -> list[Quoted]:
    """The quotes of an exported conversation (Markdown or JSON) or of what `ask --json` printed, in order.

    Raises UsageError if the file cannot be read, or is none of these.
    """
    try:
        with path.open("rb") as file:  # its size is not asked for: a device has none
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise UsageError(f"{path} is larger than {_LARGEST >> 20} MB: no answer of ours")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text: give an exported conversation, or what ask --json printed") from None
    found = _of_json(text)
    if found is None:
        found = [quoted for line in text.splitlines() if (quoted := _of_footnote(line.strip()))]
        if not found and not re.search(r"^\*Answered \d{4}-", text, re.MULTILINE):
            raise UsageError(f"{path} holds no answer: give an exported conversation, or what ask --json printed")
    if len(found) > _MOST:
        raise UsageError(f"{path} has more than {_MOST:,} quotes: no answer of ours")
    return found


def _of_footnote(line: str) -> Quoted | None:
    """The quote of a line that is a footnote of ours."""
    marker = _MARKER.match(line)
    parts = line.split(_BETWEEN)
    if marker is None or len(parts) < 4:
        return None
    source, span, quote = parts[1], _SPAN.fullmatch(parts[2]), parts[-1]
    if span is None or not (source.startswith("document ") and quote.startswith("“") and quote.endswith("”")):
        return None
    return Quoted(marker[1], _plain(source[len("document ") :]), int(span[1]), int(span[2]), _plain(quote[1:-1]))


def _of_json(text: str) -> list[Quoted] | None:
    """The quotes of one JSON object, or of one a line; None if it is no answer."""
    try:
        try:
            objects = [json.loads(text)]
        except ValueError:
            objects = [json.loads(line) for line in text.splitlines() if line.strip()]
        if not objects:
            return None
        return [quoted for one in objects for quoted in _of_object(one)]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _of_object(values: dict[str, Any]) -> Iterator[Quoted]:
    turns = values.get("turns", [values])
    for number, turn in enumerate(turns, 1):
        if "error" in turn:
            continue
        for one in turn["citations"]:
            marker = f"{number}-{int(one['marker'])}" if "turns" in values else str(int(one["marker"]))
            yield Quoted(marker, str(one["source"]), int(one["start"]), int(one["end"]), str(one["quote"]))
