"""Comparing two evaluations of four queries, worked out by hand."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from eval.comparison import Comparison, compare
from eval.movers import Mover
from eval.writing import write as write_evaluation
from index.errors import UsageError

A = {"q1": {"RR@10": 0.0, "R@5": 1.0}, "q2": {"RR@10": 0.5, "R@5": 1.0}, "q3": {"RR@10": 1.0, "R@5": 0.5}}
B = {"q1": {"RR@10": 1.0, "R@5": 1.0}, "q2": {"RR@10": 1.0, "R@5": 1.0}, "q3": {"RR@10": 0.75, "R@5": 0.5}}


def write(folder: Path, scores: Mapping[str, Mapping[str, float]]) -> Path:
    folder.mkdir()
    rows = [{"query": query, "text": f"text of {query}", "metrics": metrics} for query, metrics in scores.items()]
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
    assert (first.p, first.p_holm) == (0.5, 0.5)  # three queries could not give less than .25: nothing to correct
    assert (first.won, first.lost, first.queries) == (["q1", "q2"], ["q3"], 3)
    assert first.ci == (-0.25, 1.0)  # each of 27 draws is likelier than 2.5 %
    assert (second.measure, second.difference, second.ci, second.p) == ("R@5", 0.0, (0.0, 0.0), 1.0)
    assert (second.won, second.lost, second.queries) == ([], [], 3)


def test_the_queries_that_moved_most(comparison: Comparison) -> None:
    assert comparison.gained == (Mover("q1", "text of q1", 0.0, 1.0), Mover("q2", "text of q2", 0.5, 1.0))
    assert comparison.lost == (Mover("q3", "text of q3", 1.0, 0.75),)


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
        "queries": 3,
        "won": [],
        "lost": [],
        "wins": 0,
        "losses": 0,
        "ties": 3,
    }
    assert (shown["differences"][0]["won"], shown["differences"][0]["lost"]) == (["q1", "q2"], ["q3"])
    bare = {"shifts": [], "replies": None, "why": []}
    assert shown["lost"] == [{"query": "q3", "text": "text of q3", "a": 1.0, "b": 0.75} | bare]
    assert (shown["changed"], shown["page"]) == ([], None)


def test_the_table(comparison: Comparison) -> None:
    lines = comparison.table().split("\n")
    assert lines[2:7] == [
        "3 queries",
        "",
        "measure       A       B    B - A       95 % interval       p  p (Holm)  won  lost  tied",
        "RR@10    0.5000  0.9167  +0.4167  -0.2500 to +1.0000  0.5000    0.5000    2     1     0",
        "R@5      0.8333  0.8333  +0.0000  +0.0000 to +0.0000  1.0000    1.0000    0     0     3",
    ]
    assert lines[7:] == [
        "",
        "gained most by RR@10:",
        "0.000 -> 1.000  q1  text of q1",
        "0.500 -> 1.000  q2  text of q2",
        "",
        "lost most by RR@10:",
        "1.000 -> 0.750  q3  text of q3",
    ]


def test_a_sure_difference_is_starred(tmp_path: Path) -> None:
    a = write(tmp_path / "a", {f"q{n}": {"RR@10": 0.0} for n in range(20)})
    b = write(tmp_path / "b", {f"q{n}": {"RR@10": 1.0} for n in range(20)})
    assert compare(a, b).differences[0].p_holm < 0.001
    assert compare(a, b).table().split("\n")[5].startswith("RR@10*")
    assert len(compare(a, b).gained) == 5
    assert compare(a, b).lost == ()


def test_measures_that_cover_some_queries_only(tmp_path: Path) -> None:
    scores = {"q1": {"right": 1.0, "right:fact": 1.0}, "q2": {"right": 0.0, "right:contested": 0.0}}
    comparison = compare(write(tmp_path / "a", scores), write(tmp_path / "b", scores))
    assert [(d.measure, d.a, d.queries) for d in comparison.differences] == [
        ("right", 0.5, 2),
        ("right:fact", 1.0, 1),
        ("right:contested", 0.0, 1),
    ]


def test_a_measure_is_compared_over_the_queries_that_both_have_it_for(tmp_path: Path) -> None:
    a = {"q1": {"right": 1.0, "citation precision": 1.0}, "q2": {"right": 1.0, "citation precision": 0.5}}
    b = {"q1": {"right": 0.0}, "q2": {"right": 1.0, "citation precision": 1.0}}
    comparison = compare(write(tmp_path / "a", a), write(tmp_path / "b", b))
    precision = comparison.differences[1]
    assert (precision.measure, precision.a, precision.b, precision.deltas) == (
        "citation precision", 0.5, 1.0, {"q2": 0.5},
    )  # fmt: skip
    assert "over fewer queries, those that both have it for: citation precision 1" in comparison.table().split("\n")


def test_movers_are_by_the_first_measure_that_moved(tmp_path: Path) -> None:
    a, b = ({q: {"R@100": 1.0, "RR@10": s["RR@10"]} for q, s in scores.items()} for scores in (A, B))
    comparison = compare(write(tmp_path / "a", a), write(tmp_path / "b", b))
    assert comparison.moved_by == "RR@10"
    assert [one.query for one in comparison.lost] == ["q3"]
    assert compare(tmp_path / "a", tmp_path / "a").moved_by == "R@100"


def test_what_differs_in_the_settings(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", A), write(tmp_path / "b", B)
    (a / "config.json").write_text('{"mode": "dense", "model": "m", "chunking": {"size": 200}, "threshold": null}')
    (b / "config.json").write_text('{"mode": "fused", "model": "m", "chunking": {"size": 100}, "seed": [1, 2]}')
    assert compare(a, b).changed == (
        ("mode", "dense", "fused"),
        ("chunking.size", "200", "100"),
        ("threshold", "none", "-"),
        ("seed", "-", "1, 2"),
    )
    assert compare(a, b).table().split("\n")[4:7] == [
        "what differs       A      B",
        "mode           dense  fused",
        "chunking.size    200    100",
    ]
    (a / "config.json").write_text("{broken")
    assert compare(a, a).changed == ()


def test_the_lines_fit_a_terminal_of_a_hundred_columns(tmp_path: Path) -> None:
    metrics = {"right:unanswerable": 1.0, "right:a kind of question of one's own": 1.0, "citation precision": 0.5}
    scores = {f"query-{n}": {"right": float(n % 2)} | metrics for n in range(9)}
    a, b = write(tmp_path / "a", scores), write(tmp_path / "b", {q: s | {"right": 1.0} for q, s in scores.items()})
    for folder, quote in ((a, "before "), (b, "after ")):
        rows = [json.loads(line) for line in (folder / "per_query.jsonl").read_text().splitlines()]
        for row in rows:
            row |= {"text": "word " * 60, "abstained": False, "confidence": 0.5, "quotes": [{"quote": quote * 60}]}
        (folder / "per_query.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "config.json").write_text(json.dumps({"model": quote * 60}))
    lines = compare(a, b).table().split("\n")[2:]
    assert max(map(len, lines)) <= 100
    assert any("gone: “before before" in line for line in lines)


def test_the_files_of_a_comparison(comparison: Comparison, tmp_path: Path) -> None:
    out = write_evaluation(comparison, tmp_path / "out")
    assert json.loads((out / "comparison.json").read_text()) == json.loads(json.dumps(comparison.as_json(out)))
    assert comparison.as_json(out)["page"] == str(out / "report.html")
    assert "text of q3" in (out / "report.html").read_text()


def test_other_queries_are_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", A), write(tmp_path / "b", {"q1": B["q1"], "q9": B["q2"]})
    with pytest.raises(UsageError) as error:
        compare(a, b)
    assert str(error.value) == (
        f"not the same queries: 2 only in {a}, 1 only in {b}, such as 'q2'; compare two evaluations of one collection"
    )


def test_no_measure_in_common_is_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", {"q1": {"R@5": 1.0}}), write(tmp_path / "b", {"q1": {"P@5": 1.0}})
    with pytest.raises(UsageError) as error:
        compare(a, b)
    assert str(error.value) == f"no measure in common: {a} has R@5, {b} has P@5"


def test_a_folder_without_an_evaluation_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        compare(tmp_path, tmp_path)
    assert str(error.value) == f"{tmp_path} holds no evaluation: give a folder that footnoted eval --out wrote"


@pytest.mark.parametrize(
    "more",
    [
        {"relevant": []},
        {"relevant": {"d": "1"}},
        {"places": [{"id": "d", "rank": 1, "dense": None, "lexical": 2, "text": ""}]},
        {"places": [{"id": "d", "rank": "1", "dense": None, "lexical": 2, "text": "", "relevant": True}]},
        {"quotes": ["a"], "abstained": False},
        {"confidence": "high", "abstained": True},
    ],
)
def test_a_row_of_something_else_is_one_line(tmp_path: Path, more: dict[str, object]) -> None:
    row = {"query": "q7", "text": "t", "metrics": {"R@5": 1.0}}
    (tmp_path / "per_query.jsonl").write_text(json.dumps(row | more) + "\n")
    with pytest.raises(UsageError, match=r"line 1: a row is what this version's .* evaluate again, got 'q7'$"):
        compare(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ('{"query": "q"}', 'a row is {"query", "text", "metrics"}'),
        ('{"query": "q", "text": "t", "metrics": {"R@5": "x"}}', '"metrics" holds numbers'),
        ('{"query": "q", "text": "t", "metrics": {"R@5": NaN}}', '"metrics" holds numbers'),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, wanted: str) -> None:
    file = tmp_path / "per_query.jsonl"
    file.write_text(row + "\n")
    with pytest.raises(UsageError) as error:
        compare(tmp_path, tmp_path)
    assert str(error.value) == f"{file} line 1: {wanted}, got {row!r}"
