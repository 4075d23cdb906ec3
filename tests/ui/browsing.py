"""A chat as a process of its own, and the browser that the tests of its page look at it with."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

HERE = Path(__file__).parents[2]
FOOTNOTED = str(Path(sys.executable).with_name("footnoted"))
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
# Seconds that a page has to be there, and those that anything on it may take: a busy machine is no fault.
PATIENCE, SOON = 300, 60
# Counts the events that the page asks Gradio for and those of them that are over, as Gradio's own messages tell. What
# an earlier answer has drawn looks like what a later one will draw; the end of its event cannot be mistaken.
COUNTED = """(() => {
    const events = (window.events = { begun: 0, over: 0 });
    const listen = async (reader) => {
        const decoder = new TextDecoder();
        let rest = "";
        for (let one = await reader.read(); !one.done; one = await reader.read()) {
            const lines = (rest + decoder.decode(one.value, { stream: true })).split("\\n");
            rest = lines.pop();
            events.over += lines.filter((line) => /"msg": ?"process_completed"/.test(line)).length;
        }
    };
    const real = window.fetch;
    window.fetch = async (...given) => {
        const address = String(given[0]?.url ?? given[0]);
        const asks = address.includes("/queue/join");
        events.begun += asks;
        const answer = await real(...given);
        if (asks && !answer.ok) events.begun -= 1;
        if (!address.includes("/queue/data") || !answer.body) return answer;
        const [ours, theirs] = answer.body.tee();
        listen(ours.getReader()).catch(() => {}); // the page hangs up when nothing is awaited
        return new Response(theirs, answer);
    };
})()"""


def needs_browser() -> None:
    """Skip the module that calls this where there is no browser, or fail where one is required."""
    if CHROMIUM is None:
        if os.environ.get("FOOTNOTED_BROWSER") == "required":
            raise RuntimeError("these tests need Chromium, and FOOTNOTED_BROWSER=required")
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)", allow_module_level=True)


class Chat:
    """`footnoted chat` in a folder, where its index and its log are; it can be started again."""

    def __init__(self, folder: Path, arguments: Sequence[str | Path] = (), settings: Mapping[str, str] = {}) -> None:
        self.folder, self.arguments = folder, [*map(str, arguments)]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {**os.environ, **settings}
        self.start()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> None:
        command = [FOOTNOTED, "chat", *self.arguments, "--port", str(self.port)]
        with (self.folder / "log").open("a") as log:
            self.server = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=self._environment)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(self.address, timeout=5).read()
                return
            except OSError:
                assert self.server.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.3)

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(SOON)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def new_context(browser: "Browser", **options: object) -> "BrowserContext":
    """Pages that count their events, and wait as long as a busy machine takes."""
    from playwright.sync_api import expect

    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.add_init_script(COUNTED)
    context.set_default_timeout(SOON * 1000)
    expect.set_options(timeout=SOON * 1000)
    return context


@contextmanager
def over(page: "Page") -> Iterator[None]:
    """What is done within begins an event of the page; after it that event is over, and what it gave is drawn."""
    before = page.evaluate("events.over")
    yield
    page.wait_for_function(f"events.over > {before}", timeout=SOON * 1000)
    drawn(page)


def drawn(page: "Page") -> None:
    """Wait until the page has had time to draw what has come, however slow it is."""
    page.evaluate("""async () => {
        for (let frame = 0; frame < 6; frame += 1) await new Promise(requestAnimationFrame);
    }""")


def enter(page: "Page", question: str) -> None:
    """Type a question and press Enter as a person would, until the box is emptied: it is not heard while what came
    before is not quite over.
    """
    from playwright.sync_api import TimeoutError

    page.fill("#question textarea", question)
    for _ in range(20):
        page.press("#question textarea", "Enter")
        try:
            page.wait_for_function("document.querySelector('#question textarea').value === ''", timeout=3_000)
            return
        except TimeoutError:
            continue
    raise AssertionError(f"nobody takes the question {question[:80]!r}")


def ask(page: "Page", question: str, turn: int = 1) -> None:
    """Ask, and wait until the answer is there: the `turn`th of the page."""
    with over(page):
        enter(page, question)
    page.wait_for_selector(f"#t-{turn}:not([aria-busy])")


def settled(page: "Page") -> None:
    """Wait until every event of the page is over, and none has begun for a while: as many frames as are drawn in a
    second.
    """
    page.evaluate("window.quiet = 0")
    page.wait_for_function("(quiet = events.begun === events.over ? quiet + 1 : 0) > 60")


def in_view(page: "Page", selector: str) -> None:
    """Wait until the place has come to rest within the window."""
    page.evaluate("window.rest = { top: null, frames: 0 }")
    page.wait_for_function(
        """(selector) => {
            const top = document.querySelector(selector).getBoundingClientRect().top;
            rest.frames = top === rest.top ? rest.frames + 1 : 0;
            rest.top = top;
            return rest.frames > 6 && top >= 0 && top < innerHeight;
        }""",
        arg=selector,
    )
