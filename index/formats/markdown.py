"""Markdown as its reader sees it, without the marks."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ..documents import Document
from ..loading import Problem
from .blocks import Blocks, clean
from .decoding import decode
from .html import write_fragment

WIDEST_WRAP = 160
_FRONT = re.compile(r"---[ \t]*\n(?:(?P<fields>.*?)\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*:[ \t]*(?P<title>\S.*)$", re.MULTILINE | re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a Markdown file, and a problem before it if its encoding is a guess.

    The title is that of the YAML front matter, else the first heading of level 1.
    """
    text, guessed = decode(data)
    text = clean(text)
    title = ""
    if front := _FRONT.match(text):
        text = text[front.end() :]
        if named := _TITLE.search(front["fields"] or ""):
            title = _unquoted(named["title"])
    blocks = Blocks()
    write(blocks, text)
    document = blocks.document(source, title)
    if guessed:
        yield Problem(f"its encoding is a guess: read as {guessed}", lost=False)
    yield document


def write(blocks: Blocks, text: str) -> None:
    """Add what is written in Markdown to `blocks`."""
    _write(blocks, MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text))


def _write(blocks: Blocks, tokens: Sequence[Token]) -> None:
    level = 0  # of the heading that the next inline token is; 0 outside one
    depth = 0  # of lists
    marker = ""  # stands before the next line of a list item
    row: list[str] | None = None
    for token in tokens:
        match token.type:
            case "heading_open":
                level = int(token.tag[1:])
            case "heading_close":
                level = 0
            case "bullet_list_open" | "ordered_list_open":
                blocks.gap() if depth == 0 else None
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
                blocks.gap() if depth == 0 else None
            case "list_item_open":
                marker = f"{token.info}{token.markup} " if token.info else "- "
            case "list_item_close":
                marker = ""
            case "table_open" | "table_close" | "hr":
                blocks.gap()
            case "tr_open":
                row = []
            case "tr_close":
                blocks.line(" | ".join(row or []))
                row = None
            case "inline":
                text = _inline(token.children or [])
                if row is not None:
                    row.append(" ".join(text.split()))
                elif level:
                    blocks.heading(text, level)
                elif depth:
                    blocks.line(marker + text)
                    marker = ""
                else:
                    blocks.paragraph(text)
            case "fence" | "code_block":
                blocks.gap()
                blocks.line(token.content.expandtabs(4))
                blocks.gap()
            case "html_block":
                blocks.gap()
                write_fragment(blocks, token.content)
                blocks.gap()


def _inline(tokens: Sequence[Token]) -> str:
    """The text of inline tokens: of links their words, of images their description, of HTML nothing."""
    parts = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                parts.append(token.content)
            case "softbreak":
                # Nobody wraps so wide: such a line is a paragraph that lacks its empty line.
                parts.append("\n" if len(parts) and len(parts[-1]) > WIDEST_WRAP else " ")
            case "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(_inline(token.children or []))
            case "html_inline" if _BREAK.fullmatch(token.content):
                parts.append("\n")
    return re.sub(r"[ \t]+", " ", "".join(parts)).strip()


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
