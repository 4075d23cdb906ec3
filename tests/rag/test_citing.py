"""Chosen sentences to a text with footnotes."""

import re

from index import Passage
from rag.answers import Hit
from rag.citing import cite
from rag.reading import Features, Sentence

NONE = Features(0, 0, 0, 0, 0, 0, 0, 0, 0)


def sentence(text: str, start: int = 10) -> Sentence:
    passage = Passage("id", "a.md", "Title", start, start + len(text), text, "A > B", 7, ((start, start + len(text)),))
    return Sentence(Hit(passage, 1, 1, 1), 0, start, start + len(text), text, 0.5, NONE, None, frozenset())  # type: ignore[arg-type]


def test_each_sentence_is_followed_by_its_footnote() -> None:
    text, citations = cite([sentence("One."), sentence("Two.", 90)], "Both:")
    assert text == "Both: One. [1] Two. [2]"
    first, second = citations
    assert (first.marker, first.source, first.title, first.start, first.end, first.quote) == (
        1, "a.md", "Title", 10, 14, "One.",
    )  # fmt: skip
    assert (first.passage_id, first.page, first.heading, first.score) == ("id", 7, "A > B", 0.5)
    assert (second.marker, second.start, second.end) == (2, 90, 94)


def test_what_looks_like_a_footnote_in_a_quote_is_none() -> None:
    quote = "As shown [3], [12] and [[1]] but not [a]."
    text, (citation,) = cite([sentence(quote)])
    assert re.findall(r"\[(\d+)\]", text) == ["1"]
    assert citation.quote == quote
    assert text.replace("\u2060", "") == f"{quote} [1]"


def test_nothing_chosen_nothing_said() -> None:
    assert cite([]) == ("", ())
