"""How likely it is that the documents answer."""

import math

import pytest

from rag import System
from rag.confidence import THRESHOLD, WEIGHTS, confidence, features
from rag.questions import Question
from rag.reading import probability, read
from rag.retrieval import Retrieved, retrieve


def asked(system: System, text: str) -> tuple[Question, Retrieved]:
    return Question.parse(text), retrieve(system.index, text, 8)


def test_no_sentence_no_confidence(system: System) -> None:
    assert confidence(system.index, *asked(system, "Who?"), []) == 0.0


def test_the_features_by_hand(system: System) -> None:
    question, retrieved = asked(system, "When was the Ruhr bridge opened?")
    sentences = read(system.index, question, retrieved)
    found = features(system.index, question, retrieved, sentences)
    # Of 4 passages one has "bridge" and "open" (ln(1 + 3.5 / 1.5)) and none has "Ruhr" (ln(1 + 4.5 / .5)).
    known, unknown = math.log(10 / 3), math.log(10)
    share = 2 * known / (2 * known + unknown)
    assert sentences[0].text == "The old bridge was opened in 1974."
    nearest = max(hit.dense or 0 for hit in retrieved.hits)
    assert found[:3] == (sentences[0].score, sentences[0].features.cosine, nearest)
    assert found[3:5] == (pytest.approx(share), pytest.approx(share))
    assert found[5:] == (pytest.approx(unknown / 10), 1.0, 0.0, 0.0, 0.0, 0.0)  # the one name is missing


def test_a_number_that_is_nowhere_and_a_denial_that_is_not_made(system: System) -> None:
    question, retrieved = asked(system, "Which bridge was not opened in 1975?")
    sentences = read(system.index, question, retrieved)
    assert sentences[0].text == "The old bridge was opened in 1974."
    assert features(system.index, question, retrieved, sentences)[7:10] == (1.0, 1.0, 0.0)


def test_a_doubtful_sentence_has_little_confidence(system: System) -> None:
    question, retrieved = asked(system, "When was the Ruhr bridge opened?")
    sentences = read(system.index, question, retrieved)
    found = features(system.index, question, retrieved, sentences)
    assert confidence(system.index, question, retrieved, sentences) == probability(WEIGHTS, found)


def test_a_name_that_is_nowhere_makes_a_question_doubtful(system: System) -> None:
    assert system.answer("When was the old bridge opened?").confidence > THRESHOLD
    assert (
        system.answer("When was the old Ruhr bridge opened?").confidence
        < system.answer("When was the old bridge opened?").confidence
    )
