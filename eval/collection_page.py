"""The report of a collection of queries as a page."""

from collections.abc import Iterable

from . import html, plots
from .html import Cell, Figure, Row
from .places import SHOWN
from .reports import QueryRow, Report
from .risk import percentiles

COLUMNS = 4
"""Measures that are drawn, and that the table of queries has columns for: those of spans come first."""


def collection_page(report: Report) -> str:
    """One self-contained HTML file."""
    names = sorted(report.metrics, key=lambda name: not name.startswith(("token ", "span ")))[:COLUMNS]
    first = names[0]
    ordered = sorted(report.per_query, key=lambda row: (row.metrics.get(first, 0.0), row.query))
    return html.page(
        report.collection,
        "Footnoted: retrieval",
        [
            f"{report.queries:,} queries",
            report.mode,
            *html.system_facts(report.config),
            *(f"{count:,} spans {kind}" for kind, count in report.spans.items()),
        ],
        [
            html.section("Figures", html.figures(_figures(report)), lead="; ".join(report.notes)),
            html.section("Query by query", html.plots(_plots(report, names))),
            html.section(
                "Queries",
                html.query_table(
                    ["first hit", *names], [_row(report, row, names) for row in ordered[: html.LISTED]], len(ordered)
                ),
                lead=f"The worst by {first} first. Click one for its judgements and its results.",
            ),
            html.section("What was run", html.table(["setting", "value"], html.settings(report.config))),
        ],
    )


def _figures(report: Report) -> list[Figure]:
    shown = [Figure(name, html.fraction(mean), report.ci[name]) for name, mean in report.metrics.items()]
    if not report.seconds:  # a run that was there already
        return shown
    return [*shown, Figure("time for a query, mean", f"{1000 * report.seconds / report.queries:.1f} ms")]


def _plots(report: Report, names: Iterable[str]) -> list[tuple[str, str, str]]:
    drawn = []
    for name in names:
        rows = [row for row in report.per_query if name in row.metrics]
        values = [row.metrics[name] for row in rows]
        nothing = sum(value == 0 for value in values)
        caption = (
            f"Each query's {name}, best to worst; {nothing:,} of {len(values):,} score 0. "
            f"The mean is {report.metrics[name]:.3f}."
        )
        labels = plots.Labels(f"{name} by query", caption, "queries", name)
        told = [f"{row.query}: {html.one_line(row.text)}" for row in rows]
        drawn.append((f"{name} by query", plots.profile(labels, values, told), caption))
    times = [row.seconds for row in report.per_query if row.seconds]
    if times:
        found = percentiles(times)
        spoken = ", ".join(f"{name} {1000 * s:.1f} ms" for name, s in found.items())
        caption = f"Time of a search: {spoken}."
        labels = plots.Labels("Time", caption, "milliseconds", "queries")
        marks = [(1000 * s, name) for name, s in found.items()]
        drawn.append(("Time", plots.histogram(labels, [1000 * s for s in times], "ms", marks), caption))
    return drawn


def _row(report: Report, row: QueryRow, names: Iterable[str]) -> Row:
    ranks = [rank for rank in row.relevant.values() if rank is not None]
    best = min(ranks, default=None)
    found = Cell(str(best), best) if best is not None else Cell("none", kind="bad")
    cells = [found, *(_cell(row.metrics.get(name)) for name in names)]
    return Row(row.text or row.query, row.query if row.text else "", cells, _details(report, row))


def _cell(value: float | None) -> Cell:
    return Cell("") if value is None else Cell(html.fraction(value), value)


def _details(report: Report, row: QueryRow) -> str:
    grades = report.qrels.get(row.query, {})
    places = {place.id: place for place in row.places}
    judged = []
    for id, rank in row.relevant.items():
        place = places.get(id)
        judged.append(
            (
                id,
                str(grades.get(id, "")),
                str(rank if rank is not None else place.rank if place else "not found"),
                _rank(place.dense if place else None),
                _rank(place.lexical if place else None),
            )
        )
    table = html.table(["relevant", "grade", "rank", "dense", "lexical"], judged, "numbers")
    top = [
        (
            place.rank,
            place.id,
            f"dense {_rank(place.dense)}, lexical {_rank(place.lexical)}",
            place.text,
            place.relevant,
        )
        for place in row.places
        if place.rank <= SHOWN
    ]
    return html.pairs([("judged", table), ("found", html.ranking(top))])


def _rank(rank: int | None) -> str:
    return "\N{EN DASH}" if rank is None else str(rank)
