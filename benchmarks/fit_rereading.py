"""Fit what a reader's word counts for: the constants of rag/rereading.py, rag/short_answers.py and, with a
reader, rag/confidence.py.

    python benchmarks/fit_rereading.py --data ../shared/data

Fitted on the tuning half of SQuAD v2.0 dev (asked.py) and on questions of the training sets whose texts the
reader was not trained on (training/rows.py: `Text.held`). Prints the constants to put into the modules and
what they give on each set, and on the reporting half of SQuAD, which nothing is fitted on.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from asked import Asked, Passages, held, squad_halves, squad_passages
from fit_reading import SEED, fit_confidence, fit_within, read_all

from eval.short_answers import exact_match, f1
from index import Index
from index.cores import cores
from rag import confidence, reading, rereading
from rag.questions import Question
from rag.reader import BUNDLED
from rag.reading import Sentence, probability
from rag.retrieval import Retrieved

Read = tuple[Asked, Question, Retrieved, list[Sentence]]
"""As `read_all` has it, the sentences read again and without their vectors: there are many."""

_index: list[Index] = []


def read(folder: Path, part: tuple[Sequence[Asked], bool]) -> list[Read]:
    if not _index:
        _index.append(Index.open(folder / "index"))
    (index,) = _index
    sources = [index.passage(row).source for row in range(index.passages)]
    found = []
    for one, question, retrieved, sentences in read_all(index, sources, *part):
        _, again = rereading.read_again(BUNDLED, index, question, retrieved, sentences)
        bare = [replace(sentence, vector=np.empty(0, dtype=np.float32)) for sentence in again]
        found.append((one, question, retrieved, bare))
    return found


def again(weights: Sequence[float], sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences under other weights than those they were scored with."""
    scored = [replace(one, score=probability(weights, values(one))) for one in sentences]
    return sorted(scored, key=lambda one: -one.score)


def values(sentence: Sentence) -> tuple[float, ...]:
    assert sentence.reread
    return sentence.reread.values(alone(sentence))


def alone(sentence: Sentence) -> float:
    """The score without a reader."""
    return probability(reading.WEIGHTS, sentence.features.values())


def batches(asked: Sequence[Asked], size: int = 40) -> Iterator[Sequence[Asked]]:
    return (asked[at : at + size] for at in range(0, len(asked), size))


def gold_first(part: Sequence[Read], share: float) -> float:
    right = []
    for one, _, retrieved, sentences in part:
        answers = {s.hit.passage.id: s.reread.answers for s in sentences if s.reread}
        scored = [
            ((1 - share) * hit.score + share * probability((0, 1), (answers.get(hit.passage.id, -9),)), -place, hit)
            for place, hit in enumerate(retrieved.hits)
        ]
        right.append(max(scored)[2].passage.source.partition("#")[2] == one.passage_id)
    return fmean(right)


def quoted(part: Sequence[Read], most: int, keep: float) -> float:
    reading.REREAD_KEEP = keep
    return fmean(any(one.answered_in(s.text) for s in reading.choose(sentences, most)) for one, _, _, sentences in part)


def marked(part: Sequence[Read], margin: float) -> tuple[float, float, float]:
    """Share of the questions whose first quote has a short answer, its exact matches and its F1, of all."""
    exact, close, count = [], [], 0
    for one, _, _, sentences in part:
        first = sentences[0]
        span = first.reread.answer if first.reread and first.reread.margin >= margin else None
        said = first.text[slice(*span)] if span else ""
        count += bool(span)
        exact.append(exact_match(said, one.answers))
        close.append(f1(said, one.answers))
    return count / len(part), fmean(exact), fmean(close)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=1500, help="of SQuAD, of each kind and half")
    parser.add_argument("--work", type=Path, help="where the index is kept (default: nowhere)")
    options = parser.parse_args()
    shuffle, n = random.Random(SEED), options.questions
    squad = options.data / "squad-v2.0-dev"
    tuning, reporting = squad_halves(squad)
    shuffle.shuffle(tuning)
    shuffle.shuffle(reporting)
    other, passages = held(options.data)
    kinds = {
        "tuning: squad answerable": ([one for one in tuning if one.answers][:n], False),
        "tuning: squad deceptive": ([one for one in tuning if not one.answers][:n], False),
        "tuning: squad away": ([one for one in tuning if one.answers][: n // 2], True),
        "tuning: held answerable": (other[:n], False),
        "tuning: held away": (other[: n // 2], True),
        "reporting: squad answerable": ([one for one in reporting if one.answers][:n], False),
        "reporting: squad deceptive": ([one for one in reporting if not one.answers][:n], False),
    }
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(cores()) as pool:
        folder = options.work or Path(scratch)
        corpus = Passages(squad_passages(squad).rows + passages.rows).write(folder)
        index = Index.build([corpus], folder / "index")
        parts: dict[str, list[Read]] = {}
        for name, (asked, away) in kinds.items():
            parts[name] = [one for some in pool.map(partial(read, folder), ((part, away) for part in batches(asked)))
                           for one in some]  # fmt: skip
            print(f"{name}: {len(parts[name])} questions read", flush=True)
    groups = [
        (np.array([values(s) for s in sentences]), np.array([one.answered_in(s.text) for s in sentences]))
        for name in ("tuning: squad answerable", "tuning: held answerable")
        for one, _, _, sentences in parts[name]
    ]
    weights = fit_within(groups)
    print("rereading.WEIGHTS =", weights)
    scored: dict[str, list[tuple[float, ...]]] = {}
    for name, part in parts.items():
        parts[name] = [(one, q, found, again(weights, sentences)) for one, q, found, sentences in part]
        scored[name] = [
            (*confidence.features(index, q, found, sentences), *confidence.reread_features(sentences))
            for _, q, found, sentences in parts[name]
        ]
    for name in (name for name in parts if name.endswith("answerable")):
        part = parts[name]
        before = [(one, q, found, sorted(ss, key=lambda s: -alone(s))) for one, q, found, ss in part]
        print(f"{name}: in one quote {quoted(part, 1, 1.0):.3f} (without a reader {quoted(before, 1, 1.0):.3f})")
        print(
            "  gold first at SHARE",
            {at: round(gold_first(part, at), 4) for at in (0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1)},
        )
        print(
            "  in three at REREAD_KEEP",
            {at: round(quoted(part, 3, at), 4) for at in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)},
        )
        print(
            "  marked, exact, F1 at MARGIN",
            {at: [round(x, 3) for x in marked(part, at)] for at in (-20, -6, -4, -2, 0)},
        )
    print("confidence.REREAD_WEIGHTS =", fit_confidence(scored))


if __name__ == "__main__":
    main()
