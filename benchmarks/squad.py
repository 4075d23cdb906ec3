"""SQuAD v2.0 dev as a test of answers, and its two halves: one to choose constants on, one to report.

The halves are articles: in order of their names, the first, third, ... are for tuning, the others
for reporting. Needs the folder `squad-v2.0-dev` (corpus.jsonl, answers.jsonl) as --data.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from eval.quoting import contains


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on the paragraph `passage_id`; without `answers` the paragraph does not answer it."""

    question: str
    answers: tuple[str, ...]
    passage_id: str

    @property
    def article(self) -> str:
        return self.passage_id.split("#")[0]

    def answered_in(self, text: str) -> bool:
        """Whether an accepted answer stands in the text, word for word (SQuAD's normalisation)."""
        return any(contains(text, answer) for answer in self.answers)


def halves(data: Path) -> tuple[list[Asked], list[Asked]]:
    """(tuning, reporting)."""
    rows = [json.loads(line) for line in (data / "answers.jsonl").read_text().splitlines()]
    asked = [
        Asked(row["question"], () if row["is_impossible"] else tuple(row["answers"]), row["passage_id"]) for row in rows
    ]
    articles = sorted({one.article for one in asked})
    tuning = set(articles[::2])
    return [one for one in asked if one.article in tuning], [one for one in asked if one.article not in tuning]
