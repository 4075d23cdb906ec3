"""The words within a quote that are the answer: through the public door, by kind."""

from collections.abc import Callable

import pytest

from rag.system import System

SENTENCES = {
    "when.md": "The old mill was built in 1742; after a flood had taken its roof it was restored on 3 May 1988.",
    "number.md": "The old mill has 14 windows, and its wheel turns 9 times a minute.",
    "percent.md": "Of the flour of the old mill 35 % is sold abroad and 4,200 sacks stay in the county.",
    "who.md": "Clara Voss, who owned the old mill, sold it to Erik Lund after the flood.",
    "where.md": "The millstones were cut in a quarry near Haverford and dressed by hand.",
    "weight.md": "The stone of the old mill weighs 900 kg and is turned in 47 minutes by two oxen.",
    "range.md": "The miller Tom Ashby (1801–1877) kept a diary.",
}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When was the old mill built?", "1742"),
        ("When was the old mill restored?", "3 May 1988"),
        ("How many windows does the old mill have?", "14"),
        ("What percentage of the flour of the old mill is sold abroad?", "35 %"),
        ("How much does the stone of the old mill weigh?", "900 kg"),
        ("How long does it take two oxen to turn the stone?", "47 minutes"),
        ("Who owned the old mill?", "Clara Voss"),
        ("Where were the millstones cut?", "Haverford"),
        ("When did the miller Tom Ashby live?", "1801–1877"),
    ],
)
def test_what_is_asked_for_is_marked(
    question: str, expected: str, make_system: Callable[[dict[str, str]], System]
) -> None:
    first = make_system(SENTENCES).answer(question, threshold=0).citations[0]
    assert first.answer is not None
    assert first.quote[slice(*first.answer)] == expected


@pytest.mark.parametrize(
    "question",
    [
        "Why was the old mill restored?",  # no kind that can be told by its form
        "When did Clara Voss sell the old mill to Erik Lund?",  # nothing of the kind in the sentence
        "Who is Clara Voss?",  # two names, and the question brings one of them
    ],
)
def test_nothing_is_marked_that_does_not_stand_out(
    question: str, make_system: Callable[[dict[str, str]], System]
) -> None:
    system = make_system({"who.md": "Clara Voss sold the old mill."})
    assert system.answer(question, threshold=0).citations[0].answer is None


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Who owned it?", "Clara Voss met Erik Lund."),  # two names, and no word of the question beside either
        ("How many mills?", "Mills: " + ";".join(map(str, range(1, 71))) + "."),  # a list of seventy
    ],
)
def test_nothing_is_marked_where_all_stand_alike(
    question: str, sentence: str, make_system: Callable[[dict[str, str]], System]
) -> None:
    (citation,) = make_system({"a.txt": sentence}).answer(question, threshold=0).citations
    assert citation.quote == sentence
    assert citation.answer is None


def test_the_words_around_are_those_of_the_sentence_s_language(make_system: Callable[[dict[str, str]], System]) -> None:
    german = "Die Gebühren gelten schon seit 1985 und wurden nicht erneuert, die Kündigungsfristen sind von 1990."
    (citation,) = make_system({"de.txt": german}).answer("When was the Kündigungsfrist set?", threshold=0).citations
    assert citation.answer is not None
    assert citation.quote[slice(*citation.answer)] == "1990"


def test_nothing_is_marked_in_a_sentence_that_only_leads_in(make_system: Callable[[dict[str, str]], System]) -> None:
    system = make_system({"a.txt": "Anna left in 1905. She designed and opened the old bridge in 1974."})
    leading, best = system.answer("When was the old bridge opened?", threshold=0).citations
    assert (leading.quote, leading.answer) == ("Anna left in 1905.", None)
    assert best.answer is not None
    assert best.quote[slice(*best.answer)] == "1974"


def test_both_sides_of_a_disagreement_are_marked(system: System) -> None:
    answer = system.answer("How many passengers did the ferry carry on the storm night?")
    assert answer.text.startswith("The sources disagree.")
    assert {one.quote[slice(*one.answer)] for one in answer.citations if one.answer} == {"80", "120"}
