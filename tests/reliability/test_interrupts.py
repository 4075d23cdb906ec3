"""Ctrl-C while indexing, SIGTERM while answering."""

from pathlib import Path

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.interrupts import end_server, interrupt


def test_what_is_committed_is_kept_and_the_same_command_goes_on(tmp_path: Path, bar: Bar) -> None:
    interrupt(tmp_path / "forked", 10, 2, bar)
    assert not bar.missed, bar.figures


def test_the_server_finishes_the_answer_in_flight(tmp_path: Path) -> None:
    ended, got = end_server(tmp_path / "server", 1.0)
    assert "event: complete" in got
    assert ended < 20  # on a machine that does other things; 6.5 are asked of one that does not
