"""Words as BM25 counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.stopwords import STOPWORDS
from index.terms import terms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("The of AND", []),
        ("Running runners ran", ["run", "runner", "ran"]),
        ("It cost 20,000 at 02:14 on v3.5", ["cost", "20000", "02:14", "v3", "5"]),
        ("20000", ["20000"]),
        ("3.5 percent", ["3.5", "percent"]),
        ("Smith's and Smith’s", ["smith", "smith"]),
        ("Straße ÉCOLE", ["straße", "école"]),
        ("re\u00adtrie\u200bval", ["retriev"]),
        ("a-b_c", ["b_c"]),
        ("!!! ... 😀", []),
    ],
)
def test_terms_of(text: str, words: list[str]) -> None:
    assert terms(text) == words


def test_question_words_carry_nothing() -> None:
    assert {"who", "what", "when", "how"} <= STOPWORDS["en"]


@pytest.mark.parametrize("text", ["What's", "it's", "who's", "that's"])
def test_a_contracted_stopword_is_a_stopword(text: str) -> None:
    assert terms(text) == []


@given(st.text())
def test_case_makes_no_difference_to_ascii(text: str) -> None:
    text = text.encode("ascii", "ignore").decode()
    assert terms(text.upper()) == terms(text.lower())


@given(st.lists(st.sampled_from(["apple", "Pears", "3,000", "it's"])))
def test_terms_of_a_whole_are_those_of_its_parts(words: list[str]) -> None:
    assert terms(" ".join(words)) == [term for word in words for term in terms(word)]
