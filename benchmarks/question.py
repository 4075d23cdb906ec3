"""A question in a running process: our answer against embedding and search alone, the plain way.

    python benchmarks/question.py --data ../shared/data

Ours is `System.answer`: embedding, both searches, fusion, sentences, confidence, quotes; without the reader, and with
it; and of it, the embedding of the question by itself. Plain is `encode` of sentence-transformers and a search of
FAISS. Each has a process of its own, so that none meets another's threads, allocator or warm caches, and all are kept
on the same core; they are asked the same questions in alternating blocks, the processes that wait being idle.
"""

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from articles import questions, write_articles
from peers.environments import HERE as DRIVERS
from recording import cost, record
from running import ONE_THREAD, Running, one_core

from eval.risk import percentiles

HERE = Path(__file__).parent
FOOTNOTED = Path(sys.executable).with_name("footnoted")
# Questions that one system is asked before it is the next one's turn.
BLOCK = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=12, help="of 35, in order of their names (default: 12)")
    parser.add_argument("--paragraphs", type=int, help="of each article, the first ones (default: all)")
    parser.add_argument("--questions", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        documents, ours, plain = (Path(scratch) / name for name in ("documents", "ours", "plain"))
        files = write_articles(options.data, documents, options.articles, options.paragraphs)
        asked = questions(options.data, files, options.questions)
        cost([FOOTNOTED, "index", documents, "--index", ours])
        cost([sys.executable, HERE / "plain.py", "build", documents, plain])
        os.environ.update(ONE_THREAD)
        one_core()
        driver = [sys.executable, DRIVERS / "with_footnoted.py"]
        commands = {
            "without a reader": [*driver, "answer", ours, "none"],
            "plain": [sys.executable, HERE / "plain.py", "answer", plain],
            "with the reader": [*driver, "answer", ours, "bundled"],
            "embedding alone": [*driver, "embed", ours],
        }
        systems = {name: stack.enter_context(Running(command)) for name, command in commands.items()}
        seconds: dict[str, list[float]] = {name: [] for name in systems}
        for system in systems.values():
            system.ask(asked[:BLOCK])  # warm
        for first in range(0, len(asked), BLOCK):
            for name, system in systems.items():
                seconds[name] += system.ask(asked[first : first + BLOCK])
    figures: dict[str, object] = {"questions": len(asked), "files": len(files)}
    milliseconds = {
        name: {which: round(1000 * value, 2) for which, value in percentiles(each).items()}
        for name, each in seconds.items()
    }
    plainly = milliseconds["plain"]["p50"]
    ratios = {name: round(found["p50"] / plainly, 3) for name, found in milliseconds.items() if name != "plain"}
    tails = {name: round(found["p99"] / found["p50"], 2) for name, found in milliseconds.items()}
    figures |= {"milliseconds": milliseconds, "p50 ratio": ratios, "p99 over p50": tails}
    record("question", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
