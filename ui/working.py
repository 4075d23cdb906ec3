"""What the page posts and fetches besides questions: documents handed over, libraries, conversations.

Each address is relative to the page's own, so that it is about the library that the page is about (ui/libraries.py).
Everything that changes something is taken from the page alone, as a judgement is.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from index.errors import FootnotedError, UnreachableStore, UsageError
from rag.history import conversations, forget, forget_all, read_conversation

from .exporting import as_markdown, as_values
from .guard import refused
from .libraries import Libraries
from .posted import read_posted
from .shelf import Shelf

Posted = dict[str, Any]


def add_routes(app: FastAPI, libraries: Libraries) -> None:
    """The addresses, on the app that serves the page."""

    def get(path: str, fetched: Callable[[Shelf, Request], Any]) -> None:
        def endpoint(request: Request) -> Response:
            try:
                found = fetched(libraries.of(request), request)
            except FootnotedError as error:
                return PlainTextResponse(str(error), 503 if isinstance(error, UnreachableStore) else 404)
            return found if isinstance(found, Response) else JSONResponse(found)

        app.add_api_route(path, endpoint, methods=["GET"], response_model=None)

    def post(path: str, done: Callable[[Shelf, Posted], Any]) -> None:
        async def endpoint(request: Request) -> Response:
            return await _answered(request, lambda posted: done(libraries.of(request), posted))

        app.add_api_route(path, endpoint, methods=["POST"], response_model=None)

    get("/documents", lambda shelf, _: {"documents": shelf.documents(), "limits": asdict(libraries.limits)})
    get("/indexing", lambda shelf, _: shelf.indexing())
    get("/following", lambda shelf, _: shelf.followed())
    get("/conversations", lambda shelf, _: [asdict(one) for one in conversations(shelf.folder)])
    get("/export", _exported)
    get("/libraries", lambda shelf, _: {"here": shelf.name, "names": libraries.names()})
    post("/indexing", lambda shelf, _: shelf.start())
    post("/following", lambda shelf, posted: shelf.follow(_flag(posted, "on")))
    post("/remove", lambda shelf, posted: shelf.remove(_text(posted, "source")))
    post("/forget", _forget)
    post("/libraries", lambda _, posted: libraries.create(_text(posted, "name")))
    post("/delete", lambda _, posted: libraries.delete(_text(posted, "name"), _text(posted, "typed")))

    @app.put("/add")
    async def add(request: Request, name: str = "") -> Response:
        return await _received(request, name, libraries)


async def _answered(request: Request, work: Callable[[Posted], Any]) -> Response:
    """Do what was posted: no content, or one line that says why not."""
    if response := refused(request):
        return response
    try:
        posted = read_posted(await request.body())
    except ValueError:
        return PlainTextResponse("what is posted must be JSON", 400)
    return await _tried(lambda: run_in_threadpool(work, posted if isinstance(posted, dict) else {}))


async def _tried(work: Callable[[], Awaitable[Any]]) -> Response:
    try:
        await work()
    except UsageError as error:
        return PlainTextResponse(str(error), 400)
    except FootnotedError as error:
        return PlainTextResponse(str(error), 503)
    return Response(status_code=204)


async def _received(request: Request, name: str, libraries: Libraries) -> Response:
    """A file, written to the disk piece by piece as it comes (the guard has let it through unread)."""

    async def receive() -> None:
        shelf = await run_in_threadpool(libraries.of, request)
        announced = request.headers.get("content-length", "0")
        size = int(announced) if announced.isdecimal() and len(announced) < 16 else 0
        with shelf.library.receiving(name, size) as arrival:
            async for piece in request.stream():
                await run_in_threadpool(arrival.write, piece)

    try:
        return await _tried(receive)
    except ClientDisconnect:  # nobody is there to be answered
        return Response(status_code=400)


def _text(posted: Posted, key: str) -> str:
    value = posted.get(key)
    if not isinstance(value, str):
        raise UsageError(f"{key} must be a text")
    return value


def _flag(posted: Posted, key: str) -> bool:
    value = posted.get(key)
    if not isinstance(value, bool):
        raise UsageError(f"{key} must be true or false")
    return value


def _forget(shelf: Shelf, posted: Posted) -> None:
    if posted.get("all") is True:
        forget_all(shelf.folder)
    else:
        forget(shelf.folder, _text(posted, "conversation"))


def _exported(shelf: Shelf, request: Request) -> Response:
    conversation = request.query_params.get("conversation", "")
    turns = read_conversation(shelf.folder, conversation)
    if not turns:
        raise UsageError(f"conversation {conversation} has no answer")
    if request.query_params.get("format") == "json":
        content, kind, ending = json.dumps(as_values(turns), indent=1), "application/json", "json"
    else:
        content, kind, ending = as_markdown(turns), "text/markdown; charset=utf-8", "md"
    named = f"attachment; filename={quote(f'conversation-{conversation}.{ending}')}"
    return Response(content, media_type=kind, headers={"Content-Disposition": named})
