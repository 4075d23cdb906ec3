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
from .reading import Sentence, negated, probability
from .retrieval import Retrieved

# Below it the answer is a refusal. Chosen with WEIGHTS, on the tuning half: it refuses 8 % of SQuAD's
# answerable questions, 30 % of the deceptive ones and 89 % of the answerable ones when their article is
# not in the index; 13 % and 64 % on the other sets, where neighbouring texts often do answer.
THRESHOLD = 0.35

# Names and numbers: what a question is about cannot be missing where it is answered.
_NAME = re.compile(r"(?<!^)\b[A-Z][\w'’-]*")
# Where every noun has a capital, one is no sign of a name.
_CAPITALISING = frozenset({"de"})
_NUMBER = re.compile(r"\d[\d.,:]*\d|\d")

# Fitted: see the module's docstring. Bias first.
WEIGHTS = (-4.09, -0.726, 3.963, 2.149, 2.87, -0.774, -0.148, -1.265, -0.756, -2.445, 0.117, -0.35)

# The same where a reader has read the passages, and of what it adds (benchmarks/fit_rereading.py). THRESHOLD then
# refuses 9 % of SQuAD's answerable tuning questions, 42 % of the deceptive ones, 95 % of those whose article is away.
REREAD_WEIGHTS = (
    -0.455, -2.03, 2.084, 0.587, 0.721, 0.051, -0.416, -0.734, -0.424, -2.702, 0.011, -0.397,
    -0.105, 0.889, 1.4, 1.81,
)  # fmt: skip


def features(
    index: Index, question: Question, retrieved: Retrieved, sentences: Sequence[Sentence]
) -> tuple[float, ...]:
    """What tells whether the best sentence answers, all in about [0, 1], in the order of WEIGHTS.

    Its score and cosine, and the best passage's cosine; the share of the question's words (by rarity)
    near it, and in its passage; the rarest word that is not near it; the share of names, and of numbers,
    that are not; whether the question denies something and it does not, or the other way round; whether
    it lacks the kind of thing that is wanted. Near is the sentence, its neighbours, title and heading.
    """
    best = sentences[0]
    passage = best.hit.passage
    near = frozenset(terms(_surroundings(best), passage.language))
    whole = frozenset(terms(f"{passage.context} {passage.text}", passage.language))
    weights = index.query_weights(question.text, passage.language, question.further)
    total = sum(weights.values()) or 1.0
    rarest = max((weight for word, weight in weights.items() if word not in near), default=0.0)
    nearest = max((hit.dense for hit in retrieved.hits if hit.dense is not None), default=0.0)
    return (
        best.score,
        best.features.cosine,
        nearest,
        sum(weight for word, weight in weights.items() if word in near) / total,
        sum(weight for word, weight in weights.items() if word in whole) / total,
        rarest / 10,
        _lacking(_NAME, question.text, near, passage.language) if passage.language not in _CAPITALISING else 0.0,
        _lacking(_NUMBER, question.text, whole, passage.language),
        float(negated(question.text) and not negated(best.text)),
        float(negated(best.text) and not negated(question.text)),
        best.features.lacking,
    )


def _surroundings(sentence: Sentence) -> str:
    """The sentence between its neighbours, below title and heading."""
    passage = sentence.hit.passage
    numbers = range(max(0, sentence.number - 1), min(len(passage.sentences), sentence.number + 2))
    return " ".join([passage.context, *(passage.quote(number) for number in numbers)])


def _lacking(kind: re.Pattern[str], question: str, held: frozenset[str], language: str) -> float:
    """The share of the question's names, or numbers, that are not held."""
    asked = {word for found in kind.findall(question) for word in terms(found, language)}
    return len(asked - held) / len(asked) if asked else 0.0


def confidence(index: Index, question: Question, retrieved: Retrieved, sentences: Sequence[Sentence]) -> float:
    """In [0, 1]; 0 where there is no sentence at all."""
    if not sentences:
        return 0.0
    values = features(index, question, retrieved, sentences)
    if sentences[0].reread is None:
        return probability(WEIGHTS, values)
    return probability(REREAD_WEIGHTS, (*values, *reread_features(sentences)))


def reread_features(sentences: Sequence[Sentence]) -> tuple[float, ...]:
    """What a reader adds to `features`, in about [-1, 1]: of the best sentence by how much an answer in it is
    likelier than none, and that its passage answers; of all sentences the most of either.
    """
    read = [one.reread for one in sentences if one.reread]
    best = read[0]
    return (
        best.margin / 10,
        best.answers / 10,
        max(one.margin for one in read) / 10,
        max(one.answers for one in read) / 10,
    )
