"""Little has changed, in a running process: one paragraph of one file, and nothing in a thousand files.

    make bench-peers
    python benchmarks/changed.py --data ../shared/data

Each run adds a sentence to the middle of another file of one folder. Ours (`Index.update` and the new generation
opened: found, read, cut, embedded, synced to disk) stands against txtai's upsert on equal chunks: txtai has our
passages as its rows. It is given all rows of the file that has changed, since it does not know which of them have,
and before that, as if someone had picked them out for it, only those that are new. Neither is saved. As they come, all
peers cut the changed file anew, embed the whole of it, and save. One thread for all (OMP_NUM_THREADS=1); counted are
the CPU seconds of the running processes and of their children.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from articles import write_articles
from peers.environments import HERE as DRIVERS
from peers.environments import PEERS, driver, versions
from recording import cost, record
from reliability.many_files import text
from running import ONE_THREAD, Running

FOOTNOTED = Path(sys.executable).with_name("footnoted")
OURS = [sys.executable, DRIVERS / "with_footnoted.py", "change"]

Rows = list[tuple[str, str]]


def edit(file: Path, run: int) -> None:
    """Put another sentence into the middle paragraph of a file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    filled = [number for number, line in enumerate(lines) if line]
    lines[filled[len(filled) // 2]] += f" A later edition adds remark {run}."
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def replaced(file: Path, before: Sequence[str], after: Sequence[str]) -> Rows:
    """The passages that a change made, as rows in the place of those that it took away."""
    new = [text for text in after if text not in before]
    gone = [row for row, text in _rows(file, before) if text not in after]
    further = [f"{file.name}#{len(before) + number}" for number in range(len(new))]
    return list(zip([*gone, *further], new, strict=False))


def in_turn(files: Sequence[Path], folder: Path, scratch: Path, runs: int) -> dict[str, list[tuple[float, int]]]:
    """For each way: the CPU seconds and the passages embedded of each change."""
    found: dict[str, list[tuple[float, int]]] = {}
    cost([FOOTNOTED, "index", folder, "--index", scratch / "footnoted"])
    for peer in PEERS:
        cost([*driver(peer), "build", folder, scratch / peer])
    with ExitStack() as stack:
        ours = stack.enter_context(Running([*OURS, scratch / "footnoted"]))
        equal = stack.enter_context(Running([*driver("txtai"), "upsert"]))
        peers = {peer: stack.enter_context(Running([*driver(peer), "change", scratch / peer])) for peer in PEERS}
        passages = {file: ours.ask({"passages": file.name}) for file in files}
        equal.ask([row for file in files for row in _rows(file, passages[file])])
        for run in range(runs + 1):
            file = files[run % len(files)]
            edit(file, run)
            costs = {"footnoted": _change(ours, "update")}
            after = ours.ask({"passages": file.name})
            new = replaced(file, passages[file], after)
            passages[file] = after
            costs["txtai, only the new chunks"] = _change(equal, new)[0], len(new)
            costs["txtai, equal chunks"] = _change(equal, _rows(file, after))[0], len(after)
            for peer, running in peers.items():
                costs[f"{peer}, as it comes"] = _change(running, str(file))
            for name, one in costs.items() if run else ():  # the first of each warms up
                found.setdefault(name, []).append(one)
            print(run, costs, flush=True)
    return found


def _rows(file: Path, passages: Sequence[str]) -> Rows:
    return [(f"{file.name}#{number}", text) for number, text in enumerate(passages)]


def _change(running: Running, value: object) -> tuple[float, int]:
    embedded, cpu, _ = running.measured(value)
    return cpu, embedded


def unchanged(scratch: Path, files: int, runs: int) -> dict[str, object]:
    """Small files, none of them changed: `Index.update` in a running process, and the command."""
    shuffle = random.Random(5)
    documents = scratch / "small"
    documents.mkdir()
    for number in range(files):
        (documents / f"{number:05}.txt").write_text(text(shuffle, number), encoding="utf-8")
    command = [FOOTNOTED, "index", documents, "--index", scratch / "small.index", "--json"]
    cost(command)
    with Running([*OURS, scratch / "small.index"]) as running:
        done = [running.measured("update") for _ in range(runs + 1)][1:]
    printed = scratch / "printed"
    whole = [cost(command, printed) for _ in range(runs)]
    return {
        "files": files,
        "embedded": max(*(embedded for embedded, _, _ in done), json.loads(printed.read_text())["embedded"]),
        "cpu": round(median(cpu for _, cpu, _ in done), 3),
        "wall": round(median(wall for _, _, wall in done), 3),
        "whole process, cpu": round(median(one.cpu for one in whole), 3),
        "whole process, wall": round(median(one.wall for one in whole), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=6, help="of 35, in order of their names (default: 6)")
    parser.add_argument("--paragraphs", type=int, help="of each article, the first ones (default: all)")
    parser.add_argument("--files", type=int, default=1000, help="small files of which none has changed")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        files = write_articles(options.data, scratch / "documents", options.articles, options.paragraphs)
        found = in_turn(files, scratch / "documents", scratch, options.runs)
        nothing = unchanged(scratch, options.files, min(options.runs, 5))

    def against(name: str) -> float:
        pairs = zip(found["footnoted"], found[name], strict=True)
        return round(median(one[0] / other[0] for one, other in pairs), 3)

    figures: dict[str, object] = {
        "files": len(files),
        "runs": options.runs,
        **{
            name: {"cpu": round(median(cpu for cpu, _ in costs), 4), "embedded": median(rows for _, rows in costs)}
            for name, costs in found.items()
        },
        "cpu ratio": {name: against(name) for name in found if name != "footnoted"},
        "embedded without need": sum(
            ours[1] - new[1] for ours, new in zip(found["footnoted"], found["txtai, only the new chunks"], strict=True)
        ),
        "unchanged": nothing,
        "versions": {peer: versions(peer) for peer in PEERS},
    }
    record("changed", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
