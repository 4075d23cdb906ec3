"""The page in a real browser where a language model writes: as it grows, doubted, down, and stopped."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest

from .browsing import HERE, Chat, needs_browser

needs_browser()
pytestmark = [pytest.mark.browser, pytest.mark.model]

from playwright.sync_api import Browser, Page  # noqa: E402

FALL = "Who fell on the stairs to Tunnel B?"
FELL = "Petra Sólheim fell on the stairs to Tunnel B and broke her left wrist."
KEY = "sk-geheim-1234"
PIECES = [
    "Petra Sólheim fell on the stairs",
    " to Tunnel B and broke her left wrist [",
    "1",
    "]. Cats are",
    " cheap.[9]",
]
# What the page shows of the conversation, at every change.
WATCHED = """() => {
    window.seen = [];
    const place = document.querySelector("#chat");
    new MutationObserver(() => window.seen.push(place.innerText)).observe(place, {
        childList: true, subtree: true, characterData: true,
    });
}"""


@pytest.fixture(scope="module")
def model(server_that: ModuleType) -> Iterator[object]:
    """A language model's server; what it replies is set by each test."""
    with server_that.serving(server_that.says(*PIECES)) as server:
        yield server


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory, model: object) -> Iterator[Chat]:
    settings = {
        "FOOTNOTED_LLM_URL": model.url,
        "FOOTNOTED_LLM_MODEL": "small",
        "FOOTNOTED_LLM_KEY": KEY,
        "FOOTNOTED_LLM_TIMEOUTS": "1,1,4",
    }
    with Chat(tmp_path_factory.mktemp("generated"), [HERE / "examples"], settings) as served:
        yield served


@pytest.fixture
def page(browser: Browser, chat: Chat) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    opened.goto(chat.address)
    opened.wait_for_selector("#question textarea")
    yield opened
    opened.close()


def ask(page: Page, question: str) -> None:
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")


def answered(page: Page, turn: int = 1) -> str:
    """The last answer, when it has come."""
    page.wait_for_selector(f"#t-{turn} .state:not(:has-text('…'))", timeout=20_000)
    return " ".join(page.locator("#chat .answer").last.inner_text().split())


def test_an_answer_grows_without_half_a_marker_and_what_nothing_says_is_marked(
    page: Page, model: object, server_that: ModuleType
) -> None:
    def slowly(handler: object) -> None:
        handler.start()
        for piece in PIECES:
            handler.event({"content": piece})
            time.sleep(0.25)
        handler.done()

    model.reply = slowly
    assert "Answers are written by small and checked against them." in page.inner_text("#top")
    page.evaluate(WATCHED)
    ask(page, FALL)
    assert answered(page) == f"{FELL}1 Cats are cheap. (not supported)"
    page.wait_for_selector("#chat .answer a.cite")
    seen = page.evaluate("window.seen")
    growing = [text for text in seen if "Petra" in text and "cheap" not in text]
    assert growing
    assert not [text for text in seen if "[" in text or "]" in text or "9" in text]
    assert page.inner_text("#c-1-1 mark") == FELL
    assert page.inner_text("#chat .told") == "The language model wrote a footnote that names no passage: left out."
    assert page.locator("#chat a.cite").count() == 1


@pytest.mark.parametrize("how", ["status 500", "status 429", "garbage", "silent", "cut off"])
def test_a_language_model_that_fails_leaves_the_quotes_and_a_notice(
    page: Page, chat: Chat, model: object, server_that: ModuleType, how: str
) -> None:
    replies = {
        "status 500": server_that.status(500, KEY),
        "status 429": server_that.status(429, KEY),
        "garbage": server_that.garbage,
        "silent": server_that.silent,
        "cut off": server_that.cut_off,
    }
    model.reply = replies[how]
    started = time.monotonic()
    ask(page, FALL)
    assert answered(page).startswith(f"{FELL}1")
    assert time.monotonic() - started < 10
    told = page.inner_text("#chat .told")
    assert told.startswith(f"The language model small at {model.url} ")
    assert told.endswith("; quoted instead is what the documents say.")
    kept = [path.read_text(errors="replace") for path in Path(chat.folder).rglob("*") if path.is_file()]
    assert not [text for text in (page.content(), *kept) if KEY in text]


def test_an_answer_that_is_stopped_hangs_up_and_the_next_is_answered(
    page: Page, model: object, server_that: ModuleType
) -> None:
    going, hung_up = Event(), model.hung_up

    def endless(handler: object) -> None:
        handler.start()
        going.set()
        for _ in range(400):
            handler.event({"content": "Petra Sólheim fell on the stairs to Tunnel B [1]. "})
            time.sleep(0.02)

    model.reply = endless
    ask(page, FALL)
    assert going.wait(10)
    page.click("#question button.stop-button")
    page.wait_for_selector("#question button.submit-button")
    deadline = time.monotonic() + 15
    while model.hung_up == hung_up:
        assert time.monotonic() < deadline, "the stream goes on"
        time.sleep(0.05)
    model.reply = server_that.says(*PIECES)
    ask(page, "When did the generator fail?")
    page.wait_for_selector("#sources .turn .state:not(:has-text('…'))")
    assert json.dumps(model.asked[-1]).count("generator fail") >= 1
