"""SIGKILL at random times and at each named point of a commit: nothing acknowledged is lost.

python -m benchmarks.reliability.kills --runs 1000

A chain of forked writers works on one index; each is killed, and what the index then holds must be
exactly what the last acknowledged update or the one in flight makes of it. A kill counts as inside a
commit if the writer had said that it was about to change a file, and had not said that it was done.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.reliability.faults import (
    ENVIRONMENT,
    Bar,
    Child,
    Event,
    Tap,
    WordEmbedder,
    bring_up,
    change,
    contents,
    held,
    measured,
    outcome,
    wanted,
)
from index.embedders import load_embedder
from index.errors import NoIndex
from index.index import Index

# Kills on one index before a new one is begun.
_CHAIN = 25
# A writer that is killed at a point makes at most this many changes first: three updates or so.
_FURTHEST = 150


def writer(docs: Path, at: Path, seed: int, point: int | None) -> Callable[[Callable[[str], None]], None]:
    """Changes documents and updates the index, again and again; kills itself before change `point`."""

    def work(say: Callable[[str], None]) -> None:
        chance = random.Random(seed)
        made = 0

        def listen(event: Event) -> None:
            nonlocal made
            made += 1
            say(f"in {event.name}")
            if made == point:
                os.kill(os.getpid(), signal.SIGKILL)

        while True:
            change(docs, chance)
            say(f"intend {json.dumps(wanted(docs))}")
            with Tap(at, listen):
                bring_up(at, docs)
            say("done")

    return work


def kill_writers(folder: Path, runs: int, seed: int, bar: Bar) -> None:
    chance = random.Random(seed)
    inside, bad, points = 0, Counter[str](), Counter[str]()
    docs, at = folder / "docs", folder / "index"
    acknowledged: dict[str, str] | None = None
    for run in range(runs):
        if run % _CHAIN == 0:
            for path in (docs, at):
                shutil.rmtree(path, ignore_errors=True)
            acknowledged = None
        point = chance.randint(1, _FURTHEST) if run % 2 else None
        child = Child(writer(docs, at, chance.randrange(10**9), point))
        if point is None:
            time.sleep(chance.uniform(0.0, 0.15))
            child.kill()
        status, lines = child.wait()
        assert status == -signal.SIGKILL, (status, lines[-3:])
        flying = acknowledged
        for line in lines:
            kind, _, rest = line.partition(" ")
            if kind == "intend":
                flying = json.loads(rest)
            elif kind == "done":
                acknowledged = flying
        if lines and lines[-1].startswith("in "):
            inside += 1
            points[lines[-1][3:]] += 1
        got = outcome(at)
        if got.kind == "none" and acknowledged is None:
            continue
        if got.kind != "opened":
            bad["unreadable"] += 1
            bar.note(f"kill {run}", got.line)
        elif got.holds not in (acknowledged, flying):
            bad["half"] += 1
            lost = {s for s, text in (acknowledged or {}).items() if (flying or {}).get(s) == text != got.holds.get(s)}
            bad["lost"] += len(lost)
        else:
            acknowledged = got.holds
        if run % _CHAIN == _CHAIN - 1 or run == runs - 1:  # going on ends where an uninterrupted run ends
            bring_up(at, docs)
            bring_up(folder / "fresh", docs)
            resumed, fresh = (contents(Index.open(path, embedder=WordEmbedder())) for path in (at, folder / "fresh"))
            bad["resumed otherwise"] += resumed != fresh
            shutil.rmtree(folder / "fresh")
    bar.note("kills", runs)
    for what in ("unreadable", "half", "lost", "resumed otherwise"):
        bar.check(what, bad[what], 0)
    bar.check("inside a commit", round(inside / runs, 3), 0.6, least=True)
    bar.check("points of a commit", len(points), min(15, runs // 4), least=True)
    bar.note("kills by point", dict(points.most_common()))


def kill_commands(folder: Path, runs: int, seed: int, bar: Bar) -> None:
    """`footnoted index` with the real model, killed when it has begun to write."""
    chance = random.Random(seed)
    docs, at = folder / "docs", folder / "index"
    folder.mkdir()
    before, inside, bad = None, 0, 0
    for _ in range(runs):
        change(docs, chance)
        intended, seen = wanted(docs), _files(at)
        command = [sys.executable, "-P", "-m", "ui.cli", "index", str(docs), "--index", str(at)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        while process.poll() is None and _files(at) == seen:
            pass
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        inside += process.wait() == -signal.SIGKILL
        got = outcome_of_real(at)
        bad += got not in (before, intended)
        before = got
    bar.note("kills with the real model", runs)
    bar.note("of these after its first write", inside)
    bar.check("bad with the real model", bad, 0)


def outcome_of_real(at: Path) -> dict[str, str] | None:
    """As `outcome`, for an index of another model; None if there is none."""
    try:
        return held(Index.open(at, embedder=load_embedder()))
    except NoIndex:
        return None


def _files(at: Path) -> set[Path]:
    return {path for path in at.rglob("*") if path.name != "lock"}


def main() -> None:
    with measured("kills", 1000, __doc__) as (options, folder, bar):
        kill_writers(folder, options.runs, options.seed, bar)
        kill_commands(folder / "real", max(1, options.runs // 100), options.seed, bar)


if __name__ == "__main__":
    main()
