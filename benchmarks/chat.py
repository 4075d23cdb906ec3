"""The chat page: how soon it is there, what comes first, and twenty and fifty people at once.

    python benchmarks/chat.py --data ../shared/data

Whole processes in turn: `footnoted chat` until / is served and until a first answer, a bare `import gradio`, and
plain_chat.py, which is Gradio's ChatInterface as it comes over plain search. Then on one running page the page's own
event, as a browser sends it: the time to the evidence, and to the answer. Then each client asks one question after
another through the named endpoint: answers a second against cores divided by the server's CPU seconds an answer. The
clients run on the same cores; what they used is there too.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from statistics import median
from typing import Any

import httpx
from articles import questions, write_articles
from recording import cost, medians, record
from serving import FOOTNOTED, Server, clients, posted, submitting

from eval.risk import percentiles

HERE = Path(__file__).parent
# What an event holds when the cards of the first question are in it, and when its answer is.
EVIDENCE, ANSWER = r"id=\"t-1\"", "assistant"


def starts(servers: dict[str, Callable[[], Server]], question: str, runs: int) -> dict[str, object]:
    """Medians over the runs, each server and the import in turn; a first one of each, to warm the disk."""
    imports, found = [], {name: [] for name in servers}  # type: ignore[var-annotated]
    for run in range(runs + 1):
        imports.append(cost([sys.executable, "-c", "import gradio"]))
        for name, start in servers.items():
            with start() as server, clients() as client:
                cpu = server.cpu
                server.ask(client, question)
                found[name].append((server.first_page, cpu, server.since_start))
        print(run, imports[-1], {name: each[-1] for name, each in found.items()}, flush=True)
    keys = ("first page", "first page, cpu", "first answer")
    return {
        "import gradio": medians(imports[1:]),
        **{
            name: {key: round(median(values), 3) for key, values in zip(keys, zip(*each[1:], strict=True), strict=True)}
            for name, each in found.items()
        },
    }


def evidence(server: Server, asked: Sequence[str]) -> dict[str, object]:
    """Seconds from the question to the cards and to the answer, by the events that a browser would get."""
    cards, answers = [], []
    with clients() as client:
        event = submitting(client, server.address)
        for question in asked:
            first = _events(server, client, event, question)
            cards.append(first[EVIDENCE])
            answers.append(first[ANSWER])
    return {
        "questions": len(asked),
        "evidence": _rounded(cards),
        "answer": _rounded(answers),
        "evidence first": sum(one < other for one, other in zip(cards, answers, strict=True)),
    }


def _events(server: Server, client: httpx.Client, event: dict[str, Any], question: str) -> dict[str, float]:
    """When the evidence and the answer first came, in seconds after the question was sent."""
    session = token_hex(8)
    body = posted(event, question, session)
    found: dict[str, float] = {}
    started = time.perf_counter()
    client.post(f"{server.address}/gradio_api/queue/join", json=body).raise_for_status()
    with client.stream("GET", f"{server.address}/gradio_api/queue/data", params={"session_hash": session}) as events:
        for line in events.iter_lines():
            for wanted in (EVIDENCE, ANSWER):
                if wanted in line:
                    found.setdefault(wanted, time.perf_counter() - started)
            if "process_completed" in line:
                break
    if len(found) < 2:
        raise RuntimeError(f"{question!r}: the page's events had only {list(found)}")
    return found


def crowd(server: Server, asked: Sequence[str], number: int) -> dict[str, object]:
    """So many clients, each with its share of the questions, one after another."""

    kinds = Counter[str]()

    def one(mine: Sequence[str]) -> list[float]:
        seconds = []
        with clients() as client:
            for question in mine:
                started = time.perf_counter()
                kind = server.ask(client, question)
                kinds[kind] += 1
                if kind != "busy":
                    seconds.append(time.perf_counter() - started)
        return seconds

    used, ours, started = server.cpu, time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(number) as pool:
        seconds = [each for found in pool.map(one, [asked[first::number] for first in range(number)]) for each in found]
    wall = time.perf_counter() - started
    each = (server.cpu - used) / len(seconds)
    cores = len(os.sched_getaffinity(0))
    return {
        "clients": number,
        "answers": len(seconds),
        "hurried": kinds["hurried"],
        "told that it is busy": kinds["busy"],
        "answers_per_s": round(len(seconds) / wall, 2),
        "cpu_s_an_answer": round(each, 4),
        "clients_cpu_s_an_answer": round((time.process_time() - ours) / len(seconds), 4),
        "share of cores": round(len(seconds) / wall * each / cores, 3),
        **_rounded(seconds),
    }


def _rounded(seconds: Sequence[float]) -> dict[str, float]:
    return {which: round(value, 4) for which, value in percentiles(seconds).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=12, help="of 35, in order of their names (default: 12)")
    parser.add_argument("--paragraphs", type=int, help="of each article, the first ones (default: all)")
    parser.add_argument("--questions", type=int, default=200, help="that the clients ask")
    parser.add_argument("--clients", type=int, nargs="+", default=[20, 50])
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # without a network it would wait for one
    with tempfile.TemporaryDirectory() as scratch:
        documents, ours, plain = (Path(scratch) / name for name in ("documents", "ours", "plain"))
        files = write_articles(options.data, documents, options.articles, options.paragraphs)
        asked = questions(options.data, files, options.questions)
        cost([FOOTNOTED, "index", documents, "--index", ours])
        cost([sys.executable, HERE / "plain.py", "build", documents, plain])
        servers: dict[str, Callable[[], Server]] = {
            "footnoted": lambda: Server(lambda port: [FOOTNOTED, "chat", "--index", ours, "--port", str(port)], "ask"),
            "plain": lambda: Server(lambda port: [sys.executable, HERE / "plain_chat.py", plain, str(port)], "chat"),
        }
        figures: dict[str, Any] = {"starts": starts(servers, asked[0], options.runs), "crowd": {}}
        for name, start in servers.items():
            with start() as server, clients() as client:
                server.ask(client, asked[0])
                if name == "footnoted":
                    figures["evidence"] = evidence(server, asked[: max(len(asked) // 10, 1)])
                figures["crowd"][name] = [crowd(server, asked, number) for number in options.clients]
            print(name, figures["crowd"][name], flush=True)
    found = figures["starts"]
    figures["first page less the import"] = round(found["footnoted"]["first page"] - found["import gradio"]["wall"], 3)
    record("chat", {"runs": options.runs, **figures})
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
