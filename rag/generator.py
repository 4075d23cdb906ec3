"""A language model as a guest: messages in, text out, and everything that it can do wrong in one error.

`Generator` is the seam. `OpenAICompatible` speaks to any server with OpenAI's chat completions (Ollama, llama.cpp,
vLLM, a hosted one) through the package `openai`, which is imported at the first request. Protocol:
https://platform.openai.com/docs/api-reference/chat/streaming.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, TypedDict
from urllib.parse import urlsplit

from index.errors import GeneratorError, UsageError

if TYPE_CHECKING:
    from openai import OpenAI

INSTALL = "pip install 'footnoted[llm]'"
URL, MODEL, KEY = "FOOTNOTED_LLM_URL", "FOOTNOTED_LLM_MODEL", "FOOTNOTED_LLM_KEY"
TIMEOUTS, BUDGET = "FOOTNOTED_LLM_TIMEOUTS", "FOOTNOTED_LLM_BUDGET"
# Tokens that an answer may have, and characters at which a server that does not count them is stopped.
LONGEST_ANSWER = 600
_LONGEST_TEXT = 8000


class Message(TypedDict):
    """One turn of what a model is given; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds until the server takes the connection, until its first token, and until its last."""

    connect_s: float = 3.0
    first_s: float = 20.0
    whole_s: float = 60.0


class Generator(Protocol):
    """What a language model must offer."""

    @property
    def name(self) -> str:
        """What an answer calls the model."""

    @property
    def budget(self) -> int:
        """Tokens (cl100k_base) that a prompt may have."""

    def generate(self, messages: Sequence[Message], within_s: float | None = None) -> Iterator[str]:
        """The answer in pieces as they come, not empty; all of it within `within_s` seconds, if given.

        Raises GeneratorError, at any piece: the server is down or slow, or what it says is no whole answer.
        """


@dataclass(frozen=True)
class OpenAICompatible:
    """The model `name` of the server at `url` (which ends in /v1 as a rule).

    `key` is sent to that server and shown nowhere. Safe to use from several threads.
    """

    url: str
    name: str
    key: str = field(default="", repr=False)
    timeouts: Timeouts = Timeouts()
    budget: int = 3000

    def generate(self, messages: Sequence[Message], within_s: float | None = None) -> Iterator[str]:
        """See `Generator`. The server is read in a thread of its own, so that no silence outlasts the timeouts."""
        client = self._client
        whole_s = min(self.timeouts.whole_s, within_s or self.timeouts.whole_s)
        first_s = min(self.timeouts.first_s, whole_s)
        found: SimpleQueue[str | GeneratorError | None] = SimpleQueue()
        opened: list[Any] = []

        def read() -> None:
            try:
                for piece in self._pieces(client, messages, first_s, opened):
                    found.put(piece)
                found.put(None)
            except GeneratorError as error:
                found.put(error)

        started = time.monotonic()
        Thread(target=read, name="language model", daemon=True).start()
        try:
            yield from self._within(found, started, first_s, whole_s)
        finally:
            for stream in opened:  # so that the server stops writing for nobody
                with suppress(Exception):
                    stream.close()

    def _within(
        self, found: SimpleQueue[str | GeneratorError | None], started: float, first_s: float, whole_s: float
    ) -> Iterator[str]:
        """What the thread puts into the queue; an empty piece is a sign of life, as of a model that thinks first."""
        limit, written = first_s, 0
        while True:
            try:
                piece = found.get(timeout=max(0.0, started + limit - time.monotonic()))
            except Empty:
                happened = "was not done within" if written else "was silent for"
                raise self._error(f"{happened} {limit:g} s") from None
            if piece is None:
                break
            if isinstance(piece, GeneratorError):
                raise piece
            limit = whole_s
            written += len(piece)
            if written > _LONGEST_TEXT:
                raise self._error(f"did not end after {_LONGEST_TEXT:,} characters")
            if piece:
                yield piece
        if not written:
            raise self._error("gave an empty answer")

    def _pieces(
        self, client: "OpenAI", messages: Sequence[Message], first_s: float, opened: list[Any]
    ) -> Iterator[str]:
        """The text of each event; all that the package or the server does wrong comes as GeneratorError."""
        try:
            stream = self._request(client, messages, first_s)
            opened.append(stream)
            reason = None
            for event in stream:
                for choice in event.choices[:1]:
                    if choice.delta.content or getattr(choice.delta, "reasoning_content", None):
                        yield str(choice.delta.content or "")
                    reason = choice.finish_reason or reason
        except Exception as error:  # a guest: whatever it raises ends its answer, not ours
            raise self._error(_said(error)) from None
        if reason != "stop":
            why = {None: "was cut off", "length": f"had not ended after {LONGEST_ANSWER} tokens"}
            raise self._error(why.get(reason, f"ended its answer with {_plain(str(reason))!r}"))

    def _request(self, client: "OpenAI", messages: Sequence[Message], first_s: float) -> Any:
        from openai import BadRequestError, Timeout

        timeout = Timeout(first_s, connect=min(self.timeouts.connect_s, first_s))
        ask: Callable[..., Any] = client.chat.completions.create
        asked = {"model": self.name, "messages": list(messages), "stream": True, "timeout": timeout}
        try:
            return ask(**asked, temperature=0, max_tokens=LONGEST_ANSWER)
        except BadRequestError:  # models that reason take neither setting
            return ask(**asked)

    @cached_property
    def _client(self) -> "OpenAI":
        """The package's client. What the package would take from OPENAI_... of the environment stays there: a key or
        an organisation that was set for another server is not sent to this one.
        """
        from openai import OpenAI

        client = OpenAI(base_url=self.url, api_key=self.key or "none", max_retries=0)
        client.organization = client.project = None
        return client

    def _error(self, happened: str) -> GeneratorError:
        return GeneratorError(f"the language model {_plain(self.name)} at {_shown(self.url)} {happened}")


def language_model(url: str | None = None, model: str | None = None) -> OpenAICompatible | None:
    """The language model of these settings, each by default from the environment; None where neither names one.

    FOOTNOTED_LLM_URL, FOOTNOTED_LLM_MODEL; FOOTNOTED_LLM_KEY, by the environment only; FOOTNOTED_LLM_TIMEOUTS
    (three numbers of seconds, `3,20,60`), FOOTNOTED_LLM_BUDGET (tokens of a prompt).
    Raises UsageError, without the key in it, for settings that make no sense or where the package is missing.
    """
    url = url or os.environ.get(URL, "")
    model = model or os.environ.get(MODEL, "")
    if not url and not model:
        return None
    if not url or not model:
        missing, named = (f"--llm-url or {URL}", model) if not url else (f"--llm-model or {MODEL}", _shown(url))
        raise UsageError(f"a language model needs an address and a name, got {named!r} alone: add {missing}")
    _check_url(url)
    if find_spec("openai") is None:
        raise UsageError(f"a language model needs the package openai, which is not installed: {INSTALL}")
    found = OpenAICompatible(url, model, _key(), _timeouts())
    return replace(found, budget=_budget(found.budget))


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, sound = urlsplit(""), False
    if "@" in parts.netloc:
        raise UsageError(f"the address of the language model holds a password: set {KEY} instead")
    if not sound or not url.isascii() or not url.isprintable():
        raise UsageError(f"the address of a language model looks like http://127.0.0.1:11434/v1, got {_plain(url)!r}")


def _key() -> str:
    key = os.environ.get(KEY, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(f"{KEY} holds what no key has: spaces, line ends or other than ASCII characters")
    return key


def _timeouts() -> Timeouts:
    given = os.environ.get(TIMEOUTS)
    if not given:
        return Timeouts()
    try:
        connect, first, whole = map(float, given.split(","))
    except ValueError:
        connect = first = whole = -1.0
    if not (0 < connect <= 3600 and 0 < first <= whole <= 3600):
        raise UsageError(
            f"{TIMEOUTS} is three numbers of seconds, to connect, to the first token, to the last, as 3,20,60; "
            f"got {_plain(given)!r}"
        )
    return Timeouts(connect, first, whole)


def _budget(default: int) -> int:
    given = os.environ.get(BUDGET)
    if not given:
        return default
    if not (given.isascii() and given.isdecimal() and 500 <= int(given) <= 1_000_000):
        raise UsageError(f"{BUDGET} is a number of tokens, 500 to 1,000,000, got {_plain(given)!r}")
    return int(given)


def _said(error: Exception) -> str:
    """What happened, in our own words: what a server says of an error may repeat the key."""
    from openai import APIConnectionError, APIStatusError, APITimeoutError

    if isinstance(error, APITimeoutError):
        return "did not answer in time"
    if isinstance(error, APIConnectionError):
        return "cannot be reached (is it running, and is the address right?)"
    if isinstance(error, APIStatusError):
        status = error.status_code
        advice = {
            400: " (is the prompt too long for it?)",
            401: f" (is {KEY} right?)",
            403: f" (is {KEY} right?)",
            404: " (does the address end in /v1, and does the server have this model?)",
            413: " (the prompt is too long for it)",
            429: " (too many requests, or nothing left to spend)",
        }
        return f"answered with status {status}{advice.get(status, '')}"
    return "gave no answer that can be read"


def _shown(url: str) -> str:
    """An address without what might be secret in it."""
    parts = urlsplit(url)
    return _plain(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _plain(text: str) -> str:
    """Text of somebody else's on one line, and short."""
    return "".join(one if one.isprintable() else " " for one in text)[:100]
