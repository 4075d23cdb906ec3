"""The end of the server: open pages hold it up no longer than an answer takes."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Seconds that an answer in hand has to be given.
_PATIENCE = 5


class Hearts:
    """ASGI middleware: the streams by which open pages show that they are there end when the server does."""

    def __init__(self, app: ASGIApp, ending: asyncio.Event) -> None:
        self.app = app
        self.ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/heartbeat/" not in scope["path"]:
            await self.app(scope, receive, send)
            return

        async def received() -> Message:
            coming, ending = asyncio.ensure_future(receive()), asyncio.ensure_future(self.ending.wait())
            try:
                await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
                return coming.result() if coming.done() else {"type": "http.disconnect"}
            finally:
                coming.cancel()
                ending.cancel()

        await self.app(scope, received, send)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: Any = None) -> None:
        self._ending.set()
        await super().shutdown(sockets)


def run(app: ASGIApp, host: str, port: int) -> None:
    """Serve until interrupted; answers in hand are waited for."""
    ending = asyncio.Event()
    hearts = Hearts(app, ending)
    config = uvicorn.Config(hearts, host=host, port=port, log_level="warning", timeout_graceful_shutdown=_PATIENCE)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    with suppress(KeyboardInterrupt):  # the signal, raised again when all is over
        _Server(config, ending).run()


def _is_news(record: logging.LogRecord) -> bool:
    """That an answer which took too long was given up is said in a line before; where in the code it was is no news."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
