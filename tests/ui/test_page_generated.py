"""The page in a real browser where a language model writes: as it grows, doubted, down, and stopped."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest

from .browsing import HERE, SOON, Chat, ask, enter, needs_browser, new_context, over

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
# Seconds to connect, to the first token, to the last.
TIMEOUTS = "5,5,60"
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
        "FOOTNOTED_LLM_TIMEOUTS": TIMEOUTS,
    }
    with Chat(tmp_path_factory.mktemp("generated"), [HERE / "examples"], settings) as served:
        yield served


@pytest.fixture
def page(browser: Browser, chat: Chat) -> Iterator[Page]:
    context = new_context(browser, viewport={"width": 1366, "height": 768})
    opened = context.new_page()
    opened.goto(chat.address)
    opened.wait_for_selector("#question textarea")
    yield opened
    context.close()


def answer(page: Page) -> str:
    """The last answer, as it stands."""
    return " ".join(page.locator("#chat .answer").last.inner_text().split())


def alive(handler: object, until: Event) -> None:
    """Writes nothing more until then, but is heard to be there."""
    while not until.wait(0.1):
        handler.event({"reasoning_content": "hm"})


def test_an_answer_grows_without_half_a_marker_and_what_nothing_says_is_marked(
    page: Page, model: object, server_that: ModuleType
) -> None:
    grown = Event()

    def slowly(handler: object) -> None:
        handler.start()
        for piece in PIECES[:-1]:
            handler.event({"content": piece})
            time.sleep(0.25)
        alive(handler, grown)  # the rest comes when some of it has been seen
        handler.event({"content": PIECES[-1]})
        handler.done()

    model.reply = slowly
    assert "Answers are written by small and checked against them." in page.inner_text("#top")
    page.evaluate(WATCHED)
    with over(page):
        enter(page, FALL)
        page.wait_for_function("seen.some((text) => text.includes('broke her left wrist'))")
        grown.set()
    assert answer(page) == f"{FELL}1 Cats are cheap. (not supported)"
    page.wait_for_selector("#chat .answer a.cite")
    seen = page.evaluate("window.seen")
    growing = [text for text in seen if "Petra" in text and "cheap" not in text]
    assert growing
    assert not [text for text in seen if "[" in text or "]" in text or "9" in text]
    assert page.inner_text("#c-1-1 mark") == FELL
    assert page.inner_text("#chat .told") == "The language model wrote a footnote that names no passage: left out."
    assert page.locator("#chat a.cite").count() == 1


SAID = {
    "status 500": "answered with status 500",
    "status 429": "answered with status 429",
    "garbage": "gave no answer that can be read",
    "silent": "was silent for 5 s",  # as long as it was given, and the server would have been for minutes
    "cut off": "was cut off",
}


@pytest.mark.parametrize("how", SAID)
def test_a_language_model_that_fails_leaves_the_quotes_and_a_notice(
    page: Page, chat: Chat, model: object, server_that: ModuleType, how: str
) -> None:
    heard = Event()
    replies = {
        "status 500": server_that.status(500, KEY),
        "status 429": server_that.status(429, KEY),
        "garbage": server_that.garbage,
        "silent": lambda _: heard.wait(3 * SOON),
        "cut off": server_that.cut_off,
    }
    model.reply = replies[how]
    ask(page, FALL)
    heard.set()
    assert answer(page).startswith(f"{FELL}1")
    told = page.inner_text("#chat .told")
    assert told.startswith(f"The language model small at {model.url} {SAID[how]}")
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
        for _ in range(150):  # at most 40 s, and within the 8,000 characters that an answer may have
            handler.event({"content": "Petra Sólheim fell on the stairs to Tunnel B [1]. "})
            time.sleep(0.25)

    model.reply = endless
    enter(page, FALL)
    assert going.wait(SOON)
    page.click("#question button.stop-button")
    page.wait_for_selector("#question button.submit-button")
    page.wait_for_selector("#t-1", state="detached")
    page.wait_for_selector("#chat .notice:has-text('Stopped.')")
    deadline = time.monotonic() + SOON
    while model.hung_up == hung_up:
        assert time.monotonic() < deadline, "the stream goes on"
        time.sleep(0.05)
    assert page.locator("#t-1, #chat .answer").count() == 0  # what came meanwhile was not drawn
    model.reply = server_that.says(*PIECES)
    before = len(model.asked)
    ask(page, "When did the generator fail?")
    assert len(model.asked) > before
    assert json.dumps(model.asked[-1]).count("generator fail") >= 1
    assert "Petra" not in page.inner_text("#chat .answer")


def test_what_ends_an_answer_ends_it_before_anything_else_is_drawn(chat: Chat) -> None:
    config = json.loads(urllib.request.urlopen(f"{chat.address}/config", timeout=SOON).read())
    of_the_same: dict[str, list[dict]] = {}
    for one in config["dependencies"]:
        of_the_same.setdefault(json.dumps(one["targets"]), []).append(one)
    ending = [events for events in of_the_same.values() if any(one["cancels"] for one in events)]
    assert len(ending) == 3  # stop, edit, a new conversation
    for *_, before, last in ending:
        assert (bool(before["cancels"]), before["backend_fn"]) == (True, False)
        assert (last["cancels"], last["backend_fn"]) == ([], True)
