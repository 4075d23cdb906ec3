"""Two evaluations of the same queries, side by side: what changed, and whether it is more than chance."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from index.errors import UsageError

from .bootstrap import holm, interval, randomisation
from .files import bad_line, read_rows
from .reports import columns

MOVERS = 5
SAME = 1e-9  # differences closer to 0 are ties


@dataclass(frozen=True, slots=True)
class Scores:
    """One evaluation as read from its folder: measure to {query id: value}, and the queries' texts."""

    folder: Path
    measures: dict[str, dict[str, float]]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in both: means, B less A with its 95 % paired bootstrap interval, and the paired test.

    `p` is that of the randomisation test, `p_holm` the same corrected for the number of measures; wins are
    queries on which B is better.
    """

    measure: str
    a: float
    b: float
    difference: float
    ci: tuple[float, float]
    p: float
    p_holm: float
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Mover:
    """A query whose score changed much, by the first measure."""

    query: str
    text: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All measures that both evaluations have, and the queries that moved most, largest change first."""

    a: Path
    b: Path
    queries: int
    differences: tuple[Difference, ...]
    movers: tuple[Mover, ...]

    def as_json(self) -> dict[str, object]:
        """The object of `footnoted compare --json`."""
        return {
            "a": str(self.a),
            "b": str(self.b),
            "queries": self.queries,
            "differences": [
                {name: getattr(one, name) for name in Difference.__slots__} | {"ci": list(one.ci)}
                for one in self.differences
            ],
            "movers": [{name: getattr(one, name) for name in Mover.__slots__} for one in self.movers],
        }

    def table(self) -> str:
        """A table for a terminal; a star marks what is significant at 5 % after correction."""
        head = ("measure", "A", "B", "B - A", "95 % interval", "p", "p (Holm)", "wins", "losses", "ties")
        rows = [
            (
                one.measure + ("*" if one.p_holm < 0.05 else ""),
                f"{one.a:.4f}",
                f"{one.b:.4f}",
                f"{one.difference:+.4f}",
                f"{one.ci[0]:+.4f} to {one.ci[1]:+.4f}",
                f"{one.p:.4f}",
                f"{one.p_holm:.4f}",
                *map(str, (one.wins, one.losses, one.ties)),
            )
            for one in self.differences
        ]
        lines = [f"A {self.a}", f"B {self.b}", f"{self.queries} queries", columns([head, *rows])]
        if self.movers:
            lines += ["", f"moved most by {self.differences[0].measure}:"]
            lines += [f"{m.a:.3f} -> {m.b:.3f}  {m.query}  {' '.join(m.text.split())}" for m in self.movers]
        return "\n".join(lines)


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Compare two folders that `footnoted eval --out` wrote, query by query.

    Raises UsageError when a folder holds no evaluation, or the two are not over the same queries.
    """
    one, other = _read(Path(a)), _read(Path(b))
    _check_same(one, other, set(one.texts), set(other.texts))
    shared = [name for name in one.measures if name in other.measures]
    if not shared:
        raise UsageError(
            f"no measure in common: {one.folder} has {', '.join(one.measures) or 'none'}, "
            f"{other.folder} has {', '.join(other.measures) or 'none'}"
        )
    for name in shared:
        _check_same(one, other, set(one.measures[name]), set(other.measures[name]))
    deltas = {
        name: {query: other.measures[name][query] - value for query, value in one.measures[name].items()}
        for name in shared
    }
    ps = [randomisation(list(deltas[name].values())) for name in shared]
    differences = tuple(
        Difference(
            measure=name,
            a=fmean(one.measures[name].values()),
            b=fmean(other.measures[name].values()),
            difference=fmean(deltas[name].values()),
            ci=interval(list(deltas[name].values())),
            p=p,
            p_holm=corrected,
            wins=sum(delta > SAME for delta in deltas[name].values()),
            losses=sum(delta < -SAME for delta in deltas[name].values()),
            ties=sum(abs(delta) <= SAME for delta in deltas[name].values()),
        )
        for name, p, corrected in zip(shared, ps, holm(ps), strict=True)
    )
    first = shared[0]
    moved = sorted(deltas[first].items(), key=lambda item: (-abs(item[1]), item[0]))[:MOVERS]
    movers = tuple(
        Mover(query, one.texts[query], one.measures[first][query], other.measures[first][query])
        for query, delta in moved
        if abs(delta) > SAME
    )
    return Comparison(one.folder, other.folder, len(one.texts), differences, movers)


def _read(folder: Path) -> Scores:
    folder = folder.expanduser().resolve()
    file = folder / "per_query.jsonl"
    if not file.is_file():
        raise UsageError(f"{folder} holds no evaluation: give a folder that footnoted eval --out wrote")
    scores = Scores(folder, {}, {})
    for number, row in read_rows(file):
        query, text, metrics = row.get("query"), row.get("text"), row.get("metrics")
        if not isinstance(query, str) or not isinstance(text, str) or not isinstance(metrics, dict):
            raise bad_line(file, number, 'a row is {"query", "text", "metrics"}', row)
        if not all(isinstance(value, int | float) for value in metrics.values()):
            raise bad_line(file, number, '"metrics" holds numbers', row)
        if query in scores.texts:
            raise bad_line(file, number, "query ids must differ", query)
        scores.texts[query] = text
        for name, value in metrics.items():
            scores.measures.setdefault(name, {})[query] = float(value)
    if not scores.texts:
        raise UsageError(f"{file} holds no queries")
    return scores


def _check_same(one: Scores, other: Scores, ours: set[str], theirs: set[str]) -> None:
    if ours != theirs:
        odd = min(ours ^ theirs)
        raise UsageError(
            f"not the same queries: {len(ours - theirs)} only in {one.folder}, {len(theirs - ours)} only in "
            f"{other.folder}, such as {odd!r}; compare two evaluations of one collection"
        )
