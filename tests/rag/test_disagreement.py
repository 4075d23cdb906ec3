"""Sources that do not go together are both shown; sources that do are not set against each other."""

from collections.abc import Callable, Mapping

import pytest

from rag import System
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
