"""Where an offset stands, and what a passage is searched with."""

import pytest

from index import Document, Page, Passage, Section

TEXT = "Intro.\nA\nOne.\nB\nTwo.\nC\nThree."
DOCUMENT = Document(
    "a.md",
    "Title",
    TEXT,
    sections=(Section(7, 8, 1, "A"), Section(14, 15, 2, "B"), Section(21, 22, 1, "C")),
    pages=(Page(0, 1), Page(9, 2), Page(16, 4)),
)


@pytest.mark.parametrize(
    ("offset", "heading"), [(0, ""), (6, ""), (7, "A"), (9, "A"), (16, "A > B"), (20, "A > B"), (21, "C"), (29, "C")]
)
def test_the_heading_path_of_an_offset(offset: int, heading: str) -> None:
    assert DOCUMENT.heading_at(offset) == heading


def test_a_skipped_level_stands_under_what_is_above_it() -> None:
    sections = (Section(0, 1, 1, "A"), Section(2, 3, 3, "B"), Section(4, 5, 2, "C"))
    document = Document("a", "", "A\nB\nC", sections)
    assert [document.heading_at(offset) for offset in (1, 3, 5)] == ["A", "A > B", "A > C"]


@pytest.mark.parametrize(("offset", "page"), [(0, 1), (8, 1), (9, 2), (15, 2), (16, 4), (1000, 4)])
def test_the_page_of_an_offset(offset: int, page: int) -> None:
    assert DOCUMENT.page_at(offset) == page


def test_no_page_before_the_first_and_none_without_pages() -> None:
    assert Document("a", "", "text", pages=(Page(2, 1),)).page_at(1) is None
    assert Document("a", "", "text").page_at(0) is None


@pytest.mark.parametrize(
    ("title", "heading", "context"),
    [
        ("", "", ""),
        ("T", "", "T"),
        ("", "A > B", "A > B"),
        ("T", "A > B", "T > A > B"),
        ("T", "T", "T"),
        ("T", "T > A", "T > A"),
        ("T", "A > A", "T > A"),
    ],
)
def test_context_is_title_and_headings_without_repeats(title: str, heading: str, context: str) -> None:
    assert Passage("", "a", title, 0, 0, "", heading).context == context


def test_a_quote_is_counted_from_the_document() -> None:
    passage = Passage("", "a.md", "", 9, 20, TEXT[9:20], sentences=((9, 13), (16, 20)))
    assert [passage.quote(0), passage.quote(1)] == ["One.", "Two."]
