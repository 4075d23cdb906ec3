"""Plain text, Markdown and HTML through `load`: the whole text of small files."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.documents import Document, Section
from index.errors import SkippedFile
from index.loading import Problem, load


def loaded(tmp_path: Path, name: str, content: str | bytes) -> Document:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (document,) = load(path, name)
    assert isinstance(document, Document)
    return document


def headings(document: Document) -> list[tuple[int, str]]:
    assert all(document.text[one.start : one.end] == one.heading for one in document.sections)
    return [(one.level, one.heading) for one in document.sections]


WRAPPED = """\
The tank farm holds three hundred and twelve thousand litres of polar
diesel, which is enough for a winter if nobody is careless. The regu-
lator of the first generator was never replaced.

  - a pump that was bought second hand and that has to be primed by hand
    every morning
  - a spare

Petra
Benoit
"""


def test_wrapped_lines_are_joined_and_others_kept(tmp_path: Path) -> None:
    assert loaded(tmp_path, "tanks.txt", WRAPPED).text == (
        "The tank farm holds three hundred and twelve thousand litres of polar diesel, which is enough for a "
        "winter if nobody is careless. The regulator of the first generator was never replaced.\n\n"
        "  - a pump that was bought second hand and that has to be primed by hand every morning\n"
        "  - a spare\n\nPetra\nBenoit"
    )


def test_hyphens_at_line_ends(tmp_path: Path) -> None:
    text = (
        "It is an old custom in this part of the world to give an exam-\n"
        "ple before the rule, and the rule is kept to a state-of-the-\n"
        "art minimum. What the crew calls polar-proof boots are polar-\n"
        "proof in name only, and so is the first-aid kit in the hut.\n"
    )
    assert loaded(tmp_path, "custom.txt", text).text == (
        "It is an old custom in this part of the world to give an example before the rule, and the rule is kept "
        "to a state-of-the-art minimum. What the crew calls polar-proof boots are polar-proof in name only, and "
        "so is the first-aid kit in the hut."
    )


def test_one_paragraph_a_line_is_kept(tmp_path: Path) -> None:
    text = (
        "A first paragraph. It has two sentences.\nA second one, much longer than the first: " + "very " * 30 + "long."
    )
    assert loaded(tmp_path, "lines.txt", text).text == text


def test_verse_and_code_keep_their_lines(tmp_path: Path) -> None:
    verse = (
        "The sea is calm tonight.\nThe tide is full, the moon lies fair\n"
        "Upon the straits; on the French coast the light\n"
        "Gleams and is gone; the cliffs of England stand,\nGlimmering and vast, out in the tranquil bay."
    )
    code = "    def area(radius):\n        return 3.14 * radius ** 2"
    assert loaded(tmp_path, "verse.txt", f"{verse}\n\n{code}\n").text == f"{verse}\n\n{code}"


def test_plain_headings(tmp_path: Path) -> None:
    text = (
        "Winter Stores\n=============\n\nEnough.\n\nFOOD AND FUEL\n\nMore.\n\n"
        "2.1 Flour\n\nWhite.\n\nSugar\n-----\nNone.\n"
    )
    document = loaded(tmp_path, "stores.txt", text)
    assert (
        document.text == "Winter Stores\n\nEnough.\n\nFOOD AND FUEL\n\nMore.\n\n2.1 Flour\n\nWhite.\n\nSugar\n\nNone."
    )
    assert headings(document) == [(1, "Winter Stores"), (1, "FOOD AND FUEL"), (2, "2.1 Flour"), (2, "Sugar")]
    assert document.title == "Winter Stores"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_encodings(tmp_path: Path, encoding: str) -> None:
    assert (
        loaded(tmp_path, "a.txt", "Grüße aus Köln.\r\nŽeleni čaj.".encode(encoding)).text
        == "Grüße aus Köln.\nŽeleni čaj."
    )


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("cp1252", "café naïve Straße £100 " * 30), ("cp1251", "Возврат товара возможен в течение дней. " * 20)],
)
def test_guessed_encodings_say_so(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    problem, document = load(path, "a.txt")
    assert problem == Problem(f"its encoding is a guess: read as {encoding}", lost=False)
    assert isinstance(document, Document)
    assert document.text == text.strip()


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", "\u200b\n\ufeff".encode()])
def test_nothing_to_read(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SkippedFile, match=r"^no text in it$"):
        loaded(tmp_path, "a.txt", content)


def test_binary_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(SkippedFile, match=r"^binary content, not text$"):
        loaded(tmp_path, "a.txt", b"\x7fELF\x00\x01\x02text")


MARKDOWN = """\
---
title: "The Winter Handbook"
author: nobody
---
Handbook <!-- draft -->
========

Read **this** [first](https://example.org/a), then `make chat`.
It is ![a map](map.png) wrapped.

## Power & water

- Tunnel A
  - pipes
- Tunnel *B*

3. three
4. four

| Name | Work |
|------|------|
| Ruth | leads \\| plans |

> Quoted
> words.

```python
x = 1

y = 2
```

<div>Some <b>bold</b> HTML<script>alert(1)</script></div>
"""


def test_markdown_as_its_reader_sees_it(tmp_path: Path) -> None:
    document = loaded(tmp_path, "handbook.md", MARKDOWN)
    assert document.text == (
        "Handbook\n\nRead this first, then make chat. It is a map wrapped.\n\nPower & water\n\n"
        "- Tunnel A\n- pipes\n- Tunnel B\n\n3. three\n4. four\n\nName | Work\nRuth | leads | plans\n\n"
        "Quoted words.\n\nx = 1\n\ny = 2\n\nSome bold HTML"
    )
    assert document.sections == (Section(0, 8, 1, "Handbook"), Section(65, 78, 2, "Power & water"))
    assert document.title == "The Winter Handbook"


@given(
    st.lists(st.tuples(st.integers(1, 6), st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)), max_size=8),
    st.text(max_size=200),
)
@settings(max_examples=60, deadline=None)
def test_markdown_sections_are_their_lines(tmp_path_factory: pytest.TempPathFactory, parts: list, rest: str) -> None:  # type: ignore[type-arg]
    text = "".join(f"{'#' * level} {words}\n\n{rest}\n\n" for level, words in parts) or "x"
    path = tmp_path_factory.mktemp("md") / "a.md"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        (document,) = load(path, "a.md")
    except SkippedFile:
        return
    assert isinstance(document, Document)
    assert "\r" not in document.text
    for section in document.sections:
        assert document.text[section.start : section.end] == section.heading
        assert section.start == 0 or document.text[section.start - 1] == "\n"
        assert document.text[section.end : section.end + 1] in ("", "\n")


HTML = """\
<!DOCTYPE html><html><head><title>The Storm &#8211; Courier</title><style>p{}</style></head><body>
<header>Courier <nav>Home</nav></header>
<main><h1>The Storm</h1><p>It   was<br>dark &amp; cold. <script>evil()</script>Then <b>light</b>.</p>
<p hidden>secret</p><p style="display: none">secret</p>
<ul><li>one<li>two <a href="javascript:x">here</a></ul><ol start="3"><li>three</ol>
<table><tr><th>Time</th><th>Event</th></tr><tr><td>02:14</td><td>Power <i>lost</i></td></tr></table>
<h2>After</h2><pre>a  b
  c</pre></main><aside>Adverts</aside><footer>Imprint</footer></body></html>
"""


def test_html_as_its_reader_sees_it(tmp_path: Path) -> None:
    document = loaded(tmp_path, "storm.html", HTML)
    assert document.text == (
        "The Storm\n\nIt was\ndark & cold. Then light.\n\n- one\n- two here\n\n3. three\n\n"
        "Time | Event\n02:14 | Power lost\n\nAfter\n\na  b\n  c"
    )
    assert headings(document) == [(1, "The Storm"), (2, "After")]
    assert document.title == "The Storm"


def test_html_without_main_keeps_all_but_navigation_and_footer(tmp_path: Path) -> None:
    page = (
        "<title>Log</title><header>Masthead</header><nav>Home</nav><p>Words</p><aside>Note</aside><footer>End</footer>"
    )
    document = loaded(tmp_path, "log.htm", page)
    assert document.text == "Masthead\n\nWords\n\nNote"
    assert document.title == "Log"


def test_html_charset(tmp_path: Path) -> None:
    page = '<meta charset="iso-8859-1"><p>“Grüße” €</p>'.encode("cp1252")
    assert loaded(tmp_path, "a.html", page).text == "“Grüße” €"
