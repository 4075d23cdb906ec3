"""SIGKILL at random times and at each point of a commit."""

from pathlib import Path

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.kills import kill_writers


def test_nothing_acknowledged_is_lost(tmp_path: Path, bar: Bar) -> None:
    kill_writers(tmp_path, 50, 2, bar)
    # Half of the kills hit a point of a commit by themselves; how many of the others do is a matter of how busy the
    # machine is, and 60 % are asked of one that is not.
    assert bar.figures["inside a commit"]["reached"] >= 0.45, bar.figures
    assert [one for one in bar.missed if not one.startswith("inside a commit")] == []
