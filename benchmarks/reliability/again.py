"""Indexing again changes nothing and embeds nothing; killed and resumed, it ends where it would have.

python -m benchmarks.reliability.again --runs 200
"""

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from benchmarks.reliability.faults import Bar, Child, WordEmbedder, bring_up, change, contents, document, measured
from index.index import Index, verify


def index_again(folder: Path, runs: int, seed: int, bar: Bar) -> None:
    """After each of a series of changes: again as it is, and with every file's time changed."""
    chance = random.Random(seed)
    docs, at = folder / "docs", folder / "index"
    folder.mkdir(parents=True)
    bad = Counter[str]()
    for run in range(runs):
        change(docs, chance)
        first = bring_up(at, docs)
        before, pointer = contents(Index.open(at, embedder=WordEmbedder())), (at / "CURRENT").read_bytes()
        for touched in (False, True):
            if touched:
                for path in docs.iterdir():
                    os.utime(path, ns=(run * 10**9, run * 10**9))
            again = bring_up(at, docs)
            bad["embedded again"] += again.embedded
            bad["other passages"] += again.passages != first.passages
            bad["a generation without a change"] += (at / "CURRENT").read_bytes() != pointer and not touched
        bad["other contents"] += contents(Index.open(at, embedder=WordEmbedder())) != before
    shutil.rmtree(folder / "fresh", ignore_errors=True)
    bring_up(folder / "fresh", docs)
    fresh = contents(Index.open(folder / "fresh", embedder=WordEmbedder()))
    bad["other than a fresh index"] += contents(Index.open(at, embedder=WordEmbedder())) != fresh
    bar.note("times indexed again", 2 * runs)
    for what in (
        "embedded again",
        "other passages",
        "a generation without a change",
        "other contents",
        "other than a fresh index",
    ):
        bar.check(what, bad[what], 0)


def resume(folder: Path, runs: int, seed: int, bar: Bar) -> None:
    """One long run in many commits, killed over and over until it gets through."""
    chance = random.Random(seed)
    docs, at = folder / "docs", folder / "index"
    docs.mkdir(parents=True)
    for number in range(60):
        (docs / f"d{number:02}.txt").write_text(document(number, 1))

    def work(_: Callable[[str], None]) -> None:
        with mock.patch("index.indexing.BATCH", 6):
            bring_up(at, docs)

    bring_up(folder / "whole", docs)
    whole = contents(Index.open(folder / "whole", embedder=WordEmbedder()))
    kills, otherwise = 0, 0
    while kills < runs:
        shutil.rmtree(at, ignore_errors=True)
        while True:
            child = Child(work)
            time.sleep(chance.uniform(0.01, 0.25))
            child.kill()
            status, _ = child.wait()
            if status == 0:
                break
            kills += 1
        otherwise += contents(Index.open(at, embedder=WordEmbedder())) != whole or bool(verify(at))
    bar.note("kills of a long run", kills)
    bar.check("resumed to another end", otherwise, 0)


def main() -> None:
    with measured("again", 200, __doc__) as (options, folder, bar):
        index_again(folder / "again", options.runs, options.seed, bar)
        resume(folder / "resumed", options.runs, options.seed, bar)


if __name__ == "__main__":
    main()
