"""What the model is given for a passage."""

import pytest

from index import Passage
from index.inputs import model_context, model_input


def count(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


@pytest.mark.parametrize(
    ("title", "heading", "context"),
    [
        ("", "", ""),
        ("A b", "C", "A b > C"),  # 4 of 10 pieces, the separator being one
        ("A b", "C d", "C d"),
        ("A b", "C d e > F", "F"),
        ("A", "c d e f g h", "c d e"),
        ("ﬁve\u200b", "", "five"),
    ],
)
def test_the_innermost_part_that_fits_a_quarter_of_the_window(title: str, heading: str, context: str) -> None:
    assert model_context(title, heading, count, 16) == context


def test_sentences_are_joined_by_a_space_and_keep_their_spans() -> None:
    text = "- One.\n\n-  Tw\u00ado."
    passage = Passage("", "a", "T", 100, 100 + len(text), text, sentences=((102, 106), (111, 116)))
    given, spans = model_input(passage, "T")
    assert given == "T\nOne. Two."
    assert [given[start:end] for start, end in spans] == ["One.", "Two."]


def test_no_context_no_line() -> None:
    passage = Passage("", "a", "", 0, 4, "One.", sentences=((0, 4),))
    assert model_input(passage, "") == ("One.", [(0, 4)])
