"""Two writers."""

from pathlib import Path

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.locks import contend


def test_the_second_is_refused_and_the_next_gets_in_after_a_kill(tmp_path: Path, bar: Bar) -> None:
    contend(tmp_path, 5, bar, command=False)
    assert not bar.missed
