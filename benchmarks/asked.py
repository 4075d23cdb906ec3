"""Questions to choose constants on, and questions to report.

SQuAD v2.0 dev (--data, `squad-v2.0-dev`) is split by article: in order of their names, the first,
third, ... are for tuning, the others for reporting. Its questions were written with the paragraph in
view; so the tuning part also has questions that were not, or that ask other kinds of text (--train:
Natural Questions, Reddit and Wikipedia of SQuADShifts, PolicyQA). None of these is reported.
"""

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eval.quoting import contains
from training.evaluated import load_evaluated
from training.rows import load_rows

# Other sets, and how many of their questions are taken.
OTHERS = {
    "nq-open-oracle": 600,
    "squadshifts-reddit": 200,
    "squadshifts-new-wiki": 300,
    "policyqa-dev-test": 200,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on the passage `passage_id`, of the text named `group`; without `answers` it is not
    answered there, though it reads as if it were.
    """

    question: str
    answers: tuple[str, ...]
    passage_id: str
    group: str

    def answered_in(self, text: str) -> bool:
        """Whether an accepted answer stands in the text, word for word (SQuAD's normalisation)."""
        return any(contains(text, answer) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Passages:
    """A corpus file of our own making: rows for `corpus.jsonl`."""

    rows: tuple[dict[str, str], ...]

    def write(self, folder: Path) -> Path:
        file = folder / "corpus.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")
        return file


def squad_halves(data: Path) -> tuple[list[Asked], list[Asked]]:
    """(tuning, reporting)."""
    asked = [
        Asked(
            row["question"],
            () if row["is_impossible"] else tuple(row["answers"]),
            row["passage_id"],
            row["passage_id"].split("#")[0],
        )
        for row in _rows((data / "answers.jsonl").read_text(encoding="utf-8").splitlines())
    ]
    tuning = set(sorted({one.group for one in asked})[::2])
    return [one for one in asked if one.group in tuning], [one for one in asked if one.group not in tuning]


def squad_passages(data: Path) -> Passages:
    return Passages(tuple(_rows((data / "corpus.jsonl").read_text(encoding="utf-8").splitlines())))


def others(train: Path, shuffle: random.Random) -> tuple[list[Asked], Passages]:
    """Answerable questions of the other sets, and the passages they are asked of."""
    asked: list[Asked] = []
    passages: dict[str, dict[str, str]] = {}
    for name, number in OTHERS.items():
        with gzip.open(train / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [row for row in _rows(file) if not row["is_impossible"] and len(row["context"]) < 4000]
        for row in shuffle.sample(rows, min(number, len(rows))):
            key = row["context"]
            found = passages.setdefault(
                key, {"_id": f"{name}#{len(passages)}", "title": row.get("title") or "", "text": key}
            )
            answers = tuple(answer["text"] for answer in row["answers"])
            asked.append(Asked(row["question"], answers, found["_id"], found["_id"]))
    return asked, Passages(tuple(passages.values()))


def held(data: Path) -> tuple[list[Asked], Passages]:
    """Answerable questions of the training sets whose texts the reader was not trained on, and those texts."""
    found = load_rows(data / "train", load_evaluated(data))
    texts = [text for text in found.texts.values() if text.held]
    rows = tuple({"_id": one.id, "title": one.title, "text": one.text} for one in texts)
    asked = [
        Asked(row.question, tuple(found.texts[row.text_id].text[start:end] for start, end in row.answers), row.text_id,
              row.text_id)
        for row in found.rows
        if found.texts[row.text_id].held and row.answers and not row.sentence
    ]  # fmt: skip
    random.Random(13).shuffle(asked)
    return asked, Passages(rows)


def _rows(lines: Iterable[str]) -> Iterator[dict]:  # type: ignore[type-arg]
    return (json.loads(line) for line in lines if line.strip())
