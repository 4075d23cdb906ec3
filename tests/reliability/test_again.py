"""Indexing again, and after a kill."""

from pathlib import Path

from benchmarks.reliability.again import index_again, resume
from benchmarks.reliability.faults import Bar


def test_again_changes_nothing_and_embeds_nothing(tmp_path: Path, bar: Bar) -> None:
    index_again(tmp_path / "again", 10, 2, bar)
    assert not bar.missed, bar.figures


def test_killed_and_resumed_it_ends_where_it_would_have(tmp_path: Path, bar: Bar) -> None:
    resume(tmp_path / "resumed", 6, 2, bar)
    assert not bar.missed, bar.figures
