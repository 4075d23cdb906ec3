"""The parts of a report page: one file without references, safe whatever the documents hold.

Every text is escaped where it enters; should one slip through, the page's own policy lets no script run but
the one that is written here, and nothing be loaded.
"""

import base64
import hashlib
import html
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LISTED = 500
"""Queries that a page lists, worst first; per_query.jsonl has them all."""
SHOWN = 240
"""Characters of a passage that a page shows."""

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline figure; `interval` is (low, high) as fractions of 1."""

    name: str
    value: str
    interval: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column shows of a query and, if it is a number, what it is sorted by."""

    text: str
    value: float | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A query: its question, a line below it, the cells, and the HTML of its details."""

    text: str
    note: str
    cells: Sequence[Cell]
    details: str


def escaped(text: object) -> str:
    """Fit for element content and for a quoted attribute."""
    return html.escape(str(text))


def page(title: str, overline: str, facts: Sequence[str], sections: Sequence[str]) -> str:
    """A whole document."""
    style = (_HERE / "report.css").read_text(encoding="utf-8")
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    whole = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escaped(title)}</title><style>{style}</style></head>\n<body>"
        f'<header><p class="overline">{escaped(overline)}</p><h1>{escaped(title)}</h1>'
        f'<p class="facts">{" ".join(f"<span>{escaped(fact)}</span>" for fact in facts)}</p></header>\n<main>'
        f"{''.join(section for section in sections if section)}</main>\n<script>{script}</script></body></html>\n"
    )
    return whole.encode("utf-8", "replace").decode()  # half a surrogate pair in a document cannot be written


def section(heading: str, *parts: str, lead: str = "") -> str:
    intro = f'<p class="lead">{escaped(lead)}</p>' if lead else ""
    return f"<section><h2>{escaped(heading)}</h2>{intro}{''.join(parts)}</section>\n"


def figures(shown: Sequence[Figure]) -> str:
    """Tiles with a headline figure each, and where in 0 to 1 its interval lies."""
    return f'<dl class="figures">{"".join(map(_tile, shown))}</dl>'


def _tile(figure: Figure) -> str:
    inside = f"<dt>{escaped(figure.name)}</dt><dd>{escaped(figure.value)}</dd>"
    if figure.interval:
        low, high = figure.interval
        inside += (
            f'<dd class="range"><i style="left:{100 * low:.1f}%;width:{max(0.8, 100 * (high - low)):.1f}%"></i></dd>'
            f'<dd class="note">{fraction(low)} to {fraction(high)}{escaped(figure.note and ", " + figure.note)}</dd>'
        )
    elif figure.note:
        inside += f'<dd class="note">{escaped(figure.note)}</dd>'
    return f"<div>{inside}</div>"


def plots(drawn: Sequence[tuple[str, str, str]]) -> str:
    """Figures (heading, SVG, caption) side by side."""
    return (
        '<div class="plots">'
        + "".join(
            f"<figure>{svg}<figcaption><h3>{escaped(heading)}</h3>{escaped(caption)}</figcaption></figure>"
            for heading, svg, caption in drawn
        )
        + "</div>"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "plain") -> str:
    """A plain table of texts; the first column names the row."""
    top = "".join(f'<th scope="col">{escaped(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escaped(first)}</th>{"".join(f"<td>{escaped(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return f'<div class="wide"><table class="{kind}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def side_by_side(*parts: str) -> str:
    return f'<div class="beside">{"".join(parts)}</div>'


def query_table(columns: Sequence[str], rows: Sequence[Row], total: int, what: str = "queries") -> str:
    """Queries that can be sorted, filtered and opened, in the order given."""
    heads = "".join(
        f'<th scope="col" class="c{place}"><button type="button">{escaped(name)}</button></th>'
        for place, name in enumerate([what[:-3] + "y" if what == "queries" else what.removesuffix("s"), *columns])
    )
    more = f" The first {len(rows):,} of {total:,} are listed; per_query.jsonl has all." if total > len(rows) else ""
    return (
        f'<p class="tools"><label>Filter <input type="search" id="filter" autocomplete="off" '
        f'placeholder="words in a row"></label> <output id="shown" for="filter"></output>{escaped(more)}</p>'
        f'<table class="queries" id="queries" style="--columns:{len(columns)}"><thead><tr>{heads}</tr></thead>'
        f"{''.join(_query(number, row, len(columns) + 1) for number, row in enumerate(rows))}</table>"
    )


def _query(number: int, row: Row, columns: int) -> str:
    cells = "".join(
        f'<td class="c{place} {escaped(cell.kind)}"{_sorted_by(cell)}>{escaped(cell.text)}</td>'
        for place, cell in enumerate(row.cells, start=1)
    )
    note = f'<span class="note">{escaped(row.note)}</span>' if row.note else ""
    return (
        f'<tbody><tr><th scope="row" class="c0"><button type="button" aria-expanded="false" aria-controls="d{number}">'
        f"{escaped(one_line(row.text))}</button>{note}</th>{cells}</tr>"
        f'<tr class="details" id="d{number}"><td colspan="{columns}"><div>{row.details}</div></td></tr></tbody>\n'
    )


def _sorted_by(cell: Cell) -> str:
    return "" if cell.value is None else f' data-v="{cell.value:.6g}"'


def quotes(found: Sequence[tuple[str, str]], accepted: Sequence[str] = ()) -> str:
    """Quotes (text, where it stands), with the accepted answers marked that stand in them as written."""
    return "".join(
        f"<blockquote><p>{_marked(one_line(text), accepted)}</p><footer>{escaped(place)}</footer></blockquote>"
        for text, place in found
    )


def _marked(text: str, accepted: Sequence[str]) -> str:
    longest = sorted((one_line(one) for one in accepted), key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in longest)
    if not pattern:
        return escaped(text)
    pieces, end = [], 0
    for found in re.finditer(pattern, text, re.IGNORECASE):
        pieces += [escaped(text[end : found.start()]), f"<mark>{escaped(found[0])}</mark>"]
        end = found.end()
    return "".join(pieces) + escaped(text[end:])


def ranking(found: Sequence[tuple[int, str, str, str, bool]]) -> str:
    """Results (rank, name, what the scores say, text, whether it is relevant) as a list."""
    return (
        '<ol class="ranking">'
        + "".join(
            f'<li><b>{rank}</b><span class="id{" hit" if relevant else ""}">{escaped(name)}</span> '
            f'<span class="sides">{escaped(sides)}</span> {escaped(shortened(text))}</li>'
            for rank, name, sides, text, relevant in found
        )
        + "</ol>"
        if found
        else ""
    )


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Names and what belongs to each; the second of each pair is HTML."""
    return (
        '<dl class="pairs">'
        + "".join(f"<dt>{escaped(name)}</dt><dd>{content}</dd>" for name, content in rows if content)
        + "</dl>"
    )


def settings(config: object, name: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted name, value) rows."""
    if isinstance(config, dict):
        return [row for key, value in config.items() for row in settings(value, f"{name}.{key}" if name else str(key))]
    if isinstance(config, list):
        return [(name, ", ".join(map(str, config)))]
    return [(name, "none" if config is None else str(config))]


def system_facts(config: Mapping[str, object]) -> list[str]:
    """The model and the number of passages, where they were written down."""
    passages = config.get("passages")
    return [
        *([str(config["model"])] if "model" in config else []),
        *([f"{passages:,} passages"] if isinstance(passages, int) else []),
    ]


def fraction(value: float) -> str:
    """.734: a fraction of 1 with three digits."""
    return f"{value:.3f}"


def shortened(text: str) -> str:
    """The first SHOWN characters, to the end of a word."""
    return textwrap.shorten(text, SHOWN, placeholder=" \N{HORIZONTAL ELLIPSIS}")


def one_line(text: str) -> str:
    return " ".join(text.split())
