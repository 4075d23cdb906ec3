"""Passages: exact spans, complete, within both budgets, cut where sentences and headings end."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import ChunkSettings, Document, Page, Passage, Section
from index.chunking import chunk
from index.errors import UsageError
from index.inputs import model_context, model_input
from index.tokens import count_tokens

SMALL = ChunkSettings(size=16, overlap=6)
WINDOW = 12


def count(texts: list[str]) -> list[int]:
    """Word pieces of the fake model: words between spaces, and one more for every four characters of one."""
    return [sum(1 + len(word) // 4 for word in text.split()) for text in texts]


def passages(text: str, settings: ChunkSettings = SMALL, window: int = WINDOW, **fields: object) -> list[Passage]:
    return chunk(Document("a.txt", "", text, **fields), settings, count, window)  # type: ignore[arg-type]


def quotes(passage: Passage) -> list[str]:
    return [passage.quote(number) for number in range(len(passage.sentences))]


WORDS = st.sampled_from(["a", "is", "lake", "1976.", "Dr.", "It", "😀", "日本。", "naïve,", "x" * 40, "\u200b", "ﷺ", "<|endoftext|>"])
LINES = st.lists(WORDS, max_size=30).map(" ".join)
ODD = st.text(st.one_of(st.sampled_from("a .!?\n\t\r\0😀日。\u2028\u0301"), st.characters(exclude_categories=["Cs"])))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document of paragraphs, some of them headings, some with a list marker, with and without empty lines."""
    text, sections, pages = "", [], []
    for block in draw(st.lists(st.one_of(LINES, ODD), max_size=8)):
        if draw(st.booleans()):
            heading = draw(st.sampled_from(["Part", "Of war and peace"]))
            sections.append(Section(len(text), len(text) + len(heading), draw(st.integers(1, 3)), heading))
            text += heading + "\n"
        if draw(st.booleans()):
            pages.append(Page(len(text), len(pages) + 1))
        text += draw(st.sampled_from(["", "- ", "12. "])) + block + draw(st.sampled_from(["\n", "\n\n", "\n\n\n"]))
    return Document("a.md", draw(st.sampled_from(["", "Title", "A very long title " * 9])), text, tuple(sections), tuple(pages))


@given(documents())
def test_spans_are_exact(document: Document) -> None:
    for one in chunk(document, SMALL, count, WINDOW):
        assert document.text[one.start : one.end] == one.text
        assert (one.sentences[0][0], one.sentences[-1][1]) == (one.start, one.end)
        assert all(one.start <= start < end <= one.end for start, end in one.sentences)
        assert all(end <= start for (_, end), (start, _) in pairwise(one.sentences))
        assert one.page == document.page_at(one.start)
        assert one.heading == document.heading_at(one.start) or not _has_body(document)


@given(documents())
def test_nothing_of_the_body_is_lost(document: Document) -> None:
    left = list(document.text)
    found = chunk(document, SMALL, count, WINDOW)
    for one in found:
        for start, end in one.sentences:
            left[start:end] = " " * (end - start)
    headings = [document.text[section.start : section.end] for section in document.sections]
    lines = [line.strip() for line in "".join(left).split("\n") if line.strip()]
    assert {line for line in lines if line not in {"-", "*", "•"} and line.rstrip(".)") not in {"12", "1"}} <= set(headings)


@given(documents())
def test_no_passage_is_longer_than_the_model_sees(document: Document) -> None:
    for one in chunk(document, SMALL, count, WINDOW):
        context = model_context(one.title, one.heading, count, WINDOW)
        text, _ = model_input(one, context)
        assert count([text])[0] <= WINDOW


@given(documents())
def test_no_heading_stands_within_a_passage(document: Document) -> None:
    for one in chunk(document, SMALL, count, WINDOW):
        within = [section for section in document.sections if one.start < section.end and section.start < one.end]
        assert not within or not _has_body(document)


def _has_body(document: Document) -> bool:
    text = list(document.text)
    for section in document.sections:
        text[section.start : section.end] = " " * (section.end - section.start)
    return bool("".join(text).strip())


@given(st.lists(st.sampled_from(["One.", "Two and more.", "Three!", "Why so?"]), min_size=1, max_size=40).map(" ".join))
def test_no_passage_has_more_tokens_than_the_setting(text: str) -> None:
    assert all(count_tokens([one.text])[0] <= SMALL.size for one in passages(text, window=100))


def test_list_markers_count_as_tokens() -> None:
    text = "\n".join(f"{number}) tea" for number in range(100, 140))
    assert all(count_tokens([one.text])[0] <= SMALL.size for one in passages(text, window=100))


EATEN = [f"{name} ate one." for name in ("Ann", "Bob", "Tom", "Dan", "Sam", "Ben", "Max")]


def test_sentences_of_four_tokens() -> None:
    assert count_tokens(EATEN) == [4] * 7


def test_overlap_is_the_last_whole_sentences_that_fit_it() -> None:
    # Every sentence is 4 tokens, counted with one more for the space: three fit into 16.
    assert [quotes(one) for one in passages(" ".join(EATEN[:5]), ChunkSettings(16, 4), 100)] == [
        ["Ann ate one.", "Bob ate one.", "Tom ate one."],
        ["Tom ate one.", "Dan ate one.", "Sam ate one."],
    ]


@pytest.mark.parametrize(("overlap", "shared"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (15, 2)])
def test_neighbours_share_as_many_sentences_as_the_overlap_holds(overlap: int, shared: int) -> None:
    found = passages(" ".join(EATEN), ChunkSettings(16, overlap), 100)
    assert len(found) > 1
    for one, following in pairwise(found):
        assert len(set(one.sentences) & set(following.sentences)) == shared


def test_a_run_ends_with_its_paragraph_when_half_full() -> None:
    found = passages("Ann ate one. Bob ate one.\n\nDan ate one. Sam ate one.", ChunkSettings(16, 8), 100)
    assert [one.text for one in found] == ["Ann ate one. Bob ate one.", "Dan ate one. Sam ate one."]


def test_passages_do_not_cross_headings() -> None:
    text = "Before.\nOne\nFirst.\nTwo\nSecond."
    sections = (Section(8, 11, 1, "One"), Section(19, 22, 2, "Two"))
    found = passages(text, ChunkSettings(), 100, sections=sections)
    assert [(one.heading, one.text) for one in found] == [("", "Before."), ("One", "First."), ("One > Two", "Second.")]


def test_a_document_of_headings_alone_is_read_as_body() -> None:
    (one,) = passages("One\nTwo", ChunkSettings(), 100, sections=(Section(0, 3, 1, "One"), Section(4, 7, 1, "Two")))
    assert (one.text, quotes(one)) == ("One\nTwo", ["One", "Two"])


def test_a_long_sentence_is_cut_at_white_space_after_a_clause_where_it_can_be() -> None:
    assert [one.text for one in passages("one two six ten, one two six ten old", SMALL, 6)] == [
        "one two six ten,",
        "one two six ten old",
    ]


def test_an_endless_word_is_cut_to_fit_and_whole_when_joined() -> None:
    word = "".join(chr(ord("a") + number * number % 26) for number in range(30_000))
    found = passages(f"{word}.", ChunkSettings(overlap=0), 60)
    assert "".join(one.text for one in found) == f"{word}."
    assert max(count_tokens([one.text for one in found])) <= 200
    assert max(count([one.text for one in found])) <= 60


@pytest.mark.parametrize("text", ["", " \n\t ", "\u3000\n"])
def test_nothing_to_read_gives_no_passage(text: str) -> None:
    assert passages(text) == []


def test_the_identity_is_content_and_position() -> None:
    (one,), (same,) = passages("One."), passages("One.")
    (moved,) = passages(" One.")
    (other,) = chunk(Document("b.txt", "", "One."), SMALL, count, WINDOW)
    assert one.id == same.id
    assert len({one.id, moved.id, other.id}) == 3


@pytest.mark.parametrize(
    ("size", "overlap", "message"),
    [
        (15, 0, "chunk size must be at least 16 tokens, got size=15"),
        (200, 200, "overlap must satisfy 0 <= overlap < size, got overlap=200, size=200"),
        (200, -1, "overlap must satisfy 0 <= overlap < size, got overlap=-1, size=200"),
    ],
)
def test_settings_that_make_no_sense(size: int, overlap: int, message: str) -> None:
    with pytest.raises(UsageError) as error:
        ChunkSettings(size, overlap)
    assert str(error.value) == message


@pytest.mark.shared
def test_naughty_strings_keep_every_character(shared: Callable[[str], Path]) -> None:
    naughty = json.loads((shared("badinput") / "blns" / "blns.json").read_text())
    assert len(naughty) > 500
    for text in naughty:
        covered = [False] * len(text)
        for one in passages(text):
            assert text[one.start : one.end] == one.text
            for start, end in one.sentences:
                covered[start:end] = [True] * (end - start)
        lost = "".join(character for character, kept in zip(text, covered, strict=True) if not kept)
        assert not lost.strip()
