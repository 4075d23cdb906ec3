"""A second writer is refused within a second, in one line; after a kill the next gets in at once.

python -m benchmarks.reliability.locks --runs 10
"""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.reliability.faults import (
    ENVIRONMENT,
    Bar,
    Child,
    Event,
    Tap,
    bring_up,
    change,
    in_child,
    measured,
    outcome,
    wanted,
)
from index.errors import LockedIndex


def holding(at: Path, docs: Path, ready: Path) -> Callable[[Callable[[str], None]], None]:
    """An update that stays in the midst of its commit."""

    def listen(event: Event) -> None:
        if event.kind == "fsync":
            ready.touch()
            time.sleep(60)

    def work(_: Callable[[str], None]) -> None:
        with Tap(at, listen):
            bring_up(at, docs)

    return work


def _second(at: Path, docs: Path) -> dict[str, object]:
    started = time.perf_counter()
    try:
        bring_up(at, docs)
        line = ""
    except LockedIndex as error:
        line = str(error)
    return {"line": line, "seconds": time.perf_counter() - started}


def contend(folder: Path, runs: int, bar: Bar, *, command: bool) -> None:
    """With `command`, the second writer is once the command line itself."""
    chance = random.Random(1)
    docs, at, ready = folder / "docs", folder / "index", folder / "ready"
    refused, got_in = 0, 0
    slowest = slowest_after = 0.0
    for run in range(runs):
        change(docs, chance)
        (docs / "new.txt").write_text(f"Something new in run {run}.\n")
        ready.unlink(missing_ok=True)
        first = Child(holding(at, docs, ready))
        while not ready.exists():
            time.sleep(0.005)
        said = in_child(lambda: _second(at, docs))
        line = said["line"]
        refused += str(first.pid) in line and str(at) in line and "\n" not in line
        slowest = max(slowest, said["seconds"])
        if command and run == 0:
            ask = [sys.executable, "-P", "-m", "ui.cli", "index", str(docs), "--index", str(at)]
            answered = subprocess.run(ask, capture_output=True, text=True, env=ENVIRONMENT)
            bar.note(
                "the command says", answered.stderr.strip().replace(str(folder), "").replace(str(first.pid), "PID")
            )
            bar.check("lines of the command", answered.stderr.count("\n"), 1)
        first.kill()
        first.wait()
        started = time.perf_counter()
        bring_up(at, docs)
        slowest_after = max(slowest_after, time.perf_counter() - started)
        got_in += outcome(at).holds == wanted(docs)
    bar.check("refused, naming pid and path", refused, runs, least=True)
    bar.check("seconds to a refusal, at most", round(slowest, 3), 1.0)
    bar.check("the next got in after a kill", got_in, runs, least=True)
    bar.check("seconds of the next, at most", round(slowest_after, 3), 1.0)


def main() -> None:
    with measured("locks", 10, __doc__) as (options, folder, bar):
        contend(folder, options.runs, bar, command=True)


if __name__ == "__main__":
    main()
