"""A reader of a table beside the retrieval: what it moves, and what it leaves alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rag import System
from rag.questions import Question
from rag.reader import Excerpt, Reading
from rag.reading import probability, read
from rag.rereading import SHARE, WEIGHTS, excerpt, read_again
from rag.retrieval import retrieve

QUESTION = "What is told of the night?"


class TableReader:
    """Finds the words of a table in what it reads, each with a logit; `asked` holds what it was given."""

    name = "table"

    def __init__(self, table: Mapping[str, float]) -> None:
        self.table = table
        self.asked: list[Excerpt] = []

    def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[Reading]:
        self.asked += excerpts
        return [self._read(one.text) for one in excerpts]

    def _read(self, text: str) -> Reading:
        found = {text.find(phrase): (phrase, logit) for phrase, logit in self.table.items() if phrase in text}
        offsets, scores = [], []
        at = 0
        while at < len(text):
            phrase, logit = found.get(at, (text[at], -4.0))
            offsets.append((at, at + len(phrase)))
            scores.append(logit)
            at += len(phrase)
        logits = np.array(scores, dtype=np.float32)
        return Reading(max(scores), 0.0, logits, logits, tuple(offsets))


def test_the_passage_that_answers_rises_and_its_sentence_is_quoted(system: System) -> None:
    asked = System(system.index, reader=TableReader({"dark": 4.0}))
    before, after = system.answer(QUESTION, threshold=0), asked.answer(QUESTION, threshold=0)
    assert before.hits[0].passage.source != "letter.txt"
    assert after.hits[0].passage.source == "letter.txt"
    first = after.citations[0]
    assert first.quote == "The night was dark."
    assert first.answer is not None
    assert first.quote[slice(*first.answer)] == "dark"


def test_a_yes_or_no_is_judged_without_the_reader_and_ordered_with_it(system: System) -> None:
    reader = TableReader({"dark": 4.0})
    asked = System(system.index, reader=reader)
    for question, same in (("Was the night dark?", True), (QUESTION, False)):
        before, after = system.answer(question, threshold=0), asked.answer(question, threshold=0)
        assert (after.confidence == before.confidence) is same
        assert after.hits[0].passage.source == "letter.txt"
    assert reader.asked


def test_the_scores_by_hand(system: System) -> None:
    question = Question.parse(QUESTION)
    retrieved = retrieve(system.index, QUESTION, 8)
    sentences = read(system.index, question, retrieved)
    again, scored = read_again(TableReader({"The captain": 4.0}), system.index, question, retrieved, sentences)
    before = {hit.passage.source: hit.score for hit in retrieved.hits}
    for hit in again.hits:
        logit = 4.0 if hit.passage.source == "log.txt" else -4.0
        sure = probability((0.0, 1.0), (logit,))
        assert hit.score == pytest.approx((1 - SHARE) * before[hit.passage.source] + SHARE * sure)
    assert [hit.score for hit in again.hits] == sorted((hit.score for hit in again.hits), reverse=True)
    assert {again.rows[at]: hit.passage.id for at, hit in enumerate(again.hits)} == {
        row: hit.passage.id for row, hit in zip(retrieved.rows, retrieved.hits, strict=True)
    }
    best = next(one for one in scored if one.text == "The captain slept.")
    alone = next(one for one in sentences if one.text == "The captain slept.")
    assert best.reread is not None
    assert (best.reread.margin, best.reread.answers) == (8.0, 4.0)
    odds = np.log(alone.score / (1 - alone.score))
    assert best.score == pytest.approx(probability(WEIGHTS, (odds / 10, 0.8, 0.4)))
    other = next(one for one in scored if one.text.startswith("The harbour log"))
    assert other.reread is not None
    assert other.reread.margin == -8.0


def test_what_is_likeliest_is_read_with_its_neighbours(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question.parse("Who designed the bridge?")
    retrieved = retrieve(system.index, question.text, 8)
    sentences = read(system.index, question, retrieved)
    passage = next(hit.passage for hit in retrieved.hits if hit.passage.source == "bridge.txt")
    whole, start = excerpt(passage, sentences)
    assert (whole.text, start) == (passage.text, 0)
    assert whole.context == passage.context
    monkeypatch.setattr("rag.rereading.WIDTH", 70)
    part, start = excerpt(passage, sentences)
    assert part.text == "It was designed by Anna Keller. The bridge is 320 metres long."
    assert passage.text[start : start + len(part.text)] == part.text
    monkeypatch.setattr("rag.rereading.WIDTH", 10)
    assert excerpt(passage, sentences)[0].text == "It was designed by Anna Keller."


def test_a_sentence_that_was_not_read_has_the_least_of_its_passage(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.rereading.WIDTH", 10)
    question = Question.parse("Who designed the bridge?")
    retrieved = retrieve(system.index, question.text, 8)
    _, scored = read_again(
        TableReader({"Anna": 3.0}), system.index, question, retrieved, read(system.index, question, retrieved)
    )
    found = {one.text: one.reread for one in scored if one.hit.passage.source == "bridge.txt"}
    best, unread = found["It was designed by Anna Keller."], found["The bridge is 320 metres long."]
    assert best is not None
    assert unread is not None
    assert best.answer == (19, 23)
    assert (unread.margin, unread.answer) == (6.0, None)


def test_other_languages_are_left_alone(make_system) -> None:  # type: ignore[no-untyped-def]
    german = make_system({
        "vertrag.txt": "Die Kündigungsfrist beträgt drei Monate zum Ende des Jahres. Der Vertrag verlängert sich "
        "sonst um ein weiteres Jahr, ohne dass es einer Erklärung der Parteien bedarf.",
    })  # fmt: skip
    reader = TableReader({"drei": 5.0})
    question = "Wie lang ist die Kündigungsfrist?"
    assert System(german.index, reader=reader).answer(question, 0).text == german.answer(question, 0).text
    assert reader.asked == []
