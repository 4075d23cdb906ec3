"""A Milvus server as the store uses it: every call ends within its deadline, and what fails is one line."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ..errors import UnreachableStore, UsageError
from .address import Address

try:
    import grpc
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException
except ImportError:
    raise UsageError("an index in Milvus needs its client: pip install 'footnoted[milvus]'") from None

# It writes each failed call with a traceback; what failed reaches a person as an UnreachableStore.
for _noisy in ("pymilvus", "milvus_lite"):
    logging.getLogger(_noisy).setLevel(logging.CRITICAL)

# Seconds that a call may take, repeated or not, and the longest that is waited before it is repeated.
DEADLINE_S = 10.0
_PAUSE_S = 1.0
# Codes of the server: nobody there, a collection that a restart has released, and one that is being loaded.
_AWAY, _RELEASED, _NOT_LOADED = 2, 101, 106
_STARTING = (
    "not ready", "notready", "not healthy", "closed channel", "unavailable", "no available", "not available", "offline",
    "not found shard", "retry timeout",
)  # fmt: skip
# The first version with full-text search (Function of type BM25).
_BM25_SINCE = (2, 5)
# Rows that a server gives at most in one answer.
MOST = 16384

Row = dict[str, Any]
_T = TypeVar("_T")


def deadline_s() -> float:
    """What FOOTNOTED_STORE_TIMEOUT says, or DEADLINE_S. Raises UsageError for what is no number of seconds."""
    given = os.environ.get("FOOTNOTED_STORE_TIMEOUT")
    try:
        seconds = float(given) if given else DEADLINE_S
    except ValueError:
        seconds = 0
    if not 0 < seconds < 3600:
        raise UsageError(f"FOOTNOTED_STORE_TIMEOUT must be a number of seconds, got {given!r}")
    return seconds


class Server:
    """Safe to use from several threads. Connects with the first call, and again after the server was away."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.deadline_s = deadline_s()
        self._client: MilvusClient | None = None
        self._version = ""

    def call(self, name: str, *given: Any, deadline_s: float | None = None, **named: Any) -> Any:
        """What a method of MilvusClient gives; it is repeated while the server is away or starting.

        Only for calls that may be repeated: reads, upserts, deletes. Raises UnreachableStore.
        """
        started = time.monotonic()
        left = self.deadline_s if deadline_s is None else deadline_s
        until, pause = started + left, 0.05
        while True:
            try:
                client = self._connected(left)
                return getattr(client, name)(*given, timeout=left, **named)
            except grpc.RpcError as error:
                cause, again = _cause(error), error.code() == grpc.StatusCode.UNAVAILABLE
            except MilvusException as error:
                cause, again = _line(str(error.message)), self._may_pass(error, given, named)
            except (OSError, ValueError, RuntimeError) as error:  # a channel that was closed under our hands
                cause, again = _line(str(error)), "closed" in str(error)
            left = until - time.monotonic()
            if not again or left <= pause:
                away = again or cause.startswith("DEADLINE_EXCEEDED")
                did = f"gave no answer in {time.monotonic() - started:.1f} s" if away else "refused"
                raise UnreachableStore(f"Milvus at {self.address.server} {did} ({cause})") from None
            time.sleep(pause)
            left, pause = left - pause, min(2 * pause, _PAUSE_S)

    def _connected(self, within_s: float) -> MilvusClient:
        if self._client is None:
            try:
                self._client = MilvusClient(self.address.uri, timeout=within_s)
            except MilvusException as error:
                if self.address.is_lite:
                    raise UnreachableStore(
                        f"Milvus Lite cannot open {self.address.server} ({_line(str(error.message))}): its folder must "
                        "be there, and no other process may have it open"
                    ) from None
                raise
        return self._client

    def _may_pass(self, error: MilvusException, given: Sequence[Any], named: Mapping[str, Any]) -> bool:
        """Whether the same call may do later; a collection that was released is loaded."""
        if error.code == _RELEASED and self._client is not None:
            name = named.get("collection_name") or given[0]
            try:
                self._client.load_collection(name, timeout=self.deadline_s)
            except (MilvusException, grpc.RpcError):
                return True
            return True
        if error.code in (_AWAY, _NOT_LOADED) or isinstance(error.code, grpc.StatusCode):
            return True
        said = str(error.message).lower()
        return any(one in said for one in _STARTING)

    @property
    def version(self) -> str:
        """As the server gives it, such as "2.5.4" or "milvus_lite-3.2.2"."""
        if not self._version:
            self._version = str(self.call("get_server_version")).removeprefix("v")
        return self._version

    @property
    def is_lite(self) -> bool:
        """Whether it is Milvus Lite, in this process or behind a port."""
        return self.version.startswith("milvus_lite")

    @property
    def has_bm25(self) -> bool:
        if self.is_lite:
            return True
        numbers = self.version.split("-")[0].split(".")[:2]
        return all(one.isdecimal() for one in numbers) and tuple(map(int, numbers)) >= _BM25_SINCE

    def query(
        self,
        collection: str,
        filter: str,
        fields: Sequence[str],
        *,
        strong: bool = True,
        limit: int | None = MOST,
    ) -> list[Row]:
        """The rows for which the filter holds, in no order; `strong`: all that anybody has written until now."""
        level = "Strong" if strong else "Bounded"
        most = {} if limit is None else {"limit": limit}
        found = self.call(
            "query", collection, filter=filter, output_fields=list(fields), consistency_level=level, **most
        )
        return [dict(row) for row in found]  # pymilvus fills its own rows in late, and wrongly once they are moved

    def count(self, collection: str, filter: str) -> int:
        rows = self.call("query", collection, filter=filter, output_fields=["count(*)"], consistency_level="Strong")
        return int(rows[0]["count(*)"])

    def upsert(self, collection: str, rows: Sequence[Row], size: int = 500) -> None:
        """In requests of `size` rows: repeated ones replace themselves."""
        for at in range(0, len(rows), size):
            self.call("upsert", collection, list(rows[at : at + size]))

    def delete(self, collection: str, filter: str) -> None:
        self.call("delete", collection, filter=filter)


def _cause(error: grpc.RpcError) -> str:
    return _line(f"{error.code().name}: {error.details()}")


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
