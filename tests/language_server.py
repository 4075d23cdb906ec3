"""A server that speaks OpenAI's chat completions, as badly as it is told."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Reply = Callable[["Handler"], None]
# Seconds that nobody waits.
_LONG = 60


class Handler(BaseHTTPRequestHandler):
    """One request; `server.reply` answers it, `server.asked` keeps what was sent."""

    server: "LanguageServer"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers.get("authorization", ""))
        try:
            self.server.reply(self)
        except OSError:  # the client has hung up, as it should
            self.server.hung_up += 1

    def log_message(self, *_: object) -> None: ...

    def start(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()

    def event(self, delta: dict[str, object], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.raw(f"data: {json.dumps(event)}\n\n")

    def raw(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def done(self, finish: str = "stop") -> None:
        self.event({}, finish)
        self.raw("data: [DONE]\n\n")


class LanguageServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply = reply
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.hung_up = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def serving(reply: Reply) -> Iterator[LanguageServer]:
    server = LanguageServer(reply)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def says(*pieces: str, finish: str = "stop") -> Reply:
    """Writes these pieces of text, then ends as a server should."""

    def reply(handler: Handler) -> None:
        handler.start()
        handler.event({"role": "assistant", "content": ""})
        for piece in pieces:
            handler.event({"content": piece})
        handler.done(finish)

    return reply


def status(code: int, said: str = "no") -> Reply:
    """Answers with an error that repeats `said`."""

    def reply(handler: Handler) -> None:
        body = json.dumps({"error": {"message": said}}).encode()
        handler.send_response(code)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def cut_off(handler: Handler) -> None:
    """Half an answer, and nothing that says it has ended."""
    handler.start()
    handler.event({"content": "The old bridge was opened in 19"})


def garbage(handler: Handler) -> None:
    handler.start()
    handler.raw("data: {]\n\n\x00\xff")


def not_chat(handler: Handler) -> None:
    """JSON, but not of this protocol."""
    handler.start()
    handler.raw('data: {"choices": [{"delta": 7}]}\n\ndata: [1]\n\n')


def silent(handler: Handler) -> None:
    time.sleep(_LONG)


def silent_within(handler: Handler) -> None:
    handler.start()
    handler.event({"content": "The old bridge was opened in 1974 [1]. It "})
    time.sleep(_LONG)


def hanging(handler: Handler) -> None:
    """Takes the question, and then nothing for as long as anybody waits."""
    handler.start()
    while True:
        handler.raw(": still here\n\n")
        time.sleep(0.2)


def dripping(handler: Handler) -> None:
    """Never silent long enough for a read to time out, and never done."""
    handler.start()
    for _ in range(1000):
        handler.event({"content": "la "})
        time.sleep(0.02)


def only_comments(handler: Handler) -> None:
    """Keeps the connection alive without a word."""
    handler.start()
    for _ in range(100):
        handler.raw(": still here\n\n")
        time.sleep(0.02)


def without_end(handler: Handler) -> None:
    handler.start()
    for _ in range(1000):
        handler.event({"content": "The bridge. " * 20})


def broken_within(handler: Handler) -> None:
    """An error in the middle of the stream, as vLLM sends it."""
    handler.start()
    handler.event({"content": "The old bridge "})
    handler.raw('data: {"error": {"message": "out of memory"}}\n\n')
