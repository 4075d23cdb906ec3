"""The page as a web server: on this machine only, calling nowhere, with a narrow set of headers."""

import asyncio
import ctypes
import errno
import os
import re
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from html import escape
from threading import Timer

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# Of each event Gradio keeps when it ran and how it ended, and sums that up, with pandas, after every other one.
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from index.errors import FootnotedError, UnreachableStore, UsageError
from rag.feedback import record

from .document_page import document_html
from .ending import run
from .found import why_html
from .gate import Door, Gate
from .guard import Guard, refused
from .judging import asked_why, judged
from .libraries import Addresses, Libraries
from .page import HERE, THEME, TITLE, build
from .working import add_routes

# Questions that are answered at a time; to have a language model write is mostly to wait for it.
_ANSWERED, _WRITTEN = 4, 12
# Phrases that are followed through the index at a time; each takes as long as an answer.
_TRACING = 2
# What runs in the page, a noun each; joined, in any order.
_SCRIPTS = (
    "peek.js",
    "footnotes.js",
    "document.js",
    "keys.js",
    "why.js",
    "judging.js",
    "announcing.js",
    "working.js",
)
_LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"]


def application(
    libraries: Libraries,
    *,
    threshold: float | None = None,
    hosts: list[str] | None = None,
    password: str = "",
) -> FastAPI:
    """The page at /, a document at /document, what the page posts to /feedback and /why, and what ui/working.py adds;
    for another library the same under /libraries/NAME. Only requests for `hosts` (default: loopback) are served, and
    with a password only those that bring it. When it ends, the libraries are closed.
    """

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(libraries.close)

    gate = Gate(_WRITTEN if libraries.main.system.generator else _ANSWERED)
    page = build(libraries, gate, threshold)
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None, lifespan=closing)
    if hosts is None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK)

    app.add_middleware(Door, gate=gate)
    app.add_middleware(Addresses, libraries=libraries)
    app.add_middleware(Guard, password=password, functions=page.fns)
    add_routes(app, libraries)

    @app.get("/document", response_class=HTMLResponse)
    def document(
        request: Request, source: str = "", start: str = "0", end: str = "0", also: str = "", whole: str = ""
    ) -> HTMLResponse:
        try:
            place, *others = _spans(f"{start}-{end},{also}" if also else f"{start}-{end}")
            found = libraries.of(request).system.index.document(source)
        except UnreachableStore as error:
            return _document("Out of reach", f"<main class='document'><p>{escape(str(error))}</p></main>", 503)
        except FootnotedError as error:
            return _document("Not found", f"<main class='document'><p>{escape(str(error))}</p></main>", 404)
        shown = document_html(found, *place, others, whole=bool(whole))
        return _document(found.title or found.source, shown)

    @app.post("/feedback")
    async def feedback(request: Request) -> Response:
        if response := refused(request):
            return response
        return await run_in_threadpool(_keep, await request.body(), request, libraries)

    tracing = asyncio.Semaphore(_TRACING)

    @app.post("/why")
    async def why(request: Request) -> Response:
        if response := refused(request):
            return response
        if tracing.locked():
            return PlainTextResponse("others are looking for theirs: try again in a moment", 503)
        async with tracing:
            return await run_in_threadpool(_why, await request.body(), request, libraries, threshold)

    script = "".join((HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=THEME,
        css=_style(),
        head=f"<script>{script}</script>",
        footer_links=[],
        ssr_mode=False,
        show_error=True,
        enable_monitoring=False,
    )
    return mounted


def _spans(text: str) -> list[tuple[int, int]]:
    """`12-40,90-120` as spans. Raises UsageError for anything else, and for more than an answer cites."""
    if not _SPANS.fullmatch(text):
        raise UsageError("the place in the document must be two numbers")
    return [(int(start), int(end)) for start, end in (one.split("-") for one in text.split(","))]


_SPANS = re.compile(r"[0-9]{1,11}-[0-9]{1,11}(?:,[0-9]{1,11}-[0-9]{1,11}){0,31}")


def _why(body: bytes, request: Request, libraries: Libraries, threshold: float | None) -> Response:
    """Where the posted {"question", "phrase"} was lost, as HTML; or one line that says why that cannot be told."""
    try:
        found = libraries.of(request).system.why(*asked_why(body), threshold)
    except UsageError as error:
        return PlainTextResponse(str(error), 400)
    except FootnotedError as error:
        return PlainTextResponse(str(error), 500)
    return HTMLResponse(why_html(found))


def _keep(body: bytes, request: Request, libraries: Libraries) -> Response:
    """Add what was posted to the feedback: no content, or one line that says why not."""
    try:
        index = libraries.of(request).system.index
        record(index.folder, judged(body, index))
    except UsageError as error:
        return PlainTextResponse(str(error), 400)
    except FootnotedError as error:
        return PlainTextResponse(str(error), 500)
    return Response(status_code=204)


def _document(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_DOCUMENT.format(title=escape(title), style=_style(), body=body), status)


_DOCUMENT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>{style}</style><body>{body}<script>"
    "if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark')"
    "</script></body></html>"
)


def _style() -> str:
    return "".join((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "working.css"))


def serve(
    opened: Callable[[], Libraries],
    *,
    host: str,
    port: int,
    threshold: float | None = None,
    browser: bool = False,
) -> None:
    """Serve the chat page until interrupted; `opened` gives its libraries, when the address is known to be free.

    Raises UsageError if the address is taken or not this machine's, if others could reach it and there is no password
    (FOOTNOTED_PASSWORD), and what `opened` raises.
    """
    local = host in ("127.0.0.1", "localhost", "::1")
    password = os.environ.get("FOOTNOTED_PASSWORD", "")
    if not local and not password:
        raise UsageError(
            f"whoever reaches {host} could read these documents: set FOOTNOTED_PASSWORD, or leave out --host"
        )
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            advice = (
                "choose another with --port"
                if taken or isinstance(error, OverflowError)
                else "is --host this machine's?"
            )
            raise UsageError(f"cannot listen on {host}:{port} ({reason.lower()}): {advice}") from None
    _share_memory()
    libraries = opened()
    if not local:
        print(f"footnoted: {host}:{port} asks for the password, which travels unencrypted", file=sys.stderr)
    app = application(libraries, threshold=threshold, hosts=None if local else ["*"], password=password)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    print(f"Footnoted is at {address}  (Ctrl-C stops it)", flush=True)
    if browser:
        Timer(1.0, webbrowser.open, (address,)).start()
    run(app, host, port)


# Of <malloc.h>.
_M_ARENA_MAX, _ARENAS = -8, 2


def _share_memory() -> None:
    """Have threads share the memory that they free, where the C library is glibc: otherwise each may keep its own, and
    a page that answers for hours grows by a quarter.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
