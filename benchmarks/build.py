"""A first index of a folder of text files: `footnoted index` and the peers, as whole processes.

    make bench-peers
    python benchmarks/build.py --data ../shared/data

Once a paragraph of SQuAD is a file, once an article is, with a paragraph a line. All run the same model at fp32 from
its own folder, with OMP_NUM_THREADS=1; counted are CPU seconds, so ours, which starts threads of its own, gains
nothing by them. Footnoted, LangChain and LlamaIndex cut passages of 200 tokens with an overlap of 40; plain
sentence-transformers and txtai take the paragraphs, of which the model sees the first 256 word pieces; and once more
they take, as their rows, the very texts that Footnoted embeds: titles, overlaps and tails included.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from articles import write_articles, write_paragraphs
from peers.driving import OVERLAP, SIZE
from peers.environments import PEERS, driver, versions
from recording import Cost, cost, medians, record
from running import ONE_THREAD

from index import Index
from index.inputs import model_context, model_input

HERE = Path(__file__).parent
FOOTNOTED = Path(sys.executable).with_name("footnoted")
# Those that take rows as they are given.
EQUAL = ("plain", "txtai")


def passages(printed: Path) -> int:
    """How many passages a build says it made."""
    found = json.loads(printed.read_text().strip().splitlines()[-1])
    return int(found["passages"] if isinstance(found, dict) else found)


def write_inputs(store: Path, folder: Path) -> None:
    """What the model was given for each passage of an index, a line each."""
    index = Index.open(store)
    embedder, lines = index.embedder, []
    for row in range(index.passages):
        passage = index.passage(row)
        context = model_context(passage.title, passage.heading, embedder.count_pieces, embedder.window)
        lines.append(" ".join(model_input(passage, context)[0].split()))
    (folder / "inputs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def in_turn(documents: Path, scratch: Path, runs: int) -> dict[str, object]:
    """Each system builds the same folder `runs` times."""
    costs: dict[str, list[Cost]] = {}
    made: dict[str, int] = {}
    printed, chunks = scratch / "printed", Path(tempfile.mkdtemp(dir=scratch))
    builders: dict[str, list[str | Path]] = {
        "plain": [sys.executable, HERE / "plain.py"],
        **{p: driver(p) for p in PEERS},
    }
    for _ in range(runs):
        stores = Path(tempfile.mkdtemp(dir=scratch))
        ours = stores / "footnoted"

        def measure(name: str, command: Sequence[str | Path]) -> None:
            costs.setdefault(name, []).append(cost(command, printed))
            made[name] = passages(printed)
            print(name, made[name], "passages", costs[name][-1], flush=True)

        measure("footnoted", [FOOTNOTED, "index", documents, "--index", ours, "--json"])
        for name, builder in builders.items():
            measure(name, [*builder, "build", documents, stores / name])
        write_inputs(ours, chunks)
        for name in EQUAL:
            measure(f"{name}, equal chunks", [*builders[name], "build", chunks, stores / f"{name}.equal"])
    others = [name for name in costs if name != "footnoted"]
    figures = {name: {"passages": made[name], **medians(costs[name])} for name in costs}
    ours = figures["footnoted"]
    return {
        **figures,
        "cpu ratio": {name: round(ours["cpu"] / figures[name]["cpu"], 3) for name in others},
        "peak ratio": round(ours["peak_mb"] / min(figures[name]["peak_mb"] for name in others), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=12, help="of 35, in order of their names (default: 12)")
    parser.add_argument("--paragraphs", type=int, help="of each article, the first ones (default: all)")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for name, write in (("paragraphs", write_paragraphs), ("articles", write_articles)):
            files = write(options.data, scratch / name, options.articles, options.paragraphs)
            found[name] = {"files": len(files), **in_turn(scratch / name, scratch, options.runs)}
    record(
        "build",
        {
            "runs": options.runs,
            **found,
            "chunks": f"{SIZE} tokens, overlap {OVERLAP}",
            "versions": {peer: versions(peer) for peer in PEERS},
        },
    )


if __name__ == "__main__":
    main()
