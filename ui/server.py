"""The page as a web server: on this machine only, calling nowhere, with a narrow set of headers."""

import errno
import os
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
from .judging import judged
from .page import HERE, THEME, TITLE, build
from .rendering import document_html
from .starters import starters

_LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"]


def application(
    system: System, *, threshold: float | None = None, hosts: list[str] | None = None, password: str = ""
) -> FastAPI:
    """The page at /, a document at /document, what the page posts to /feedback. Only requests for `hosts`
    (default: loopback) are served, and with a password only those that bring it.
    """
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    if hosts is None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK)

    app.add_middleware(Guard, password=password)

    @app.get("/document", response_class=HTMLResponse)
    def document(source: str = "", start: str = "0", end: str = "0") -> HTMLResponse:
        try:
            if not (start.isdecimal() and end.isdecimal() and len(start) < 12 and len(end) < 12):
                raise UsageError("the place in the document must be two numbers")
            found = system.index.document(source)
        except FootnotedError as error:
            return _document("Not found", f"<main class='document'><p>{escape(str(error))}</p></main>", 404)
        return _document(found.title or found.source, document_html(found, int(start), int(end)))

    @app.post("/feedback")
    async def feedback(request: Request) -> Response:
        if not from_this_page(request.headers):
            return PlainTextResponse("only the page itself may judge its answers", 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("a judgement is JSON", 415)
        return await run_in_threadpool(_keep, await request.body(), system)

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
    system = opened()
    if not local:
        print(f"footnoted: {host}:{port} asks for the password, which travels unencrypted", file=sys.stderr)
    app = application(system, threshold=threshold, hosts=None if local else ["*"], password=password)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    print(f"Footnoted is at {address}  (Ctrl-C stops it)", flush=True)
    if browser:
        Timer(1.0, webbrowser.open, (address,)).start()
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
