"""Ctrl-C while indexing, SIGTERM while answering."""

from pathlib import Path

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.interrupts import end_server, interrupt


def test_what_is_committed_is_kept_and_the_same_command_goes_on(tmp_path: Path) -> None:
    for longest in (0.4, 2.0, 10.0):  # as long as a busy machine needs to commit a part
        bar = Bar.named("short")
        interrupt(tmp_path / f"forked-{longest}", 10, 2, bar, longest)
        assert [one for one in bar.missed if not one.startswith("kept a part")] == [], bar.figures
        if not bar.missed:
            return
    raise AssertionError(f"nothing is ever kept: {bar.figures}")


def test_the_server_finishes_the_answer_in_flight(tmp_path: Path) -> None:
    ended, got = end_server(tmp_path / "server", 1.0)
    assert "event: complete" in got
    assert ended < 20  # on a machine that does other things; 6.5 are asked of one that does not
