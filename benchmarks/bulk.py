"""Indexing with Ray's workers: what it costs on one machine, and what a killed node costs.

    python benchmarks/bulk.py --data ../shared/data [--files 7500] [--runs 1]

Overhead: the first paragraphs of SQuAD's training articles (train/passages-squad-articles.jsonl.gz), a file each, are
indexed by `footnoted index` and by `footnoted index --ray local`, in turn, whole processes with the packaged model,
every processor of this machine for both. Counted are wall seconds and the CPU seconds of the command with all that it
started, Ray's own processes too: those that end by themselves are not waited for by the command, so they are read from
/proc while it runs, five times a second. Both indexes must hold the same passages with the same vectors.

Kill: two nodes of a processor each on this machine; the node that has finished the first part is killed (SIGKILL to its
raylet and all its workers at once). Wanted are all files, each passage once, vectors as those of the plain run.
"""

import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from recording import record

from index import Index

FOOTNOTED = Path(sys.executable).with_name("footnoted")
TESTS = Path(__file__).parents[1] / "tests" / "ray"
TICKS = os.sysconf("SC_CLK_TCK")
# A cluster on loopback, without a token in the home of whoever measures, and without reports to Ray's makers.
CLUSTER = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9/",
}


@dataclass
class Family:
    """The CPU seconds of a process and of all that descend from it, the highest that was seen of each."""

    root: int
    used: dict[tuple[int, str], float] = field(default_factory=dict)

    def look(self) -> None:
        parents: dict[int, int] = {}
        seen: dict[int, tuple[str, float]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    values = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                parents[int(entry.name)] = int(values[1])
                seen[int(entry.name)] = (values[19], (int(values[11]) + int(values[12])) / TICKS)
        for pid, (started, seconds) in seen.items():
            above = pid
            while above in parents and above != self.root:
                above = parents[above]
            if above == self.root:
                self.used[pid, started] = seconds

    @property
    def cpu(self) -> float:
        return sum(self.used.values())


def measured(command: Sequence[str | Path]) -> dict[str, float]:
    """Wall and CPU seconds, and the load of the machine (one minute) at the beginning and the end."""
    before, started = os.getloadavg()[0], time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    family, done = Family(process.pid), threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            family.look()

    looking = threading.Thread(target=look)
    looking.start()
    out, _ = process.communicate()
    wall = time.perf_counter() - started
    done.set()
    looking.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    passages = json.loads(out)["passages"]
    cost = {"passages": passages, "wall": round(wall, 1), "cpu": round(family.cpu, 1)}
    return cost | {"load before": round(before, 1), "load after": round(os.getloadavg()[0], 1)}


def write_files(data: Path, folder: Path, number: int) -> int:
    """The first paragraphs, a file each; how many."""
    folder.mkdir()
    with gzip.open(data / "train" / "passages-squad-articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        for place, line in zip(range(number), lines, strict=False):
            row = json.loads(line)
            title = row["title"].replace("/", "_")
            (folder / f"{place:05}-{title}.txt").write_text(row["text"] + "\n", encoding="utf-8")
    return len(list(folder.iterdir()))


def difference(ours: Path, plain: Path) -> float:
    """The largest difference of a vector's component; raises AssertionError unless both hold the same passages, each
    once.
    """
    held = []
    for at in (ours, plain):
        index = Index.open(at)
        vectors = index.vectors(range(index.passages))
        found = {(one := index.passage(row)).id: (one.text, vectors[row]) for row in range(index.passages)}
        assert len(found) == index.passages, f"a passage is twice in {at}"
        held.append(found)
    assert {name: text for name, (text, _) in held[0].items()} == {name: text for name, (text, _) in held[1].items()}
    return max(float(np.abs(held[0][name][1] - held[1][name][1]).max()) for name in held[0])


def overhead(documents: Path, scratch: Path, runs: int) -> dict[str, object]:
    found: dict[str, list[dict[str, float]]] = {"plain": [], "ray": []}
    apart = 0.0
    for number in range(runs):
        for name, more in (("plain", []), ("ray", ["--ray", "local"])):
            at = scratch / f"{name}-{number}"
            found[name].append(measured([FOOTNOTED, "index", "--index", at, "--json", *more, documents]))
            print(name, found[name][-1], flush=True)
        apart = max(apart, difference(scratch / f"ray-{number}", scratch / f"plain-{number}"))
    total = {name: {what: sum(one[what] for one in costs) for what in ("wall", "cpu")} for name, costs in found.items()}
    ratios = {f"{what} ratio": round(total["ray"][what] / total["plain"][what], 3) for what in ("wall", "cpu")}
    return {**found, **ratios, "largest difference": apart}


def killed(documents: Path, scratch: Path) -> dict[str, object]:
    done, home = scratch / "done", scratch / "home"
    home.mkdir()
    (home / "ray_bootstrap_config.yaml").touch()  # else the head asks the network which cloud it is in
    environment = {**os.environ, **CLUSTER, "PYTHONPATH": str(TESTS / "hooks"), "FOOTNOTED_TEST_DONE": str(done)}
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, TESTS / "two_nodes.py"]
    nodes = subprocess.Popen(command, env=environment | {"HOME": str(home)}, stderr=subprocess.DEVNULL, **pipe)
    assert nodes.stdin is not None
    assert nodes.stdout is not None
    address = nodes.stdout.readline().strip()
    at, started = scratch / "killed", time.perf_counter()
    process = subprocess.Popen(
        [FOOTNOTED, "index", "--index", at, "--json", "--ray", address, documents],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        while not (done.exists() and done.read_text().endswith("\n")):
            if process.poll() is not None:
                raise RuntimeError("the run ended before a node could be killed")
            time.sleep(0.05)
        nodes.stdin.write(done.read_text().split()[0] + "\n")
        nodes.stdin.flush()
        processes, kill = int(nodes.stdout.readline()), time.perf_counter()
        out, _ = process.communicate(timeout=1800)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        nodes.stdin.close()
        nodes.wait(60)
    values = json.loads(out)
    return {
        "files": values["documents"],
        "passages": values["passages"],
        "processes killed": processes,
        "seconds to the kill": round(kill - started, 1),
        "seconds from the kill to the end": round(time.perf_counter() - kill, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=7500, help="for the overhead (default: 7500)")
    parser.add_argument("--killed", type=int, default=600, help="files for the killed node (default: 600)")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        files = write_files(options.data, scratch / "all", options.files)
        found = overhead(scratch / "all", scratch, options.runs)
        print(json.dumps(found, indent=1), flush=True)
        some = write_files(options.data, scratch / "some", options.killed)
        kill = killed(scratch / "some", scratch)
        measured([FOOTNOTED, "index", "--index", scratch / "whole", "--json", scratch / "some"])
        kill["largest difference"] = difference(scratch / "killed", scratch / "whole")
        print(json.dumps(kill, indent=1), flush=True)
    record("bulk", {"files": files, "runs": options.runs, "overhead": found, "killed node": {"given": some, **kill}})


if __name__ == "__main__":
    main()
