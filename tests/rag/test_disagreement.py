"""Sources that do not go together are both shown; sources that do are not set against each other."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from rag import System
from rag.disagreement import disagreement
from rag.questions import Question
from rag.reading import Reread, read
from rag.retrieval import retrieve
from rag.system import DISAGREE

Make = Callable[[Mapping[str, str]], System]


def quotes(system: System, question: str) -> set[str]:
    answer = system.answer(question, threshold=0)
    return {citation.quote for citation in answer.citations} if answer.text.startswith(DISAGREE) else set()


def test_two_documents_with_other_numbers_are_both_shown(system: System) -> None:
    answer = system.answer("How many passengers did the ferry carry on the storm night?")
    assert answer.text.startswith("The sources disagree. ")
    assert {citation.source for citation in answer.citations} == {"log.txt", "letter.txt"}
    assert ["80" in citation.quote or "120" in citation.quote for citation in answer.citations] == [True, True]


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        (
            "The fire was caused by a lamp in the mill.",
            "The mayor denied that the fire was caused by a lamp in the mill.",
            "What caused the fire in the mill?",
        ),
        (
            "The train left the station at 10:15.",
            "The train left the station at 10:45.",
            "When did the train leave the station?",
        ),
        ("The tower is 90 metres tall.", "The tower is 1,200 metres tall.", "How tall is the tower?"),
        (
            "Sugar made 40 % of the sales in May.",
            "Sugar made 55 % of the sales in May.",
            "How much of the sales in May did sugar make?",
        ),
    ],
)
def test_contradictions(one: str, other: str, question: str, make_system: Make) -> None:
    assert quotes(make_system({"a.txt": one, "b.txt": other}), question) == {one, other}


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        ("The tower is 90 metres tall.", "The tower is 90 metres tall and painted red.", "How tall is the tower?"),
        ("The tower is 1,200 metres tall.", "The tower is 1200 metres tall, they say.", "How tall is the tower?"),
        ("The tower is 90 metres tall.", "The tower has 12 rooms.", "How tall is the tower?"),
        ("The tower is 90 metres tall.", "Ferries carry 120 passengers.", "How tall is the tower?"),
        ("Ann designed the tower in 1900.", "Ann designed the tower with 2 friends.", "Who designed the tower?"),
    ],
)
def test_no_contradictions(one: str, other: str, question: str, make_system: Make) -> None:
    assert quotes(make_system({"a.txt": one, "b.txt": other}), question) == set()


def test_one_document_does_not_contradict_itself_with_two_numbers(make_system: Make) -> None:
    text = "The tower is 90 metres tall. The tower is 60 metres tall without the mast."
    assert quotes(make_system({"a.txt": text}), "How tall is the tower?") == set()


def test_one_citation_has_no_room_for_two_sides(system: System) -> None:
    answer = system.answer("How many passengers did the ferry carry on the storm night?", citations=1)
    assert len(answer.citations) == 1
    assert not answer.text.startswith(DISAGREE)


@pytest.mark.parametrize(
    ("one", "answer", "other", "another", "margins", "disagree"),
    [
        ("Ann Lee designed the old tower.", "Ann Lee", "Bo Ray designed the tower.", "Bo Ray", (5, 4), True),
        ("Ann Lee designed the old tower.", "Ann Lee", "Not Ann Lee but Bo Ray designed the tower.", "Bo Ray", (5, 4),
         True),
        ("Ann Lee designed the old tower.", "Ann Lee", "Bo Ray and Ann Lee designed the tower.", "Bo Ray", (5, 4),
         False),
        ("Ann Lee designed the old tower.", "Ann Lee", "Lee designed the tower.", "Lee", (5, 4), False),
        ("Ann Lee designed the old tower.", "Ann Lee", "Bo Ray designed the tower.", "Bo Ray", (9, 4), False),
        ("Ann Lee designed the old tower.", "Ann Lee", "Bo Ray designed the tower.", "Bo Ray", (1, -1), False),
        ("Ann Lee designed the old tower.", "Ann Lee", "Did Bo Ray design the tower?", "Bo Ray", (5, 4), False),
        ("Ann Lee designed the old tower.", "Ann Lee", "A mason designed the tower.", "A mason", (5, 4), False),
        ("The tower was designed by 12 masons.", "12", "The tower was designed by 14 masons.", "14", (5, 4), True),
        ("The tower was designed in 2 days.", "2 days", "The tower was designed in 48 hours.", "48 hours", (5, 4),
         False),
        ("The tower was designed in 1900.", "1900", "The tower was designed in the 19th century.", "19th century",
         (5, 4), False),
    ],
)  # fmt: skip
def test_what_a_reader_finds_in_two_documents(
    one: str, answer: str, other: str, another: str, margins: tuple[float, float], disagree: bool, make_system: Make
) -> None:
    index = make_system({"a.txt": one, "b.txt": other}).index
    question = Question.parse("Which hand designed the tower?")
    reread = []
    for sentence in read(index, question, retrieve(index, question.text, 8)):
        found, margin = (answer, margins[0]) if sentence.text == one else (another, margins[1])
        start = sentence.text.index(found)
        reread.append(replace(sentence, score=0.5, reread=Reread(margin, 1.0, (start, start + len(found)))))
    pair = disagreement(index, question, sorted(reread, key=lambda sentence: sentence.text != one))
    assert (pair and {sentence.text for sentence in pair}) == ({one, other} if disagree else None)
