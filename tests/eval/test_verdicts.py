"""Judging answers from a table, and the report over them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.evaluation import evaluate_questions
from eval.question_reports import QuestionReport
from eval.questions import Question
from eval.verdicts import Verdict

TEXT = "The treaty was signed in 1955. Beevor disputes this. Others call it revenge. Bonn was the capital."
QUESTIONS = [
    Question("f1", "When?", ("1955",), ("signed in 1955",), "fact"),
    Question("f2", "Which capital?", ("Bonn",), ("Bonn was the capital",), "fact"),
    Question("f3", "Who signed?", ("Adenauer",), (), "fact"),
    Question("f4", "Any source?", (), ("Others call it revenge",), "fact"),
    Question("c1", "Agreed?", (), ("Beevor disputes", "call it revenge"), "contested"),
    Question("c2", "Sure?", (), ("Beevor disputes", "call it revenge"), "contested"),
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
    assert report.confidence_auroc() == pytest.approx(10.5 / 12)


def test_the_json_object(report: QuestionReport) -> None:
    shown = report.as_json()
    assert shown["questions"] == 8
    assert shown["metrics"] == {
        "right": 0.5,
        "right:fact": 0.5,
        "right:contested": 0.5,
        "right:unanswerable": 0.5,
    }
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
        "7 of 9 quotes are exact",
        "refused: 1 of 2 unanswerable questions, 1 of 6 answerable ones",
        "confidence parts them with an AUROC of 0.875",
        "wrong: f2 (fact) Which capital?",
        "wrong: f3 (fact) Who signed?",
        "wrong: c2 (contested) Sure?",
        "wrong: u2 (unanswerable) Mars?",
    ]


def test_the_files(report: QuestionReport, tmp_path: Path) -> None:
    out = report.write(tmp_path / "out")
    rows = [json.loads(line) for line in (out / "per_query.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    assert rows[0] == {
        "query": "f1",
        "type": "fact",
        "text": "When?",
        "metrics": {"right": 1.0, "right:fact": 1.0},
        "answer": f"{SIGNED} [1]",
        "quotes": [{"source": "a.txt", "start": 0, "end": 30, "quote": SIGNED}],
        "confidence": 0.9,
        "abstained": False,
        "quoted": True,
        "supported": 1,
        "support": 1,
        "exact": 1,
        "retrieved": True,
        "word_recall": 1.0,
    }
    assert json.loads((out / "config.json").read_text()) == {
        "kind": "questions",
        "threshold": None,
        "generation": 3,
    }
    assert json.loads((out / "report.json").read_text()) == report.as_json(out)


def test_the_threshold_reaches_the_system(make_answerer: Callable[..., object]) -> None:
    system = make_answerer({"a.txt": TEXT}, TABLE)
    steps: list[tuple[int, int]] = []
    evaluate_questions(QUESTIONS[:2], system, threshold=0.0, progress=lambda *step: steps.append(step))
    assert system.thresholds == [0.0, 0.0]
    assert steps == [(1, 2), (2, 2)]


def test_a_quote_beyond_the_end_of_its_document_is_not_exact(make_answerer: Callable[..., object]) -> None:
    system = make_answerer({"a.txt": "short"}, {"When?": ([("a.txt", "short and more")], 1.0)})
    assert evaluate_questions(QUESTIONS[:1], system).verdicts[0].exact == 0
