"""A comparison of two evaluations as a page."""

from . import html, plots
from .comparison import Comparison, Difference
from .html import Cell, Row
from .movers import Mover


def comparison_page(comparison: Comparison) -> str:
    """One self-contained HTML file."""
    a, b = comparison.a, comparison.b
    first = next(one for one in comparison.differences if one.measure == comparison.moved_by)
    sections = [
        html.section("What differs", html.table(["setting", f"A, {a.name}", f"B, {b.name}"], comparison.changed))
        if comparison.changed
        else html.section("What differs", lead="None of the settings that were written down."),
        html.section("By how much", html.plots([_whiskers(comparison), _deltas(comparison, first)])),
        html.section("In figures", html.table(_HEAD, [_cells(one) for one in comparison.differences], "numbers")),
        html.section(
            "What moved, and why",
            html.query_table(
                [f"{first.measure}, B less A", "A", "B"],
                [_row(one) for one in (*comparison.lost, *comparison.gained)],
                len(comparison.lost) + len(comparison.gained),
            ),
            lead=f"The queries that lost and gained most by {first.measure}.",
        )
        if comparison.lost or comparison.gained
        else "",
    ]
    facts = [f"{len(comparison.texts):,} queries", f"A: {a}", f"B: {b}"]
    return html.page(f"{a.name} and {b.name}", "Footnoted: comparison", facts, sections)


_HEAD = ("measure", "A", "B", "B less A", "95 % interval", "p", "p (Holm)", "won", "lost", "tied", "queries")


def _cells(one: Difference) -> tuple[str, ...]:
    won, lost = len(one.won), len(one.lost)
    return (
        one.measure + (" *" if one.sure else ""),
        html.fraction(one.a),
        html.fraction(one.b),
        plots.signed(one.difference),
        f"{plots.signed(one.ci[0])} to {plots.signed(one.ci[1])}",
        f"{one.p:.4f}",
        f"{one.p_holm:.4f}",
        *map(str, (won, lost, one.queries - won - lost, one.queries)),
    )


def _whiskers(comparison: Comparison) -> tuple[str, str, str]:
    caption = (
        "B less A with its 95 % paired bootstrap interval; right of the line B is better. A filled dot, and a star in "
        "the table, is a difference that the paired randomisation test finds at 5 % after Holm's correction."
    )
    labels = plots.Labels("Differences", caption, "B less A", "")
    rows = [(one.measure, one.difference, *one.ci, one.sure) for one in comparison.differences]
    return "Differences", plots.whiskers(labels, rows), caption


def _deltas(comparison: Comparison, one: Difference) -> tuple[str, str, str]:
    won, lost = len(one.won), len(one.lost)
    caption = (
        f"Each query's {one.measure}, B less A, from the largest gain to the largest loss: "
        f"{won:,} won, {lost:,} lost, {one.queries - won - lost:,} alike."
    )
    labels = plots.Labels(f"{one.measure} by query", caption, "queries", "B less A")
    told = [f"{query}: {html.one_line(comparison.texts[query])}" for query in one.deltas]
    return f"{one.measure} by query", plots.profile(labels, [*one.deltas.values()], told, differences=True), caption


def _row(one: Mover) -> Row:
    delta = one.b - one.a
    cells = [
        Cell(plots.signed(delta), delta, "good" if delta > 0 else "bad"),
        Cell(html.fraction(one.a), one.a),
        Cell(html.fraction(one.b), one.b),
    ]
    why = [line.replace(" -> ", " \N{RIGHTWARDS ARROW} ") for line in one.why]
    lines = "".join(f"<p>{html.escaped(line)}</p>" for line in why)
    note = ": ".join([one.query, *why[:1]])
    quotes = [
        (name, html.quotes([(quote, "") for quote in reply.quotes]) or ("refused" if reply.abstained else ""))
        for name, reply in zip(("A quoted", "B quoted"), one.replies or (), strict=False)
    ]
    return Row(one.text or one.query, note, cells, html.pairs([("why", lines), *quotes]))
