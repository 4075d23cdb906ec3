"""What scripts with hostile input share: a chat as a process, and a browser where all that happens is noted."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.reliability.faults import ENVIRONMENT

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_PATIENCE = 180

# What of our own HTML there may be, below an element: anything else is returned, as a line each.
STRANGE = """(root) => {
  const tags = new Set(("div a span b strong i mark section h1 h2 h3 h4 h5 h6 p article header blockquote button "
    + "details summary main dl dt dd table caption thead tbody tr th td form label input small ol li").split(" "));
  const names = new Set(("class id href title target tabindex type role open scope name required maxlength "
    + "aria-busy aria-describedby aria-pressed aria-label aria-hidden data-question data-excerpt "
    + "data-step autocomplete").split(" "));
  const found = [];
  for (const one of root.querySelectorAll("*")) {
    if (!tags.has(one.localName)) found.push(`element ${one.localName}`);
    for (const {name, value} of one.attributes) {
      if (!names.has(name)) found.push(`attribute ${name} of ${one.localName}`);
      if (name === "href" && !/^(#[a-z0-9-]+|document[?]source=[^"<>]*)$/.test(value)) found.push(`address ${value}`);
    }
  }
  return found;
}"""
# What may run or fetch, anywhere on a page that Gradio drew.
RUNNING = """(root) => {
  const found = [];
  const fetching = /^(src|srcset|action|formaction|background|poster|xlink:href|ping|data)$/;
  for (const one of root.querySelectorAll("script, iframe, frame, object, embed, applet, base, meta, link, "
    + "form:not(.why), img, video, audio, source, picture, image, use, animate, set, math"))
    found.push(`element ${one.localName}`);
  for (const one of root.querySelectorAll("style"))
    if (/url|import|expression/i.test(one.textContent)) found.push(`style ${one.textContent}`);
  for (const one of root.querySelectorAll("*"))
    for (const {name, value} of one.attributes) {
      if (name.startsWith("on")) found.push(`attribute ${name}`);
      if (name === "href" && /^[\\s\\u0000-\\u0020]*(javascript|vbscript|data):/i.test(value)) found.push(value);
      if (fetching.test(name)) found.push(`${name}=${value}`);
      if (name === "style" && /url|expression|import/i.test(value)) found.push(`style ${value}`);
    }
  return found;
}"""


@dataclass
class Noted:
    """What happened in a browser that should not."""

    own: str
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        def dialog(opened: Any) -> None:
            self.dialogs.append(opened.message)
            opened.dismiss()

        def sent(request: Any) -> None:
            host = request.url.split("/")[2] if "://" in request.url else ""
            if host not in ("", self.own) and not request.url.startswith(("data:", "blob:")):
                self.elsewhere.append(request.url)

        page.on("dialog", dialog)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", sent)
        page.on("popup", lambda opened: self.elsewhere.append(f"popup {opened.url}"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str) -> None:
    """Raises TimeoutError if nothing answers there."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(address, timeout=10).read()
            return
        time.sleep(0.2)
    raise TimeoutError(address)


@contextmanager
def chat(at: Path, *options: str) -> Iterator[str]:
    """`footnoted chat` over the index at `at`, with the real model, as a process of its own: its address."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "ui.cli", "chat", "--index", str(at), "--port", str(port), *options]
    with (at.parent / "chat.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=ENVIRONMENT)
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def browser(address: str) -> Iterator[tuple[Page, Noted]]:
    """A page of headless Chromium, and what happens in it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        page = started.new_context(viewport={"width": 1280, "height": 800}).new_page()
        noted = Noted(address.split("/")[2])
        noted.watch(page)
        yield page, noted
        started.close()


def ask(page: Page, question: str, turn: int) -> None:
    """Type a question and wait for the end of its turn."""
    page.fill("#question textarea", question)
    for _ in range(10):
        page.keyboard.press("Enter")
        with suppress(Exception):  # Enter is not heard while the turn before is not quite over
            page.wait_for_function("document.querySelector('#question textarea').value === ''", timeout=3_000)
            break
    page.wait_for_selector(f"#t-{turn} .state:not(:has-text('reading'))", timeout=60_000)
