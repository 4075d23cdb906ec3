"""What moved between two evaluations of one query, and why."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 3
"""Documents and quotes that a mover tells of."""
QUOTE, PASSAGE = 76, 58
"""Characters of a quote and of a passage that a line shows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A document's rank in one evaluation, and its ranks by the scores that are mixed; None: not found."""

    rank: int | None = None
    dense: int | None = None
    lexical: int | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """A document whose rank changed; `a` and `b` say where it stood, `text` begins its best passage."""

    document: str
    relevant: bool
    a: Standing
    b: Standing
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered in one evaluation."""

    abstained: bool
    confidence: float
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mover:
    """A query whose score changed from `a` to `b`.

    `shifts` are the relevant documents that moved and then those that took a place among the first;
    `replies` is what was answered, before and after, if questions were asked. `why` says it in lines.
    """

    query: str
    text: str
    a: float
    b: float
    shifts: tuple[Shift, ...] = ()
    replies: tuple[Reply, Reply] | None = None
    why: tuple[str, ...] = ()


def mover(query: str, a: float, b: float, before: Mapping[str, Any], after: Mapping[str, Any]) -> Mover:
    """The mover of two rows of per_query.jsonl; what a row does not hold is not told."""
    text = str(after.get("text", ""))
    if "abstained" in before and "abstained" in after:
        replies = _reply(before), _reply(after)
        return Mover(query, text, a, b, replies=replies, why=tuple(_told_replies(*replies)))
    shifts = _shifts(before, after)
    return Mover(query, text, a, b, shifts=shifts, why=tuple(map(_told_shift, shifts)))


def well_formed(row: Mapping[str, Any]) -> bool:
    """Whether what a row of per_query.jsonl holds beyond its scores is what `footnoted eval` writes."""
    relevant, places, quotes = row.get("relevant", {}), row.get("places", []), row.get("quotes", [])
    if not (isinstance(relevant, dict) and isinstance(places, list) and isinstance(quotes, list)):
        return False
    return (
        all(rank is None or isinstance(rank, int) for rank in relevant.values())
        and all(isinstance(place, dict) and _is_place(place) for place in places)
        and all(isinstance(quote, dict) and isinstance(quote.get("quote"), str) for quote in quotes)
        and isinstance(row.get("confidence", 0.0), int | float)
    )


def _is_place(place: Mapping[str, Any]) -> bool:
    sides = [place.get("dense"), place.get("lexical")]
    return (
        isinstance(place.get("id"), str)
        and isinstance(place.get("rank"), int)
        and all(side is None or isinstance(side, int) for side in sides)
        and isinstance(place.get("text"), str)
        and isinstance(place.get("relevant"), bool)
    )


def _reply(row: Mapping[str, Any]) -> Reply:
    quotes = tuple(quote["quote"] for quote in row.get("quotes", []))
    return Reply(bool(row["abstained"]), float(row.get("confidence", 0.0)), quotes)


def _told_replies(a: Reply, b: Reply) -> list[str]:
    sure = f"confidence {a.confidence:.2f} -> {b.confidence:.2f}"
    if a.abstained and b.abstained:
        return [f"refused both times; {sure}"]
    if a.abstained:
        return [f"refused -> answered; {sure}", *_told_quotes("now quotes", b.quotes)]
    if b.abstained:
        return [f"answered -> refused; {sure}", *_told_quotes("quoted", a.quotes)]
    gone = [quote for quote in a.quotes if quote not in b.quotes]
    new = [quote for quote in b.quotes if quote not in a.quotes]
    if not gone and not new:
        order = "the same quotes" if a.quotes == b.quotes else "the same quotes in another order"
        return [f"{order}; {sure}"]
    return [f"other quotes; {sure}", *_told_quotes("gone", gone), *_told_quotes("new", new)]


def _told_quotes(what: str, quotes: Sequence[str]) -> list[str]:
    lines = [f"{what}: “{_short(quote, QUOTE)}”" for quote in quotes[:MOST]]
    return lines + ([f"and {len(quotes) - MOST} more"] if len(quotes) > MOST else [])


def _shifts(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Shift, ...]:
    """The relevant documents whose ranks changed, those that count most first, and what took their places."""
    old, new = _standings(before), _standings(after)
    relevant = dict.fromkeys([*before.get("relevant", {}), *after.get("relevant", {})])
    places = [*before.get("places", []), *after.get("places", [])]
    texts = {place["id"]: place["text"] for place in places}
    judged = relevant.keys() | {place["id"] for place in places if place["relevant"]}

    def shift(id: str) -> Shift:
        return Shift(id, id in judged, old.get(id, Standing()), new.get(id, Standing()), texts.get(id, ""))

    moved = [one for one in map(shift, relevant) if one.a.rank != one.b.rank]
    moved.sort(key=lambda one: -abs(_worth(one.b.rank) - _worth(one.a.rank)))
    fallen = [one for one in moved[:MOST] if _worth(one.b.rank) < _worth(one.a.rank)]
    above = max((_worth(one.b.rank) for one in fallen), default=1.0)
    risen = [one for one in map(shift, new) if not one.relevant and _worth(one.b.rank) > max(above, _worth(one.a.rank))]
    return (*moved[:MOST], *risen[:MOST])


def _standings(row: Mapping[str, Any]) -> dict[str, Standing]:
    places = {
        place["id"]: Standing(place["rank"], place.get("dense"), place.get("lexical"))
        for place in row.get("places", [])
    }
    ranks = {id: Standing(rank) for id, rank in row.get("relevant", {}).items() if rank is not None}
    return ranks | places


def _worth(rank: int | None) -> float:
    """What nDCG discounts a place by; nothing for a document that was not found."""
    return 0.0 if rank is None else 1 / math.log2(rank + 1)


def _told_shift(shift: Shift) -> str:
    a, b = shift.a, shift.b
    if not shift.relevant:
        was = "" if a.rank is None else f" (was {a.rank})"
        said = f": {_short(shift.text, PASSAGE)}" if shift.text else ""
        return f"took place {_rank(b.rank)}{was}: {shift.document}{said}"
    up = _worth(b.rank) > _worth(a.rank)
    sides = [("dense", a.dense, b.dense), ("lexical", a.lexical, b.lexical)]
    pushed = [(name, old, new) for name, old, new in sides if old != new and _pushes(up, old or a.rank, new)]
    others = [one for one in sides if one not in pushed and (one[1], one[2]) != (None, None)]
    told = f"relevant {shift.document}: {_rank(a.rank)} -> {_rank(b.rank)}"
    if pushed:
        told += f", {'raised' if up else 'lowered'} by {_told_sides(pushed)}"
    if others:
        told += f" ({_told_sides(others)})"
    return told


def _pushes(up: bool, old: int | None, new: int | None) -> bool:
    """Whether a side's change goes the way that the document went; one that is new had the document's own rank."""
    return _worth(new) > _worth(old) if up else _worth(new) < _worth(old)


def _told_sides(sides: Sequence[tuple[str, int | None, int | None]]) -> str:
    return ", ".join(f"{name} {_rank(a)}" + (f" -> {_rank(b)}" if a != b else "") for name, a, b in sides)


def _rank(rank: int | None) -> str:
    return "none" if rank is None else str(rank)


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 4].rsplit(' ', 1)[0]} ..."
