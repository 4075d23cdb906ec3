"""A Milvus server as the store uses it: every call ends within its deadline, and what fails is one line."""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

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

# Seconds that a call may take, repeated or not, and the least and the longest that is waited before it is repeated.
DEADLINE_S = 10.0
_LEAST_S, _PAUSE_S = 0.05, 1.0
# Seconds for which a server that was waited for in vain is known to be away, and those that a call then takes: one
# question makes many calls, and is to wait once.
_KNOWN_S, _HASTY_S = 5.0, 0.5
# How often what must be there is looked for, and the seconds between.
_ATTEMPTS, _WRITTEN_S = 4, 0.3
# And for what no person waits for and may take longer: the making of a collection, say.
PATIENT_S = 120.0
# Seconds of an attempt to connect; a channel finds out soon that a server which was away is there again.
_CONNECT_S = 1.0
_OPTIONS = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 500,
    "grpc.use_local_subchannel_pool": 1,
    # Milvus Lite hangs up on whoever asks whether it is there more often, and gRPC writes of that to the terminal.
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_permit_without_calls": 0,
}
# Codes of the server: nobody there, a collection that a restart has released, and one that is being loaded.
_AWAY, _RELEASED, _NOT_LOADED = 2, 101, 106
_STARTING = (
    "not ready", "notready", "not healthy", "closed channel", "unavailable", "no available", "not available", "offline",
    "not found shard", "retry timeout",
)  # fmt: skip
_PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
# The first version with full-text search (Function of type BM25).
_BM25_SINCE = (2, 5)
# Rows that a server gives at most in one answer.
MOST = 16384

Row = dict[str, Any]
# One client for each server and process: what is asked through it is safe in threads, not in a forked process.
_clients: dict[tuple[str, int], MilvusClient] = {}
# When each server was last waited for in vain.
_away: dict[str, float] = {}


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
        self._version = ""

    def call(self, name: str, *given: Any, patience_s: float = 0.0, **named: Any) -> Any:
        """What a method of MilvusClient gives; it is repeated while the server is away or starting.

        A server that is there may work on it for `patience_s`, if that is more than the deadline. Only for calls that
        may be repeated: reads, upserts, deletes. Raises UnreachableStore.
        """
        started = time.monotonic()
        known = started < _away.get(self.address.uri, -_KNOWN_S) + _KNOWN_S
        within_s = min(self.deadline_s, _HASTY_S) if known else self.deadline_s
        left, until, pause = within_s, started + within_s, _LEAST_S
        while True:
            try:
                client = self._connected(left)
                # pymilvus may connect anew after the time that it was given, which is within the deadline too.
                timeout = max(left - min(_CONNECT_S, left / 4), patience_s)
                return getattr(client, name)(*given, timeout=timeout, **named)
            except grpc.RpcError as error:
                cause, again = _cause(error), error.code() in _PASSING
            except MilvusException as error:
                left = until - time.monotonic()
                cause, again = _reason(error), self._may_pass(error, given, named, left)
            except (OSError, ValueError, RuntimeError) as error:  # a channel that was closed under our hands
                cause, again = _line(str(error)), "closed" in str(error)
            left = until - time.monotonic()
            if not again or left <= _LEAST_S:
                away = again or cause.startswith("DEADLINE_EXCEEDED")
                if away and not known:
                    _away[self.address.uri] = time.monotonic()
                did = f"gave no answer within {within_s:g} s" if away else "refused"
                raise UnreachableStore(f"Milvus at {self.address.server} {did} ({cause})") from None
            time.sleep(min(pause, left / 2))
            left, pause = until - time.monotonic(), min(2 * pause, _PAUSE_S)

    def patient(self, name: str, *given: Any, **named: Any) -> Any:
        """As `call`, for what takes its time and no person waits for."""
        return self.call(name, *given, patience_s=PATIENT_S, **named)

    def _connected(self, within_s: float) -> MilvusClient:
        key = self.address.uri, os.getpid()
        if key not in _clients:
            remote = {} if self.address.is_lite else {"dedicated": True, "grpc_options": _OPTIONS}
            try:
                _clients[key] = MilvusClient(self.address.uri, timeout=min(_CONNECT_S, within_s), **remote)
            except MilvusException as error:
                if self.address.is_lite:
                    raise UnreachableStore(
                        f"Milvus Lite cannot open {self.address.server} ({_line(str(error.message))}): its folder must "
                        "be there, and no other process may have it open"
                    ) from None
                raise
        return _clients[key]

    def _may_pass(
        self, error: MilvusException, given: Sequence[Any], named: Mapping[str, Any], within_s: float
    ) -> bool:
        """Whether the same call may do later; a collection that was released is loaded."""
        if error.code == _RELEASED:
            name = named.get("collection_name") or given[0]
            with suppress(MilvusException, grpc.RpcError):
                self._connected(within_s).load_collection(name, timeout=max(within_s, 0.1))
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


def patiently() -> Iterator[int]:
    """Attempts to read what must be there, with pauses between them: Milvus Lite does not show the rows that it is just
    writing from memory to the disk.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_WRITTEN_S)
        yield attempt


def quoted(text: str) -> str:
    """A text as it stands in a filter. Servers know of few escapes, and of none with a number."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _cause(error: grpc.RpcError) -> str:
    return _line(f"{error.code().name}: {error.details()}")


def _reason(error: MilvusException) -> str:
    """What the server says; of one that is not there pymilvus says more than it knows."""
    return "nobody answers there" if "fail connecting" in str(error.message).lower() else _line(str(error.message))


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
