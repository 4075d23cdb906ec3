"""Processes that go on running while they are measured: what they have used, and talking to them."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# One thread for whatever counts its threads by it: OpenMP, MKL, OpenBLAS, FAISS, torch.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def cpu_seconds(pid: int) -> float:
    """CPU seconds (user and system) that a running process has used, with the children it has now. Linux only.

    The clock is the process's own, in nanoseconds (clock_getcpuclockid); /proc/PID/stat counts hundredths.
    """
    used = time.clock_gettime((~pid << 3) | 2)
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        used += sum(map(cpu_seconds, map(int, children.read_text().split())))
    return used


def one_core() -> None:
    """Keep this process, and those it starts, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


class Running:
    """A child process that answers each line of JSON with a line of JSON."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, value: object) -> Any:
        """Raises RuntimeError if the process ends instead of answering."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return json.loads(line)

    def measured(self, value: object) -> tuple[Any, float, float]:
        """The answer, and the CPU and wall seconds until it came."""
        used, started = cpu_seconds(self._process.pid), time.perf_counter()
        answer = self.ask(value)
        wall = time.perf_counter() - started
        return answer, cpu_seconds(self._process.pid) - used, wall

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
