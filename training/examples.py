"""Rows to groups of windows: one that answers, and some that do not."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index import Index
from rag.windows import Window, windows

from .impossible import alter, deceive
from .negatives import Mined

# Shares of the rows that get a made question without an answer, a second mined passage, a title.
IMPOSSIBLE = 0.5
SECOND = 0.3
TITLED = 0.6
# Share of the windows that are cut to some of the passage's sentences, as a reader may be given.
CROPPED = 0.6


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage of the index as examples are made of it; `sentences` are spans of `text`."""

    context: str
    text: str
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A window with what it should be read as: `answers` 1 or 0; `starts` and `ends` the accepted pieces,
    the first piece of all ([CLS]) where nothing answers. For a claim, `supports` is 1 or 0 instead.
    """

    window: Window
    answers: float
    starts: tuple[int, ...] = (0,)
    ends: tuple[int, ...] = (0,)
    supports: float | None = None


Group = list[Example]


def shown(index: Index) -> list[Shown]:
    passages = (index.passage(row) for row in range(index.passages))
    return [
        Shown(one.context, one.text, tuple((start - one.start, end - one.start) for start, end in one.sentences))
        for one in passages
    ]


def epoch(mined: Sequence[Mined], passages: Sequence[Shown], seed: str) -> Iterator[Group]:
    """A group for each row, in an order and with a choice of negatives that `seed` settles."""
    order = list(range(len(mined)))
    random.Random(seed).shuffle(order)
    for at in order:
        yield group(mined[at], passages, random.Random(f"{seed} {at}"))


def group(row: Mined, passages: Sequence[Shown], shuffle: random.Random) -> Group:
    gold = passages[row.gold]
    accepted = [gold.text[start:end] for start, end in row.answers]
    asked: list[tuple[str, Shown, tuple[tuple[int, int], ...]]] = [(row.question, gold, row.answers)]
    for _ in range(1 + (shuffle.random() < SECOND)):
        if row.negatives:  # the nearest ones most often
            chosen = row.negatives[int(len(row.negatives) * shuffle.random() ** 2)]
            asked.append((row.question, passages[chosen], ()))
    if row.answers and shuffle.random() < IMPOSSIBLE:
        way = shuffle.random()
        if way < 0.6:
            changed = deceive(row.question, gold.text, accepted, shuffle)
            if changed:
                asked.append((changed, gold, ()))
        elif way < 0.8:
            other = alter(gold.text, row.question, accepted, shuffle)
            if other:
                asked.append((row.question, Shown(gold.context, other, ()), ()))
        else:
            less = _without(gold, row.answers, accepted)
            if less:
                asked.append((row.question, less, ()))
    # Rows of questions in lower case teach that case says nothing; the pieces have none anyway.
    texts, contexts, spans = [], [], []
    for _, passage, answers in asked:
        titled = passage.context if shuffle.random() < TITLED else ""
        text, answers = _cropped(passage, answers, shuffle) if shuffle.random() < CROPPED else (passage.text, answers)
        texts.append(text)
        contexts.append(titled)
        spans.append(answers)
    made = windows([question for question, _, _ in asked], contexts, texts)
    examples = []
    for window, answers in zip(made, spans, strict=True):
        starts, ends = _pieces(window, answers, row.sentence)
        examples.append(Example(window, float(bool(starts)), starts or (0,), ends or (0,)))
    # An answer beyond the window's end teaches nothing.
    return examples if bool(row.answers) == bool(examples[0].answers) else examples[1:]


def claims(rows: Sequence[tuple[str, str, bool]], seed: str) -> Iterator[Example]:
    """A window for each (claim, evidence, whether it is supported)."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    for at in order:
        claim, evidence, supported = rows[at]
        (window,) = windows([claim], [""], [evidence])
        yield Example(window, 0.0, supports=float(supported))


def _cropped(
    passage: Shown, answers: tuple[tuple[int, int], ...], shuffle: random.Random
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Some neighbouring sentences of a passage, among them those that answer."""
    sentences = passage.sentences
    if len(sentences) < 3:
        return passage.text, answers
    first, last = sorted(shuffle.sample(range(len(sentences)), 2))
    # One sentence is kept in any case, whether it answers or not: a window's length must not tell.
    start, end = shuffle.choice(answers or sentences)
    first = min(first, max((at for at, (begins, _) in enumerate(sentences) if begins <= start), default=0))
    last = max(last, min((at for at, (_, ends) in enumerate(sentences) if ends >= end), default=last))
    start, end = sentences[first][0], sentences[last][1]
    return passage.text[start:end], tuple((a - start, b - start) for a, b in answers if start <= a and b <= end)


def _without(passage: Shown, answers: Sequence[tuple[int, int]], accepted: Sequence[str]) -> Shown | None:
    """The passage without the sentences that hold an accepted answer; None if little is left."""
    kept = [
        passage.text[start:end]
        for start, end in passage.sentences
        if not any(start < last and first < end for first, last in answers)
    ]
    text = " ".join(kept)
    if len(kept) < 2 or any(one.casefold() in text.casefold() for one in accepted):
        return None
    return Shown(passage.context, text, ())


def _pieces(
    window: Window, answers: Sequence[tuple[int, int]], sentence: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The pieces where the answers begin and end; of whole sentences, every piece in them for both."""
    starts: set[int] = set()
    ends: set[int] = set()
    for start, end in answers:
        inside = [at for at, (first, last) in enumerate(window.offsets) if first < end and last > start]
        if not inside or window.offsets[inside[-1]][1] < end:
            continue
        inside = [window.begin + at for at in inside]
        starts.update(inside if sentence else inside[:1])
        ends.update(inside if sentence else inside[-1:])
    return tuple(sorted(starts)), tuple(sorted(ends))
