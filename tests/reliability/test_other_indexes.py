"""Indexes of another model, dimension, chunking or format."""

from pathlib import Path

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.other_indexes import open_others


def test_both_are_named(tmp_path: Path, bar: Bar) -> None:
    open_others(tmp_path / "others", bar)
    assert not bar.missed, bar.figures
