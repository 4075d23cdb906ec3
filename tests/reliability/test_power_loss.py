"""Power cuts during a commit, and commits spoilt on purpose, which must be found out."""

from pathlib import Path

import pytest

from benchmarks.reliability.faults import Bar
from benchmarks.reliability.power_loss import MUTANTS, cut_power, spoil


def test_every_state_opens_as_the_old_or_the_new_generation(tmp_path: Path, bar: Bar) -> None:
    cut_power(tmp_path, 200, 2, bar)
    assert not bar.missed, bar.figures


@pytest.mark.parametrize("name", [*MUTANTS][:3])
def test_a_spoilt_commit_is_found_out(name: str, tmp_path: Path) -> None:
    assert spoil(name, tmp_path, 600, 2)
