"""The page as a web server: on this machine only, calling nowhere, with a narrow set of headers."""

import os
import socket
import sys
import webbrowser
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from threading import Timer

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr
import uvicorn
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from index.errors import FootnotedError, UsageError
from rag.system import System

from .page import HERE, THEME, TITLE, build
from .rendering import document_html
from .starters import starters

# Larger than any question with its conversation; uploads are a later matter.
LARGEST_BODY = 256 * 1024

# Gradio needs inline script and style; nothing is ever loaded from, or sent to, another host.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self' data:",
        "base-uri 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ]
)
_LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"]

Next = Callable[[Request], Awaitable[Response]]


def application(system: System, *, threshold: float | None = None, hosts: list[str] | None = None) -> FastAPI:
    """The page at /, a document at /document. Only requests for `hosts` (default: loopback) are served."""
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    if hosts is None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK)

    @app.middleware("http")
    async def guard(request: Request, following: Next) -> Response:
        length = request.headers.get("content-length", "0")
        if request.url.path.endswith("/upload") or (length.isdigit() and int(length) > LARGEST_BODY):
            response: Response = PlainTextResponse("too large or not accepted here", status_code=413)
        else:
            response = await following(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.get("/document", response_class=HTMLResponse)
    def document(source: str, start: int = Query(0, ge=0), end: int = Query(0, ge=0)) -> HTMLResponse:
        try:
            body = document_html(system.index.document(source), start, end)
        except FootnotedError as error:
            return HTMLResponse(_DOCUMENT.format(style=_style(), body=f"<main><p>{escape(str(error))}</p></main>"), 404)
        return HTMLResponse(_DOCUMENT.format(style=_style(), body=body))

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


_DOCUMENT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Document</title><style>{style}</style><body>{body}<script>"
    "if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark')"
    "</script></body></html>"
)


def _style() -> str:
    return (HERE / "page.css").read_text(encoding="utf-8")


def serve(at: Path, *, host: str, port: int, threshold: float | None = None, browser: bool = False) -> None:
    """Serve the chat page over the index at `at` until interrupted.

    Raises UsageError if the address is taken or not this machine's.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UsageError(f"cannot listen on {host}:{port} ({reason}): choose another with --port") from None
    system = System.open(at)
    local = host in ("127.0.0.1", "localhost", "::1")
    if not local:
        print(
            f"footnoted: anyone who reaches {host}:{port} can read these documents: there is no log-in", file=sys.stderr
        )
    app = application(system, threshold=threshold, hosts=None if local else ["*"])
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    print(f"Footnoted is at {address}  (Ctrl-C stops it)", flush=True)
    if browser:
        Timer(1.0, webbrowser.open, (address,)).start()
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
