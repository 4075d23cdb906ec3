"""What earlier questions add to the search for a follow-up, and what they cost a question that stands alone.

    python benchmarks/conversation.py --data ../shared/data            the halves that nothing was chosen on
    python benchmarks/conversation.py --data ../shared/data --tuning   the other halves, for each constant

`--data` holds conversation/ (conversations of several turns over one small collection; the last one is
judged) and squad-v2.0-dev/. Conversations are sorted by id: every second one, from the first, is for
tuning. SQuAD's questions stand alone: each is asked after a question on another article (a change of
topic) and after one on the same article; its articles are halved as in asked.py.
"""

import argparse
import json
import random
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

from asked import Asked, squad_halves
from recording import record

from eval.bootstrap import interval
from eval.collections import read_qrels
from eval.metrics import ndcg
from index import Index
from rag import System

# Passages that are fetched to rank five documents, and SQuAD questions that are asked.
_DEPTH = 40
_SINGLE = 400
# Other values of rag/conversation.py's constants, each tried alone.
_OTHERS = {
    "LEXICAL_SHARE": (0.2, 0.3, 0.5),
    "DENSE_SHARE": (0.3, 0.7),
    "EARLIER": (1, 3),
    "NAMES": (0,),
    "BARE": (0, 2),
    "LEANING": (-9.0, -0.1, -0.03, 0.0),
    "NAMELESS": (0.0, 0.1, 9.0),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, the user's questions before it, and the grades of the documents that answer it."""

    question: str
    history: tuple[str, ...]
    grades: dict[str, int]


def conversations(folder: Path, *, tuning: bool) -> list[Asking]:
    """The judged last turns of one half that have turns before them."""
    grades = read_qrels(folder / "qrels" / "test.tsv")
    turns: dict[str, list[str]] = {}
    for line in (folder / "queries_full.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said = re.split(r"(?:^|\n)(user|agent): ", row["text"])[1:]
        turns[row["_id"]] = [text.strip() for who, text in zip(said[::2], said[1::2], strict=True) if who == "user"]
    named = sorted({identity.split("<::>")[0] for identity in turns})
    half = set(named[::2] if tuning else named[1::2])
    return [
        Asking(asked[-1], tuple(asked[:-1]), grades[identity])
        for identity, asked in sorted(turns.items())
        if identity.split("<::>")[0] in half and identity in grades and len(asked) > 1
    ]


def single(folder: Path, *, tuning: bool) -> dict[str, list[Asking]]:
    """Questions that stand alone, after one on another matter and after one on the same."""
    half = [one for one in squad_halves(folder)[0 if tuning else 1] if one.answers]
    shuffle = random.Random(5)
    asked = shuffle.sample(half, _SINGLE)

    def after(one: Asked, fits: Callable[[Asked], bool]) -> Asking:
        earlier = shuffle.choice([other for other in half if fits(other)])
        return Asking(one.question, (earlier.question,), {one.passage_id: 1})

    return {
        "after another article": [after(one, lambda other, one=one: other.group != one.group) for one in asked],
        "after the same article": [
            after(one, lambda other, one=one: other.group == one.group and other.question != one.question)
            for one in asked
        ],
    }


class Measured:
    """A system over one collection, and what its questions score when they are asked alone."""

    def __init__(self, corpus: Path, at: Path) -> None:
        self.system = System(Index.build([corpus], at))
        self._alone: dict[str, float] = {}

    def gains(self, asked: Sequence[Asking]) -> dict[str, float]:
        """nDCG@5 alone and in the conversation, their paired difference with its interval, and for how many
        questions something was added: for the others both are the same search.
        """
        alone, within, more = [], [], 0
        for one in asked:
            if one.question not in self._alone:
                self._alone[one.question] = self._score(one, ())
            alone.append(self._alone[one.question])
            first = next(self.system.stream(one.question, history=one.history))
            leans = first.searched != first.question
            within.append(self._score(one, one.history) if leans else alone[-1])
            more += leans
        differences = [after - before for before, after in zip(alone, within, strict=True)]
        low, high = interval(differences)
        return {
            "questions": len(asked),
            "searched with more": more,
            "alone": round(fmean(alone), 4),
            "in conversation": round(fmean(within), 4),
            "difference": round(fmean(differences), 4),
            "from": round(low, 4),
            "to": round(high, 4),
            "won": sum(one > 0 for one in differences),
            "lost": sum(one < 0 for one in differences),
        }

    def _score(self, asked: Asking, history: Sequence[str]) -> float:
        hits = self.system.search(asked.question, _DEPTH, history=history)
        found = [hit.passage.source.split("#", 1)[1] for hit in hits]
        return ndcg(list(dict.fromkeys(found)), asked.grades, 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tuning", action="store_true", help="the tuning halves, and each constant varied")
    parser.add_argument("--work", type=Path, help="where indexes are kept (default: nowhere)")
    options = parser.parse_args()
    talk, squad = options.data / "conversation", options.data / "squad-v2.0-dev"
    sets = {"last turns": conversations(talk, tuning=options.tuning), **single(squad, tuning=options.tuning)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.work or Path(scratch)
        within = Measured(talk / "corpus.jsonl", folder / "conversation")
        apart = Measured(squad / "corpus.jsonl", folder / squad.name)

        def measured() -> dict[str, object]:
            return {name: (within if name == "last turns" else apart).gains(asked) for name, asked in sets.items()}

        figures = measured()
        print(json.dumps(figures, indent=1), flush=True)
        if not options.tuning:
            record("conversation", figures)
            return
        for name, values in _OTHERS.items():
            for value in values:
                with patch(f"rag.conversation.{name}", value):
                    print(name, value, json.dumps(measured()), flush=True)


if __name__ == "__main__":
    main()
