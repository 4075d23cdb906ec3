"""Readers during commits."""

from pathlib import Path

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.readers import commit_in_the_midst, read_while_writing


def test_readers_never_fail_and_never_see_two_generations(tmp_path: Path, bar: Bar) -> None:
    read_while_writing(tmp_path, 3, bar)
    assert bar.figures["commits"] > 3
    assert bar.figures["answers"] > 8
    assert not bar.missed, bar.figures


def test_an_opening_overtaken_by_commits_begins_again(tmp_path: Path, bar: Bar) -> None:
    commit_in_the_midst(tmp_path, bar)
    assert bar.figures["openings overtaken by three commits"] > 10
    assert not bar.missed, bar.figures
