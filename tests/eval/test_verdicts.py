"""Judging answers from a table, and the report over them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eval.evaluation import evaluate_questions
from eval.question_reports import QuestionReport, measures
from eval.questions import Question, Support
from eval.verdicts import Verdict, judge, with_threshold
from eval.writing import write
from index import Index
from rag.confidence import THRESHOLD
from rag.system import REFUSAL, System

TEXT = "The treaty was signed in 1955. Beevor disputes this. Others call it revenge. Bonn was the capital."
SIDES = (Support("Beevor disputes"), Support("call it revenge"))
QUESTIONS = [
    Question("f1", "When?", ("1955",), (Support("signed in 1955"),), "fact"),
    Question("f2", "Which capital?", ("Bonn",), (Support("Bonn was the capital"),), "fact"),
    Question("f3", "Who signed?", ("Adenauer",), (), "fact"),
    Question("f4", "Any source?", (), (Support("Others call it revenge"),), "fact"),
    Question("c1", "Agreed?", (), SIDES, "contested"),
    Question("c2", "Sure?", (), SIDES, "contested"),
    Question("u1", "Brazil?", (), (), "unanswerable"),
    Question("u2", "Mars?", (), (), "unanswerable"),
]
SIGNED, DISPUTED = "The treaty was signed in 1955.", "Beevor disputes this."
REVENGE, CAPITAL = "Others call it revenge.", "Bonn was the capital."
TABLE = {
    "When?": ([("a.txt", SIGNED)], 0.9),  # right
    "Which capital?": ([], 0.2),  # refused, though the hit holds it
    "Who signed?": ([("a.txt", SIGNED), ("a.txt", CAPITAL)], 0.8),  # the accepted answer is nowhere
    "Any source?": ([("a.txt", REVENGE)], 0.7),  # right by its support
    "Agreed?": ([("a.txt", DISPUTED), ("a.txt", REVENGE)], 0.6),  # both sides: right
    "Sure?": ([("a.txt", DISPUTED)], 0.5),  # one side: wrong
    "Brazil?": ([], 0.1),  # right
    "Mars?": ([("a.txt", "Mars was signed."), ("gone.txt", "Mars")], 0.5),  # wrong, and no quotes of anything
}


@pytest.fixture
def report(make_answerer: Callable[..., object]) -> QuestionReport:
    return evaluate_questions(QUESTIONS, make_answerer({"a.txt": TEXT}, TABLE), settings={"generation": 3})


def by_id(report: QuestionReport) -> dict[str, Verdict]:
    return {v.question.id: v for v in report.verdicts}


def test_what_is_right(report: QuestionReport) -> None:
    rights = {id: v.right for id, v in by_id(report).items()}
    assert rights == {
        "f1": True,
        "f2": False,
        "f3": False,
        "f4": True,
        "c1": True,
        "c2": False,
        "u1": True,
        "u2": False,
    }


def test_the_details_of_a_verdict(report: QuestionReport) -> None:
    verdicts = by_id(report)
    assert [v.quoted for v in report.verdicts] == [True] + [False] * 7
    assert [v.supported for v in report.verdicts] == [1, 0, 0, 1, 2, 1, 0, 0]
    assert [v.exact for v in report.verdicts] == [1, 0, 2, 1, 2, 1, 0, 0]
    assert [v.retrieved for v in report.verdicts] == [True, True, False, True, True, True, False, False]
    assert (verdicts["f1"].recall, verdicts["f3"].recall) == (1.0, 0.0)


def test_a_question_of_another_type_is_scored_as_a_fact(make_answerer: Callable[..., object]) -> None:
    system = make_answerer({"a.txt": TEXT}, TABLE)
    asked = [
        Question("n", "When?", ("1955",), (), "number"),
        Question("m", "Who signed?", ("X",), (), "number"),
    ]
    assert [v.right for v in evaluate_questions(asked, system).verdicts] == [True, False]


def test_refusals_and_confidence(report: QuestionReport) -> None:
    assert report.refusal() == {
        "answerable_answered": 5,
        "answerable_refused": 1,
        "unanswerable_answered": 1,
        "unanswerable_refused": 1,
    }
    # .9 .2 .8 .7 .6 .5 against .1 .5: all six above .1; above .5 four, and one tie: (6 + 4.5) / 12
    assert report.confidence_auroc == pytest.approx(10.5 / 12)


def test_the_json_object(report: QuestionReport) -> None:
    shown = report.as_json()
    assert shown["questions"] == 8
    assert shown["metrics"] == {
        "right": 0.5,
        "right:fact": 0.5,
        "right:contested": 0.5,
        "right:unanswerable": 0.5,
        "answered": 5 / 6,
        "contains": 1 / 3,
        "EM": 0.0,
        "F1": pytest.approx(1 / 9),  # "treaty was signed in 1955" against "1955": 2 * 1 / 6; the other two 0
        "citation precision": 4 / 6,  # none of f3's two, nor of u2's; all of four others'
        "citation recall": 3.5 / 5,  # c2 has one of two sides, f2 refused
    }
    assert list(shown["counts"].values()) == [8, 4, 2, 2, 6, 3, 3, 3, 6, 5]  # type: ignore[attr-defined]
    assert shown["ci"]["right"] == [0.125, 0.875]  # type: ignore[index]
    assert shown["confidence_auroc"] == pytest.approx(10.5 / 12)
    assert (shown["quotes"], shown["exact_quotes"]) == (9, 7)
    assert shown["types"]["fact"] == {  # type: ignore[index]
        "questions": 4,
        "right": 2,
        "quoted": 1,
        "supported": 2,
        "retrieved": 3,
        "refused": 1,
        "quotes": 4,
        "exact_quotes": 4,
        "word_recall": pytest.approx(1 / 3),
    }
    assert shown["per_query"] is None


def test_the_table(report: QuestionReport) -> None:
    assert report.table().split("\n") == [
        "type          questions  right  quoted  supported  retrieved  refused",
        "fact                  4      2       1          2          3        1",
        "contested             2      1       0          2          2        0",
        "unanswerable          2      1       0          0          0        1",
        "all                   8      4       1          4          5        2",
        "",
        "measure              mean   95 % interval  of",
        "right               0.500  0.125 to 0.875   8",
        "right:fact          0.500  0.000 to 1.000   4",
        "right:contested     0.500  0.000 to 1.000   2",
        "right:unanswerable  0.500  0.000 to 1.000   2",
        "answered            0.833  0.500 to 1.000   6",
        "contains            0.333  0.000 to 1.000   3",
        "EM                  0.000  0.000 to 0.000   3",
        "F1                  0.111  0.000 to 0.333   3",
        "citation precision  0.667  0.333 to 1.000   6",
        "citation recall     0.700  0.300 to 1.000   5",
        "",
        "7 of 9 quotes are exact",
        "refused: 1 of 2 unanswerable questions, 1 of 6 answerable ones",
        "confidence parts them with an AUROC of 0.875 (0.583 to 1.000)",
        "at the threshold 0.35: coverage 0.750, risk 0.500; area under the risk-coverage curve 0.417 (0.062 to 0.924)",
        "a question took 0 ms (p50), 0 ms (p95), 0 ms (p99)",
        "wrong: f2 (fact) Which capital?",
        "wrong: f3 (fact) Who signed?",
        "wrong: c2 (contested) Sure?",
        "wrong: u2 (unanswerable) Mars?",
    ]


def test_the_files(report: QuestionReport, tmp_path: Path) -> None:
    out = write(report, tmp_path / "out")
    rows = [json.loads(line) for line in (out / "per_query.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    assert rows[0] == {
        "query": "f1",
        "type": "fact",
        "text": "When?",
        "metrics": {
            "right": 1.0,
            "right:fact": 1.0,
            "answered": 1.0,
            "contains": 1.0,
            "EM": 0.0,
            "F1": pytest.approx(1 / 3),
            "citation precision": 1.0,
            "citation recall": 1.0,
        },
        "answer": f"{SIGNED} [1]",
        "short_answer": SIGNED,
        "quotes": [{"source": "a.txt", "start": 0, "end": 30, "quote": SIGNED}],
        "confidence": 0.9,
        "abstained": False,
        "attempt_right": True,
        "quoted": True,
        "supported": 1,
        "support": 1,
        "exact": 1,
        "retrieved": True,
        "word_recall": 1.0,
        "seconds": 0.0,
    }
    assert json.loads((out / "config.json").read_text()) == {
        "kind": "questions",
        "threshold": 0.35,
        "generation": 3,
    }
    assert json.loads((out / "report.json").read_text()) == report.as_json(out)


def test_risk_and_coverage(report: QuestionReport) -> None:
    # surest first: f1 right, f3 wrong, f4 and c1 right, c2 and u2 (as sure as each other) wrong, then the two
    # that found nothing to quote, which count as wrong
    assert report.as_json()["risk_coverage"] == {
        "threshold": 0.35,
        "coverage": 6 / 8,
        "risk": 3 / 6,
        "refused_answerable": 1 / 6,
        "refused_unanswerable": 1 / 2,
        "aurc": pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4 + 2 * 3 / 6 + 2 * 5 / 8) / 8),
        "aurc_ci": list(report.risk.ci),
        "curve": [
            {"threshold": 0.9, "coverage": 1 / 8, "risk": 0.0},
            {"threshold": 0.8, "coverage": 2 / 8, "risk": 1 / 2},
            {"threshold": 0.7, "coverage": 3 / 8, "risk": 1 / 3},
            {"threshold": 0.6, "coverage": 4 / 8, "risk": 1 / 4},
            {"threshold": 0.5, "coverage": 6 / 8, "risk": 3 / 6},
            {"threshold": 0.0, "coverage": 8 / 8, "risk": 5 / 8},
        ],
    }


def test_a_long_curve_is_thinned_in_the_json_and_keeps_its_end(make_answerer: Callable[..., object]) -> None:
    table = {f"q{n}": ([("a.txt", SIGNED)], n / 1000) for n in range(1, 502)}
    asked = [Question(name, name, ("1955",), (), "fact") for name in table]
    report = evaluate_questions(asked, make_answerer({"a.txt": TEXT}, table), threshold=0.0)
    curve = report.as_json()["risk_coverage"]["curve"]  # type: ignore[index]
    assert len(report.risk.points) == 501
    assert len(curve) == 167
    assert curve[-1] == {"threshold": 0.001, "coverage": 1.0, "risk": 0.0}


def test_a_higher_threshold_refuses_more_of_the_same_answers(make_answerer: Callable[..., object]) -> None:
    system = make_answerer({"a.txt": TEXT}, TABLE)
    steps: list[tuple[int, int]] = []
    report = evaluate_questions(QUESTIONS, system, threshold=0.75, progress=lambda *step: steps.append(step))
    assert system.thresholds == [0.0] * 8  # each is asked once, and refused afterwards
    assert steps[-1] == (8, 8)
    assert [v.question.id for v in report.verdicts if not v.answer.abstained] == ["f1", "f3"]
    refused = by_id(report)["f4"]
    assert (refused.answer.text, refused.answer.citations) == (REFUSAL, ())
    assert (refused.right, refused.attempt_right, refused.attempt.citations[0].quote) == (False, True, REVENGE)
    assert by_id(report)["u2"].right
    assert not by_id(report)["u2"].attempt_right
    assert "citation precision" not in measures(refused)
    assert measures(refused)["citation recall"] == 0.0


def test_support_whose_place_is_known_is_cited_by_characters(make_answerer: Callable[..., object]) -> None:
    at = TEXT.index(CAPITAL)

    def verdict(*support: Support) -> Verdict:
        (found,) = evaluate_questions(
            [Question("q", "Any source?", (), support, "fact")],
            make_answerer({"a.txt": TEXT}, {"Any source?": ([("a.txt", CAPITAL), ("a.txt", SIGNED)], 0.9)}),
        ).verdicts
        return found

    inside = Support("the capital", "a.txt", (at + 9, at + 20))
    assert (verdict(inside).right, verdict(inside).precision, verdict(inside).citation_recall) == (True, 0.5, 1.0)
    beside = Support(CAPITAL, "a.txt", (at - 3, at))  # the same words, but that is not where they stand
    elsewhere = Support(CAPITAL, "b.txt", (at, at + 20))
    for wrong in (beside, elsewhere):
        assert (verdict(wrong).right, verdict(wrong).precision, verdict(wrong).retrieved) == (
            False,
            0.0,
            wrong is beside,
        )
    both = verdict(inside, elsewhere)
    assert (both.supported, both.citation_recall) == (1, 0.5)


def test_refusing_afterwards_is_refusing_at_once(
    write: Callable[..., Path], make_embedder: Callable[..., object], tmp_path: Path
) -> None:
    files = {
        "lease.md": "# Lease\n\nThe lease ends on 31 March 2030. The rent is 900 euros.\n",
        "gate.txt": "The gate is green.",
    }
    system = System(Index.build([write(files)], tmp_path / "at", embedder=make_embedder(dimension=512)))
    outcomes = set()
    for text in ("When does the lease end?", "Who painted the moon?", "What is this about?", "Is the gate green?"):
        question = Question("q", text, ("31 March 2030",), (), "fact")
        for threshold in (0.0, 0.2, THRESHOLD, 0.8, 1.0):
            attempt, direct = system.answer(text, 0.0), system.answer(text, threshold)
            same = replace(attempt, timings=direct.timings)
            assert with_threshold(same, threshold) == direct
            late, at_once = (judge(question, one, threshold, system.index) for one in (same, direct))
            assert replace(late, attempt=at_once.attempt, attempt_right=at_once.attempt_right) == at_once
            outcomes.add(direct.abstained)
    assert outcomes == {True, False}


def test_a_quote_beyond_the_end_of_its_document_is_not_exact(make_answerer: Callable[..., object]) -> None:
    system = make_answerer({"a.txt": "short"}, {"When?": ([("a.txt", "short and more")], 1.0)})
    assert evaluate_questions(QUESTIONS[:1], system).verdicts[0].exact == 0
