"""The page as a web server: on this machine only, calling nowhere, with a narrow set of headers."""

import errno
import os
import re
import socket
import sys
import webbrowser
from collections.abc import Callable
from html import escape
from threading import Timer

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from index.errors import FootnotedError, UsageError
from rag.feedback import record
from rag.system import System

from .guard import Guard, from_this_page
from .judging import asked_why, judged
from .page import HERE, THEME, TITLE, build
from .rendering import document_html, why_html
from .starters import starters

_LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"]


def application(system: System, *, threshold: float | None = None, hosts: list[str] | None = None) -> FastAPI:
    """The page at /, a document at /document, what the page posts to /feedback and /why. Only requests for
    `hosts` (default: loopback) are served.
    """
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    if hosts is None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK)

    app.add_middleware(Guard)

    @app.get("/document", response_class=HTMLResponse)
    def document(source: str = "", start: str = "0", end: str = "0", also: str = "", whole: str = "") -> HTMLResponse:
        try:
            place, *others = _spans(f"{start}-{end},{also}" if also else f"{start}-{end}")
            found = system.index.document(source)
        except FootnotedError as error:
            return _document("Not found", f"<main class='document'><p>{escape(str(error))}</p></main>", 404)
        shown = document_html(found, *place, others, whole=bool(whole))
        return _document(found.title or found.source, shown)

    @app.post("/feedback")
    async def feedback(request: Request) -> Response:
        refused = _refused(request)
        if refused:
            return refused
        return await run_in_threadpool(_keep, await request.body(), system)

    @app.post("/why")
    async def why(request: Request) -> Response:
        refused = _refused(request)
        if refused:
            return refused
        return await run_in_threadpool(_why, await request.body(), system, threshold)

    page = build(system, starters(system.index), threshold)
    script = (HERE / "page.js").read_text(encoding="utf-8")
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


def _refused(request: Request) -> Response | None:
    """The response to what is not JSON posted by the page itself."""
    if not from_this_page(request.headers):
        return PlainTextResponse("only the page itself may post this", 403)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return PlainTextResponse("what is posted must be JSON", 415)
    return None


def _spans(text: str) -> list[tuple[int, int]]:
    """`12-40,90-120` as spans. Raises UsageError for anything else, and for more than an answer cites."""
    if not _SPANS.fullmatch(text):
        raise UsageError("the place in the document must be two numbers")
    return [(int(start), int(end)) for start, end in (one.split("-") for one in text.split(","))]


_SPANS = re.compile(r"[0-9]{1,11}-[0-9]{1,11}(?:,[0-9]{1,11}-[0-9]{1,11}){0,31}")


def _why(body: bytes, system: System, threshold: float | None) -> Response:
    """Where the posted {"question", "phrase"} was lost, as HTML; or one line that says why that cannot be told."""
    try:
        found = system.why(*asked_why(body), threshold)
    except UsageError as error:
        return PlainTextResponse(str(error), 400)
    except FootnotedError as error:
        return PlainTextResponse(str(error), 500)
    return HTMLResponse(why_html(found))


def _keep(body: bytes, system: System) -> Response:
    """Add what was posted to the feedback: no content, or one line that says why not."""
    try:
        index = system.index
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
    return (HERE / "page.css").read_text(encoding="utf-8")


def serve(
    opened: Callable[[], System], *, host: str, port: int, threshold: float | None = None, browser: bool = False
) -> None:
    """Serve the chat page over a system until interrupted; `opened` gives it, when the address is known to be free.

    Raises UsageError if the address is taken or not this machine's, and what `opened` raises.
    """
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
    system = opened()
    local = host in ("127.0.0.1", "localhost", "::1")
    if not local:
        print(
            f"footnoted: anyone who reaches {host}:{port} can read these documents and judge answers, without a log-in",
            file=sys.stderr,
        )
    app = application(system, threshold=threshold, hosts=None if local else ["*"])
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    print(f"Footnoted is at {address}  (Ctrl-C stops it)", flush=True)
    if browser:
        Timer(1.0, webbrowser.open, (address,)).start()
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
