"""What an evaluated collection gives: scores, how sure they are, and everything behind them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from .bootstrap import interval
from .places import Place
from .runs import Qrels, Run


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One query's scores. `relevant` maps each relevant document to its rank, None if not retrieved.

    `places` has the first documents and the relevant ones wherever they were found, `seconds` is the time
    of the search.
    """

    query: str
    text: str
    metrics: dict[str, float]
    relevant: dict[str, int | None]
    places: tuple[Place, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """A row of per_query.jsonl."""
        return {
            "query": self.query,
            "text": self.text,
            "metrics": self.metrics,
            "relevant": self.relevant,
            "places": [place.as_json() for place in self.places],
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Means over the queries of a collection.

    `metrics` are fractions of 1, `ci` their 95 % bootstrap intervals (low, high) over queries, `run` the
    documents retrieved. `seconds` is the time of all searches. `spans` counts the judged spans, those that
    moved and those that are lost; empty where none were judged. `notes` are lines for a person on what was
    left out. `config` says what was run.
    """

    collection: str
    mode: str
    queries: int
    metrics: dict[str, float]
    ci: dict[str, tuple[float, float]]
    per_query: tuple[QueryRow, ...]
    run: Run
    qrels: Qrels
    seconds: float
    spans: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    config: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[QueryRow], *, config: Mapping[str, object], **rest: Any) -> "Report":
        """The report on `rows`: their means and intervals, and `rest`, the other fields as they are."""
        values = by_measure(row.metrics for row in rows)
        return cls(
            queries=len(rows),
            metrics={name: fmean(column) for name, column in values.items()},
            ci={name: interval(column) for name, column in values.items()},
            per_query=tuple(rows),
            config={**config, "measures": list(values)},
            **rest,
        )

    def as_json(self, folder: str | Path | None = None) -> dict[str, object]:
        """The object of `footnoted eval --json`; `folder` is where `write` put the files, if anywhere."""
        at = Path(folder).resolve() if folder is not None else None
        return {
            "collection": self.collection,
            "mode": self.mode,
            "queries": self.queries,
            "metrics": self.metrics,
            "ci": {name: list(ends) for name, ends in self.ci.items()},
            **({"spans": self.spans} if self.spans else {}),
            **({"notes": list(self.notes)} if self.notes else {}),
            "per_query": str(at / "per_query.jsonl") if at else None,
            "run": str(at / "run.trec") if at else None,
            "page": str(at / "report.html") if at else None,
            "seconds": round(self.seconds, 3),
        }

    def rows(self) -> Iterator[dict[str, object]]:
        """A row a query, as per_query.jsonl has it."""
        return (row.as_json() for row in self.per_query)

    def table(self) -> str:
        """A table for a terminal."""
        pace = f", {1000 * self.seconds / self.queries:.1f} ms a query" if self.seconds else ""
        rows = [
            (name, f"{mean:.4f}", f"{self.ci[name][0]:.4f} to {self.ci[name][1]:.4f}")
            for name, mean in self.metrics.items()
        ]
        head = f"{self.collection}, {self.mode}: {self.queries} queries{pace}"
        if self.spans:
            head += "\nspans: " + ", ".join(f"{count} {kind}" for kind, count in self.spans.items())
        return "\n".join([head, *self.notes, columns([("measure", "mean", "95 % interval"), *rows])])


def by_measure(scores: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    """Each measure's values over the queries that have it, from the scores of each query."""
    values: dict[str, list[float]] = {}
    for one in scores:
        for name, value in one.items():
            values.setdefault(name, []).append(value)
    return values


def columns(rows: list[tuple[str, ...]]) -> str:
    """Rows of text as aligned columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
