"""Questions about the documents as a whole."""

import re
from collections.abc import Callable, Mapping

import pytest

from rag import System

Make = Callable[[Mapping[str, str]], System]

LONG = {
    "oak.txt": "Oaks are large trees of the northern half of the world. They live for centuries.",
    "elm.txt": "Elms were the great trees of English lanes until a fungus came. Few are left.",
    "fig.txt": "Figs feed more kinds of birds and bats than any other tree does. They are sweet.",
}


@pytest.mark.parametrize("question", ["What is this about?", "List the documents", "Which files do you have?"])
def test_several_documents_are_named_and_their_leads_quoted(question: str, make_system: Make) -> None:
    answer = make_system(LONG).answer(question)
    assert answer.text.startswith("There are 3 documents: elm; fig; oak. Elms were ")
    assert [(one.marker, one.source) for one in answer.citations] == [(1, "elm.txt"), (2, "fig.txt"), (3, "oak.txt")]
    assert [one.quote for one in answer.citations] == [
        LONG[one.source].split(". ")[0] + "." for one in answer.citations
    ]


def test_the_named_document_alone_is_summed_up(make_system: Make) -> None:
    answer = make_system(LONG).answer("Summarise the elm")
    assert answer.text.startswith("elm: Elms were the great trees ")
    assert {one.source for one in answer.citations} == {"elm.txt"}


def test_the_only_document_is_summed_up_with_its_lead_first(make_system: Make) -> None:
    answer = make_system({"oak.txt": LONG["oak.txt"]}).answer("What is this about?")
    assert answer.text == "oak: Oaks are large trees of the northern half of the world. [1]"


def test_many_documents_are_counted(make_system: Make) -> None:
    system = make_system({f"{number:02}.txt": LONG["oak.txt"] for number in range(15)})
    names = "; ".join(f"{number:02}" for number in range(12))
    assert system.answer("List the documents").text.startswith(f"There are 15 documents: {names}; and 3 more. ")


def test_a_title_is_never_taken_for_a_footnote(make_system: Make) -> None:
    rows = '{"_id": "1", "title": "On [2] trees", "text": "Oaks are large trees of the north."}\n'
    answer = make_system({"r.jsonl": rows}).answer("What is this about?")
    assert answer.text == "On (2) trees: Oaks are large trees of the north. [1]"
    assert re.findall(r"\[(\d+)\]", answer.text) == ["1"]


def test_documents_of_short_lines_are_listed_too(make_system: Make) -> None:
    answer = make_system({"a.txt": "Milk\nEggs", "b.txt": "Nails\nGlue"}).answer("List the documents", threshold=0)
    assert not answer.abstained
    assert answer.text.startswith("There are 2 documents: Milk; Nails.")
