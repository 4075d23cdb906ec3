"""A language model that is down, slow, garbled or rude costs its own answer and nothing else."""

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from index.errors import GeneratorError, UsageError
from rag import System
from rag.generator import OpenAICompatible, Timeouts, language_model

pytest.importorskip("openai", reason="needs the extra llm")

KEY = "sk-geheim-1234567890"
HELLO = [{"role": "user", "content": "Hello"}]
QUESTION = "When was the old bridge opened?"
# What a busy machine never needs, and what is waited for: the first token, and what comes after it.
PATIENT, FIRST, WHOLE = Timeouts(10, 20, 30), Timeouts(10, 0.3, 0.6), Timeouts(10, 2, 2.5)
TIMEOUTS = {"silent": FIRST, "only comments": FIRST, "silent within": WHOLE, "dripping": WHOLE}
QUOTED = "The old bridge was opened in 1974. [1]"


def model(url: str, **changes: object) -> OpenAICompatible:
    made = OpenAICompatible(url, "small", KEY, PATIENT)
    return replace(made, **changes)


MISBEHAVING = {
    "silent": (lambda that: that.silent, "was silent for 0.3 s|did not answer in time"),
    "silent within": (lambda that: that.silent_within, "was not done within 2.5 s|did not answer in time"),
    "dripping": (lambda that: that.dripping, "was not done within 2.5 s"),
    "only comments": (lambda that: that.only_comments, "was silent for 0.3 s"),
    "garbage": (lambda that: that.garbage, "gave no answer that can be read"),
    "not chat": (lambda that: that.not_chat, "gave no answer that can be read"),
    "cut off": (lambda that: that.cut_off, "was cut off"),
    "broken within": (lambda that: that.broken_within, "gave no answer that can be read"),
    "without end": (lambda that: that.without_end, "did not end after 8,000 characters"),
    "empty": (lambda that: that.says(), "gave an empty answer"),
    "too long": (lambda that: that.says("The old bridge", finish="length"), "had not ended after 600 tokens"),
    "filtered": (lambda that: that.says("The", finish="content_filter"), "ended its answer with 'content_filter'"),
    "429": (lambda that: that.status(429, KEY), r"status 429 \(too many requests, or nothing left to spend"),
    "500": (lambda that: that.status(500, KEY), "answered with status 500$"),
    "401": (lambda that: that.status(401, KEY), r"status 401 \(is FOOTNOTED_LLM_KEY right"),
    "404": (lambda that: that.status(404, KEY), r"status 404 \(does the address end in /v1"),
}


@pytest.mark.parametrize("how", MISBEHAVING)
def test_what_a_server_does_wrong_is_one_error_in_time(how: str, server_that: ModuleType) -> None:
    reply, said = MISBEHAVING[how]
    with server_that.serving(reply(server_that)) as server:
        started = time.monotonic()
        with pytest.raises(GeneratorError, match=said) as caught:
            list(model(server.url, timeouts=TIMEOUTS.get(how, PATIENT)).generate(HELLO))
        assert time.monotonic() - started < 15  # less than the patient, and than a server that is silent for a minute
        assert f"the language model small at {server.url} " in str(caught.value)
        assert KEY not in str(caught.value)
        assert "\n" not in str(caught.value)
    assert server.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize("how", MISBEHAVING)
def test_the_question_is_answered_in_quotes_all_the_same(how: str, system: System, server_that: ModuleType) -> None:
    reply, _ = MISBEHAVING[how]
    with server_that.serving(reply(server_that)) as server:
        asked = model(server.url, timeouts=TIMEOUTS.get(how, PATIENT))
        last = System(system.index, generator=asked).answer(QUESTION)
    assert (last.text, last.generator, len(last.citations)) == (QUOTED, "", 1)
    (notice,) = last.notices
    assert notice.endswith("; quoted instead is what the documents say")
    assert KEY not in repr(last)


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(GeneratorError, match=r"cannot be reached \(is it running, and is the address right"):
        list(model(f"http://127.0.0.1:{port}/v1").generate(HELLO))


def test_an_answer_comes_in_pieces_with_the_settings_of_the_request(server_that: ModuleType) -> None:
    with server_that.serving(server_that.says("The ", "old ", "bridge")) as server:
        assert list(model(server.url).generate(HELLO)) == ["The ", "old ", "bridge"]
    (asked,) = server.asked
    assert asked == {
        "messages": HELLO, "model": "small", "stream": True, "temperature": 0, "max_tokens": 600,
    }  # fmt: skip


def test_a_model_that_refuses_the_settings_is_asked_without_them(server_that: ModuleType) -> None:
    def picky(handler: Any) -> None:
        given = handler.server.asked[-1]
        (server_that.status(400) if "max_tokens" in given else server_that.says("Yes"))(handler)

    with server_that.serving(picky) as server:
        assert list(model(server.url).generate(HELLO)) == ["Yes"]
    assert ["temperature" in asked for asked in server.asked] == [True, False]


def test_thinking_is_a_sign_of_life(server_that: ModuleType) -> None:
    def thinking(handler: Any) -> None:
        handler.start()
        for _ in range(12):
            handler.event({"reasoning_content": "hm"})
            time.sleep(0.2)
        handler.event({"content": "Yes"})
        handler.done()

    with server_that.serving(thinking) as server:
        slow = model(server.url, timeouts=Timeouts(10, 2, 30))
        assert list(slow.generate(HELLO)) == ["Yes"]


def test_who_stops_listening_stops_the_server(server_that: ModuleType) -> None:
    with server_that.serving(server_that.dripping) as server:
        pieces = model(server.url, timeouts=Timeouts(1, 5, 30)).generate(HELLO)
        assert next(pieces) == "la "
        pieces.close()  # type: ignore[attr-defined]
        until = time.monotonic() + 15
        while not server.hung_up and time.monotonic() < until:
            time.sleep(0.02)
        assert server.hung_up == 1


def test_the_key_goes_to_the_server_and_nowhere_else(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    server_that: ModuleType,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("FOOTNOTED_LLM_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-server")
    with server_that.serving(server_that.status(401, f"wrong key {KEY}")) as server:
        found = language_model(server.url, "small")
        assert found is not None
        with pytest.raises(GeneratorError) as caught:
            list(found.generate(HELLO))
    assert server.keys == [f"Bearer {KEY}"]
    shown = [repr(found), str(found), str(caught.value), repr(caught.value), caplog.text, *capfd.readouterr()]
    assert [text for text in shown if KEY in text] == []


def test_a_key_of_another_server_is_not_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, server_that: ModuleType
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-another-server")
    headers: list[str] = []

    def reply(handler: Any) -> None:
        headers.append(str(handler.headers))
        server_that.says("Yes")(handler)

    with server_that.serving(reply) as server:
        assert list(OpenAICompatible(server.url, "small").generate(HELLO)) == ["Yes"]
    assert "of-another-server" not in headers[0]


def test_settings_come_from_flags_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert language_model() is None
    monkeypatch.setenv("FOOTNOTED_LLM_URL", "http://localhost:1/v1")
    monkeypatch.setenv("FOOTNOTED_LLM_MODEL", "one")
    monkeypatch.setenv("FOOTNOTED_LLM_TIMEOUTS", "1,2,3.5")
    monkeypatch.setenv("FOOTNOTED_LLM_BUDGET", "1234")
    assert language_model() == OpenAICompatible("http://localhost:1/v1", "one", "", Timeouts(1, 2, 3.5), 1234)
    assert language_model("http://localhost:2/v1", "two") == OpenAICompatible(
        "http://localhost:2/v1", "two", "", Timeouts(1, 2, 3.5), 1234
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"URL": "http://a/v1"}, "got 'http://a/v1' alone: add --llm-model or FOOTNOTED_LLM_MODEL"),
        ({"MODEL": "m"}, "got 'm' alone: add --llm-url or FOOTNOTED_LLM_URL"),
        ({"URL": "a/v1", "MODEL": "m"}, "looks like http://127.0.0.1:11434/v1, got 'a/v1'"),
        ({"URL": "http://[::1/v1", "MODEL": "m"}, "looks like"),
        ({"URL": "http://a:99999/v1", "MODEL": "m"}, "looks like"),
        ({"URL": f"http://me:{KEY}@a/v1", "MODEL": "m"}, "holds a password: set FOOTNOTED_LLM_KEY instead"),
        ({"URL": "http://a/v1", "MODEL": "m", "KEY": f"{KEY}\n{KEY}"}, "FOOTNOTED_LLM_KEY holds what no key has"),
        ({"URL": "http://a/v1", "MODEL": "m", "TIMEOUTS": "1,2"}, "three numbers of seconds.*; got '1,2'"),
        ({"URL": "http://a/v1", "MODEL": "m", "TIMEOUTS": "3,20,nan"}, "three numbers of seconds"),
        ({"URL": "http://a/v1", "MODEL": "m", "BUDGET": "12"}, "500 to 1,000,000, got '12'"),
    ],
)
def test_settings_that_make_no_sense(variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"FOOTNOTED_LLM_{name}", value)
    with pytest.raises(UsageError, match=said) as caught:
        language_model()
    assert KEY not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.generator.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"the package openai, which is not installed: pip install 'footnoted\[llm\]'"):
        language_model("http://a/v1", "m")


def test_a_generator_may_be_any_object(system: System, scripted: Callable[..., object]) -> None:
    last = System(system.index, generator=scripted("It was opened in 1974 [1].")).answer(QUESTION)
    assert (last.text, last.generator) == ("It was opened in 1974. [1]", "scripted")
