"""Writers and the server of an index in Milvus are killed while readers ask: what was lost, and what a person saw.

python -m benchmarks.reliability.store_kills --runs 50             `milvus-lite server`
python -m benchmarks.reliability.store_kills --runs 10 --real      Milvus 2.3.5 (make .bench/milvus/installed)

An update number n writes six documents of several passages again, each sentence of which says n, and one more that
stays as it is for ever. A writer is killed (SIGKILL) at a random time of an update; what the index then holds must be
what the last acknowledged update or the one in flight makes of it, whole. Two readers ask without a pause meanwhile:
what they are given must be of one update, all of it. Then the server itself is killed and started again, under a writer
and the same readers, for less than the deadline of a call and for longer.
"""

import json
import os
import random
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.reliability.faults import Bar, Child, WordEmbedder, bring_up, contents, held, in_child, measured
from benchmarks.reliability.servers import Server
from index.errors import FootnotedError, NoIndex, UnreachableStore
from index.index import Index, verify
from index.stores import bind

READERS = 2
_CHANGING = 6
_SENTENCES = 30
_VERSION = re.compile(r"version(\d+) ")


def write_version(docs: Path, number: int) -> None:
    """The documents of an update. What is not whole when the writer is killed is written again by the next one."""
    for name in range(_CHANGING):
        lines = (f"Line {line} of page {name} says version{number} today." for line in range(_SENTENCES))
        _write(docs / f"changing{name}.txt", "\n\n".join(lines))
    _write(docs / f"kept{number:05}.txt", f"This was added by version{number} and stays.")


def _write(path: Path, text: str) -> None:
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


def writer(docs: Path, at: Path, first: int, pause: float) -> Callable[[Callable[[str], None]], None]:
    """Updates without end, from number `first` on."""

    def work(say: Callable[[str], None]) -> None:
        number = first
        while True:
            write_version(docs, number)
            say(f"intend {number}")
            try:
                bring_up(at, docs)
                say(f"done {number}")
                number += 1
            except FootnotedError as error:
                say(f"error {error}")
            time.sleep(pause)

    return work


def versions(index: Index) -> tuple[set[int], list[int], int]:
    """Which updates the changing documents are of, by what a search gives and by what is stored; those whose further
    document is there; the passages of the changing ones.
    """
    got = index.candidates("line of page says version today", 10_000)
    found = [index.passage(one.row) for one in got.dense]
    texts = {source: index.document(source).text for source, *_ in index.sources()}
    said = {int(one) for passage in found if passage.source.startswith("ch") for one in _VERSION.findall(passage.text)}
    said |= {int(one) for source, text in texts.items() if source.startswith("ch") for one in _VERSION.findall(text)}
    words = [index.passage(one.row) for one in got.lexical]
    said |= {int(one) for passage in words if passage.source.startswith("ch") for one in _VERSION.findall(passage.text)}
    whole = all(texts[one.source][one.start : one.end] == one.text for one in (*found, *words))
    assert whole, "a passage is not in its document"
    kept = sorted(int(source[4:9]) for source in texts if source.startswith("kept"))
    return said, kept, sum(passage.source.startswith("ch") for passage in found)


def reading(at: Path, stop: Path) -> Callable[[Callable[[str], None]], None]:
    """Asks through `current()` until there is a file `stop`."""

    def work(say: Callable[[str], None]) -> None:
        counts = {"answers": 0, "errors": 0, "out of reach": 0, "mixed": 0, "generations": 0}
        index, last, first, longest, sizes = None, set(), "", 0.0, set()
        while not stop.exists():
            started = time.monotonic()
            try:
                index = Index.open(at, embedder=WordEmbedder()) if index is None else index.current()
                said, kept, size = versions(index)
                counts["answers"] += 1
                sizes.add(size)
                counts["mixed"] += len(said) != 1 or kept != list(range(1, max(said) + 1)) or len(sizes) > 1
                counts["generations"] += said != last
                last = said
            except UnreachableStore as error:
                counts["out of reach"] += 1
                first = first or str(error)
            except Exception as error:
                counts["errors"] += 1
                first = first or f"{type(error).__name__}: {error}"
            longest = max(longest, time.monotonic() - started)
            time.sleep(0.02)
        say(json.dumps({**counts, "first": first, "longest s": round(longest, 2)}))

    return work


def outcome(at: Path) -> Any:
    """The update that the index holds and whose documents are there, or what is wrong with it."""
    try:
        index = Index.open(at, embedder=WordEmbedder())
        said, kept, _ = versions(index)
        held(index)
        return {"versions": sorted(said), "kept": kept, "verify": verify(at)}
    except NoIndex:
        return None
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


class Readers:
    """Readers in processes of their own."""

    def __init__(self, at: Path, stop: Path) -> None:
        self._stop = stop
        stop.unlink(missing_ok=True)
        self._children = [Child(reading(at, stop)) for _ in range(READERS)]

    def end(self) -> dict[str, Any]:
        self._stop.touch()
        ended = [child.wait() for child in self._children]
        said = [json.loads(lines[-1]) if lines else {} for _, lines in ended]
        names = ("answers", "generations", "mixed", "errors", "out of reach")
        return {
            **{name: sum(one.get(name, 0) for one in said) for name in names},
            "died": sum(status != 0 for status, _ in ended),
            "longest s": max(one.get("longest s", 0) for one in said),
            "first error": next((one["first"] for one in said if one.get("first")), ""),
        }


def judge(got: Any, acknowledged: int, flying: int, bad: Counter[str], bar: Bar, label: str) -> int:
    """What an index holds after a kill; the update that it is of."""
    if got is None or "error" in got or got["verify"]:
        bad["unreadable"] += not (got is None and acknowledged == 0)
        bar.note(label, got)
        return acknowledged
    if len(got["versions"]) != 1 or got["versions"][0] not in (acknowledged, flying):
        bad["half"] += 1
        bar.note(label, {**got, "acknowledged": acknowledged, "in flight": flying})
    bad["lost"] += len(set(range(1, acknowledged + 1)) - set(got["kept"]))
    return max(got["versions"])


def ended(lines: list[str], acknowledged: int) -> tuple[int, int, list[str]]:
    """(acknowledged, in flight, errors) by what a writer said."""
    flying = acknowledged
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "intend":
            flying = int(rest)
        elif kind == "done":
            acknowledged = int(rest)
    return acknowledged, flying, [line.removeprefix("error ") for line in lines if line.startswith("error ")]


def kill_writers(folder: Path, at: Path, runs: int, chance: random.Random, bar: Bar) -> int:
    docs, bad = folder / "docs", Counter[str]()
    docs.mkdir()
    write_version(docs, 1)
    in_child(lambda: bring_up(at, docs).passages)
    write_version(docs, 2)
    began = time.monotonic()
    in_child(lambda: bring_up(at, docs).passages)
    longest = 2 * (
        time.monotonic() - began
    )  # of a writer that has to start everything: its first update, or the second
    bar.note("killed within s", round(longest, 1))
    acknowledged, inside = 2, 0
    readers = Readers(at, folder / "stop")
    for run in range(runs):
        child = Child(writer(docs, at, acknowledged + 1, 0.0))
        time.sleep(chance.uniform(0.0, longest))
        child.kill()
        _, lines = child.wait()
        acknowledged, flying, errors = ended(lines, acknowledged)
        inside += bool(lines) and lines[-1].startswith("intend")
        bad["refused"] += len(errors)
        if errors:
            bar.note(f"kill {run} refused", errors[0])
        acknowledged = judge(in_child(lambda: outcome(at)), acknowledged, flying, bad, bar, f"kill {run}")
    seen = readers.end()
    acknowledged += 1
    write_version(docs, acknowledged)
    resumed = in_child(lambda: resumed_as_fresh(folder, at, docs))
    bar.note("kills of a writer", runs)
    bar.check("of these in an update", inside, runs // 2, least=True)
    bar.note("acknowledged updates", acknowledged)
    for what, label in (
        ("lost", "acknowledged documents lost"),
        ("half", "documents half visible"),
        ("unreadable", "indexes unreadable"),
        ("refused", "writers refused after a kill"),
    ):
        bar.check(label, bad[what], 0)
    bar.check("resumed otherwise than a fresh index", int(not resumed), 0)
    _readers(seen, bar, "while writers were killed")
    bar.check("readers out of reach while writers were killed", seen["out of reach"], 0)
    return acknowledged


def _readers(seen: dict[str, Any], bar: Bar, when: str) -> None:
    bar.note(f"readers {when}", seen)
    bar.check(f"readers that died {when}", seen["died"], 0)
    bar.check(f"errors of readers {when}", seen["errors"], 0)
    bar.check(f"answers of two versions {when}", seen["mixed"], 0)


def resumed_as_fresh(folder: Path, at: Path, docs: Path) -> bool:
    """Whether an index that goes on after kills is that of an uninterrupted run."""
    bring_up(at, docs)
    bring_up(folder / "fresh", docs)
    index = Index.open(at, embedder=WordEmbedder())
    mine, fresh = contents(index), contents(Index.open(folder / "fresh", embedder=WordEmbedder()))
    shutil.rmtree(folder / "fresh")
    compared = ["documents"] if index.without else ["documents", "answers"]
    return all(mine[what] == fresh[what] for what in compared)


def kill_server(
    folder: Path, at: Path, server: Server, acknowledged: int, downs: list[float], chance: random.Random, bar: Bar
) -> None:
    """The server is down for so many seconds each time, under a writer and readers."""
    docs, bad, told = folder / "docs", Counter[str](), []
    rows = []
    for number, down in enumerate(downs):
        readers = Readers(at, folder / "stop")
        child = Child(writer(docs, at, acknowledged + 1, 0.05))
        time.sleep(chance.uniform(1.0, 3.0))
        server.kill()
        time.sleep(down)
        began = time.monotonic()
        server.begin()
        in_child(lambda: outcome(at))  # when it answers again
        back = time.monotonic() - began
        time.sleep(2.0)
        child.kill()
        _, lines = child.wait()
        acknowledged, flying, errors = ended(lines, acknowledged)
        told += errors
        seen = readers.end()
        acknowledged = judge(in_child(lambda: outcome(at)), acknowledged, flying, bad, bar, f"server kill {number}")
        rows.append(
            {"down s": down, "answers again after s": round(back, 1), "writer was told": errors[:1], "readers": seen}
        )
        for name in ("errors", "mixed", "died"):
            bad[name] += seen[name]
    bar.note("kills of the server", rows)
    for what, label in (
        ("lost", "acknowledged documents lost with the server"),
        ("half", "documents half visible after the server was back"),
        ("unreadable", "indexes unreadable after the server was back"),
        ("errors", "other errors of readers while the server was away"),
        ("mixed", "answers of two versions while the server was away"),
        ("died", "readers that died while the server was away"),
    ):
        bar.check(label, bad[what], 0)


def main() -> None:
    real = "--real" in sys.argv
    sys.argv = [one for one in sys.argv if one != "--real"]
    name = "store_kills_real" if real else "store_kills"
    with measured(name, 10 if real else 50, __doc__) as (options, folder, bar):
        # A call waits longer than the server takes to start again, but for the last of its kills.
        os.environ["FOOTNOTED_STORE_TIMEOUT"] = "60" if real else "10"
        chance = random.Random(options.seed)
        server = Server("real" if real else "lite", folder / "server")
        server.begin()
        try:
            at = folder / "at"
            bind(at, server.address("kills"))
            acknowledged = kill_writers(folder, at, options.runs, chance, bar)
            downs = [1.0] if real else [0.5, 1.0, 2.0, 4.0, 14.0]
            kill_server(folder, at, server, acknowledged, downs, chance, bar)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
