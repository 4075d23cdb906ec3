"""What every request and response goes through: limits, a password, and headers that keep the page to itself."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .doors import Function, closed, fitted

# Larger than any question with its conversation. A document that is handed over has its own limit (index/library.py).
LARGEST_BODY = 256 * 1024
_UPLOAD = ("PUT", "/add")

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
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# Gradio would build the page's addresses from it; a proxy passes on the Host itself.
_DROPPED = b"x-forwarded-host"


def from_this_page(headers: Headers) -> bool:
    """Whether a browser says that the request comes from our own page, not from another site's.

    By Fetch Metadata, which browsers send to this machine and over TLS, else by the Origin, which they send
    with every POST (https://cheatsheetseries.owasp.org, Cross-Site Request Forgery Prevention).
    """
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    return headers.get("origin") in [f"{scheme}://{headers.get('host')}" for scheme in ("http", "https")]


def from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that the request comes from another site; other clients say nothing."""
    return ("origin" in headers or "sec-fetch-site" in headers) and not from_this_page(headers)


def knows(headers: Headers, password: str) -> bool:
    """Whether a request brings the password, under any name (HTTP Basic, RFC 7617)."""
    scheme, _, coded = headers.get("authorization", "").partition(" ")
    try:
        _, _, given = base64.b64decode(coded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and secrets.compare_digest(given, password.encode())


def refused(request: Request) -> PlainTextResponse | None:
    """What to say to a post that is not JSON from the page itself."""
    if not from_this_page(request.headers):
        return PlainTextResponse("only the page itself may post this", 403)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return PlainTextResponse("what is posted must be JSON", 415)
    return None


class Guard:
    """ASGI middleware. With a password nothing is answered without it; nothing is taken from other sites. A body is
    read whole before it is passed on, and refused with 413 when it grows over LARGEST_BODY, whether or not its length
    was announced; only a document that the page hands over goes through as it comes. `functions` are the page's, by id.
    """

    def __init__(
        self, app: ASGIApp, password: str = "", functions: Mapping[int, Function] = MappingProxyType({})
    ) -> None:
        self.app = app
        self.password = password
        self.functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # the page has none, and a password is not asked for there
            if "websocket.http.response" in scope.get("extensions", {}):
                await PlainTextResponse("not here", 404, _HEADERS)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            await self._answer(scope, receive, guarded)
        except Exception:  # what is outside of this would answer without the headers; it still logs what it was
            if not started:
                await PlainTextResponse("something went wrong here", 500)(scope, receive, guarded)
            raise

    async def _answer(self, scope: Scope, receive: Receive, guarded: Send) -> None:
        if refused := self._refused(scope):
            await refused(scope, receive, guarded)
            return
        scope = {**scope, "headers": [one for one in scope["headers"] if one[0] != _DROPPED]}
        if scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, guarded)
            return
        if scope["method"] == _UPLOAD[0] and scope["path"].endswith(_UPLOAD[1]):
            if not from_this_page(Headers(scope=scope)):
                await PlainTextResponse("only the page itself may hand over documents", 403)(scope, receive, guarded)
                return
            await self.app(scope, receive, guarded)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LARGEST_BODY:
                await PlainTextResponse("the request is too large", status_code=413)(scope, receive, guarded)
                return
        found = fitted(scope["path"], body, self.functions)
        if isinstance(found, PlainTextResponse):
            await found(scope, receive, guarded)
            return
        length = b"content-length", str(len(found)).encode()
        scope["headers"] = [length if one[0] == length[0] else one for one in scope["headers"]]
        passed = False

        async def replayed() -> Message:
            nonlocal passed
            if passed:
                return await receive()
            passed = True
            return {"type": "http.request", "body": found, "more_body": False}

        await self.app(scope, replayed, guarded)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        """What to say to a request that goes no further."""
        headers = Headers(scope=scope)
        if self.password and not knows(headers, self.password):
            challenge = {"WWW-Authenticate": 'Basic realm="Footnoted", charset="UTF-8"'}
            return PlainTextResponse("a password is needed", 401, challenge)
        if closed(scope["path"]):
            return PlainTextResponse("not here", 404)
        if scope["method"] not in ("GET", "HEAD") and from_elsewhere(headers):
            return PlainTextResponse("nothing is taken from other sites", 403)
        return None
