"""A chat page as a process of its own, and questions to it."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from running import cpu_seconds

from rag.system import HURRIED

FOOTNOTED = Path(sys.executable).with_name("footnoted")
# Seconds that a server has to begin, and that an answer may take.
PATIENCE = 600


class Server:
    """A chat as a process of its own; `first_page` are the seconds from its start to a page at /."""

    def __init__(self, command: Callable[[int], Sequence[str | Path]], api: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address, self.api = f"http://127.0.0.1:{port}", api
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            [str(part) for part in command(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.first_page = self._wait()

    def _wait(self) -> float:
        with httpx.Client(trust_env=False) as client:
            while self._process.poll() is None and time.perf_counter() < self._started + PATIENCE:
                try:
                    if client.get(self.address, timeout=PATIENCE).status_code == httpx.codes.OK:
                        return time.perf_counter() - self._started
                except httpx.TransportError:
                    time.sleep(0.02)
        raise RuntimeError(f"{self._process.args} serves no page")

    @property
    def cpu(self) -> float:
        """CPU seconds that it has used so far."""
        return cpu_seconds(self._process.pid)

    @property
    def memory(self) -> float:
        """MB of memory of its own that it holds now. Linux only."""
        rows = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024

    @property
    def since_start(self) -> float:
        return time.perf_counter() - self._started

    def ask(self, client: httpx.Client, question: str) -> str:
        """One answer through the named endpoint, to its end: "answered", "hurried" or "busy", which is none.

        Raises RuntimeError for an error.
        """
        calls = f"{self.address}/gradio_api/call/{self.api}"
        posted = client.post(calls, json={"data": [question]})
        if posted.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return "busy"
        event = posted.raise_for_status().json()["event_id"]
        with client.stream("GET", f"{calls}/{event}") as events:
            said = [line for line in events.iter_lines() if line]
        if said[-2] != "event: complete":
            raise RuntimeError(f"{question!r} was not answered: {said}")
        return "hurried" if HURRIED in said[-1] else "answered"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(60)


def clients() -> httpx.Client:
    return httpx.Client(trust_env=False, timeout=PATIENCE)


def submitting(client: httpx.Client, address: str) -> dict[str, Any]:
    """What the page's own event for a question in the box is posted with, less the question and the session."""
    config = client.get(f"{address}/config").raise_for_status().json()
    (box,) = (one["id"] for one in config["components"] if one["props"].get("elem_id") == "question")
    (submit,) = (one["id"] for one in config["dependencies"] if [box, "submit"] in one["targets"])
    return {"fn_index": submit, "trigger_id": box}


def posted(event: dict[str, Any], question: str, session: str) -> dict[str, Any]:
    """The same with a question, asked of all documents in a session."""
    return {**event, "data": [question, None, None], "session_hash": session}
