"""What a person said of answers and of their sources, kept beside the index as lines of JSON.

`feedback.jsonl` in the index folder is only ever added to, and belongs to no generation: rebuilding,
sweeping and checking the index leave it alone. The last word about the same thing counts; taking a word
back is a line too.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from index.durable import append_line, committing, read_lines
from index.errors import UsageError

FILE = "feedback.jsonl"
REASONS = ("wrong", "incomplete", "not what I asked", "should have refused")
"""Why an answer is not good."""
GOOD_ANSWER, WRONG_SOURCE, ANSWER_IS_HERE = "good answer", "wrong source", "the answer is here"
"""Why an excerpt is relevant, or not."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A span of a document: `document.text[start:end] == quote` when it was judged."""

    source: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an excerpt answers a question; `relevant` None takes back what was said before.

    `at` is the time in UTC (ISO 8601), `generation` that of the index whose text was judged.
    """

    question: str
    source: str
    start: int
    end: int
    quote: str
    relevant: bool | None
    reason: str
    at: str
    generation: int


@dataclass(frozen=True, slots=True)
class Rating:
    """Whether the answer to a question is good; `good` None takes back what was said before.

    `reason` is one of REASONS, or empty. `cited` are the excerpts that the answer stood on; none if it
    was a refusal.
    """

    question: str
    good: bool | None
    reason: str
    cited: tuple[Excerpt, ...]
    at: str
    generation: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is in force: the last word about each excerpt and each answer, oldest first.

    A good answer makes its excerpts relevant to the question, unless something was said about the excerpt
    itself. `unreadable` are the numbers of the lines that are no entry: cut off in a crash, or edited.
    """

    judgements: tuple[Judgement, ...]
    ratings: tuple[Rating, ...]
    unreadable: tuple[int, ...] = ()

    def relevance(self, question: str, source: str, start: int, end: int) -> bool | None:
        """What was said of an excerpt; None if nothing was."""
        place = question, source, start, end
        return next((one.relevant for one in self.judgements if _place(one) == place), None)

    def rating(self, question: str) -> Rating | None:
        """What was said of the answer to a question; None if nothing was."""
        return next((one for one in self.ratings if one.question == question), None)


def now() -> str:
    """The time for an entry."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def record(folder: Path, entry: Judgement | Rating) -> None:
    """Add an entry to the feedback in an index folder; on return it would survive a power cut.

    Safe to call from several threads and processes. Raises FailedWrite, and then nothing was added.
    """
    with committing(folder):
        append_line(folder / FILE, json.dumps(asdict(entry), ensure_ascii=True).encode() + b"\n")


def read_feedback(folder: Path) -> Feedback:
    """The feedback in an index folder; empty if nothing was said yet. Raises UsageError if it cannot be read."""
    said: dict[tuple[object, ...], Judgement] = {}
    ratings: dict[str, Rating] = {}
    unreadable = []
    for number, entry in _entries(folder / FILE):
        if entry is None:
            unreadable.append(number)
        elif isinstance(entry, Rating):
            ratings.pop(entry.question, None)  # the last word is also the last in order
            ratings[entry.question] = entry
        else:
            said.pop(_place(entry), None)
            said[_place(entry)] = entry
    given = [one for one in ratings.values() if one.good is not None]
    implied = {_place(one): one for rating in given for one in _implied(rating)}
    explicit = {place: one for place, one in said.items() if one.relevant is not None}
    judgements = sorted({**implied, **explicit}.values(), key=lambda one: one.at)
    return Feedback(tuple(judgements), tuple(given), tuple(unreadable))


def _implied(rating: Rating) -> Iterator[Judgement]:
    """What a rating says of the excerpts that the answer cited."""
    if rating.good:
        for one in rating.cited:
            place = one.source, one.start, one.end, one.quote
            yield Judgement(rating.question, *place, True, GOOD_ANSWER, rating.at, rating.generation)


def _place(judgement: Judgement) -> tuple[object, ...]:
    """What a judgement is about: the same for the next word on it."""
    return judgement.question, judgement.source, judgement.start, judgement.end


def _entries(path: Path) -> Iterator[tuple[int, Judgement | Rating | None]]:
    """The numbered lines of the file, None for one that is no entry."""
    try:
        lines = read_lines(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _entry(line)


def _entry(line: bytes) -> Judgement | Rating | None:
    try:
        values = json.loads(line)
        if "good" in values:
            values["cited"] = tuple(_typed(Excerpt(**one)) for one in values["cited"])
            return _typed(Rating(**values))
        return _typed(Judgement(**values))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


_FIELDS: dict[str, tuple[type, ...]] = {
    "start": (int,),
    "end": (int,),
    "generation": (int,),
    "relevant": (bool, type(None)),
    "good": (bool, type(None)),
    "cited": (tuple,),
}


_Typed = TypeVar("_Typed", Excerpt, Judgement, Rating)


def _typed(entry: _Typed) -> _Typed:
    """The entry itself. Raises TypeError unless each of its fields is of its type; those not named are text."""
    for name in entry.__slots__:
        if type(getattr(entry, name)) not in _FIELDS.get(name, (str,)):
            raise TypeError(name)
    return entry
