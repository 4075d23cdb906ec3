"""The indexes that one page serves: the main one, and those under `libraries/` in its folder.

A library is an address: the page at `/libraries/NAME/` asks that one, so that everybody chooses for themselves.
"""

import secrets
import shutil
from threading import Lock
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from index.durable import committing
from index.errors import UsageError
from index.files import printable
from index.indexing import create_empty
from index.library import Limits
from index.locking import writing
from index.stores import store_at
from rag.system import System

from .shelf import Shelf

FOLDER = "libraries"
_LONGEST = 60
# Where a request says which library it is for.
_KEY = "footnoted.library"


class Libraries:
    """Every library, opened when it is first asked for. Safe to use from several threads."""

    def __init__(self, system: System, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self.limits = limits
        self.main = Shelf("", system, limits)
        self._folder = system.index.folder / FOLDER
        self._opened: dict[str, Shelf] = {}
        self._opening = Lock()

    def names(self) -> list[str]:
        """Of the libraries besides the main one, sorted."""
        paths = [path for path in self._folder.glob("*") if not path.name.startswith(".")]
        return sorted(path.name for path in paths if store_at(path).exists())

    def get(self, name: str) -> Shelf:
        """The library of that name, the main one for none. Raises UsageError if there is none."""
        if not name:
            return self.main
        with self._opening:
            if name not in self.names():
                self._opened.pop(name, None)
                raise UsageError(f"there is no library {printable(name)!r}")
            if name not in self._opened:
                self._opened[name] = Shelf(name, self.main.system.over(self._folder / name), self.limits)
            return self._opened[name]

    def of(self, request: Any) -> Shelf:
        """The library that a request, or Gradio's wrapping of one, is for. Raises as `get` does."""
        return self.get(str(getattr(request, "request", request).scope.get(_KEY, "")))

    def create(self, name: str) -> None:
        """Make an empty library. Raises UsageError for a name that is taken or is none, FailedWrite."""
        _check(name)
        if (self._folder / name).exists():
            raise UsageError(f"there is a library {name!r} already")
        create_empty(self._folder / name, embedder=self.main.system.index.embedder)

    def delete(self, name: str, typed: str) -> None:
        """Delete a library with its documents and its history; whoever wants that has `typed` its name.

        Raises UsageError if the names differ, there is none, or documents are being indexed into it; LockedIndex
        while another program writes it.
        """
        if typed != name:
            raise UsageError(f"type its name, {name!r}, to delete it")
        if name not in self.names():
            raise UsageError(f"there is no library {printable(name)!r}")
        at, gone = self._folder / name, self._folder / f".{secrets.token_hex(8)}"
        if shelf := self._opened.get(name):
            shelf.give_up()
        with self._opening:
            self._opened.pop(name, None)
            with writing(at), committing(at):
                at.rename(gone)  # from here on there is none of that name, however far the rest comes
                shutil.rmtree(gone)

    def close(self) -> None:
        """Follow nothing any more."""
        for shelf in [self.main, *self._opened.values()]:
            shelf.close()


def _check(name: str) -> None:
    if not name.strip() or name != name.strip():
        raise UsageError("a library needs a name, without spaces around it")
    if len(name.encode()) > _LONGEST:
        raise UsageError(f"the name is longer than {_LONGEST} bytes")
    if name.startswith(".") or not all(one.isalnum() or one in " -_." for one in name):
        raise UsageError("a name has letters, digits, spaces, - _ and ., and does not begin with a point")


class Addresses:
    """ASGI middleware: what comes to `/libraries/NAME/...` goes to the same page, marked with the name."""

    def __init__(self, app: ASGIApp, libraries: Libraries) -> None:
        self.app = app
        self.libraries = libraries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"/{FOLDER}/"):
            name, slash, _ = scope["path"].removeprefix(f"/{FOLDER}/").partition("/")
            if not slash or name not in self.libraries.names():
                await PlainTextResponse("there is no library of that name", 404)(scope, receive, send)
                return
            scope = {**scope, "root_path": f"/{FOLDER}/{name}", _KEY: name}
        await self.app(scope, receive, send)
