"""What was measured, as tables: Markdown from benchmarks/results."""

from collections.abc import Callable
from typing import Any

from recording import figures_of, measured, recorded

# What is a file of the first index.
CORPORA = ("paragraphs", "articles")
_PEERS = ("langchain", "llamaindex", "txtai")
_SHOWN = {
    "footnoted": "Footnoted",
    "plain": "sentence-transformers + FAISS",
    "langchain": "LangChain",
    "llamaindex": "LlamaIndex",
    "txtai": "txtai",
}


def embedding() -> str:
    figures = figures_of("embedding")
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
    figures = figures_of("build")
    rows = [
        f"| {corpus} ({found['files']}) | {named(name)} | {one['passages']:,} | "
        f"{one['cpu']:.1f} | {one['wall']:.1f} | {one['peak_mb']:.0f} | {against} |"
        for corpus in CORPORA
        for found in [figures[corpus]]
        for name, against in {"footnoted": "", **{name: f"{it:.2f}" for name, it in found["cpu ratio"].items()}}.items()
        for one in [found[name]]
    ]
    head = "| files | | passages | CPU s | wall s | peak MB | ours against it, CPU |"
    names = [f"{name} {number}" for peer in _PEERS for name, number in figures["versions"][peer].items()]
    said = f"{', '.join(sorted(set(names)))}."
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows, "", said, "", _machine("build")])


def changed() -> str:
    figures = figures_of("changed")
    rows = [
        f"| {named(name)} | {figures[name]['embedded']:.0f} | {figures[name]['cpu']:.3f} | "
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
    figures = figures_of("question")
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
    figures = figures_of("chat")
    starts, evidence = figures["starts"], figures["evidence"]
    systems = {"footnoted": "Footnoted", "plain": "ChatInterface over plain search"}

    def hurried(name: str, crowd: dict[str, Any]) -> str:
        return f"{crowd['hurried'] / crowd['answers']:.0%}" if name == "footnoted" else ""

    rows = [
        f"| {shown} | {start['first page']:.1f} | {start['first answer']:.1f} | {crowd['clients']} | "
        f"{crowd['answers_per_s']:.1f} | {hurried(name, crowd)} | {crowd['cpu_s_an_answer']:.3f} | "
        f"{crowd['share of cores']:.0%} | {crowd['p50']:.2f} | {crowd['p95']:.2f} |"
        for name, shown in systems.items()
        for start, crowd in [(starts[name], crowd) for crowd in figures["crowd"][name]]
    ]
    head = (
        "| | first page s | first answer s | clients | answers/s | without the reader | CPU s an answer | of the cores "
        "| p50 s | p95 s |"
    )
    crowd = figures["crowd"]["footnoted"][0]
    said = (
        f"A bare `import gradio`: {starts['import gradio']['wall']:.1f} s. On the page, p50 of {evidence['questions']} "
        f"questions: evidence after {1000 * evidence['evidence']['p50']:.0f} ms, the answer after "
        f"{1000 * evidence['answer']['p50']:.0f} ms. The clients ask {crowd['answers']} questions; they "
        f"use {crowd['clients_cpu_s_an_answer']:.3f} CPU s an answer of the same cores."
    )
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|---|", *rows, "", said, "", _machine("chat")])


def scale() -> str:
    figures = figures_of("scale")
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


def load() -> str:
    figures = figures_of("load")
    rows = []
    for name, one in figures.items():
        slowest = f"{one['slowest busy']:.2f}" if one["busy"] else ""
        back = one.get("back to normal after")
        rows.append(
            f"| {name} | {one['questions']} | {one['answered']} | {one['hurried']} | {one['busy']} | "
            f"{sum(one['errors'].values())} | {one['wrong answers']} | {one['answers']['p50']:.2f} | "
            f"{one['answers']['p95']:.2f} | {slowest} | {'' if back is None else f'{back:.1f}'} |"
        )
    names = "questions|answered|hurried|told busy|errors|wrong|p50 s|p95 s|told within s|normal after s"
    head = f"| | {' | '.join(names.split('|'))} |"
    return "\n".join([head, "|---" * 11 + "|", *rows, "", _machine("load"), *_hour()])


def _hour() -> list[str]:
    if not measured("load_hour"):
        return []
    figures = figures_of("load_hour")
    memory, first = figures["memory_mb"], figures["from minute"]
    return [
        "",
        f"{figures['minutes']} minutes of {figures['questions a second']:.0f} questions a second by people who come, "
        "ask five and go: "
        f"{figures['questions']:,} questions, {sum(figures['errors'].values())} errors, {figures['wrong answers']} "
        f"wrong answers. Memory of its own: {memory[0]} MB at the start, {memory[first]} MB when it held as many "
        f"conversations as it ever does, and had let as many go (minute {first}), {memory[-1]} MB at the end: "
        f"{figures['drift']:+.1%}.",
    ]


def both_ways() -> str:
    figures = figures_of("both_ways")
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
    "load": load,
}


def named(name: str) -> str:
    """A system, and the way it was asked, as people read them."""
    system, *way = name.split(", ")
    return ", ".join([_SHOWN[system], *way])


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _machine(name: str) -> str:
    values = recorded(name)
    return f"{values['machine']['processor']}, {values['machine']['cores']} cores, {values['date']}."
