"""Fit the constants of rag/reading.py and rag/confidence.py; see asked.py for what they are fitted on.

    python benchmarks/fit_reading.py --data ../shared/data/squad-v2.0-dev --train ../shared/data/train

Prints the constants to put into the modules, and what they give on each tuning set and on the
reporting half of SQuAD v2.0 dev, which nothing is fitted on.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from asked import Asked, Passages, others, squad_halves, squad_passages
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from index import Candidates, Index
from rag import confidence, reading
from rag.answers import Hit
from rag.fusion import DENSE_WEIGHT, POOL, fuse
from rag.questions import Question
from rag.reading import Sentence
from rag.reranking import rerank
from rag.retrieval import Retrieved
from rag.system import HITS

SEED = 13


def retrieved(index: Index, sources: Sequence[str], question: str, without: str = "") -> Retrieved:
    """As rag.retrieval.retrieve, but as if the text `without` were not among the passages."""
    vector = index.embed_query(question)
    found = index.candidates(question, POOL if not without else POOL + 200, vector=vector)

    def kept(candidates):  # type: ignore[no-untyped-def]
        return [one for one in candidates if not without or not _of(sources[one.row], without)][:POOL]

    left = Candidates(tuple(kept(found.dense)), tuple(kept(found.lexical)))
    fused = fuse(left.dense, left.lexical)
    best = rerank(index, question, fused, left, DENSE_WEIGHT, vector)[:HITS]
    hits = tuple(Hit(index.passage(one.row), one.score, one.dense, one.lexical) for one in best)
    return Retrieved(hits, tuple(one.row for one in best), vector)


def _of(source: str, group: str) -> bool:
    name = source.partition("#")[2]
    return name == group or name.startswith(f"{group}#")


def read_all(
    index: Index, sources: Sequence[str], asked: Sequence[Asked], away: bool = False
) -> Iterator[tuple[Asked, Question, Retrieved, list[Sentence]]]:
    for one in asked:
        question = Question.parse(one.question)
        found = retrieved(index, sources, one.question, one.group if away else "")
        yield one, question, found, reading.read(index, question, found)


def fit(
    rows: Sequence[Sequence[float]], labels: Sequence[bool], weights: Sequence[float] | None = None
) -> tuple[float, ...]:
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


# Of the weight on a fit of the confidence: half on answerable questions, a quarter on deceptive ones, a quarter on
# those whose text was taken out of the index.
SHARES = {"squad answerable": 0.25, "squad deceptive": 0.25, "squad away": 0.125}
OTHER_SHARES = {"answerable": 0.25, "away": 0.125}


def fit_confidence(scored: dict[str, list[tuple[float, ...]]]) -> tuple[float, ...]:
    """Weights fitted on the features of the tuning kinds; prints what they give on every kind."""
    share = {}
    for name in (name for name in scored if name.startswith("tuning: ")):
        kind = name.removeprefix("tuning: ")
        share[name] = SHARES[kind] if kind in SHARES else OTHER_SHARES[kind.split()[-1]]
    rows = [row for name in share for row in scored[name]]
    labels = [name.endswith("answerable") for name in share for _ in scored[name]]
    weights = [share[name] / len(scored[name]) * len(rows) for name in share for _ in scored[name]]
    fitted = fit(rows, labels, weights)
    sure = {name: [reading.probability(fitted, row) for row in part] for name, part in scored.items()}
    for yes in (name for name in sure if name.endswith(" answerable")):
        for no in (yes.replace("answerable", other) for other in ("deceptive", "away")):
            if no in sure:
                auroc = roc_auc_score([1] * len(sure[yes]) + [0] * len(sure[no]), sure[yes] + sure[no])
                print(f"AUROC {yes} / {no}: {auroc:.3f}")
    for threshold in (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5):
        print(
            f"  THRESHOLD {threshold}: refused",
            ", ".join(f"{name} {np.mean([value < threshold for value in part]):.3f}" for name, part in sure.items()),
        )
    return fitted


def quoted(sentences: Sequence[Sentence], asked: Asked, most: int, keep: float) -> tuple[bool, int]:
    reading.KEEP = keep
    chosen = reading.choose(sentences, most)
    return any(asked.answered_in(one.text) for one in chosen), len(chosen)


Kind = list[tuple[Asked, Question, Retrieved, list[Sentence]]]


def rescored(part: Kind) -> Kind:
    """The same sentences under the weights that hold now."""
    return [
        (one, question, found, sorted(
            (replace(s, score=reading.probability(reading.WEIGHTS, s.features.values())) for s in sentences),
            key=lambda s: -s.score,
        ))
        for one, question, found, sentences in part
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=2000, help="of SQuAD, of each kind and half")
    parser.add_argument("--work", type=Path, help="where the index is kept (default: nowhere)")
    options = parser.parse_args()
    shuffle, n = random.Random(SEED), options.questions
    tuning, reporting = squad_halves(options.data)
    shuffle.shuffle(tuning)
    shuffle.shuffle(reporting)
    other, passages = others(options.train, shuffle)
    squad = [one for one in tuning if one.answers][:n]
    kinds = {
        "tuning: squad answerable": (squad, False),
        "tuning: squad deceptive": ([one for one in tuning if not one.answers][:n], False),
        "tuning: squad away": (squad, True),
        "tuning: others answerable": (other, False),
        "tuning: others away": (other, True),
        "reporting: squad answerable": ([one for one in reporting if one.answers][:n], False),
        "reporting: squad deceptive": ([one for one in reporting if not one.answers][:n], False),
        "reporting: squad away": ([one for one in reporting if one.answers][:n], True),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.work or Path(scratch)
        corpus = Passages(squad_passages(options.data).rows + passages.rows).write(folder)
        index = Index.build([corpus], folder / "index")
        sources = [index.passage(row).source for row in range(index.passages)]
        parts = {name: list(read_all(index, sources, asked, away)) for name, (asked, away) in kinds.items()}
        groups = [
            (
                np.array([one.features.values() for one in sentences]),
                np.array([asked.answered_in(one.text) for one in sentences]),
            )
            for name in ("tuning: squad answerable", "tuning: others answerable")
            for asked, _, _, sentences in parts[name]
        ]
        reading.WEIGHTS = fit_within(groups)
        print("reading.WEIGHTS =", reading.WEIGHTS)
        parts = {name: rescored(part) for name, part in parts.items()}
        for name in (name for name in parts if name.endswith("answerable")):
            first = [quoted(sentences, one, 1, 1.0)[0] for one, _, _, sentences in parts[name]]
            for keep in (0.0, 0.2, 0.3, 0.35, 0.4, 0.5):
                three = [quoted(sentences, one, 3, keep) for one, _, _, sentences in parts[name]]
                print(
                    f"  {name} KEEP {keep}: in one {np.mean(first):.3f}, in at most three "
                    f"{np.mean([right for right, _ in three]):.3f}, quotes {np.mean([count for _, count in three]):.2f}"
                )
        scored = {
            name: [confidence.features(index, question, found, sentences) for _, question, found, sentences in part]
            for name, part in parts.items()
        }
    confidence.WEIGHTS = fit_confidence(scored)
    print("confidence.WEIGHTS =", confidence.WEIGHTS)


if __name__ == "__main__":
    main()
