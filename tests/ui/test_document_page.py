"""A document as the page shows it, over HTTP: what of a long one is there, and where its mark is."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient

from index import Index
from rag import System
from ui.libraries import Libraries
from ui.server import application

LINES = 2_000
# Each paragraph and what is behind it are a hundred characters: line 7 is text[700:798].
LONG = "".join(f"Line {number:04d} {'x' * 87}.\n\n" for number in range(LINES))
# The same as one paragraph, without a space behind the last line.
WALL = "".join(f"Line {number:04d} {'x' * 89} " for number in range(LINES))


class Seen(HTMLParser):
    """What of a document is on the page: the numbers of its lines, gaps, marks as (text, attributes), links,
    paragraphs, headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.gaps = re.findall(r"… ([\d,]+) characters left out here", html)
        self.marks: list[tuple[str, dict[str, str | None]]] = []
        self.links: list[str] = []
        self.paragraphs = re.findall(r"<p>(.*?)</p>", re.sub(r"</?mark.*?>", "", html))
        self.lines = [int(number) for one in self.paragraphs for number in re.findall(r"Line (\d{4}) ", one)]
        self.headings = re.findall(r"<(h\d)>(.*?)</h\d>", html)
        self._marked = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "mark":
            self._marked = True
            self.marks.append(("", dict(attrs)))
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._marked = self._marked and tag != "mark"

    def handle_data(self, data: str) -> None:
        if self._marked:
            text, attributes = self.marks.pop()
            self.marks.append((text + data, attributes))


@pytest.fixture(scope="module")
def client(make_embedder: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("document")
    files = {
        "long.txt": LONG,
        "wall.txt": WALL,
        "edge.txt": "word " * 4_000 + "y" * 50 + "\n\nThe next paragraph.",
        "lease.md": "# Lease\n\nThe lease ends in 2030.\n\n## Rent\n\nThe rent is 900 euros.",
        "a & b's.txt": "Tea <b>is</b> hot.",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    index = Index.build([folder / name for name in files], folder / "at", embedder=make_embedder(dimension=64))
    with TestClient(application(Libraries(System(index))), base_url="http://127.0.0.1:7860") as client:
        yield client


def seen(client: TestClient, **asked: object) -> Seen:
    answer = client.get("/document", params={"source": "long.txt", **asked})
    assert answer.status_code == 200
    return Seen(answer.text)


def line(number: int) -> dict[str, int]:
    return {"start": 100 * number, "end": 100 * number + 98}


def left_out(paragraphs: int) -> str:
    return f"{98 * paragraphs:,}"


def test_of_a_long_document_what_is_near_the_mark_is_there(client: TestClient) -> None:
    near = seen(client, **line(1000))
    assert near.lines == list(range(800, 1201))
    assert near.gaps == [left_out(800), left_out(799)]
    assert near.marks == [(f"Line 1000 {'x' * 87}.", {"id": "mark", "tabindex": "-1", "data-step": None})]
    assert near.headings == [("h1", "long")]


@pytest.mark.parametrize(
    ("number", "lines"), [(0, range(201)), (200, range(401)), (1799, range(1599, 2000)), (1999, range(1799, 2000))]
)
def test_a_mark_near_an_end_has_one_gap(client: TestClient, number: int, lines: range) -> None:
    near = seen(client, **line(number))
    assert near.lines == list(lines)
    assert near.gaps == [left_out(LINES - len(lines))]
    assert [text[:9] for text, _ in near.marks] == [f"Line {number:04d}"]


def test_the_link_in_a_gap_gives_the_whole_document_with_its_marks(client: TestClient) -> None:
    near = seen(client, **line(100), also="190000-190098")
    assert near.lines == [*range(301), *range(1700, 2000)]
    assert near.gaps == [left_out(1399)]
    (link,) = near.links
    assert link == "document?source=long.txt&start=10000&end=10098&also=190000-190098&whole=1#mark"
    whole = Seen(client.get(f"/{link}").text)
    assert whole.lines == list(range(LINES))
    assert (whole.gaps, whole.links) == ([], [])
    assert [(text[:9], one.get("id"), one.get("class")) for text, one in whole.marks] == [
        ("Line 0100", "mark", None),
        ("Line 1900", None, "other"),
    ]
    assert whole.marks == near.marks


def test_of_a_paragraph_as_long_as_a_document_what_is_near_is_there_in_whole_words(client: TestClient) -> None:
    near = seen(client, source="wall.txt", start=100_000, end=100_009, also="100100-100109,150000-150009")
    assert near.lines == [*range(801, 1202), *range(1301, 1701)]
    assert near.paragraphs[0].startswith(f"0800 {'x' * 89} Line 0801 ")
    assert near.paragraphs[0].endswith(" Line 1201 ")
    assert [text for text, _ in near.marks] == ["Line 1000", "Line 1001", "Line 1500"]
    assert sum(int(gap.replace(",", "")) for gap in near.gaps) + sum(map(len, near.paragraphs)) == len(WALL) - 1
    assert seen(client, source="wall.txt", start=100_000, end=100_009, whole=1).lines == list(range(LINES))


def test_a_long_paragraph_is_cut_before_its_end(client: TestClient) -> None:
    cut = seen(client, source="edge.txt", start=0, end=4)
    assert cut.paragraphs == ["word " * 4_000 + "y" * 4]
    assert cut.gaps == [str(46 + len("The next paragraph."))]


def test_without_a_mark_it_begins_at_its_beginning(client: TestClient) -> None:
    begun = seen(client)
    assert (begun.lines, begun.gaps, begun.marks) == (list(range(200)), [left_out(1800)], [])


def test_a_place_behind_its_end_shows_nothing_but_the_way_to_all_of_it(client: TestClient) -> None:
    beyond = seen(client, start=900_000, end=900_098)
    assert (beyond.lines, beyond.gaps, beyond.marks) == ([], [left_out(LINES)], [])
    assert Seen(client.get(f"/{beyond.links[0]}").text).lines == list(range(LINES))


def test_a_mark_over_several_paragraphs_is_one_place_to_step_to(client: TestClient) -> None:
    both = seen(client, start=50, end=150)
    assert [(text, "data-step" in one, one.get("id")) for text, one in both.marks] == [
        ("x" * 47 + ".", True, "mark"),
        (f"Line 0001 {'x' * 40}", False, None),
    ]


def test_a_title_that_the_document_begins_with_is_not_said_twice(client: TestClient) -> None:
    assert seen(client, source="lease.md").headings == [("h1", "Lease"), ("h3", "Rent")]


def test_the_text_of_a_document_and_its_name_stay_text(client: TestClient) -> None:
    answer = client.get("/document", params={"source": "a & b's.txt", "start": 4, "end": 13})
    assert "<p>Tea <mark id=mark tabindex='-1' data-step>&lt;b&gt;is&lt;/b&gt;</mark> hot.</p>" in answer.text
    assert '<p class="trail">a &amp; b&#x27;s.txt</p>' in answer.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"source": "nowhere.txt"}, "no document &#x27;nowhere.txt&#x27;"),
        ({}, "no document &#x27;&#x27;"),
        ({"source": "../at/CURRENT"}, "no document"),
        ({"source": "long.txt", "start": "x"}, "the place in the document must be two numbers"),
        ({"source": "long.txt", "start": "-5", "end": "5"}, "the place in the document must be two numbers"),
        ({"source": "long.txt", "start": "1", "end": "9" * 12}, "the place in the document must be two numbers"),
        ({"source": "long.txt", "also": "1-2,"}, "the place in the document must be two numbers"),
        ({"source": "long.txt", "also": ",".join(["1-2"] * 32)}, "the place in the document must be two numbers"),
    ],
)
def test_what_is_no_place_in_a_document_is_not_found(client: TestClient, asked: dict[str, str], said: str) -> None:
    answer = client.get("/document", params=asked)
    assert answer.status_code == 404
    assert said in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
