"""Ctrl-C while indexing keeps what is committed and says how to go on; SIGTERM lets the server finish.

python -m benchmarks.reliability.interrupts --runs 100

Forked runs of `footnoted index` that commit every few documents are interrupted at random times, then
run again. The command as a person starts it is interrupted too, some of it while it still starts. The
server is told to end while one answer takes two seconds, and while one takes a minute.
"""

import contextlib
import http.client
import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import ui.commands  # noqa: F401 - before the fork, which is to be quick
from benchmarks.reliability.faults import (
    ENVIRONMENT,
    Bar,
    Child,
    WordEmbedder,
    bring_up,
    contents,
    document,
    measured,
    outcome,
    wanted,
)
from index.index import Index
from ui.cli import main as footnoted

_DOCUMENTS = 40
_STOPPED = 130
# What the server may take to end, with what the machine needs to let go of it.
_GRACE, _SLACK = 5.0, 1.5


class SlowEmbedder(WordEmbedder):  # type: ignore[misc, valid-type]
    """A millisecond a text, as if it were work."""

    def embed_passages(self, texts):  # type: ignore[no-untyped-def]
        time.sleep(0.001 * len(texts))
        return super().embed_passages(texts)


def indexing(docs: Path, at: Path, said: Path) -> Callable[[Callable[[str], None]], None]:
    """`footnoted index` in small commits, its standard error in a file, its exit status told."""

    def work(say: Callable[[str], None]) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with (
            said.open("w", buffering=1) as errors,
            contextlib.redirect_stderr(errors),
            contextlib.redirect_stdout(io.StringIO()),
            mock.patch("index.indexing.load_embedder", return_value=SlowEmbedder()),
            mock.patch("index.indexing.BATCH", 8),
        ):
            say("begun")
            status = footnoted(["index", str(docs), "--index", str(at), "--json"])
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it has ended: what comes now hits the harness
        say(str(status))

    return work


def interrupt(folder: Path, runs: int, seed: int, bar: Bar, longest: float = 0.4) -> None:
    """Ctrl-C at a random time of the first `longest` seconds."""
    chance = random.Random(seed)
    docs, at, said = folder / "docs", folder / "index", folder / "said"
    docs.mkdir(parents=True)
    for number in range(_DOCUMENTS):
        (docs / f"d{number:02}.txt").write_text(document(number, 1))
    all_of_it = wanted(docs)
    total = bring_up(folder / "whole", docs).passages
    whole = contents(Index.open(folder / "whole", embedder=WordEmbedder()))
    bad, stopped, kept = Counter[str](), 0, 0
    for _ in range(runs):
        shutil.rmtree(at, ignore_errors=True)
        said.unlink(missing_ok=True)
        child = Child(indexing(docs, at, said))
        while not said.exists():  # the child is ready to be interrupted
            time.sleep(0.002)
        time.sleep(chance.uniform(0.01, longest))
        os.kill(child.pid, signal.SIGINT)
        status, lines = child.wait()
        if not lines:
            continue  # stopped before it had begun: no fault of the command
        if status or lines[-1] not in (str(_STOPPED), "0"):
            bad["ended otherwise"] += 1
            bar.figures.setdefault("first ended otherwise", f"{status} {lines} {said.read_text()[-300:]}")
        line = said.read_text().strip()
        if lines[-1] == str(_STOPPED):
            stopped += 1
            clear = "\n" not in line and "kept" in line and "goes on" in line
            bad["not told how to go on"] += not clear
        got = outcome(at)
        holds = got.holds or {}
        committed = got.kind in ("opened", "none") and holds.items() <= all_of_it.items()
        bad["unreadable or half"] += not committed
        kept += bool(holds)
        before = sum(1 for _ in _rows(at)) if holds else 0
        done = bring_up(at, docs)
        bad["embedded again"] += done.embedded != total - before
        bad["resumed otherwise"] += contents(Index.open(at, embedder=WordEmbedder())) != whole
    bar.note("interrupted", runs)
    bar.note("of these before the end", stopped)
    bar.check("kept a part", kept, runs // 5, least=True)
    for what in (
        "ended otherwise",
        "not told how to go on",
        "unreadable or half",
        "embedded again",
        "resumed otherwise",
    ):
        bar.check(what, bad[what], 0)


def _rows(at: Path) -> list[int]:
    index = Index.open(at, embedder=WordEmbedder())
    return [row for source, *_ in index.sources() for row in index.rows_of(source)]


def interrupt_commands(folder: Path, runs: int, bar: Bar) -> None:
    """The command with the real model, interrupted from its first moments on."""
    docs = folder / "docs"
    docs.mkdir(parents=True)
    for number in range(_DOCUMENTS):
        (docs / f"d{number:02}.txt").write_text(document(number, 1))
    traces = 0
    for run in range(runs):
        command = [sys.executable, "-P", "-m", "ui.cli", "index", str(docs), "--index", str(folder / f"index{run}")]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        time.sleep(0.25 + 2.5 * run / runs)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        if "Traceback" in said:
            traces += 1
            bar.figures.setdefault("first traceback", f"{0.25 + 2.5 * run / runs:.2f} s: {said.strip()[-300:]}")
    bar.note("commands interrupted", runs)
    bar.check("tracebacks", traces, 0)


# The server

_SERVER = """
import sys, time
from unittest import mock
from benchmarks.reliability.faults import WordEmbedder
import rag.system, index.index
stream = rag.system.System.stream
def slow(self, *arguments, **options):
    print("asked", flush=True)
    time.sleep(float(sys.argv[3]))
    yield from stream(self, *arguments, **options)
rag.system.System.stream = slow
index.index.load_embedder = lambda *_: WordEmbedder()
from ui.libraries import Libraries
from ui.server import serve
serve(lambda: Libraries(rag.system.System.open(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]))
"""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def end_server(folder: Path, seconds: float) -> tuple[float, str]:
    """SIGTERM while an answer takes so long: (seconds until the process has ended, what the asker got)."""
    docs, at = folder / "docs", folder / "index"
    if not at.exists():
        docs.mkdir(parents=True)
        (docs / "d.txt").write_text(document(1, 1))
        bring_up(at, docs)
    port = _free_port()
    command = [sys.executable, "-c", _SERVER, str(at), str(port), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT)
    try:
        got: list[str] = []
        asked = threading.Event()

        def asking() -> None:
            got.append(_ask(port))
            if not asked.is_set():
                process.kill()  # or its output would be waited for without end

        asker = threading.Thread(target=asking)
        asker.start()
        assert process.stdout
        for line in process.stdout:
            if line.startswith("asked"):
                asked.set()
                break
        time.sleep(0.2)
        started = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        ended = time.perf_counter() - started
        asker.join(60)
        return ended, got[0] if got else "nothing"
    finally:
        process.kill()
        process.wait()


def _ask(port: int) -> str:
    """The last event of an answer through the endpoint `/ask`, or what went wrong."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.suppress(ConnectionRefusedError):
            connection.connect()
            break
        time.sleep(0.1)
    try:
        body = json.dumps({"data": ["Which version is own1 in?"]})
        connection.request("POST", "/gradio_api/call/ask", body, {"Content-Type": "application/json"})
        event = json.loads(connection.getresponse().read())["event_id"]
        connection.request("GET", f"/gradio_api/call/ask/{event}")
        return connection.getresponse().read().decode()[-4000:]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        return repr(error)


def end_servers(folder: Path, bar: Bar) -> None:
    ended, got = end_server(folder, 2.0)
    bar.check("answer of two seconds finished", int("event: complete" in got), 1, least=True)
    bar.check("seconds until the server ended", round(ended, 1), _GRACE + _SLACK)
    ended, got = end_server(folder, 60.0)
    bar.note("asker of a minute's answer got", got[-80:])
    bar.check("seconds until the server ended, an answer unfinished", round(ended, 1), _GRACE + _SLACK)


def main() -> None:
    with measured("interrupts", 100, __doc__) as (options, folder, bar):
        interrupt(folder / "forked", options.runs, options.seed, bar)
        interrupt_commands(folder / "commands", 10, bar)
        end_servers(folder / "server", bar)


if __name__ == "__main__":
    main()
