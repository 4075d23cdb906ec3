"""How likely it is that the documents answer the question, and when to say that they don't.

A logistic model over features of the best sentences, fitted by benchmarks/fit_reading.py on one
half of SQuAD v2.0 dev and samples of other sets: answerable questions, deceptive unanswerable ones,
and answerable ones whose text was taken out of the index.
"""

import re
from collections.abc import Sequence

from index import Index
from index.terms import terms

from .questions import Question
from .reading import Sentence, probability, term_weights
from .retrieval import Retrieved

# Below it the answer is a refusal. Chosen with WEIGHTS, on the tuning half: it refuses 6 % of SQuAD's
# answerable questions and 90 % of them when their article is not in the index, 17 % of the deceptive
# ones, and 15 % and 68 % on the other sets, where neighbouring texts often do answer.
THRESHOLD = 0.35

# Names and numbers: what a question is about cannot be missing where it is answered.
_PARTICULAR = re.compile(r"(?<!^)\b[A-Z][\w'’-]*|\d[\d.,:]*\d|\d")

# Fitted: see the module's docstring. Bias first.
WEIGHTS = (-4.741, 0.95, 3.979, 2.307, 0.61, 1.697, -1.223)


def features(
    index: Index, question: Question, retrieved: Retrieved, sentences: Sequence[Sentence]
) -> tuple[float, ...]:
    """The best sentence's score and its cosine, the best passage's cosine, the share of the question's
    words (by rarity) in the best sentence and in its passage, and the share of the question's names and
    numbers that its passage does not hold.
    """
    best = sentences[0]
    passage = best.hit.passage
    around = frozenset(terms(f"{passage.context} {passage.text}"))
    weights = term_weights(index, question)
    total = sum(weights.values()) or 1.0
    covered = sum(weight for word, weight in weights.items() if word in around) / total
    particular = {word for found in _PARTICULAR.findall(question.text) for word in terms(found)}
    missing = len(particular - around) / len(particular) if particular else 0.0
    nearest = max((hit.dense for hit in retrieved.hits if hit.dense is not None), default=0.0)
    return (
        best.score, best.features.cosine, nearest, best.features.words, covered, missing,
    )  # fmt: skip


def confidence(index: Index, question: Question, retrieved: Retrieved, sentences: Sequence[Sentence]) -> float:
    """In [0, 1]; 0 where there is no sentence at all."""
    if not sentences:
        return 0.0
    return probability(WEIGHTS, features(index, question, retrieved, sentences))
