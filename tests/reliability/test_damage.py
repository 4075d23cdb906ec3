"""Damaged files of an index: each is seen and named, and none is answered from."""

from pathlib import Path

import pytest

from benchmarks.reliability.damage import damage_all, unchecked
from benchmarks.reliability.faults import Bar


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict:
    bar = Bar.named("damage")
    damage_all(tmp_path_factory.mktemp("damage"), 184, 2, bar)
    return bar.figures


@pytest.mark.parametrize("what", ["open", "verify", "update"])
def test_every_damage_is_seen_and_named(what: str, figures: dict) -> None:
    assert figures["processes that died"]["reached"] == 0
    assert figures[f"not seen or not named: {what}"]["reached"] == 0, figures


def test_without_the_comparison_of_checksums_damage_is_not_seen(tmp_path: Path, bar: Bar) -> None:
    with unchecked():
        damage_all(tmp_path, 30, 2, bar)
    assert bar.missed
