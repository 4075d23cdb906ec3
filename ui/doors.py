"""Which of Gradio's addresses are open, and what may be posted to them.

Gradio has more doors than this page has uses for: uploads, a proxy, files, recordings, a history of runs kept at a hub.
Those that are not named here are closed. What comes through the open ones is a question to a function of the page;
what is none (another function, too few values, no JSON) would be an error of the server's, and is refused before.
"""

import json
from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any, Protocol

from starlette.responses import PlainTextResponse

from .libraries import FOLDER
from .posted import read_posted

_PREFIX = "/gradio_api/"
# What the page and Gradio's clients (in Python and JavaScript, curl) ask for.
_OPEN = frozenset({"queue", "run", "api", "call", "cancel", "reset", "heartbeat", "info", "app_id", "startup-events"})
# What is Gradio's, or FastAPI's, outside that.
_CLOSED = frozenset({"openapi.json", "docs", "redoc", "login", "logout", "monitoring", "pwa_icon", "runs"})
_CALLING = frozenset({"run", "api", "call"})


class Function(Protocol):
    """What is known of a function of the page (gradio.blocks.BlockFunction)."""

    fn: Any
    api_name: Any
    inputs: Any


def closed(path: str) -> bool:
    """Whether an address is one of Gradio's that this page has no use for."""
    path = _of_page(path)
    if path.startswith(_PREFIX):
        return path.removeprefix(_PREFIX).partition("/")[0] not in _OPEN
    return path[1:].partition("/")[0] in _CLOSED


def _of_page(path: str) -> str:
    """An address without the part that names its library."""
    _, folder, _, *rest = [*path.split("/", 3), "", ""]
    return f"/{rest[0]}" if folder == FOLDER else path


def fitted(path: str, body: bytes, functions: Mapping[int, Function]) -> PlainTextResponse | bytes:
    """A post to Gradio as it is passed on, with null for values at the end that need not be given; or what to say to
    one that is no JSON, is for none of the page's functions (by their ids), or lacks the values that one takes.
    """
    path = _of_page(path)
    if not path.startswith(_PREFIX):
        return body
    try:
        posted = read_posted(body)
    except ValueError:
        return PlainTextResponse("what is posted must be JSON", 400)
    if not isinstance(posted, dict):
        return PlainTextResponse("what is posted must be a JSON object", 400)
    door, _, name = path.removeprefix(_PREFIX).rstrip("/").partition("/")
    if door not in _CALLING and (door, name) != ("queue", "join"):
        return body
    number = None if door == "call" else posted.get("fn_index")
    found = _named(functions, name) if number is None else _numbered(functions, number)
    if found is None:
        return PlainTextResponse("the page has no such function", 404)
    data, most = posted.get("data"), len(found.inputs)
    least = most - _optional(found)
    if not isinstance(data, list) or len(data) < least:
        said = f"{most} values" if least == most else f"{least} to {most} values"
        return PlainTextResponse(f"data must be a list of {said}", 422)
    if len(data) >= most:
        return body
    return json.dumps({**posted, "data": [*data, *[None] * (most - len(data))]}).encode()


def _optional(function: Function) -> int:
    return sum(one.default is not Parameter.empty for one in signature(function.fn).parameters.values())


def _named(functions: Mapping[int, Function], name: str) -> Function | None:
    return next((one for one in functions.values() if one.api_name == name), None)


def _numbered(functions: Mapping[int, Function], number: Any) -> Function | None:
    """Gradio takes a number that is written as a text, too."""
    try:
        return functions.get(int(str(number)))
    except ValueError:
        return None
