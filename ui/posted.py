"""What is posted, read as JSON that is text throughout."""

import json
from typing import Any, NoReturn


def read_posted(body: bytes) -> Any:
    """The value that a body stands for. Raises ValueError if it is no JSON (RFC 8259: NaN and Infinity are none), is
    nested too deep, or has half a surrogate pair in a text.
    """
    try:
        posted = json.loads(body, parse_constant=_no_number)
        json.dumps(posted, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    return posted


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)
