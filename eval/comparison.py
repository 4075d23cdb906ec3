"""Two evaluations of the same queries, side by side: what changed, whether it is more than chance, and why."""

import json
import math
import textwrap
from collections.abc import Set
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from index.errors import UsageError

from .bootstrap import ALPHA, holm, interval, least_p, randomisation
from .files import bad_line, read_rows
from .html import settings
from .movers import Mover, mover, well_formed
from .reports import columns

MOVERS = 5
"""Queries shown in each direction."""
SAME = 1e-9  # differences closer to 0 are ties
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Scores:
    """One evaluation as read from its folder: measure to {query id: value}, the queries' rows, and what was run."""

    folder: Path
    measures: dict[str, dict[str, float]]
    rows: dict[str, dict[str, Any]]
    config: dict[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in both: means, B less A with its 95 % paired bootstrap interval, and the paired test.

    `p` is that of the randomisation test, `p_holm` the same corrected for the number of measures; `won` are
    the queries on which B is better, `lost` those on which A is, of the `queries` that both have the measure
    for. `deltas` has B less A of each.
    """

    measure: str
    a: float
    b: float
    difference: float
    ci: tuple[float, float]
    p: float
    p_holm: float
    deltas: dict[str, float]

    @property
    def won(self) -> list[str]:
        return [query for query, delta in self.deltas.items() if delta > SAME]

    @property
    def lost(self) -> list[str]:
        return [query for query, delta in self.deltas.items() if delta < -SAME]

    @property
    def queries(self) -> int:
        return len(self.deltas)

    @property
    def sure(self) -> bool:
        """Whether the difference is significant at 5 % after correction."""
        return self.p_holm < ALPHA

    def as_json(self) -> dict[str, object]:
        names = ("measure", "a", "b", "difference", "p", "p_holm", "queries", "won", "lost")
        counts = {"wins": len(self.won), "losses": len(self.lost)}
        counts["ties"] = self.queries - sum(counts.values())
        return {name: getattr(self, name) for name in names} | {"ci": list(self.ci)} | counts


@dataclass(frozen=True, slots=True)
class Comparison:
    """All measures that both evaluations have, what of their settings differs, and the queries that moved most.

    `changed` has (setting, A's, B's) rows; `texts` the queries; `gained` and `lost` the movers by
    `moved_by`, the first measure that moved at all, largest change first.
    """

    a: Path
    b: Path
    texts: dict[str, str]
    changed: tuple[tuple[str, str, str], ...]
    differences: tuple[Difference, ...]
    moved_by: str
    gained: tuple[Mover, ...]
    lost: tuple[Mover, ...]

    def as_json(self, folder: str | Path | None = None) -> dict[str, object]:
        """The object of `footnoted compare --json`; `folder` is where `write` put the page, if anywhere."""
        return {
            "a": str(self.a),
            "b": str(self.b),
            "queries": len(self.texts),
            "changed": [{"setting": name, "a": ours, "b": theirs} for name, ours, theirs in self.changed],
            "differences": [one.as_json() for one in self.differences],
            "moved_by": self.moved_by,
            "gained": [asdict(one) for one in self.gained],
            "lost": [asdict(one) for one in self.lost],
            "page": str(Path(folder).expanduser().resolve() / "report.html") if folder is not None else None,
        }

    def table(self) -> str:
        """For a terminal of 100 columns; a star marks what is significant at 5 % after correction."""
        lines = [f"A {self.a}", f"B {self.b}", f"{len(self.texts)} queries"]
        if self.changed:
            rows = [(name, _cut(ours, 32), _cut(theirs, 32)) for name, ours, theirs in self.changed]
            lines += ["", columns([("what differs", "A", "B"), *rows])]
        head = ("measure", "A", "B", "B - A", "95 % interval", "p", "p (Holm)", "won", "lost", "tied")
        lines += ["", columns([head, *map(_cells, self.differences)])]
        if partial := [one for one in self.differences if one.queries < len(self.texts)]:
            told = ", ".join(f"{one.measure} {one.queries}" for one in partial)
            lines += ["", *textwrap.wrap(f"over fewer queries, those that both have it for: {told}", WIDTH)]
        for word, movers in (("gained", self.gained), ("lost", self.lost)):
            if movers:
                lines += ["", f"{word} most by {self.moved_by}:"]
                lines += [line for one in movers for line in _mover_lines(one)]
        return "\n".join(lines)


def _cells(one: Difference) -> tuple[str, ...]:
    won, lost = len(one.won), len(one.lost)
    return (
        _cut(one.measure, 20) + ("*" if one.sure else ""),
        f"{one.a:.4f}",
        f"{one.b:.4f}",
        f"{one.difference:+.4f}",
        f"{one.ci[0]:+.4f} to {one.ci[1]:+.4f}",
        f"{one.p:.4f}",
        f"{one.p_holm:.4f}",
        *map(str, (won, lost, one.queries - won - lost)),
    )


def _mover_lines(one: Mover) -> list[str]:
    head = f"{one.a:.3f} -> {one.b:.3f}  {one.query}  {' '.join(one.text.split())}".rstrip()
    wrapped = [textwrap.wrap(line, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 6) for line in one.why]
    return [_cut(head, WIDTH), *(line for lines in wrapped for line in lines)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Compare two folders that `footnoted eval --out` wrote, query by query.

    Raises UsageError when a folder holds no evaluation, or the two are not over the same queries.
    """
    one, other = _read(Path(a)), _read(Path(b))
    _check_same(one, other)
    differences = _differences(one, other)
    first = next((one for one in differences if one.won or one.lost), differences[0])
    every = {query: sum(d.deltas.get(query, 0.0) for d in differences) for query in one.rows}
    moved = sorted(first.deltas, key=lambda query: (-abs(first.deltas[query]), -abs(every[query]), query))

    def movers(queries: Set[str]) -> tuple[Mover, ...]:
        chosen = [query for query in moved if query in queries][:MOVERS]
        scores = [(query, one.measures[first.measure][query], other.measures[first.measure][query]) for query in chosen]
        return tuple(mover(query, a, b, one.rows[query], other.rows[query]) for query, a, b in scores)

    return Comparison(
        a=one.folder,
        b=other.folder,
        texts={query: str(row["text"]) for query, row in one.rows.items()},
        changed=_changed(one.config, other.config),
        differences=differences,
        moved_by=first.measure,
        gained=movers(set(first.won)),
        lost=movers(set(first.lost)),
    )


def _differences(one: Scores, other: Scores) -> tuple[Difference, ...]:
    """Of every measure that both have for some query, over the queries that both have it for, most first."""
    deltas: dict[str, dict[str, float]] = {}
    for name, ours in one.measures.items():
        theirs = other.measures.get(name, {})
        if both := {query: theirs[query] - value for query, value in ours.items() if query in theirs}:
            deltas[name] = both
    if not deltas:
        raise UsageError(
            f"no measure in common: {one.folder} has {', '.join(one.measures) or 'none'}, "
            f"{other.folder} has {', '.join(other.measures) or 'none'}"
        )
    deltas = dict(sorted(deltas.items(), key=lambda item: -len(item[1])))
    values_of = [list(values.values()) for values in deltas.values()]
    ps = list(map(randomisation, values_of))
    corrected_ps = holm(ps, list(map(least_p, values_of)))
    return tuple(
        Difference(
            measure=name,
            a=fmean(one.measures[name][query] for query in values),
            b=fmean(other.measures[name][query] for query in values),
            difference=fmean(values.values()),
            ci=interval(list(values.values())),
            p=p,
            p_holm=corrected,
            deltas=values,
        )
        for (name, values), p, corrected in zip(deltas.items(), ps, corrected_ps, strict=True)
    )


def _changed(ours: dict[str, str], theirs: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    names = dict.fromkeys([*ours, *theirs])
    return tuple(
        (name, ours.get(name, "-"), theirs.get(name, "-")) for name in names if ours.get(name) != theirs.get(name)
    )


def _read(folder: Path) -> Scores:
    folder = folder.expanduser().resolve()
    file = folder / "per_query.jsonl"
    if not file.is_file():
        raise UsageError(f"{folder} holds no evaluation: give a folder that footnoted eval --out wrote")
    scores = Scores(folder, {}, {}, _config(folder / "config.json"))
    for number, row in read_rows(file):
        query, text, metrics = row.get("query"), row.get("text"), row.get("metrics")
        if not isinstance(query, str) or not isinstance(text, str) or not isinstance(metrics, dict):
            raise bad_line(file, number, 'a row is {"query", "text", "metrics"}', row)
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in metrics.values()):
            raise bad_line(file, number, '"metrics" holds numbers', row)
        if not well_formed(row):
            raise bad_line(file, number, "a row is what this version's footnoted eval writes: evaluate again", query)
        if query in scores.rows:
            raise bad_line(file, number, "query ids must differ", query)
        scores.rows[query] = row
        for name, value in metrics.items():
            scores.measures.setdefault(name, {})[query] = float(value)
    if not scores.rows:
        raise UsageError(f"{file} holds no queries")
    return scores


def _config(file: Path) -> dict[str, str]:
    """What was run, as (dotted name: value); nothing where the file is not there or cannot be read as one."""
    try:
        return dict(settings(json.loads(file.read_text(encoding="utf-8"))))
    except (OSError, ValueError):
        return {}


def _check_same(one: Scores, other: Scores) -> None:
    ours, theirs = set(one.rows), set(other.rows)
    if ours != theirs:
        odd = min(ours ^ theirs)
        raise UsageError(
            f"not the same queries: {len(ours - theirs)} only in {one.folder}, {len(theirs - ours)} only in "
            f"{other.folder}, such as {odd!r}; compare two evaluations of one collection"
        )
