"""SQuAD's EM and F1, by hand."""

import pytest

from eval.short_answers import exact_match, f1, short_answer
from rag.answers import Answer, Citation


def cited(*quotes: str, scores: tuple[float, ...] = (1.0, 1.0)) -> Answer:
    found = enumerate(zip(quotes, scores, strict=False), 1)
    return Answer("?", "...", tuple(Citation(n, "a", "", 0, len(q), q, "a:0", None, "", s) for n, (q, s) in found))


def test_the_short_answer_is_the_likeliest_quote_and_of_equals_the_first() -> None:
    assert short_answer(cited("In 1955.", "In Bonn.")) == "In 1955."
    assert short_answer(cited("She was born in 1955.", "She died in Bonn.", scores=(0.2, 0.9))) == "She died in Bonn."
    assert short_answer(cited()) == ""


@pytest.mark.parametrize(
    ("text", "accepted", "exact", "overlap"),
    [
        ("The Hague.", ["hague"], 1, 1),
        ("in 1955", ["1955"], 0, 2 * 1 / (2 + 1)),
        ("about 250,000 people", ["250,000", "about 250000"], 0, 2 * 2 / (3 + 2)),  # the better of the two
        ("to be or not to be", ["to be be"], 0, 2 * 3 / (6 + 3)),  # "be" counts twice, not three times
        ("pre-war", ["prewar"], 1, 1),  # as in SQuAD's script, a hyphen falls away
        ("pre war", ["pre-war"], 0, 0),
        ("Straße – hier", ["straße hier"], 0, 2 * 2 / (3 + 2)),  # only ASCII punctuation does
        ("", ["1955"], 0, 0),
        ("The", ["a"], 1, 1),  # no words on both sides
        ("1955", [], 0, 0),
    ],
)
def test_em_and_f1(text: str, accepted: list[str], exact: float, overlap: float) -> None:
    assert exact_match(text, accepted) == exact
    assert f1(text, accepted) == pytest.approx(overlap)
