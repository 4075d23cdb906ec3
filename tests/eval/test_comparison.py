"""Comparing two evaluations of four queries, worked out by hand."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from eval.comparison import Comparison, Mover, compare
from index.errors import UsageError

A = {"q1": {"RR@10": 0.0, "R@5": 1.0}, "q2": {"RR@10": 0.5, "R@5": 1.0}, "q3": {"RR@10": 1.0, "R@5": 0.5}}
B = {"q1": {"RR@10": 1.0, "R@5": 1.0}, "q2": {"RR@10": 1.0, "R@5": 1.0}, "q3": {"RR@10": 0.75, "R@5": 0.5}}


def write(folder: Path, scores: Mapping[str, Mapping[str, float]]) -> Path:
    folder.mkdir()
    rows = [
        {"query": query, "text": f"text of {query}", "metrics": metrics} for query, metrics in scores.items()
    ]
    (folder / "per_query.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return compare(write(tmp_path / "a", A), write(tmp_path / "b", B))


def test_the_differences(comparison: Comparison) -> None:
    first, second = comparison.differences
    assert (first.measure, first.a, first.b) == ("RR@10", 0.5, pytest.approx(2.75 / 3))
    assert first.difference == pytest.approx(1.25 / 3)
    # signs of (1, .5, -.25): sums +-1.75 +-1.25 +-.75 +-.25; four of eight reach 1.25
    assert (first.p, first.p_holm) == (0.5, 1.0)
    assert (first.wins, first.losses, first.ties) == (2, 1, 0)
    assert first.ci == (-0.25, 1.0)  # each of 27 draws is likelier than 2.5 %
    assert (second.measure, second.difference, second.ci, second.p) == ("R@5", 0.0, (0.0, 0.0), 1.0)
    assert (second.wins, second.losses, second.ties) == (0, 0, 3)


def test_the_queries_that_moved_most(comparison: Comparison) -> None:
    assert comparison.movers == (
        Mover("q1", "text of q1", 0.0, 1.0),
        Mover("q2", "text of q2", 0.5, 1.0),
        Mover("q3", "text of q3", 1.0, 0.75),
    )


def test_the_json_object(comparison: Comparison, tmp_path: Path) -> None:
    shown = json.loads(json.dumps(comparison.as_json()))
    assert (shown["a"], shown["b"], shown["queries"]) == (str(tmp_path / "a"), str(tmp_path / "b"), 3)
    assert shown["differences"][1] == {
        "measure": "R@5",
        "a": pytest.approx(2.5 / 3),
        "b": pytest.approx(2.5 / 3),
        "difference": 0.0,
        "ci": [0.0, 0.0],
        "p": 1.0,
        "p_holm": 1.0,
        "wins": 0,
        "losses": 0,
        "ties": 3,
    }
    assert shown["movers"][0] == {"query": "q1", "text": "text of q1", "a": 0.0, "b": 1.0}


def test_the_table(comparison: Comparison) -> None:
    lines = comparison.table().split("\n")
    assert lines[2:6] == [
        "3 queries",
        "measure       A       B    B - A       95 % interval       p  p (Holm)  wins  losses  ties",
        "RR@10    0.5000  0.9167  +0.4167  -0.2500 to +1.0000  0.5000    1.0000     2       1     0",
        "R@5      0.8333  0.8333  +0.0000  +0.0000 to +0.0000  1.0000    1.0000     0       0     3",
    ]
    assert lines[7:9] == ["moved most by RR@10:", "0.000 -> 1.000  q1  text of q1"]


def test_a_sure_difference_is_starred(tmp_path: Path) -> None:
    a = write(tmp_path / "a", {f"q{n}": {"RR@10": 0.0} for n in range(20)})
    b = write(tmp_path / "b", {f"q{n}": {"RR@10": 1.0} for n in range(20)})
    assert compare(a, b).differences[0].p_holm < 0.001
    assert compare(a, b).table().split("\n")[4].startswith("RR@10*")
    assert len(compare(a, b).movers) == 5


def test_measures_that_cover_some_queries_only(tmp_path: Path) -> None:
    scores = {"q1": {"right": 1.0, "right:fact": 1.0}, "q2": {"right": 0.0, "right:contested": 0.0}}
    comparison = compare(write(tmp_path / "a", scores), write(tmp_path / "b", scores))
    assert [(d.measure, d.a, d.ties) for d in comparison.differences] == [
        ("right", 0.5, 2),
        ("right:fact", 1.0, 1),
        ("right:contested", 0.0, 1),
    ]


def test_other_queries_are_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", A), write(tmp_path / "b", {"q1": B["q1"], "q9": B["q2"]})
    with pytest.raises(UsageError) as error:
        compare(a, b)
    assert str(error.value) == (
        f"not the same queries: 2 only in {a}, 1 only in {b}, such as 'q2'; "
        "compare two evaluations of one collection"
    )


def test_no_measure_in_common_is_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", {"q1": {"R@5": 1.0}}), write(tmp_path / "b", {"q1": {"P@5": 1.0}})
    with pytest.raises(UsageError) as error:
        compare(a, b)
    assert str(error.value) == f"no measure in common: {a} has R@5, {b} has P@5"


def test_a_folder_without_an_evaluation_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        compare(tmp_path, tmp_path)
    assert (
        str(error.value) == f"{tmp_path} holds no evaluation: give a folder that footnoted eval --out wrote"
    )


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ('{"query": "q"}', 'a row is {"query", "text", "metrics"}'),
        ('{"query": "q", "text": "t", "metrics": {"R@5": "x"}}', '"metrics" holds numbers'),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, wanted: str) -> None:
    file = tmp_path / "per_query.jsonl"
    file.write_text(row + "\n")
    with pytest.raises(UsageError) as error:
        compare(tmp_path, tmp_path)
    assert str(error.value) == f"{file} line 1: {wanted}, got {row!r}"
