"""A whole evaluation with a searcher from a table: every number below is worked out by hand."""

import json
import math
from collections.abc import Callable
from itertools import count
from pathlib import Path

import ir_measures
import pytest

from eval import Report, evaluate
from eval.collections import load_collection
from eval.runs import read_run
from eval.writing import write
from index.errors import UsageError

Make = Callable[..., object]
# q1 (d1 grade 2, d2 grade 1): two passages of d9 first, so d2 is the second document, d1 the third.
# q2 (d#3): found first, under an id that holds a "#". q3 (d1): no results.
TABLE = {
    "one": [
        ("corpus.jsonl#d9", 0.9),
        ("corpus.jsonl#d9", 0.8),
        ("corpus.jsonl#d2", 0.5),
        ("corpus.jsonl#d1", 0.5),
        ("corpus.jsonl#d2", 0.1),
    ],
    "two": [("corpus.jsonl#d#3", 0.7), ("notes.txt", 0.6), ("table.csv#4", 0.5)],
}
NDCG = [(1 / math.log2(3) + 2 / 2) / (2 + 1 / math.log2(3)), 1.0, 0.0]


@pytest.fixture
def report(write_collection: Make, make_searcher: Make) -> Report:
    return evaluate(load_collection(write_collection()), make_searcher(TABLE), settings={"model": "fake"})


def test_the_scores(report: Report) -> None:
    assert (report.collection, report.mode, report.queries) == ("tiny", "fused", 3)
    assert report.metrics == pytest.approx(
        {"nDCG@10": sum(NDCG) / 3, "R@5": 2 / 3, "R@100": 2 / 3, "RR@10": (1 / 2 + 1 + 0) / 3}
    )
    assert [row.metrics["nDCG@10"] for row in report.per_query] == pytest.approx(NDCG)
    assert [row.relevant for row in report.per_query] == [{"d1": 3, "d2": 2}, {"d#3": 1}, {"d1": None}]


def test_the_intervals_hold_their_means(report: Report) -> None:
    assert report.ci["R@5"] == (0.0, 1.0)  # 27 draws of three queries; all alike in more than 2.5 %
    for name, mean in report.metrics.items():
        assert report.ci[name][0] <= mean <= report.ci[name][1]


def test_the_run_keeps_the_order_of_the_system_without_ties(report: Report) -> None:
    assert report.run["q1"] == pytest.approx({"d9": 0.9, "d2": 0.5, "d1": 0.5}, abs=1e-6)
    assert report.run["q1"]["d2"] > report.run["q1"]["d1"]
    assert report.run["q2"] == pytest.approx({"d#3": 0.7})
    assert report.run["q3"] == {}


def test_the_files(
    write_collection: Make, make_searcher: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count(step=0.25)  # a clock that goes on a quarter of a second each time it is looked at
    monkeypatch.setattr("eval.searching.time.perf_counter", lambda: next(ticks))
    report = evaluate(load_collection(write_collection()), make_searcher(TABLE), settings={"model": "fake"})
    out = write(report, tmp_path / "deep" / "out")
    assert sorted(path.name for path in out.iterdir()) == [
        "config.json",
        "per_query.jsonl",
        "qrels.trec",
        "report.html",
        "report.json",
        "run.trec",
    ]
    assert read_run(out / "run.trec") == {query: scores for query, scores in report.run.items() if scores}
    rows = [json.loads(line) for line in (out / "per_query.jsonl").read_text().splitlines()]
    assert rows[2] == {
        "query": "q3",
        "text": "three",
        "metrics": {"nDCG@10": 0.0, "R@5": 0.0, "R@100": 0.0, "RR@10": 0.0},
        "relevant": {"d1": None},
        "places": [],
        "seconds": 0.25,
    }
    assert rows[0]["places"][1] == {"id": "d2", "rank": 2, "dense": 2, "lexical": None, "text": "", "relevant": True}
    assert report.seconds == 0.75
    config = json.loads((out / "config.json").read_text())
    assert config == {
        "kind": "collection",
        "collection": "tiny",
        "folder": str(tmp_path / "tiny"),
        "mode": "fused",
        "measures": ["nDCG@10", "R@5", "R@100", "RR@10"],
        "depth": 1000,
        "documents": 100,
        "model": "fake",
    }
    assert json.loads((out / "report.json").read_text()) == report.as_json(out)


def test_ir_measures_reads_the_same_scores_from_the_files(report: Report, tmp_path: Path) -> None:
    out = write(report, tmp_path / "out")
    again = ir_measures.calc_aggregate(
        [ir_measures.parse_measure(name) for name in report.metrics],
        ir_measures.read_trec_qrels(str(out / "qrels.trec")),
        ir_measures.read_trec_run(str(out / "run.trec")),
    )
    assert {str(one): value for one, value in again.items()} == pytest.approx(report.metrics, abs=1e-6)


def test_the_json_object_of_the_contract(report: Report, tmp_path: Path) -> None:
    shown = report.as_json(tmp_path)
    assert list(shown) == ["collection", "mode", "queries", "metrics", "ci", "per_query", "run", "page", "seconds"]
    assert shown["per_query"] == str(tmp_path / "per_query.jsonl")
    assert shown["run"] == str(tmp_path / "run.trec")
    assert shown["ci"]["R@5"] == [0.0, 1.0]  # type: ignore[index]
    assert report.as_json()["run"] is None


def test_the_table(report: Report) -> None:
    head, columns, *rows = report.table().split("\n")
    assert head.startswith("tiny, fused: 3 queries, ")
    assert columns == "measure    mean     95 % interval"
    assert rows[1] == "R@5      0.6667  0.0000 to 1.0000"


def test_what_the_system_is_asked(write_collection: Make, make_searcher: Make) -> None:
    system, seen = make_searcher(TABLE), []
    evaluate(write_collection(), system, "lexical", ["R@1"], depth=200, progress=lambda *step: seen.append(step))
    assert system.asked == [("one", 200, "lexical"), ("two", 200, "lexical"), ("three", 200, "lexical")]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_run_holds_a_hundred_documents_or_what_a_measure_needs(write_collection: Make, make_searcher: Make) -> None:
    system = make_searcher({"one": [(f"corpus.jsonl#d{n + 10}", 1 - n / 1000) for n in range(300)]})
    assert len(evaluate(write_collection(), system).run["q1"]) == 100
    assert len(evaluate(write_collection(), system, measures=["R@250"]).run["q1"]) == 250
    with pytest.raises(UsageError) as error:
        evaluate(write_collection(), system, measures=["R@250"], depth=200)
    assert str(error.value) == "depth must be at least the 250 documents to be ranked, got 200"


def test_unknown_modes_and_measures_are_named(write_collection: Make, make_searcher: Make) -> None:
    system = make_searcher(TABLE)
    with pytest.raises(UsageError, match=r"^no mode 'both': use fused, dense, lexical$"):
        evaluate(write_collection(), system, "both")
    with pytest.raises(UsageError, match=r"^no measure 'MAP': use "):
        evaluate(write_collection(), system, measures=["MAP"])
    assert system.asked == []


def test_an_index_of_something_else_is_noticed(write_collection: Make, make_searcher: Make) -> None:
    folder = write_collection()
    with pytest.raises(UsageError) as error:
        evaluate(folder, make_searcher({"one": [("notes.txt", 1.0)]}))
    assert str(error.value) == (
        f"no query found a row of {folder / 'corpus.jsonl'}: index that file, then search that index"
    )


def test_a_document_id_that_no_run_file_can_hold_is_named(write_collection: Make, make_searcher: Make) -> None:
    with pytest.raises(UsageError, match=r"^a TREC file cannot hold the id 'two words': "):
        evaluate(write_collection(), make_searcher({"one": [("corpus.jsonl#two words", 1.0)]}))
