"""The bars of speed, asked and reached: Markdown from benchmarks/results.

What has not been measured has no row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from recording import figures_of, measured
from tables import CORPORA, TABLES, named


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit, and what was reached, shown as `form` has it; `least` says whether the limit is a floor, `first`
    whether README.md shows it.
    """

    number: int
    what: str
    limit: float
    reached: float
    least: bool = False
    form: str = "{:.3f}"
    first: bool = False

    @property
    def row(self) -> str:
        met = self.reached >= self.limit if self.least else self.reached <= self.limit
        asked = f"{'at least' if self.least else 'at most'} {self.limit:g}" if self.limit else "none"
        return f"| {self.what} | {asked} | {self.form.format(self.reached)}{'' if met else ' (missed)'} |"


def _embedding(figures: dict[str, Any]) -> Iterator[Bar]:
    ours = figures["footnoted"]
    yield Bar(
        1, "passages embedded, against sentence-transformers' default", 1.35, ours["against batch 32"], True, first=True
    )
    yield Bar(1, "share of sgemm in the same run", 0.75, ours["share of sgemm"], True)
    yield Bar(1, "lowest cosine to its vectors", 0.9999, figures["lowest cosine"], True, "{:.6f}")


def _build(figures: dict[str, Any]) -> Iterator[Bar]:
    for files, found in ((files, figures[files]) for files in CORPORA):
        for name, against in found["cpu ratio"].items():
            limit = 0.7 if name.startswith("plain") else 0.6
            yield Bar(
                2,
                f"first index of {files}, CPU against {named(name)}",
                limit,
                against,
                first=files == "articles" and "," not in name,
            )
        yield Bar(
            2,
            f"first index of {files}, peak memory against the lowest of them",
            0.6,
            found["peak ratio"],
            first=files == "articles",
        )


def _changed(figures: dict[str, Any]) -> Iterator[Bar]:
    beyond, against = figures["embedded without need"], figures["cpu ratio"]
    yield Bar(3, "one file changed: passages embedded that had not changed", 0, beyond, form="{:.0f}")
    shown = "one file changed: CPU against txtai's upsert of"
    yield Bar(3, f"{shown} its chunks, cut as ours", 0.2, against["txtai, equal chunks"], first=True)
    yield Bar(3, f"{shown} only those that are new", 0.2, against["txtai, only the new chunks"])
    nothing = figures["unchanged"]
    yield Bar(3, f"{nothing['files']:,} files, none changed: passages embedded", 0, nothing["embedded"], form="{:.0f}")
    yield Bar(3, f"{nothing['files']:,} files, none changed: seconds", 1, nothing["wall"], first=True)


def _ask(figures: dict[str, Any]) -> Iterator[Bar]:
    for name, shown, limit in (("without a reader", "--reader none", 0.15), ("footnoted", "with the reader", 0.25)):
        against = figures[f"cpu ratio, {name}"]["median"]
        yield Bar(4, f"`footnoted ask`, {shown}: CPU against sentence-transformers + FAISS", limit, against, first=True)


def _question(figures: dict[str, Any]) -> Iterator[Bar]:
    ours = "without a reader"
    yield Bar(5, "a question, p50 against embedding and search alone", 0.5, figures["p50 ratio"][ours], first=True)
    yield Bar(5, "its p99 over its p50", 2, figures["p99 over p50"][ours])


def _chat(figures: dict[str, Any]) -> Iterator[Bar]:
    (crowd, *_), evidence = figures["crowd"]["footnoted"], figures["evidence"]
    yield Bar(
        7, "first page, seconds beyond the import of gradio", 1.5, figures["first page less the import"], first=True
    )
    yield Bar(
        7,
        "evidence before the first word, share of questions",
        1,
        evidence["evidence first"] / evidence["questions"],
        True,
    )
    yield Bar(7, f"{crowd['clients']} clients: answers, of cores by CPU an answer", 0.8, crowd["share of cores"], True)
    yield Bar(7, f"{crowd['clients']} clients: p95, seconds", 2, crowd["p95"], first=True)


def _scale(figures: dict[str, Any]) -> Iterator[Bar]:
    for size, limit in (("100000", 0.5), ("1000000", 5)):
        if found := figures.get(size):
            nearest = found["dense, 10 passages"]["p50 ms"]
            yield Bar(6, f"{int(size):,} passages: the 10 nearest, p50 ms", limit, nearest, first=True)
            yield Bar(6, f"{int(size):,} passages: recall@10 against exact", 0.99, found["recall@10"], True, "{:.4f}")
    if found := figures.get("1000000"):
        memory = sum(found["memory of that search MB"].values()) / 1000
        yield Bar(6, "1,000,000 passages: memory of that search, files mapped included, GB", 3, memory)


# The scripts in the order of the bars.
_BARS: dict[str, Callable[[dict[str, Any]], Iterator[Bar]]] = {
    "embedding": _embedding,
    "build": _build,
    "changed": _changed,
    "ask": _ask,
    "question": _question,
    "scale": _scale,
    "chat": _chat,
}


def _every() -> Iterator[tuple[str, Bar]]:
    """Every bar that was measured, and by what."""
    for name, of in _BARS.items():
        if measured(name):
            yield from ((name, bar) for bar in of(figures_of(name)))


def bars() -> str:
    """What was asked, what was reached."""
    rows = [f"| {bar.number} {bar.row} `{name}.py` |" for name, bar in _every()]
    return "\n".join(["| bar | | asked | reached | benchmarks/ |", "|---|---|---|---|---|", *rows])


def first_bars() -> str:
    """Those that README.md shows."""
    return "\n".join(["| | asked | reached |", "|---|---|---|", *(bar.row for _, bar in _every() if bar.first)])


def blocks() -> dict[str, str]:
    """What stands between the marks of docs/performance.md, by their names."""
    return {"bars": bars(), **{name: table() if measured(name) else "" for name, table in TABLES.items()}}
