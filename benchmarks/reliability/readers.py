"""Readers while one generation after the other is committed: no error, and never two generations in one.

python -m benchmarks.reliability.readers --runs 60

Every document of a generation carries its number; `--runs` is in seconds.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.reliability.faults import (
    Bar,
    Child,
    Event,
    Tap,
    WordEmbedder,
    bring_up,
    measured,
    outcome,
)
from index.index import Index

READERS = 8
_DOCUMENTS = 12


def write_generation(docs: Path, number: int) -> None:
    docs.mkdir(parents=True, exist_ok=True)
    for name in range(_DOCUMENTS):
        (docs / f"d{name:02}.txt").write_text(f"Every page of generation{number} says so, page {name} as well.\n")


def writing(at: Path, docs: Path, until: float) -> Callable[[Callable[[str], None]], None]:
    def work(say: Callable[[str], None]) -> None:
        number = 1
        while time.monotonic() < until:
            number += 1
            write_generation(docs, number)
            bring_up(at, docs)
        say(json.dumps({"commits": number}))

    return work


def reading(at: Path, until: float, anew: bool) -> Callable[[Callable[[str], None]], None]:
    """Asks again and again, through `current()` or an index opened `anew`."""

    def work(say: Callable[[str], None]) -> None:
        counts = {"answers": 0, "errors": 0, "mixed": 0, "generations": 0}
        first, last, index = "", "", None
        while time.monotonic() < until:
            try:
                if index is None or anew:
                    index = Index.open(at, embedder=WordEmbedder())
                else:
                    index = index.current()
                got = index.candidates("every page of generation2", 2 * _DOCUMENTS)
                texts = [index.passage(one.row).text for one in (*got.dense, *got.lexical)]
                texts += [index.document(source).text for source, *_ in index.sources()]
                numbers = {text.split()[3] for text in texts}
                counts["answers"] += 1
                counts["mixed"] += len(numbers) != 1 or len(texts) != 3 * _DOCUMENTS
                counts["generations"] += numbers != {last}
                last = min(numbers)
            except Exception as error:
                counts["errors"] += 1
                first = first or f"{type(error).__name__}: {error}"
        say(json.dumps({**counts, "first": first}))

    return work


def read_while_writing(folder: Path, seconds: float, bar: Bar) -> None:
    docs, at = folder / "docs", folder / "index"
    write_generation(docs, 1)
    bring_up(at, docs)
    until = time.monotonic() + seconds
    children = [Child(writing(at, docs, until))]
    children += [Child(reading(at, until, anew=bool(number % 2))) for number in range(READERS)]
    ended = [child.wait() for child in children]
    said = [json.loads(lines[-1]) if lines else {} for _, lines in ended]
    bar.note("seconds of reading", seconds)
    bar.note("commits", said[0].get("commits"))
    for what in ("answers", "generations"):
        bar.note(what, sum(one.get(what, 0) for one in said[1:]))
    bar.check("processes that died", sum(status != 0 for status, _ in ended), 0)
    for what in ("errors", "mixed"):
        bar.check(what, sum(one.get(what, 0) for one in said[1:]), 0)
    for one in said[1:]:
        if one.get("first"):
            bar.figures.setdefault("first error", one["first"])


def commit_in_the_midst(folder: Path, bar: Bar) -> None:
    """Three commits (files of two older generations are swept) just before each file that an opening reads."""
    docs, at = folder / "docs", folder / "index"
    number = 1
    write_generation(docs, number)
    bring_up(at, docs)
    errors, place, ended = 0, 0, False
    while not ended:
        place += 1
        seen = 0

        def listen(event: Event, place: int = place) -> None:
            nonlocal number, seen
            seen += 1
            if seen == place:
                for _ in range(3):
                    number += 1
                    write_generation(docs, number)
                    bring_up(at, docs)

        with Tap(at, listen, reads=True):
            got = outcome(at)
        ended = seen < place
        if got.kind != "opened":
            errors += 1
            bar.figures.setdefault("first overtaken", f"before read {place}: {got.kind} {got.line}")
    bar.note("openings overtaken by three commits", place - 1)
    bar.check("of these failed", errors, 0)


def main() -> None:
    with measured("readers", 60, __doc__) as (options, folder, bar):
        read_while_writing(folder / "many", options.runs, bar)
        commit_in_the_midst(folder / "one", bar)


if __name__ == "__main__":
    main()
