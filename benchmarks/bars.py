"""The bars of speed, asked and reached, and the tables behind them: Markdown from benchmarks/results.

What has not been measured has no row.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_SHOWN = {
    "footnoted": "Footnoted",
    "plain": "sentence-transformers + FAISS",
    "langchain": "LangChain",
    "llamaindex": "LlamaIndex",
    "txtai": "txtai",
}
# What is a file of the first index.
_CORPORA = ("paragraphs", "articles")
_PEERS = ("langchain", "llamaindex", "txtai")


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
    for files, found in ((files, figures[files]) for files in _CORPORA):
        for name, against in found["cpu ratio"].items():
            limit = 0.7 if name.startswith("plain") else 0.6
            yield Bar(
                2,
                f"first index of {files}, CPU against {_named(name)}",
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
    crowd, evidence = figures["crowd"]["footnoted"], figures["evidence"]
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
        if _measured(name):
            yield from ((name, bar) for bar in of(_figures(name)))


def bars() -> str:
    """What was asked, what was reached."""
    rows = [f"| {bar.number} {bar.row} `{name}.py` |" for name, bar in _every()]
    return "\n".join(["| bar | | asked | reached | benchmarks/ |", "|---|---|---|---|---|", *rows])


def first_bars() -> str:
    """Those that README.md shows."""
    return "\n".join(["| | asked | reached |", "|---|---|---|", *(bar.row for _, bar in _every() if bar.first)])


def embedding() -> str:
    figures = _figures("embedding")
    systems = {
        "footnoted": "Footnoted",
        "batch 8": "sentence-transformers, batches of 8",
        "batch 32": "sentence-transformers, its default (32)",
    }
    rows = [
        f"| {shown} | {one['passages_per_s']:.1f} | {one['against batch 32']:.2f} | {one['gflop_per_s']:.1f} | "
        f"{one['share of sgemm']:.0%} |"
        for name, shown in systems.items()
        for one in [figures[name]]
    ]
    sgemm = figures["sgemm"]
    said = (
        f"{figures['passages']} paragraphs, {figures['tokens']:,} tokens, {figures['runs']} rounds. sgemm, by "
        f"{sgemm['by']}: {sgemm[sgemm['by'] + '_gflop_per_s']:.1f} GFLOP/s."
    )
    head = "| | passages/s | against its default | GFLOP/s | of sgemm |"
    return "\n".join([head, "|---|---|---|---|---|", *rows, "", said, "", _machine("embedding")])


def build() -> str:
    figures = _figures("build")
    rows = [
        f"| {corpus} ({found['files']}) | {_named(name)} | {one['passages']:,} | "
        f"{one['cpu']:.1f} | {one['wall']:.1f} | {one['peak_mb']:.0f} | {against} |"
        for corpus in _CORPORA
        for found in [figures[corpus]]
        for name, against in {"footnoted": "", **{name: f"{it:.2f}" for name, it in found["cpu ratio"].items()}}.items()
        for one in [found[name]]
    ]
    head = "| files | | passages | CPU s | wall s | peak MB | ours against it, CPU |"
    names = [f"{name} {number}" for peer in _PEERS for name, number in figures["versions"][peer].items()]
    said = f"{', '.join(sorted(set(names)))}."
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows, "", said, "", _machine("build")])


def changed() -> str:
    figures = _figures("changed")
    rows = [
        f"| {_named(name)} | {figures[name]['embedded']:.0f} | {figures[name]['cpu']:.3f} | "
        f"{_ratio(figures['cpu ratio'].get(name))} |"
        for name in ("footnoted", *figures["cpu ratio"])
    ]
    nothing = figures["unchanged"]
    said = (
        f"Medians of {figures['runs']} changes among {figures['files']} files. {nothing['files']:,} files, none of "
        f"them changed: {nothing['wall']:.2f} s ({nothing['cpu']:.2f} CPU s) in a running process, "
        f"{nothing['whole process, wall']:.2f} s ({nothing['whole process, cpu']:.2f} CPU s) as `footnoted index`; "
        f"{nothing['embedded']} passages embedded."
    )
    head = "| | passages embedded | CPU s | ours against it |"
    return "\n".join([head, "|---|---|---|---|", *rows, "", said, "", _machine("changed")])


def question() -> str:
    figures = _figures("question")
    systems = {
        "plain": "sentence-transformers + FAISS, embedding and search",
        "embedding alone": "Footnoted, the embedding of the question alone",
        "without a reader": "Footnoted, an answer without the reader",
        "with the reader": "Footnoted, an answer with the reader",
    }
    rows = [
        f"| {shown} | {one['p50']:.1f} | {one['p95']:.1f} | {one['p99']:.1f} | "
        f"{_ratio(figures['p50 ratio'].get(name))} |"
        for name, shown in systems.items()
        for one in [figures["milliseconds"][name]]
    ]
    head = "| | p50 ms | p95 ms | p99 ms | p50 against the first |"
    said = f"{figures['questions']} questions."
    return "\n".join([head, "|---|---|---|---|---|", *rows, "", said, "", _machine("question")])


def chat() -> str:
    figures = _figures("chat")
    starts, evidence = figures["starts"], figures["evidence"]
    systems = {"footnoted": "Footnoted", "plain": "ChatInterface over plain search"}
    rows = [
        f"| {shown} | {start['first page']:.1f} | {start['first answer']:.1f} | {crowd['answers_per_s']:.1f} | "
        f"{crowd['cpu_s_an_answer']:.3f} | {crowd['share of cores']:.0%} | {crowd['p50']:.2f} | {crowd['p95']:.2f} |"
        for name, shown in systems.items()
        for start, crowd in [(starts[name], figures["crowd"][name])]
    ]
    head = "| | first page s | first answer s | answers/s | CPU s an answer | of the cores | p50 s | p95 s |"
    crowd = figures["crowd"]["footnoted"]
    said = (
        f"A bare `import gradio`: {starts['import gradio']['wall']:.1f} s. On the page, p50 of {evidence['questions']} "
        f"questions: evidence after {1000 * evidence['evidence']['p50']:.0f} ms, the answer after "
        f"{1000 * evidence['answer']['p50']:.0f} ms. {crowd['clients']} clients ask {crowd['answers']} questions; they "
        f"use {crowd['clients_cpu_s_an_answer']:.3f} CPU s an answer of the same cores."
    )
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *rows, "", said, "", _machine("chat")])


def scale() -> str:
    figures = _figures("scale")
    sizes = [name for name in figures if name.isdigit()]

    def times(what: str) -> list[str]:
        return [f"{figures[size][what]['p50 ms']:.1f} / {figures[size][what]['p99 ms']:.1f}" for size in sizes]

    def memory(when: str) -> list[str]:
        return [f"{figures[size][when]['own']:,} / {figures[size][when]['files mapped']:,}" for size in sizes]

    built, disk = "build without embedding", "size MB"
    rows = {
        "build without embedding, CPU s": [f"{figures[size][built]['cpu s']:.0f}" for size in sizes],
        "its peak memory, MB": [f"{figures[size][built]['peak MB']:,}" for size in sizes],
        "on disk, MB": [f"{figures[size][disk]['index']:,.0f}" for size in sizes],
        "to open, s": [f"{figures[size]['open s']:.1f}" for size in sizes],
        "the 10 nearest by vectors, ms": times("dense, 10 passages"),
        "recall@10 against exact": [f"{figures[size]['recall@10']:.4f}" for size in sizes],
        "memory after that, of its own / files mapped, MB": memory("memory of that search MB"),
        "every vector compared, ms": [f"{figures[size]['exact ms']:.1f}" for size in sizes],
        "400 by vectors, ms": times("dense, 400 passages"),
        "400 by words, ms": times("words, 400 passages"),
        "the passages of a question, ms": times("passages of a question"),
        "an answer without the reader, ms": times("answer, no reader"),
        "memory after all of it, of its own / files mapped, MB": memory("memory MB"),
    }
    head = f"| p50 / p99 | {' | '.join(f'{int(size):,}' for size in sizes)} |"
    lines = [head, "|---" * (1 + len(sizes)) + "|", *(f"| {name} | {' | '.join(row)} |" for name, row in rows.items())]
    said = f"{figures['real passages']:,} passages of real text, {figures['questions']} questions."
    return "\n".join([*lines, "", said, "", _machine("scale")])


def both_ways() -> str:
    figures = _figures("both_ways")
    names = {"scifact": "SciFact", "squad-v2.0-dev": "SQuAD v2.0 dev, the articles not tuned on"}
    measures = ("nDCG@10", "Success@1", "R@5", "R@100")
    rows = [
        f"| {shown} | {way} | {' | '.join(f'{figures[name][way][measure]:.4f}' for measure in measures)} |"
        for name, shown in names.items()
        for way in ("graph", "sentence-transformers")
    ]
    head = f"| | | {' | '.join(measures)} |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows, "", _machine("both_ways")])


TABLES: dict[str, Callable[[], str]] = {
    "embedding": embedding,
    "both_ways": both_ways,
    "build": build,
    "changed": changed,
    "question": question,
    "scale": scale,
    "chat": chat,
}


def blocks() -> dict[str, str]:
    """What stands between the marks of docs/performance.md, by their names."""
    return {"bars": bars(), **{name: table() if _measured(name) else "" for name, table in TABLES.items()}}


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _machine(name: str) -> str:
    values = _read(name)
    return f"{values['machine']['processor']}, {values['machine']['cores']} cores, {values['date']}."


def _measured(name: str) -> bool:
    return (RESULTS / f"{name}.json").exists()


def _named(name: str) -> str:
    """A system, and the way it was asked, as people read them."""
    system, *way = name.split(", ")
    return ", ".join([_SHOWN[system], *way])


def _figures(name: str) -> dict[str, Any]:
    figures: dict[str, Any] = _read(name)["figures"]
    return figures


def _read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return values
