"""Readers during commits."""

from pathlib import Path

import pytest

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.readers import commit_in_the_midst, read_while_writing


def test_readers_never_fail_and_never_see_two_generations(tmp_path: Path, bar: Bar) -> None:
    for seconds in (3, 20, 60):  # as long as a busy machine needs to do enough
        read_while_writing(tmp_path / str(seconds), seconds, bar)
        assert not bar.missed, bar.figures
        if bar.figures["commits"] > 3 and bar.figures["answers"] > 8:
            return
    pytest.fail(f"too little to tell anything: {bar.figures}")


def test_an_opening_overtaken_by_commits_begins_again(tmp_path: Path, bar: Bar) -> None:
    commit_in_the_midst(tmp_path, bar)
    assert bar.figures["openings overtaken by three commits"] > 10
    assert not bar.missed, bar.figures
