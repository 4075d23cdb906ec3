"""A chat as a process of its own, and the browser that the tests of its page look at it with."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

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
# Seconds that a page has to be there.
PATIENCE = 120


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
        self.server.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
