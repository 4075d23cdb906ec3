"""From passages to sentences."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from rag import System
from rag.questions import Question
from rag.reading import KEEP, Sentence, choose, probability, read, same
from rag.retrieval import retrieve


def sentences(system: System, text: str) -> list[Sentence]:
    question = Question.parse(text)
    return read(system.index, question, retrieve(system.index, text, 8))


def test_the_logistic_model_by_hand() -> None:
    assert probability((0.0, 1.0), (0.0,)) == 0.5
    assert probability((-1.0, 2.0, 0.5), (1.0, 2.0)) == pytest.approx(1 / (1 + math.exp(-2)))


def test_every_sentence_of_the_passages_is_a_candidate_with_its_place(system: System) -> None:
    found = sentences(system, "When was the old bridge opened?")
    assert len(found) == 4 + 3 + 2 + 2
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        document = system.index.document(one.hit.passage.source)
        assert document.text[one.start : one.end] == one.text == one.hit.passage.quote(one.number)
    assert found[0].text == "The old bridge was opened in 1974."


def test_the_features_of_a_sentence_by_hand(make_system: Callable[[Mapping[str, str]], System]) -> None:
    system = make_system({"b.txt": "The bridge opened in 1974. It closed.", "c.txt": "The bridge fell."})
    found = {one.text: one for one in sentences(system, "When did the bridge open?")}
    opened = found["The bridge opened in 1974."].features
    # Both passages have "bridge", one of the two has "open": ln(1 + .5 / 2.5), ln(1 + 1.5 / 1.5).
    bridge, open_ = math.log(1.2), math.log(2)
    assert opened.passage == found["The bridge opened in 1974."].hit.score
    assert (opened.words, opened.context, opened.around) == (pytest.approx(1), 0, 0)
    assert (opened.offered, opened.lacking, opened.short) == (1, 0, 0)
    closed = found["It closed."].features
    # Its own words answer nothing; the sentence before brings all of them.
    assert (closed.words, closed.context, closed.around) == (0, pytest.approx(1), pytest.approx(0))
    assert (closed.offered, closed.lacking, closed.short) == (0, 1, 1)
    fell = found["The bridge fell."].features
    assert fell.words == pytest.approx(bridge / (bridge + open_))
    assert fell.cosine == pytest.approx(
        float(system.index.embed_query("When did the bridge open?") @ found["The bridge fell."].vector), abs=1e-6
    )


def test_a_sentence_of_two_overlapping_passages_counts_once(make_system: Callable[[Mapping[str, str]], System]) -> None:
    text = " ".join(f"The bridge number {number} is old and rusty." for number in range(9))
    system = make_system({"b.txt": text})
    assert system.index.passages > 1
    found = sentences(system, "old bridge")
    assert len({(one.start, one.end) for one in found}) == len(found) == 9


def scored(one: Sentence, text: str, score: float) -> Sentence:
    return replace(one, text=text, score=score, words=frozenset(text.lower().split()))


def test_the_head_of_a_table_is_not_quoted(make_system: Callable[[Mapping[str, str]], System]) -> None:
    system = make_system(
        {
            "fuel.md": "# Fuel\n\n| Tank | Litres |\n|---|---|\n| North tank | 900 |\n| South tank | 70 |\n",
            "staff.md": "# Staff\n\n| Cook of the tank house | Ann |\n|---|---|\n| Smith of the tank house | Tom |\n",
        }
    )
    texts = {one.text for one in sentences(system, "tank litres")}
    assert texts == {
        "North tank | 900",
        "South tank | 70",
        "Cook of the tank house | Ann",
        "Smith of the tank house | Tom",
    }


def test_sentences_with_other_numbers_are_not_the_same(system: System) -> None:
    any_one = sentences(system, "bridge")[0]
    texts = ["the long bridge opened in 1974", "the long bridge opened in 1975", "a long bridge had opened in 1974"]
    first, other_year, reworded = (scored(any_one, text, 0.9) for text in texts)
    assert not same(first, other_year)
    assert same(first, reworded)


def test_further_sentences_are_nearly_as_likely_and_say_something_else(system: System) -> None:
    any_one = sentences(system, "bridge")[0]
    best, twin = scored(any_one, "a b c d e", 0.9), scored(any_one, "A B C D e", 0.8)
    other, low = scored(any_one, "x y z", 0.9 * KEEP), scored(any_one, "p q r", 0.89 * KEEP)
    assert same(best, twin)
    assert not same(best, other)
    assert choose([best, twin, other, low], 3) == [best, other]
    assert choose([best, other], 1) == [best]
    assert choose([], 3) == []
