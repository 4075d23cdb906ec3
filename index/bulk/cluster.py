"""Reading and embedding many files with the workers of a Ray cluster.

Ray is started in a child process (job.py), not here: what it prints, the environment that it needs and its signal
handlers stay there, and a cluster that hangs is left by ending the child. What comes back is bytes that are read as
numbers and JSON (parcel.py).
"""

import json
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from ..chunking import ChunkSettings
from ..contents import FileRecord
from ..cores import cores
from ..errors import ClusterError, UsageError
from ..loading import ROW_SUFFIXES
from ..manifest import Manifest
from .parcel import UNSEEN, Answer, Order, pack_part, unpack_answer

LOCAL = "local"
# Files and bytes of a part: some seconds of work, so that what is lost with a worker, and who is last, cost little.
PART_FILES, PART_BYTES = 64, 1 << 20
# A larger file of text is read where the update runs, in pieces: a worker would hold all of it.
LARGE = 16 << 20
# Seconds until a cluster must have answered, and without any part before it is given up.
CONNECT_S, START_S, QUIET_S = 5.0, 180.0, 1800.0
# Seconds that Ray has to end.
_END_S = 15.0

# As in parsing.py: the package by its folder, nothing by the working directory. Ray lets its workers import from the
# working directory of its driver first of all; that of the child is empty.
_BOOTSTRAP = """
import json, sys, types
folder, paths, fd = json.loads(sys.argv[1])
sys.path += [path for path in paths if path not in sys.path]
package = types.ModuleType("index")
package.__path__ = [folder]
sys.modules["index"] = package
from index.bulk.job import main
main(fd)
"""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9/",  # it would tell that it is not enabled
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
_OF_CLUSTERS = ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_NAMESPACE", "RAY_JOB_ID")


@dataclass(frozen=True, slots=True)
class Ray:
    """Workers of this machine for one update (LOCAL), or those of the cluster at HOST:PORT; `deadline` seconds from now
    the update gives up. Raises UsageError for an address that is none, and where Ray is not installed.
    """

    address: str
    deadline: float | None = None
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        host, _, port = self.address.rpartition(":")
        if self.address != LOCAL and not (host and port.isdecimal() and 0 < int(port) < 65536 and "/" not in host):
            raise UsageError(f"--ray takes {LOCAL}, or HOST:PORT of a cluster's head, got {self.address!r}")
        if find_spec("ray") is None or find_spec("pyarrow") is None:
            raise UsageError("indexing with Ray needs it to be installed: pip install 'footnoted[ray]'")

    def leaves(self, record: FileRecord) -> bool:
        """Whether the file is not for a worker."""
        return record.size > LARGE and Path(record.path).suffix.lower() in ROW_SUFFIXES

    def check(self) -> None:
        """Raises ClusterError when the deadline has come."""
        if self._left() <= 0:
            raise ClusterError(f"the deadline of {self.deadline:g} s has come")

    def _left(self) -> float:
        return float("inf") if self.deadline is None else self._started + self.deadline - time.monotonic()

    def answers(
        self, orders: Sequence[Order], sizes: Sequence[int], manifest: Manifest, settings: ChunkSettings
    ) -> Generator[Answer, None, None]:
        """What the workers make of the files, part by part as they are done; each file is in one answer.

        Raises ClusterError if that cannot be, and at the deadline.
        """
        if not orders:
            return
        self._probe()
        parts = _parts(orders, sizes)
        with _Job(self.address) as job:
            job.begin(parts, model=manifest.model, probe=manifest.probe, settings=astuple(settings))
            self._receive(job, START_S, f"the Ray cluster at {self.address} did not answer within {START_S:g} s")
            seen: set[int] = set()
            while len(seen) < len(parts):
                silent = f"nothing came from the Ray cluster at {self.address} for {QUIET_S:g} s"
                content = self._receive(job, QUIET_S, silent)
                try:
                    answer = unpack_answer(content)
                except (ValueError, TypeError, LookupError):
                    raise ClusterError(f"the Ray cluster at {self.address} answered with what is no answer") from None
                if answer.broken:
                    raise ClusterError(f"a Ray worker cannot embed: {answer.broken}")
                if answer.part not in seen:
                    seen.add(answer.part)
                    yield _looked_at(answer)

    def _probe(self) -> None:
        """Ray itself would ask a dead address for minutes."""
        if self.address == LOCAL:
            return
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
        except OSError as error:
            reason = (error.strerror or str(error) or "no answer").lower()
            raise ClusterError(f"no Ray cluster answers at {self.address} ({reason})") from None

    def _receive(self, job: "_Job", most: float, silent: str) -> bytes:
        self.check()
        content = job.receive(min(most, self._left()))
        if content is None:
            self.check()
            raise ClusterError(silent)
        return content


def _parts(orders: Sequence[Order], sizes: Sequence[int]) -> list[list[Order]]:
    parts: list[list[Order]] = []
    room = 0
    for order, size in zip(orders, sizes, strict=True):
        if not parts or room < size or len(parts[-1]) == PART_FILES:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(order)
        room -= size
    return parts


def _looked_at(answer: Answer) -> Answer:
    """The answer, if each of its files was there for the worker, or is gone here too."""
    for outcome in answer.outcomes:
        if outcome.status == UNSEEN and os.access(outcome.path, os.R_OK):
            raise ClusterError(
                f"a Ray worker cannot read {outcome.path} ({outcome.reason}): every machine of the cluster must have "
                "the files under the same path"
            )
    return answer


class _Job:
    """The child process that talks to Ray, in a folder of its own that goes with it."""

    def __init__(self, address: str) -> None:
        self._address = address
        # The paths of sockets below it may have 107 characters, which a long TMPDIR would leave no room for.
        self._folder = Path(tempfile.mkdtemp(prefix="footnoted-", dir="/tmp"))
        (self._folder / "empty").mkdir()
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        paths = [path for path in sys.path if os.path.isabs(path)]  # noqa: PTH117
        with theirs, (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOTSTRAP, json.dumps([str(_package()), paths, theirs.fileno()])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder / "empty",
                env=self._environment(),
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent
            )

    def _environment(self) -> dict[str, str]:
        given = {**os.environ, **_QUIET}
        if self._address != LOCAL:
            return given
        # A home of its own: there a token is left that keeps other people of this machine out, and there the head
        # looks for a file that says which cloud it is in; where it is missing, it asks the network.
        home = self._folder / "home"
        home.mkdir()
        (home / "ray_bootstrap_config.yaml").touch()
        given = {name: value for name, value in given.items() if name not in _OF_CLUSTERS}
        found = str(_package().parent)
        path = os.pathsep.join([found, *filter(None, [os.environ.get("PYTHONPATH")])])
        given |= {"HOME": str(home), "PYTHONUSERBASE": site.getuserbase(), "PYTHONPATH": path}
        return {**given, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # unset it listens on the outward address

    def begin(self, parts: Sequence[Sequence[Order]], **setup: object) -> None:
        local = self._address == LOCAL
        environment = {"HOME": os.environ["HOME"]} if local and "HOME" in os.environ else {}
        setup |= {"address": self._address, "processors": cores(), "environment": environment}
        setup |= {"folder": str(self._folder), "parts": len(parts)}
        with suppress(OSError):  # it has ended: `receive` says why
            self._connection.send_bytes(json.dumps(setup).encode())
            for number, part in enumerate(parts):
                self._connection.send_bytes(pack_part(number, part))

    def receive(self, seconds: float) -> bytes | None:
        """The next answer; None if there is none for so long. Raises ClusterError if the child has ended."""
        if not self._connection.poll(None if seconds == float("inf") else max(0.0, seconds)):
            return None
        try:
            content = self._connection.recv_bytes()
        except (EOFError, OSError):
            raise ClusterError(f"Ray ended before its work did{self._last_words()}") from None
        if content[:1] == b"!":
            raise ClusterError(content[1:].decode("utf-8", "replace"))
        return content[1:]

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = (self._folder / "log").read_text("utf-8", "replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "")
            return f": {last[-300:]}" if last else ""
        return ""

    def __enter__(self) -> "_Job":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()  # the child shuts Ray down and ends
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _package() -> Path:
    return Path(__file__).resolve().parents[1]
