"""HTML as its reader sees it: the words of the page, without what runs, hides or surrounds them."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from ..documents import Document
from ..errors import FailedFile
from ..loading import Problem
from .blocks import Blocks, collapse
from .decoding import decode

_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)

_NEVER = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "title",
        "iframe",
        "object",
        "embed",
        "canvas",
        "audio",
        "video",
        "select",
        "button",
        "textarea",
        "input",
        "dialog",
        "frameset",
    ]
)
_AROUND = frozenset({"header", "footer", "aside"})
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
# Between these and what is around them stands an empty line.
_GROUPS = frozenset(["p", "div", "article", "section", "blockquote", "figure", "table", "ul", "ol", "dl", "pre", "hr"])
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SITE = re.compile(r"(?<!\s)\s+[|–—·»-]\s+")  # from the first space on: no run of them is begun twice


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a page, and a problem before it if its encoding is a guess.

    The title is its `<title>`, or its first h1 where the `<title>` is that and a site's name.
    """
    blocks = Blocks()
    title, guessed = write_page(blocks, data)
    document = blocks.document(source, title)
    if guessed:
        yield Problem(f"its encoding is a guess: read as {guessed}", lost=False)
    yield document


def write_page(blocks: Blocks, data: bytes) -> tuple[str, str]:
    """Add a whole page; its title, and the name of its encoding if that was guessed."""
    declared = _DECLARED.search(data[:4096])
    text, guessed = decode(data, _web_name(declared[1].decode()) if declared else "")
    root = _parse(text)
    _write(blocks, root)
    return _title(root), guessed


def write_fragment(blocks: Blocks, markup: str) -> None:
    """Add a piece of HTML, as it stands in Markdown; one that holds no text adds nothing."""
    if markup.strip():
        _write(blocks, _parse(f"<div>{markup}</div>"))


def _parse(text: str) -> etree._Element:
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    root = document_fromstring(text.replace("\0", "").encode("utf-8", "replace"), parser=parser)
    if any("depth" in entry.message for entry in parser.error_log):
        raise FailedFile("too deeply nested to read")
    return root


def _web_name(name: str) -> str:
    """Browsers read these names as the larger sets that writers mean (https://encoding.spec.whatwg.org)."""
    wider = dict.fromkeys(("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"), "cp1252")
    wider["gb2312"] = "gb18030"
    name = name.lower()
    # A file whose bytes say UTF-16 has its mark; this name inside ASCII text is an error.
    return "" if name.startswith(("utf-16", "utf-32")) else wider.get(name, name)


def _title(root: etree._Element) -> str:
    named = collapse("".join(node.text or "" for node in root.iter("title"))[:1000])
    first = next((collapse("".join(node.itertext())) for node in root.iter("h1")), "")
    if first and (not named or first in _SITE.split(named)):
        return first
    return named


class _Walk:
    """Where the walk through a page stands: the words since the last block, lists and table rows."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self.words: list[str] = []
        self.marker = ""
        self.lists: list[int | None] = []
        self.rows: list[list[str] | None] = []
        self.level = 0
        self.pre = 0

    def flush(self) -> None:
        """Write the words since the last block as a block, cell or heading."""
        text = "".join(self.words)
        self.words.clear()
        if not self.pre:
            # A non-breaking space is a space; a newline here is a <br>.
            text = "\n".join(collapse(line) for line in text.split("\v"))
        if not text.strip():
            return
        if self.rows and self.rows[-1]:
            cells = self.rows[-1]
            cells[-1] = f"{cells[-1]} {collapse(text)}".strip()
        elif self.level:
            self.blocks.heading(text, self.level)
        else:
            self.blocks.line(self.marker + text.strip("\n"))
            self.marker = ""

    def text(self, text: str | None) -> None:
        if text:
            self.words.append(text.replace("\v", " "))


def _write(blocks: Blocks, root: etree._Element) -> None:
    has_main = next(root.iter("main", "article"), None) is not None
    inside_main = 0
    dropped: list[etree._Element] = []
    walk = _Walk(blocks)
    events = etree.iterwalk(root, events=("start", "end"))
    for event, node in events:
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            around = inside_main == 0 and (tag in _AROUND if has_main else tag == "footer")
            if tag in _NEVER or tag == "nav" or around or _hidden(node) or not tag:
                dropped.append(node)
                events.skip_subtree()
                continue
            inside_main += tag in ("main", "article")
            _open(walk, node, tag)
            walk.text(node.text)
        elif dropped and node is dropped[-1]:
            dropped.pop()
            walk.text(node.tail)
        else:
            _close(walk, tag)
            inside_main -= tag in ("main", "article")
            walk.text(node.tail)
    walk.flush()


def _open(walk: _Walk, node: etree._Element, tag: str) -> None:
    if tag == "br":
        walk.words.append("\n" if walk.pre else "\v")
    elif tag == "img":
        walk.text(node.get("alt"))
    elif tag in _HEADINGS:
        walk.flush()
        walk.level = _HEADINGS[tag]
    elif tag in _BLOCKS:
        walk.flush()
        if tag in _GROUPS and not walk.lists and not walk.rows:
            walk.blocks.gap()
        if tag in ("ul", "ol", "menu", "dir"):
            walk.lists.append(_first_number(node) if tag == "ol" else None)
        elif tag == "li":
            walk.marker = _marker(walk)
        elif tag == "table":
            walk.blocks.gap()
            walk.rows.append(None if _is_layout(node) else [])
        elif tag == "tr" and walk.rows and walk.rows[-1] is not None:
            walk.rows[-1] = []
        elif tag in ("td", "th") and walk.rows and walk.rows[-1] is not None:
            walk.rows[-1].append("")
        elif tag == "pre":
            walk.pre += 1


def _close(walk: _Walk, tag: str) -> None:
    if tag in _HEADINGS:
        walk.flush()
        walk.level = 0
    elif tag in _BLOCKS:
        walk.flush()
        if tag in ("ul", "ol", "menu", "dir") and walk.lists:
            walk.lists.pop()
        elif tag == "li":
            walk.marker = ""
        elif tag == "tr" and walk.rows and walk.rows[-1]:
            if any(walk.rows[-1]):
                walk.blocks.line(" | ".join(walk.rows[-1]))
            walk.rows[-1] = []
        elif tag == "table" and walk.rows:
            walk.rows.pop()
            walk.blocks.gap()
        elif tag == "pre":
            walk.pre -= 1
        if tag in _GROUPS and not walk.lists and not walk.rows:
            walk.blocks.gap()


def _marker(walk: _Walk) -> str:
    number = walk.lists[-1] if walk.lists else None
    if number is None:
        return "- "
    walk.lists[-1] = number + 1
    return f"{number}. "


def _first_number(node: etree._Element) -> int:
    start = node.get("start", "1").strip()
    return int(start) if start.isdecimal() and start.isascii() and len(start) < 9 else 1


def _is_layout(table: etree._Element) -> bool:
    """Whether a table only places blocks on the page, so that its rows are no rows."""
    inside = table.iterdescendants("table", "h1", "h2", "h3", "h4", "ul", "ol", "blockquote", "pre")
    return next(inside, None) is not None


def _hidden(node: etree._Element) -> bool:
    return (
        "hidden" in node.attrib
        or node.get("aria-hidden", "").lower() == "true"
        or bool(_HIDING.search(node.get("style", "")))
    )
