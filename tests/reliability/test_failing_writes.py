"""A disk that fails at each change of a commit."""

from pathlib import Path

from benchmarks.reliability.failing_writes import fail_writes
from benchmarks.reliability.faults import Bar


def test_the_old_generation_stands_and_the_cause_is_named(tmp_path: Path, bar: Bar) -> None:
    fail_writes(tmp_path, 150, 2, bar)
    assert not bar.missed, bar.figures
