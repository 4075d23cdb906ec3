"""What the page posts, and what anybody else might: only what is in the index word for word is taken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers

from index import Index
from index.errors import UsageError
from rag.feedback import Excerpt, Judgement, Rating
from ui.guard import from_this_page
from ui.judging import judged

DOOR = {"source": "house.txt", "start": 0, "end": 17, "quote": "The door is blue."}
BODY = {"question": "What colour?", "relevant": False, "excerpt": DOOR}
RATED = {"question": "What colour?", "good": False, "reason": "wrong", "cited": [DOOR]}


@pytest.fixture
def index(write: Callable[..., Path], tmp_path: Path, embedder: Any) -> Index:
    return Index.build(
        [write({"house.txt": "The door is blue. The gate is green."})], tmp_path / "at", embedder=embedder
    )


def test_a_source_is_judged(index: Index) -> None:
    got = judged(json.dumps(BODY | {"question": "  What colour? "}).encode(), index)
    assert isinstance(got, Judgement)
    assert (got.question, got.source, got.start, got.end, got.quote) == (
        "What colour?", "house.txt", 0, 17, "The door is blue.",
    )  # fmt: skip
    assert (got.relevant, got.reason, got.generation) == (False, "wrong source", 1)
    assert got.at.endswith("+00:00")


def test_an_answer_is_rated_and_taken_back(index: Index) -> None:
    got = judged(json.dumps(RATED).encode(), index)
    assert isinstance(got, Rating)
    assert (got.good, got.reason, got.cited) == (False, "wrong", (Excerpt("house.txt", 0, 17, "The door is blue."),))
    taken_back = judged(json.dumps(RATED | {"good": None, "reason": "", "cited": []}).encode(), index)
    assert isinstance(taken_back, Rating)
    assert (taken_back.good, taken_back.cited) == (None, ())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"quote": "The door is red."}, "house.txt does not have this quote at this place"),
        ({"quote": "The door is blue. "}, "house.txt does not have this quote at this place"),
        ({"start": 1}, "does not have this quote"),
        ({"start": -36, "end": -19}, "does not have this quote"),
        ({"start": 17, "end": 17, "quote": ""}, "does not have this quote"),
        ({"end": 10**30}, "does not have this quote"),
        ({"source": "../house.txt"}, "no document '../house.txt'"),
        ({"source": "../../etc/passwd"}, "no document"),
        ({"source": "/etc/passwd"}, "no document"),
        ({"source": "house.txt\0"}, "no document"),
        ({"source": "\ud800"}, "a judgement is"),
        ({"source": None}, "a judgement is"),
        ({"start": True}, "a judgement is"),
        ({"start": 0.0}, "a judgement is"),
        ({"start": "0"}, "a judgement is"),
    ],
)
def test_an_excerpt_that_is_not_in_the_index_is_refused(index: Index, change: dict[str, Any], problem: str) -> None:
    for body in (BODY | {"excerpt": DOOR | change}, RATED | {"cited": [DOOR | change]}):
        with pytest.raises(UsageError, match=problem):
            judged(json.dumps(body).encode(), index)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "a judgement is"),
        (b"\xff", "a judgement is"),
        (b"[]", "a judgement is"),
        (b"[" * 100_000, "a judgement is"),
        (b"{}", "a judgement is"),
        (json.dumps(BODY | {"relevant": "yes"}).encode(), "a judgement is"),
        (json.dumps(BODY | {"question": 1}).encode(), "a judgement is"),
        (json.dumps(BODY | {"question": "  "}).encode(), "the question is empty"),
        (json.dumps(BODY | {"question": "x" * 4001}).encode(), "the question has 4,001 characters"),
        (json.dumps(RATED | {"reason": "<b>no</b>"}).encode(), "a judgement is"),
        (json.dumps(RATED | {"good": True}).encode(), "a judgement is"),
        (json.dumps(RATED | {"cited": DOOR}).encode(), "a judgement is"),
        (json.dumps(RATED | {"cited": [DOOR] * 33}).encode(), "a judgement is"),
    ],
)
def test_what_is_no_judgement_is_refused(index: Index, body: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        judged(body, index)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:7860"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:7860"}, False),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8000"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://127.0.0.1:7860"}, True),
        ({"origin": "http://127.0.0.1:8000"}, False),
        ({"origin": "http://attacker.example"}, False),
        ({"origin": "http://127.0.0.1:7860.attacker.example"}, False),
        ({"origin": "http://[::1"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_a_request_from_the_page_is_from_the_page(headers: dict[str, str], ours: bool) -> None:
    assert from_this_page(Headers({"host": "127.0.0.1:7860", **headers})) is ours
