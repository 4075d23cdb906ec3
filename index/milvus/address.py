"""Where a Milvus store is: `milvus://HOST:PORT/COLLECTION`, or the path of a Milvus Lite folder, PATH.db."""

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import UsageError

SCHEME = "milvus://"
PORT = 19530
COLLECTION = "footnoted"
_OURS = re.compile(r"_(notes|p[0-9]+)$")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")  # what servers of every version take, and room for what is added
_SHAPE = "milvus://HOST:PORT/COLLECTION, or PATH.db for Milvus Lite"


@dataclass(frozen=True, slots=True)
class Address:
    """`server` is HOST:PORT, or for Milvus Lite, which runs in this process, the absolute path of its folder."""

    server: str
    collection: str

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Raises UsageError for what is no address of a store."""
        rest = text.removeprefix(SCHEME)
        if rest.startswith("/") or (rest == text and "://" not in text):
            return cls._lite(rest, text)
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, PORT if parts.port is None else parts.port
        except ValueError:  # a port that is no number
            host = None
        if rest == text or not host:
            raise UsageError(f"a store is {_SHAPE}, got {text!r}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise UsageError(f"a store is {_SHAPE}, without a name, password or anything else in it")
        bracketed = f"[{host}]" if ":" in host else host
        return cls(f"{bracketed}:{port}", _collection(parts.path.strip("/") or COLLECTION))

    @classmethod
    def _lite(cls, path: str, text: str) -> "Address":
        folder, ending, name = path.rpartition(".db")
        if not (folder and ending and (not name or name.startswith("/"))):
            raise UsageError(f"a store is {_SHAPE}, got {text!r}")
        return cls(os.path.abspath(f"{folder}.db"), _collection(name.strip("/") or COLLECTION))  # noqa: PTH100

    def beside(self, name: str) -> "Address":
        """Another collection on the same server, whose name begins as this one's does."""
        return Address(self.server, _collection(f"{self.collection}_{re.sub('[^A-Za-z0-9]', '_', name)}"))

    @property
    def is_lite(self) -> bool:
        """Whether the server is a library in this process."""
        return self.server.startswith("/")

    @property
    def uri(self) -> str:
        """What pymilvus calls the server."""
        return self.server if self.is_lite else f"http://{self.server}"

    def __str__(self) -> str:
        return f"{SCHEME}{self.server}/{self.collection}"


def _collection(name: str) -> str:
    if _OURS.search(name):  # of the index without that ending
        raise UsageError(f"a collection's name ends neither in _notes nor in _p and a number, got {name!r}")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"a collection has letters, digits and _ in its name, begins with none of the digits, got {name!r}"
        )
    return name
