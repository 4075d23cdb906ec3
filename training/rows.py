"""Questions with their answers in their texts, from the training sets; nothing of what is evaluated.

A set is a `.jsonl.gz` of rows: question, context, answers (text, start), is_impossible, source.
"""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .evaluated import Evaluated

# Sets, each with the most rows that are taken of it: single sentences and reviews are many and
# far from what people keep in their folders.
SETS = {
    "squad11-train-44articles": 20_000,
    "squad11-train-reqa-sentences": 20_000,
    "squad20-train-10articles": 20_000,
    "squadshifts-new-wiki": 20_000,
    "squadshifts-reddit": 5_000,
    "squadshifts-amazon-reviews": 3_000,
    "nq-open-oracle": 20_000,
    "qed-nq-dev": 20_000,
    "policyqa-dev-test": 5_000,
    "covidqa-2020-04": 20_000,
    "quoref-contrast": 20_000,
    "selqa-ass-dev-test": 20_000,
    "condaqa-span-noanswer": 20_000,
    "qamr-wiki-dev-test": 4_000,
}
# Texts without questions: neighbours that a passage is mistaken for.
TEXTS = "passages-squad-articles"
# One text in so many is kept from training, with its questions, to choose constants on.
HELD = 20
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Text:
    """What questions are asked of: `id` comes from its words; a `held` one is not trained on."""

    id: str
    title: str
    text: str

    @property
    def held(self) -> bool:
        return int(self.id[:8], 16) % HELD == 0


@dataclass(frozen=True, slots=True)
class Row:
    """A question on the text `text_id`. `answers` are accepted (start, end) spans of the text, none if it
    does not answer; where `sentence` is set they are whole sentences that hold the answer.
    """

    question: str
    text_id: str
    answers: tuple[tuple[int, int], ...]
    sentence: bool
    set: str


@dataclass(slots=True)
class Rows:
    """`texts` by id, the `rows` asked of them, and how many were `left_out`, by set, since they are evaluated."""

    texts: dict[str, Text] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def load_rows(train: Path, evaluated: Evaluated) -> Rows:
    """All rows of SETS and the texts of TEXTS, in the order of the files; a question on a text counts once."""
    found = Rows()
    titles: dict[str, str] = {}
    for row in _lines(train / f"{TEXTS}.jsonl.gz"):
        title = row["title"].replace("_", " ")
        titles[_SPACE.sub(" ", row["text"]).strip()] = title
        _keep(found, title, row["text"], TEXTS, evaluated)
    for name, most in SETS.items():
        seen: set[tuple[str, str]] = set()
        for row in _sampled(_lines(train / f"{name}.jsonl.gz"), most):
            context = row["context"]
            if evaluated.asks(row["question"]):
                found.left_out[name] += 1
                continue
            title = row.get("title") or titles.get(_SPACE.sub(" ", context).strip(), "")
            text = _keep(found, title.replace("_", " "), context, name, evaluated)
            if text is None or (text.id, row["question"]) in seen:
                continue
            seen.add((text.id, row["question"]))
            spans = {(one["start"], one["start"] + len(one["text"])) for one in row["answers"]}
            answers = tuple(sorted(_trimmed(context, span) for span in spans))
            if answers or row["is_impossible"]:
                sentence = bool(row.get("sentence_level"))
                found.rows.append(Row(_question(row["question"]), text.id, answers, sentence, name))
    return found


def _keep(found: Rows, title: str, text: str, name: str, evaluated: Evaluated) -> Text | None:
    """The text, kept with the others; None if it is evaluated."""
    id = hashlib.sha256(text.encode()).hexdigest()[:16]
    if id not in found.texts:
        if evaluated.holds(text):
            found.left_out[name] += 1
            return None
        found.texts[id] = Text(id, title, text)
    return found.texts[id]


def _sampled(rows: Iterable[dict], most: int) -> list[dict]:  # type: ignore[type-arg]
    """At most so many rows, the same ones each time: those whose questions have the lowest hashes."""
    rows = list(rows)
    if len(rows) <= most:
        return rows
    ranks = sorted(range(len(rows)), key=lambda at: hashlib.sha256(rows[at]["question"].encode()).digest())
    return [rows[at] for at in sorted(ranks[:most])]


def _lines(file: Path) -> Iterator[dict]:  # type: ignore[type-arg]
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _trimmed(text: str, span: tuple[int, int]) -> tuple[int, int]:
    start, end = span
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def _question(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
