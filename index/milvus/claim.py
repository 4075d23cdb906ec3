"""One writer at a time, on whatever machine: a claim in the control collection that has to be renewed.

No server can compare and set. So a writer puts its claim beside the others and looks at them all, and withdraws if
there is one more: of two at once perhaps none writes, never both. One that was suspended for longer than its claim held
finds out before it commits, and its state is older by its epoch than that of whoever came after it.
"""

import json
import os
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from ..errors import LockedIndex, UnreachableStore, UnusableIndex
from .notes import delete_notes, json_note, note_names, read_notes
from .server import Server

# Seconds that a claim holds without being renewed, and how far the clocks of two machines may be apart.
HOLDS_S, SKEW_S = 20.0, 10.0
_KIND = "claim"
# Claims of this process that could not be deleted when they were released.
_left: set[str] = set()


class Claim:
    """Held from `take()` to `release()`; `epoch` is one more than that of any writer before."""

    def __init__(self, server: Server, collection: str, name: str) -> None:
        self.epoch = 0
        self._server = server
        self._collection = collection
        self._index = name
        self._note = f"claim/{secrets.token_hex(8)}"
        self._held_until = 0.0
        self._released = Event()
        self._renewing = Thread(target=self._renew_often, name="claim", daemon=True)

    def take(self, epoch: int) -> bool:
        """Whether the writer before, whose epoch was this or less, ended as it should.

        Raises LockedIndex, naming who writes, while somebody else does.
        """
        orderly = True
        for name, other in self._others().items():
            epoch = max(epoch, other["epoch"])
            if name not in _left and not _is_over(other):
                raise self._locked(other)
            orderly = False
            delete_notes(self._server, self._collection, _KIND, [name])
        self.epoch = epoch + 1
        try:
            self._renew()
            for other in self._others().values():  # who came between
                if not _is_over(other):
                    raise self._locked(other)
        except UnusableIndex:
            self.release()
            raise
        self._renewing.start()
        return orderly

    def check(self) -> None:
        """Raises LockedIndex if the claim could not be renewed in time and somebody else may write now."""
        if _clock() < self._held_until:
            return
        kept = read_notes(self._server, self._collection, [self._note])
        if self._note not in kept or any(not _is_over(one) for one in self._others().values()):
            raise LockedIndex(
                f"the index at {self._index} was not written for so long that another process may: try again"
            )
        self._renew()

    def release(self) -> None:
        """What cannot be deleted now runs out by itself."""
        self._released.set()
        if self._renewing.is_alive():
            self._renewing.join()
        try:
            self._delete()
        except UnreachableStore:
            _left.add(self._note)

    def _delete(self) -> None:
        delete_notes(self._server, self._collection, _KIND, [self._note])

    def _renew(self) -> None:
        until = _clock() + HOLDS_S
        value = {**_here(), "epoch": self.epoch, "until": time.time() + HOLDS_S}
        self._server.upsert(self._collection, json_note(_KIND, self._note, value))
        self._held_until = until

    def _renew_often(self) -> None:
        while not self._released.wait(HOLDS_S / 4):
            with suppress(UnreachableStore):  # `check` finds out before anything is committed
                self._renew()

    def _others(self) -> dict[str, dict[str, Any]]:
        names = [name for name in note_names(self._server, self._collection, _KIND) if name != self._note]
        return {name: json.loads(value) for name, value in read_notes(self._server, self._collection, names).items()}

    def _locked(self, other: dict[str, Any]) -> LockedIndex:
        where = "" if other["host"] == socket.gethostname() else f" on {other['host']}"
        return LockedIndex(
            f"the index at {self._index} is being written by process {other['pid']}{where}: try again when it is done"
        )


def _clock() -> float:
    """Seconds, those included in which the machine was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.time()


def _here() -> dict[str, Any]:
    """Which process of which start of which machine this is."""
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"host": socket.gethostname(), "boot": boot, "pid": os.getpid(), "born": _born(os.getpid())}


def _born(pid: int) -> str:
    """When a process began, in the system's own ticks; empty if there is none, or the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_over(claim: dict[str, Any]) -> bool:
    """Whether a claim has run out, or its process, one of this machine, is gone."""
    here = _here()
    ours = (claim["host"], claim["boot"]) == (here["host"], here["boot"]) and bool(here["boot"])
    if ours and _born(claim["pid"]) != claim["born"]:
        return True
    return bool(time.time() > claim["until"] + SKEW_S)
