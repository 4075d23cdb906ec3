"""SIGKILL at random times and at each point of a commit."""

from pathlib import Path

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.kills import kill_writers


def test_nothing_acknowledged_is_lost(tmp_path: Path, bar: Bar) -> None:
    kill_writers(tmp_path, 50, 2, bar)
    assert not bar.missed
