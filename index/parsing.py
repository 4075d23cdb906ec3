"""Reading files in a child process: none can hang the index, crash it, fill its memory or write anything.

`load` is `index.loading.load` behind a door. What a parser needs in time and memory is limited; a
file that breaks a limit, or the parser, fails with a reason and the next one gets a fresh process.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .documents import Document
from .errors import DocumentError, FailedFile, SkippedFile
from .loading import NEEDS_MEMORY, ROW_SUFFIXES, Problem, unknown_format
from .worker import decode, encode, unpacked

# Seconds without a word from the parser, and seconds spent waiting for it in one file. Rows may be
# many: a file of them has as long as they come.
QUIET_LIMIT = 30.0
TOTAL_LIMIT = 300.0
# Bytes that reading a file may take, beside those that the child has from the beginning.
MEMORY_LIMIT = 1 << 30
# Of packed formats a small file may unpack to anything: they get this, and so many times their size.
PACKED_MEMORY = 256 << 20
PACKED_TIMES = 32
PACKED = frozenset({".pdf", ".docx", ".epub", ".zip"})

CRASHED = "its parser crashed: it may be damaged"

# The package is found by its folder and by nothing else: not the working directory, which is the
# user's and may hold an index.py, nor PYTHONPATH. Its __init__, which loads the index, stays out.
_BOOTSTRAP = """
import json, sys, types
folder, paths, quiet = json.loads(sys.argv[1])
sys.path += [path for path in paths if path not in sys.path]
package = types.ModuleType("index")
package.__path__ = [folder]
sys.modules["index"] = package
from index.worker import main
main(quiet)
"""
_STRIPPED = frozenset({"PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT"})


def load(path: Path, source: str) -> Iterator[Document | Problem]:
    """What `index.loading.load` gives, read by a process of its own that is kept for the next file."""
    try:
        parser = _idle.pop()
    except IndexError:
        parser = Parser()
    try:
        yield from parser.load(path, source)
    finally:
        _idle.append(parser)


class Parser:
    """A reader of files in one child process, started when first needed, replaced when it is lost."""

    def __init__(self, quiet: float = QUIET_LIMIT, total: float = TOTAL_LIMIT, memory: int = MEMORY_LIMIT) -> None:
        self.quiet = quiet
        self.total = total
        self.memory = memory
        self._worker: _Worker | None = None

    def __enter__(self) -> "Parser":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id of the child, if there is one now."""
        return self._worker.process.pid if self._worker else None

    def close(self) -> None:
        """End the child; the next file would start another."""
        if self._worker:
            self._worker.kill()
            self._worker = None

    def load(self, path: Path, source: str) -> Iterator[Document | Problem]:
        """The same as `index.loading.load`, documents as they are read."""
        if reason := unknown_format(path):
            raise SkippedFile(reason)
        done = False
        try:
            for message in self._messages(path, source):
                if message[0] == "end":
                    done = True
                    return
                try:
                    one = unpacked(message)
                except DocumentError:
                    done = True
                    raise
                except (ValueError, TypeError) as error:
                    raise FailedFile(CRASHED) from error
                yield one
        finally:
            if not done or self._retired:
                self.close()

    def _messages(self, path: Path, source: str) -> Iterator[list]:  # type: ignore[type-arg]
        self._retired = False
        # os.path: a Path would resolve nothing here, and the child stands in another folder.
        memory = self._memory_for(path)
        request = encode([os.path.abspath(path), source, memory])  # noqa: PTH100
        left = self.total if path.suffix.lower() not in ROW_SUFFIXES else float("inf")
        worker = self._ask(request)
        while True:
            asked = time.monotonic()
            try:
                message = decode(worker.line(min(self.quiet, left)))
            except TimeoutError:
                limit = self.quiet if left > self.quiet else self.total
                raise FailedFile(f"took too long to read ({limit:g} s): it may be damaged") from None
            except (EOFError, ValueError, RecursionError):
                raise FailedFile(NEEDS_MEMORY if worker.ran_out(memory) else CRASHED) from None
            left -= time.monotonic() - asked
            self._retired = message[0] in ("end", "skipped", "failed") and message[-1] is True
            yield message

    def _memory_for(self, path: Path) -> int:
        if path.suffix.lower() not in PACKED:
            return self.memory
        try:
            return min(self.memory, PACKED_MEMORY + PACKED_TIMES * path.stat().st_size)
        except OSError:
            return self.memory  # it is gone, as the child will say

    def _ask(self, request: bytes) -> "_Worker":
        """A worker that has been asked; one that had ended for want of work is replaced."""
        if self._worker and not (self._worker.is_idle() and self._worker.send(request)):
            self.close()
        if not self._worker:
            self._worker = _Worker(self.quiet)
            self._worker.send(request)
        return self._worker


class _Worker:
    """The child process and the bytes that have come from it."""

    def __init__(self, quiet: float) -> None:
        # Absolute ones only, and not the folder that the user stands in: it is not asked for code.
        here = os.path.abspath("")  # noqa: PTH100
        paths = [path for path in sys.path if os.path.isabs(path) and path != here]  # noqa: PTH117
        setting = json.dumps([str(Path(__file__).resolve().parent), paths, quiet])
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-B", "-c", _BOOTSTRAP, setting],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={name: value for name, value in os.environ.items() if name not in _STRIPPED},
            start_new_session=True,  # Ctrl-C is for the parent, who decides what becomes of the file in hand
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._poll = select.poll()  # select() knows no descriptor above 1,023
        self._poll.register(self._out, select.POLLIN)
        self.peak = 0
        self._lines: list[bytes] = []  # whole ones that came with others, the last first
        self._rest: list[bytes] = []

    def is_idle(self) -> bool:
        """Whether it waits for a request: neither ended nor with something to say."""
        return not self._poll.poll(0)

    def send(self, request: bytes) -> bool:
        """Ask; False if it has ended. A request is shorter than what a pipe holds."""
        try:
            os.write(self._in, request)
        except BrokenPipeError:
            return False
        return True

    def line(self, seconds: float) -> bytes:
        """The next line. Raises TimeoutError, or EOFError if the process has ended."""
        deadline = time.monotonic() + seconds
        while not self._lines:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError
            data = os.read(self._out, 1 << 18)
            if not data:
                raise EOFError
            *whole, rest = data.split(b"\n")
            if whole:
                whole[0] = b"".join([*self._rest, whole[0]])
                self._lines = whole[::-1]
                self._rest = [rest]
            else:
                self._rest.append(rest)
        return self._lines.pop()

    def ran_out(self, memory: int) -> bool:
        """Whether a process that has ended was near its limit: native parsers abort without a word."""
        self.kill()
        # A child's figure begins with that of its parent, from before it was another program.
        return self.peak > 0.75 * memory and self.peak > 1.05 * peak(resource.getrusage(resource.RUSAGE_SELF))

    def kill(self) -> None:
        """End the process and take note of its peak."""
        if self.process.returncode is None:
            os.kill(self.process.pid, signal.SIGKILL)  # its id is its own until it is waited for
            _, status, used = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.peak = peak(used)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def peak(used: resource.struct_rusage) -> int:
    """The largest size in memory in bytes: Linux counts in units of 1,024, macOS in bytes."""
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


_idle: list[Parser] = []
# A forked process must not talk to the workers of its parent.
os.register_at_fork(after_in_child=_idle.clear)
