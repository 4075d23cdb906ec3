"""A first index of a folder of text files: `footnoted index` and the peers, as whole processes.

    make bench-peers
    python benchmarks/build.py --data ../shared/data

A file is an article of SQuAD, a line of it a paragraph. All run the same model at fp32 from its own folder, with
OMP_NUM_THREADS=1; counted are CPU seconds, so ours, which starts threads of its own, gains nothing by them.
Footnoted, LangChain and LlamaIndex cut passages of 200 tokens with an overlap of 40; plain sentence-transformers
and txtai take the paragraphs, of which the model sees the first 256 word pieces.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from articles import write_articles
from peers.driving import OVERLAP, SIZE
from peers.environments import PEERS, driver, versions
from recording import Cost, cost, medians, record
from running import ONE_THREAD

HERE = Path(__file__).parent
FOOTNOTED = Path(sys.executable).with_name("footnoted")


def passages(printed: Path) -> int:
    """How many passages a build says it made."""
    found = json.loads(printed.read_text().strip().splitlines()[-1])
    return int(found["passages"] if isinstance(found, dict) else found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=18, help="of 35, in order of their names (default: 18)")
    parser.add_argument("--paragraphs", type=int, help="of each article, the first ones (default: all)")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    costs: dict[str, list[Cost]] = {}
    made: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as scratch:
        documents, printed = Path(scratch) / "documents", Path(scratch) / "printed"
        files = write_articles(options.data, documents, options.articles, options.paragraphs)
        for run in range(options.runs):
            stores = Path(scratch) / str(run)
            stores.mkdir()
            commands: dict[str, list[str | Path]] = {
                "footnoted": [FOOTNOTED, "index", documents, "--index", stores / "footnoted", "--json"],
                "plain": [sys.executable, HERE / "plain.py", "build", documents, stores / "plain"],
                **{peer: [*driver(peer), "build", documents, stores / peer] for peer in PEERS},
            }
            for name, command in commands.items():
                costs.setdefault(name, []).append(cost(command, printed))
                made[name] = passages(printed)
                print(name, made[name], "passages", costs[name][-1], flush=True)
    others = [name for name in costs if name != "footnoted"]
    figures = {name: {"passages": made[name], **medians(costs[name])} for name in costs}
    ours = figures["footnoted"]
    record(
        "build",
        {
            "files": len(files),
            "runs": options.runs,
            **figures,
            "cpu ratio": {name: round(ours["cpu"] / figures[name]["cpu"], 3) for name in others},
            "peak ratio": round(ours["peak_mb"] / min(figures[name]["peak_mb"] for name in others), 3),
            "chunks": f"{SIZE} tokens, overlap {OVERLAP}",
            "versions": {peer: versions(peer) for peer in PEERS},
        },
    )


if __name__ == "__main__":
    main()
