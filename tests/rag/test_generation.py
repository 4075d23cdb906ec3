"""An answer that a language model writes: every footnote checked, everything else shown for what it is."""

import re
from collections.abc import Callable

import pytest

from index.errors import GeneratorError
from rag import Answer, System
from rag.generation import condensed
from rag.questions import Question
from rag.system import REFUSAL

OPENED = "When was the old bridge opened?"
Scripted = Callable[..., object]


def check(answer: Answer, system: System) -> None:
    """What holds for every generated answer, whole or growing."""
    markers = [int(found) for found in re.findall(r"\[(\d+)\]", answer.text)]
    assert markers == [one.marker for one in answer.citations] == list(range(1, len(markers) + 1))
    for one in answer.citations:
        assert system.index.document(one.source).text[one.start : one.end] == one.quote
        passage = next(hit.passage for hit in answer.hits if hit.passage.id == one.passage_id)
        assert (one.start, one.end) in passage.sentences
        assert 0 <= one.score <= 1
    for doubt in answer.unsupported:
        assert answer.text[doubt.start : doubt.end].strip()
        assert not re.match(r" \[\d+\]", answer.text[doubt.end :])


@pytest.fixture
def ask(system: System, scripted: Scripted) -> Callable[..., list[Answer]]:
    """The answers, growing, to a question on which a language model writes these texts."""

    def ask(question: str, *texts: str | Exception, **asked: object) -> list[Answer]:
        return list(System(system.index, generator=scripted(*texts)).stream(question, **asked))  # type: ignore[arg-type]

    return ask


def test_the_evidence_comes_first_then_the_text_as_it_grows_then_the_checked_answer(
    ask: Callable[..., list[Answer]], system: System
) -> None:
    written = "The old bridge was opened in 1974 [1]. It was designed by Anna Keller [1, 9]. Penguins can dance [1]."
    first, *growing, last = ask(OPENED, written)
    assert (first.text, first.citations, len(first.hits)) == ("", (), 4)
    assert 2 <= len(growing) <= 10
    for one in growing:
        check(one, system)
        assert one.generator == "scripted"
        assert "[1" not in one.text.replace("[1]", "")
    assert last.text == (
        "The old bridge was opened in 1974. [1] It was designed by Anna Keller. [2] Penguins can dance."
    )
    assert [one.quote for one in last.citations] == [
        "The old bridge was opened in 1974.",
        "It was designed by Anna Keller.",
    ]
    (doubt,) = last.unsupported
    assert last.text[doubt.start : doubt.end] == "Penguins can dance."
    assert last.notices == ("the language model wrote a footnote that names no passage: left out",)
    assert last.timings.total_s > 0
    check(last, system)


def test_a_long_answer_is_shown_in_a_few_pieces(ask: Callable[..., list[Answer]]) -> None:
    written = "The old bridge was opened in 1974 [1]. " * 40
    assert 5 <= len(ask(OPENED, written)[1:-1]) <= 10


def test_a_refusal_stays_one_and_the_model_is_not_asked(system: System, scripted: Scripted) -> None:
    generator = scripted("A bicycle has two wheels [1].")
    answer = System(system.index, generator=generator).answer("How many wheels has a bicycle?")
    assert (answer.text, answer.generator, answer.notices) == (REFUSAL, "", ())
    assert generator.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The passages don't say.", "found no answer in the passages"),
        ("Penguins can dance [1].", "wrote nothing that the passages say"),
        ("The old bridge was opened in 1975 [1].", "wrote nothing that the passages say"),
        ("\x00\ufffd\ufffd", "wrote nothing that the passages say"),
        ("[1][2][3]", "wrote nothing that the passages say"),
        (GeneratorError("the model is down"), "the model is down"),
    ],
)
def test_what_stands_on_nothing_is_not_shown_as_the_answer(
    ask: Callable[..., list[Answer]], written: str | Exception, said: str
) -> None:
    last = ask(OPENED, written)[-1]
    assert (last.text, last.generator) == ("The old bridge was opened in 1974. [1]", "")
    (notice,) = last.notices
    assert notice.endswith(f"{said}; quoted instead is what the documents say")


def test_both_sides_of_a_disagreement_are_told_or_quoted(ask: Callable[..., list[Answer]]) -> None:
    question = "How many passengers did the ferry carry on the storm night?"
    one_side = ask(question, "The ferry carried 80 passengers on the storm night.")[-1]
    assert one_side.text.startswith("The sources disagree.")
    assert "left out one side of what the sources disagree about" in one_side.notices[0]
    both = ask(
        question,
        "The harbour log records that the ferry carried 80 passengers on the storm night. "
        "My letter says that the ferry carried 120 passengers on the storm night.",
    )[-1]
    written = {one.source: one.quote for one in both.citations}
    assert both.generator == "scripted"
    assert "80" in written["log.txt"]
    assert "120" in written["letter.txt"]


def test_what_did_not_fit_is_said(system: System, scripted: Scripted) -> None:
    generator = scripted("The old bridge was opened in 1974 [1].", budget=330)
    answer = System(system.index, generator=generator).answer(OPENED)
    assert answer.generator == "scripted"
    assert 1 <= len(answer.left_out) <= 3  # the mark of the request is not always as many tokens
    (notice,) = answer.notices
    assert notice.endswith(f": {len(answer.left_out)} of 4 passages did not fit into its prompt, or not wholly")
    assert set(answer.left_out) < {hit.passage.id for hit in answer.hits}


def test_marks_of_the_document_make_no_footnotes(ask: Callable[..., list[Answer]], system: System) -> None:
    written = "`bridge[3]` Repairs of the bridge cost 2.5 million in 1999 [1]."
    last = ask("What did the repairs of the bridge cost?", written, threshold=0)[-1]
    assert last.generator == "scripted"
    assert "bridge[\u20603]" in last.text
    check(last, system)


def test_a_follow_up_is_condensed_by_the_model(system: System, scripted: Scripted) -> None:
    generator = scripted("Who designed the old bridge?\n", "It was designed by Anna Keller [1].")
    answer = System(system.index, generator=generator).answer("Who designed it?", history=[OPENED])
    assert (answer.question, answer.searched) == ("Who designed it?", "Who designed the old bridge?")
    assert answer.text == "It was designed by Anna Keller. [1]"


@pytest.mark.parametrize(
    "written",
    [
        "Who designed the Eiffel tower?",
        "Who designed it?",
        "Who designed the old bridge in 1980?",
        "One\nTwo",
        "",
        "who " * 200,
        GeneratorError("slow"),
    ],
)
def test_a_condensing_that_cannot_be_trusted_is_left(written: str | Exception, scripted: Scripted) -> None:
    assert condensed(scripted(written), Question.parse("Who designed it?"), [OPENED], "en") is None  # type: ignore[arg-type]


def test_the_rules_take_over_where_condensing_fails(system: System, scripted: Scripted) -> None:
    generator = scripted(GeneratorError("down"))
    answer = System(system.index, generator=generator).answer("Who designed it?", history=[OPENED])
    assert answer.searched == System(system.index).answer("Who designed it?", history=[OPENED]).searched
    assert answer.searched.startswith("Who designed it? · ")


def test_a_search_asks_no_model(system: System, scripted: Scripted) -> None:
    generator = scripted("no")
    System(system.index, generator=generator).search("Who designed it?", history=[OPENED])
    System(system.index, generator=generator).why(OPENED, "1974")
    assert generator.asked == []  # type: ignore[attr-defined]
