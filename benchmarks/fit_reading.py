"""Fit the constants of rag/reading.py and rag/confidence.py on the tuning half of SQuAD v2.0 dev.

    python benchmarks/fit_reading.py --data ../shared/data/squad-v2.0-dev

Prints the constants to put into the modules, and what they give on both halves. Only the tuning
half is fitted on; the other half is for reporting.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from squad import Asked, halves

from index import Index
from rag import confidence, reading
from rag.answers import Hit
from rag.fusion import POOL, fuse
from rag.questions import Question
from rag.reading import Sentence
from rag.retrieval import Retrieved
from rag.system import HITS

SEED = 13


def retrieved(index: Index, sources: Sequence[str], question: str, without: str = "") -> Retrieved:
    """As rag.retrieval.retrieve, but as if the article `without` were not in the index."""
    vector = index.embed_query(question)
    found = index.candidates(question, POOL if not without else POOL + 200, vector=vector)

    def kept(candidates):  # type: ignore[no-untyped-def]
        return [one for one in candidates if not without or f"#{without}#" not in sources[one.row]][:POOL]

    best = fuse(kept(found.dense), kept(found.lexical))[:HITS]
    hits = tuple(Hit(index.passage(one.row), one.score, one.dense, one.lexical) for one in best)
    return Retrieved(hits, tuple(one.row for one in best), vector)


def read_all(
    index: Index, sources: Sequence[str], asked: Sequence[Asked], away: bool = False
) -> Iterator[tuple[Asked, Question, Retrieved, list[Sentence]]]:
    for one in asked:
        question = Question.parse(one.question)
        found = retrieved(index, sources, one.question, one.article if away else "")
        yield one, question, found, reading.read(index, question, found)


def fit(rows: Sequence[Sequence[float]], labels: Sequence[bool], weights: Sequence[float] | None = None) -> tuple[float, ...]:
    model = LogisticRegression(C=1.0, max_iter=2000)
    model.fit(np.asarray(rows), np.asarray(labels, dtype=int), sample_weight=weights)
    return tuple(round(float(value), 3) for value in [model.intercept_[0], *model.coef_[0]])


def fit_within(groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, ...]:
    """Weights that put an answering sentence above the others of its question (conditional logit,
    McFadden 1974), then scaled so that the logistic of the sum is the probability of answering.

    `groups` are (n, features) and (n,) bool, a pair for each question.
    """
    groups = [(rows, labels) for rows, labels in groups if labels.any() and not labels.all()]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = 0.0, np.zeros_like(weights)
        for rows, labels in groups:
            scores = rows @ weights
            scores = np.exp(scores - scores.max())
            everything, right = scores / scores.sum(), np.where(labels, scores, 0) / scores[labels].sum()
            total -= np.log(everything[labels].sum())
            slope += (everything - right) @ rows
        return total / len(groups) + 1e-3 * weights @ weights, slope / len(groups) + 2e-3 * weights

    weights = minimize(loss, np.zeros(groups[0][0].shape[1]), jac=True, method="L-BFGS-B").x
    rows, labels = np.concatenate([rows for rows, _ in groups]), np.concatenate([labels for _, labels in groups])
    bias, scale = fit((rows @ weights)[:, None], labels)
    return (bias, *(round(float(scale * weight), 3) for weight in weights))


def quoted(sentences: Sequence[Sentence], asked: Asked, most: int, keep: float) -> tuple[bool, int]:
    reading.KEEP = keep
    chosen = reading.choose(sentences, most)
    return any(asked.answered_in(one.text) for one in chosen), len(chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=2000, help="of each kind and half")
    options = parser.parse_args()
    tuning, reporting = halves(options.data)
    shuffle = random.Random(SEED)
    shuffle.shuffle(tuning)
    shuffle.shuffle(reporting)
    with tempfile.TemporaryDirectory() as folder:
        index = Index.build([options.data / "corpus.jsonl"], folder)
        sources = [index.passage(row).source for row in range(index.passages)]
        n = options.questions
        parts = {}
        for name, half in (("tuning", tuning), ("reporting", reporting)):
            answerable = [one for one in half if one.answers][:n]
            parts[name] = (
                list(read_all(index, sources, answerable)),
                list(read_all(index, sources, [one for one in half if not one.answers][:n])),
                list(read_all(index, sources, answerable, away=True)),
            )
        groups = [
            (np.array([one.features.values() for one in sentences]), np.array([asked.answered_in(one.text) for one in sentences]))
            for asked, _, _, sentences in parts["tuning"][0]
        ]
        reading.WEIGHTS = fit_within(groups)
        print("reading.WEIGHTS =", reading.WEIGHTS)

        def rescored(part):  # type: ignore[no-untyped-def]
            return [
                (one, question, found, sorted(
                    (replace(s, score=reading.probability(reading.WEIGHTS, s.features.values())) for s in sentences),
                    key=lambda s: -s.score,
                ))
                for one, question, found, sentences in part
            ]  # fmt: skip

        parts = {name: tuple(rescored(part) for part in kinds) for name, kinds in parts.items()}
        for name, (answerable, _, _) in parts.items():
            gold = [one.passage_id in found.hits[0].passage.source for one, _, found, _ in answerable]
            print(name, "gold first", np.mean(gold))
            for keep in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
                three = [quoted(sentences, one, 3, keep) for one, _, _, sentences in answerable]
                first = [quoted(sentences, one, 1, keep)[0] for one, _, _, sentences in answerable]
                print(f"  {name} KEEP {keep}: in one {np.mean(first):.3f}, in at most three "
                      f"{np.mean([right for right, _ in three]):.3f}, quotes {np.mean([count for _, count in three]):.2f}")
        scored = {
            name: [
                [confidence.features(index, question, found, sentences) for _, question, found, sentences in part]
                for part in kinds
            ]
            for name, kinds in parts.items()
        }
    rows = [row for part in scored["tuning"] for row in part]
    labels = [kind == 0 for kind, part in enumerate(scored["tuning"]) for _ in part]
    sizes = [len(part) for part in scored["tuning"]]
    share = [0.5 / sizes[0], 0.25 / sizes[1], 0.25 / sizes[2]]
    weights = [share[kind] * len(rows) for kind, part in enumerate(scored["tuning"]) for _ in part]
    confidence.WEIGHTS = fit(rows, labels, weights)
    print("confidence.WEIGHTS =", confidence.WEIGHTS)
    for name, (answerable, deceptive, away) in scored.items():
        sure = [[reading.probability(confidence.WEIGHTS, row) for row in part] for part in (answerable, deceptive, away)]
        print(name, "AUROC deceptive", roc_auc_score([1] * len(sure[0]) + [0] * len(sure[1]), sure[0] + sure[1]),
              "article away", roc_auc_score([1] * len(sure[0]) + [0] * len(sure[2]), sure[0] + sure[2]))
        for threshold in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5):
            refused = [np.mean([value < threshold for value in part]) for part in sure]
            print(f"  {name} THRESHOLD {threshold}: refused answerable {refused[0]:.3f}, deceptive {refused[1]:.3f}, "
                  f"article away {refused[2]:.3f}")


if __name__ == "__main__":
    main()
