"""Seeded fuzzing: only our own errors come out."""

from pathlib import Path

import pytest

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.fuzz import TARGETS, fuzz


@pytest.mark.parametrize("target", TARGETS)
def test_only_our_own_errors_come_out(target: str, tmp_path: Path, bar: Bar) -> None:
    fuzz(target, tmp_path / "fuzz", 100, 2, bar)
    assert not bar.missed, bar.figures
