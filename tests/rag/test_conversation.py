"""A follow-up is searched with what the conversation adds; what stands alone is searched as it is."""

from collections.abc import Callable, Mapping

import pytest

import rag
from index.errors import UsageError
from rag import System
from rag.conversation import leans
from rag.questions import Question

Make = Callable[[Mapping[str, str]], System]
BRIDGE = "When was the old bridge opened?"


@pytest.mark.parametrize(
    "text",
    [
        "Which is more important?", "Why?", "And in 2019?", "What about Petra?", "How about the second one?",
        "But what did Anna Keller say?", "Was he a communist?", "How can I create one?", "What did they do in Bern?",
        "differences?", "who painted it", "What is that, exactly?", "Was that a mistake of the harbour?",
        "Which of the three is the first one?",
    ],
)  # fmt: skip
def test_wording_that_leans(text: str) -> None:
    assert leans(Question.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "When was the old bridge opened?", "When does the lease end?", "When did Luther say that he would go?",
        "What did Savery invent?",
        "How many passengers did the ferry carry in 1974?", "Which garden closes at 18:30 in summer?",
        "Android phone battery life", "Who was the Dutch lawyer that moved to Belgium?", "Why was old oil withdrawn?",
        "What is one example of a factorization domain?", "How was the tea that grows in the garden brewed before it?",
        "When rock formations are cut, are they younger than the fault?",
    ],
)  # fmt: skip
def test_wording_that_does_not_lean(text: str) -> None:
    assert not leans(Question.parse(text))


def test_a_follow_up_is_searched_with_the_words_before_it_and_answered(system: System) -> None:
    alone = system.answer("Who designed it?")
    answer = system.answer("Who designed it?", history=[BRIDGE])
    assert answer.question == "Who designed it?"
    assert answer.searched == "Who designed it? · old bridge opened"
    assert answer.text == "The old bridge was opened in 1974. [1] It was designed by Anna Keller. [2]"
    assert answer.hits[0].passage.source == "bridge.txt"
    assert answer.hits[0].dense > alone.hits[0].dense


def test_a_pronoun_brings_the_names_of_the_answer_before(make_system: Make) -> None:
    system = make_system(
        {"a.txt": "The old bridge was designed by Anna Keller.", "b.txt": "Anna Keller died in Basel.", "c.txt": "Tea."}
    )
    history = ["Who designed the old bridge?"]
    assert system.answer(history[0]).text == "The old bridge was designed by Anna Keller. [1]"
    answer = system.answer("Where did she die?", history=history)
    assert answer.searched == "Where did she die? · Anna Keller designed old bridge"
    assert "Anna" not in system.answer("And the repairs?", history=history).searched


def test_questions_of_hardly_a_word_are_passed_over(system: System) -> None:
    history = ["Who slept?", BRIDGE, "Why?", "When?"]
    assert system.answer("And who designed it?", history=history).searched == "And who designed it? · old bridge opened"


def test_a_question_that_stood_alone_ends_what_is_looked_back_at(system: System) -> None:
    tea = "How was the tea from the garden brewed?"
    assert system.answer("Who designed it?", history=[tea, BRIDGE]).searched == "Who designed it? · old bridge opened"
    assert "tea" in system.answer("Who designed it?", history=[tea, f"And {BRIDGE.lower()}"]).searched


def test_what_stands_alone_is_searched_and_answered_as_it_is(system: System) -> None:
    for question in (BRIDGE, "How many passengers did the ferry carry on the storm night?"):
        alone = system.answer(question)
        after = system.answer(question, history=["When does the garden close?"])
        assert alone.searched == after.searched == question
        assert (after.text, after.citations, after.hits) == (alone.text, alone.citations, alone.hits)
        assert after.confidence == alone.confidence
        assert system.search(question, 4, history=["When does the garden close?"]) == system.search(question, 4)


def test_nothing_is_added_that_the_question_has_or_that_has_no_content(system: System) -> None:
    for history in ([], ["Who is it?"], ["Who designed this?"], ["What are these documents about?"]):
        assert system.answer("Who designed it?", history=history).searched == "Who designed it?"
    assert system.answer("What is this about?", history=[BRIDGE]).searched == "What is this about?"


def test_the_passages_come_first_for_a_follow_up_too(system: System) -> None:
    first, last = system.stream("Who designed it?", history=[BRIDGE])
    assert first.searched == last.searched == "Who designed it? · old bridge opened"
    assert first.hits == last.hits


@pytest.mark.parametrize("mode", ["fused", "dense", "lexical"])
def test_a_search_in_any_mode_knows_the_conversation(system: System, mode: str) -> None:
    with_words = system.search("And why?", 4, mode, history=["How long is the bridge?"])
    assert with_words[0].passage.source == "bridge.txt"


def test_added_terms_count_with_their_share(system: System) -> None:
    whole = {one.row: one.score for one in system.index.lexical("bridge", 9)}
    part = {one.row: one.score for one in system.index.lexical("", 9, further={"bridg": 0.4})}
    assert part == pytest.approx({row: 0.4 * score for row, score in whole.items()})


def test_a_history_that_is_none_is_refused(system: System) -> None:
    for history in (BRIDGE, 7, {"a": BRIDGE}):
        with pytest.raises(UsageError, match=r"list of the earlier questions, got (str|int|dict)"):
            system.answer("Why?", history=history)
    with pytest.raises(UsageError, match="the question is empty"):
        system.answer("Why?", history=["  "])


def test_a_long_conversation_adds_no_more_than_a_dozen_words(system: System) -> None:
    history = [f"What of bridge word{number}a word{number}b word{number}c word{number}d?" for number in range(300)]
    searched = system.answer("And why?", history=history).searched
    assert len(searched.split(" · ")[1].split()) <= 12


def test_the_first_level_of_python_takes_a_history(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.index.load_embedder", lambda name=None: system.index.embedder)
    answer = rag.answer("Who designed it?", index=system.index.folder, history=[BRIDGE])
    assert answer.text == "The old bridge was opened in 1974. [1] It was designed by Anna Keller. [2]"


def test_the_time_to_load_belongs_to_the_question_and_not_to_the_earlier_one(system: System) -> None:
    opened = System(system.index, load_s=2.0)
    assert opened.answer("Who designed it?", history=[BRIDGE]).timings.load_s == 2.0
    assert opened.answer("Who designed it?", history=[BRIDGE]).timings.load_s == 0.0


def test_the_words_that_carry_no_content_are_those_of_the_conversation_s_language(make_system: Make) -> None:
    german = "Die alte Brücke wurde im Jahr 1974 eröffnet, weil die Fähre zu klein für alle Reisenden geworden war."
    system = make_system({"de.txt": german, "garten.txt": "Der Garten ist im Winter für alle Besucher geschlossen."})
    answer = system.answer("Und warum?", history=["Wann wurde die alte Brücke eröffnet?"])
    assert answer.searched == "Und warum? · alte Brücke eröffnet"
    assert answer.hits[0].passage.source == "de.txt"


def test_a_question_without_a_vector_of_its_own_is_searched_with_what_is_added(
    make_system: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_system({"a.txt": "The old bridge was opened in 1974.", "b.txt": "Tea is grown in the garden."})
    embedder = system.index.embedder
    monkeypatch.setattr(embedder, "embed_queries", lambda texts: 0 * embedder.embed_passages(texts))
    answer = system.answer("Why?", history=[BRIDGE])
    assert answer.searched == "Why? · old bridge opened"
    assert [hit.dense for hit in answer.hits] == [0.0, 0.0]


def test_what_is_searched_for_is_never_too_long_to_be_asked_or_judged_itself(system: System) -> None:
    question = f"And why {'x' * 3985}?"
    assert system.answer(question, history=[BRIDGE]).searched == question
    assert system.answer(f"And why {'x' * 3900}?", history=[BRIDGE]).searched.endswith(" · old bridge opened")
