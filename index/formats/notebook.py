"""Jupyter notebooks: the Markdown as Markdown, the code as its lines, the beginning of what it printed."""

import json
from collections.abc import Iterator

from ..documents import Document
from ..errors import FailedFile
from ..formats import code, markdown
from ..loading import Problem
from .blocks import Blocks, clean
from .decoding import decode

# Of what a cell printed; the rest is data, not text.
OUTPUT_LINES = 20
OUTPUT_LENGTH = 2000


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a notebook (nbformat 3 or 4). Raises FailedFile if it is none."""
    text, _ = decode(data)
    try:
        notebook = json.loads(text)
    except ValueError as error:
        raise FailedFile("damaged, or not a notebook") from error
    cells = _cells(notebook)
    blocks = Blocks()
    for cell in cells:
        written = _text(cell.get("source", cell.get("input")))
        blocks.gap()
        match cell.get("cell_type"):
            case "markdown" | "heading":
                level = cell.get("level")
                marks = "#" * level + " " if isinstance(level, int) and 0 < level < 7 else ""
                markdown.write(blocks, clean(marks + written))
            case "code":
                # Its functions make no sections: those are the headings between the cells.
                code.write(blocks, written, "")
                _write_outputs(blocks, cell.get("outputs"))
            case _:
                blocks.line(written)
    yield blocks.document(source)


def _cells(notebook: object) -> list[dict[str, object]]:
    if not isinstance(notebook, dict):
        raise FailedFile("damaged, or not a notebook")
    sheets = notebook.get("worksheets")
    held = [notebook, *(sheets if isinstance(sheets, list) else [])]
    lists = [one.get("cells") for one in held if isinstance(one, dict)]
    cells = [cell for cells in lists if isinstance(cells, list) for cell in cells if isinstance(cell, dict)]
    if not cells and not any(isinstance(one, list) for one in lists):
        raise FailedFile("damaged, or not a notebook")
    return cells


def _write_outputs(blocks: Blocks, outputs: object) -> None:
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        shown = data.get("text/plain") if isinstance(data, dict) else None
        text = clean(_text(output.get("text") or shown))
        lines = text[:OUTPUT_LENGTH].split("\n")[:OUTPUT_LINES]
        if text.strip():
            blocks.gap()
            blocks.line("\n".join(lines) + ("" if len("\n".join(lines)) >= len(text.rstrip()) else " …"))


def _text(value: object) -> str:
    """Notebooks keep a text whole or as a list of its lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
