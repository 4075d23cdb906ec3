"""Judgements from use, scored and exported, on answers that can be scored by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from eval.comparison import compare
from eval.feedback import evaluate_feedback, export, judged
from eval.spans import Span, read_spans
from eval.topics import read_topics
from eval.writing import write
from index.documents import Document, Passage
from index.errors import UsageError
from rag.answers import Answer, Citation, Hit
from rag.feedback import Excerpt, Feedback, Judgement, Rating

AT = "2026-11-23T14:00:00+00:00"
HOUSE = "The door is blue. The gate is green. The roof is red. The wall is white."
BLUE, GREEN, RED = (0, 17), (18, 36), (37, 53)
COLOUR, AGE = "What colour is the door?", "How old is the house?"
COLOUR_ID = "qa84ec41dfff6"  # the beginning of the sha256 of the question


@dataclass
class House:
    """Finds the first half of the house, then the second; quotes what the table lists, or refuses."""

    quotes: Mapping[str, Sequence[tuple[int, int]]]
    text: str = HOUSE

    @property
    def index(self) -> "House":
        return self

    def document(self, source: str) -> Document:
        if source != "my house.txt":
            raise UsageError("no such document")
        return Document(source, "House", self.text)

    def search(self, query: str, k: int, mode: str = "fused") -> tuple[Hit, ...]:
        spans = [(0, 36), (37, 72)]
        return tuple(
            Hit(Passage(str(start), "my house.txt", "House", start, end, self.text[start:end]), 1 - start / 100, 1, 1)
            for start, end in spans
        )

    def answer(self, question: str, *, threshold: float | None = None) -> Answer:
        cited = tuple(
            Citation(marker, "my house.txt", "House", start, end, self.text[start:end], "0", None, "", 1.0)
            for marker, (start, end) in enumerate(self.quotes.get(question, ()), start=1)
        )
        return Answer(question, "...", cited, self.search(question, 2), abstained=not cited)


def said(question: str, place: tuple[int, int], relevant: bool, source: str = "my house.txt") -> Judgement:
    start, end = place
    return Judgement(question, source, start, end, HOUSE[start:end], relevant, "", AT, 1)


def rated(question: str, good: bool, *cited: tuple[int, int], reason: str = "") -> Rating:
    excerpts = tuple(Excerpt("my house.txt", start, end, HOUSE[start:end]) for start, end in cited)
    return Rating(question, good, reason, excerpts, AT, 1)


def test_passages_and_answers_are_scored_against_what_was_judged() -> None:
    feedback = Feedback((said(COLOUR, BLUE, True), said(COLOUR, GREEN, False), said(AGE, RED, True)), ())
    got = evaluate_feedback(judged(feedback), House({COLOUR: [BLUE, GREEN]})).as_json()
    assert got["collection"] == "feedback"
    assert got["queries"] == 2
    assert got["metrics"] == {
        "token recall@5": 1.0,
        "token precision@5": pytest.approx((17 / 71 + 16 / 71) / 2),
        "token IoU@5": pytest.approx((17 / 71 + 16 / 71) / 2),
        "span nDCG@5": pytest.approx((1 + 0.6309297535714575) / 2),
        "span RR@5": 0.75,
        "span R@5": 1.0,
        "right source cited": 0.5,  # the second question is refused
        "wrong source not cited": 0.0,
        "refused as judged": 0.5,
    }
    assert got["spans"] == {"judged": 2, "moved": 0, "lost": 0}
    assert got["notes"] == ["wrong sources that are still cited: 1 of 1", f"my house.txt:18-36 for {COLOUR}"]


def test_a_citation_that_shares_half_of_the_shorter_is_the_same() -> None:
    feedback = Feedback((said(COLOUR, (0, 36), True), said(COLOUR, (44, 60), False)), ())
    cited = evaluate_feedback(judged(feedback), House({COLOUR: [BLUE, RED]}))
    assert cited.metrics["right source cited"] == 1.0  # the sentence is inside the passage
    assert cited.notes[1:] == (f"my house.txt:44-60 for {COLOUR}",)  # 9 of 16 characters
    missed = evaluate_feedback(judged(feedback), House({COLOUR: [(37, 50)]}))
    assert missed.notes == ("wrong sources that are still cited: 0 of 1",)  # 6 of 13
    assert missed.metrics["right source cited"] == 0.0


def test_refusals_are_scored_as_they_were_judged() -> None:
    ratings = (
        rated("Who built it?", True),  # right to refuse
        rated("Who lives there?", False),  # the documents do say it
        rated("Why is it red?", False, RED, reason="should have refused"),
        rated("What is red?", True, RED),
        rated("What is green?", False, GREEN, reason="incomplete"),
    )
    asked = judged(Feedback((), ratings))
    assert {asked.queries[id]: refuse for id, refuse in asked.refuse.items()} == {
        "Who built it?": True, "Who lives there?": False, "Why is it red?": True, "What is red?": False,
    }  # fmt: skip
    got = evaluate_feedback(asked, House({"What is red?": [RED], "Why is it red?": [RED]}))
    assert got.metrics == {"refused as judged": 0.5}
    assert {row.text: row.metrics for row in got.per_query} == {
        "Who built it?": {"refused as judged": 1.0},
        "Who lives there?": {"refused as judged": 0.0},
        "Why is it red?": {"refused as judged": 0.0},
        "What is red?": {"refused as judged": 1.0},
        "What is green?": {},
    }


def test_a_quote_that_moved_is_found_and_one_that_is_gone_is_lost() -> None:
    feedback = Feedback(
        (
            said(COLOUR, BLUE, True),
            said(COLOUR, RED, True),
            said(COLOUR, GREEN, False),
            said(COLOUR, (54, 72), False),
            said(COLOUR, BLUE, False, source="gone.txt"),
        ),
        (),
    )
    moved = House({COLOUR: [(5, 22), (23, 41)]}, "New. The door is blue. The gate is green. The roof is mauve.")
    report = evaluate_feedback(judged(feedback), moved)
    assert report.as_json()["spans"] == {"judged": 2, "moved": 1, "lost": 1}
    assert report.metrics["right source cited"] == 1.0
    assert report.notes == (
        "wrong sources that are still cited: 1 of 3 (2 no longer in the documents)",
        f"my house.txt:23-41 for {COLOUR}",
    )
    assert report.notes[0] in report.table()


def test_no_feedback_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="nothing is judged yet: footnoted chat has thumbs under every answer"):
        evaluate_feedback(judged(Feedback((), ())), House({}))


def test_two_evaluations_of_the_same_feedback_can_be_compared(tmp_path: Path) -> None:
    asked = judged(Feedback((said(COLOUR, BLUE, True), said(AGE, RED, True), said(AGE, GREEN, False)), ()))
    for name, quotes in (("a", {COLOUR: [BLUE]}), ("b", {COLOUR: [BLUE], AGE: [RED]})):
        write(evaluate_feedback(asked, House(quotes)), tmp_path / name)
    cited = {one.measure: one for one in compare(tmp_path / "a", tmp_path / "b").differences}["right source cited"]
    assert (cited.a, cited.b, cited.difference) == (0.5, 1.0, 0.5)
    assert json.loads((tmp_path / "a" / "report.json").read_text())["notes"] == [
        "wrong sources that are still cited: 0 of 1"
    ]


def test_qrels_hold_the_documents_and_topics_the_questions(tmp_path: Path) -> None:
    asked = judged(
        Feedback(
            (
                said(COLOUR, GREEN, False),
                said(COLOUR, BLUE, True),
                said(COLOUR, RED, False, source="old.txt"),
                said("Which\tgate?\nThat one?", GREEN, False),
            ),
            (rated("Who built it?", True),),
        )
    )
    files = export(asked, qrels=tmp_path / "judged.qrels")
    other = next(id for id, text in asked.queries.items() if text.startswith("Which"))
    assert (tmp_path / "judged.qrels").read_text().splitlines() == [
        f"{COLOUR_ID} 0 my%20house.txt 1",
        f"{COLOUR_ID} 0 old.txt 0",
        f"{other} 0 my%20house.txt 0",
    ]
    assert files == {"qrels": tmp_path / "judged.qrels", "topics": tmp_path / "judged.topics.tsv"}
    assert files["topics"].read_text().splitlines() == [f"{COLOUR_ID}\t{COLOUR}", f"{other}\tWhich gate? That one?"]


def test_spans_are_those_judged_right(tmp_path: Path) -> None:
    asked = judged(Feedback((said(COLOUR, BLUE, True), said(COLOUR, GREEN, False), said(AGE, RED, False)), ()))
    files = export(asked, spans=tmp_path / "spans.jsonl")
    assert files == {"spans": tmp_path / "spans.jsonl", "topics": tmp_path / "spans.topics.tsv"}
    assert read_spans(files["spans"]) == {COLOUR_ID: (Span("my house.txt", 0, 17, "The door is blue."),)}
    assert read_topics(files["topics"])[COLOUR_ID] == COLOUR


@pytest.mark.parametrize(
    ("judgements", "kind"), [((), "qrels"), ((), "spans"), ((said(COLOUR, BLUE, False),), "spans")]
)
def test_nothing_to_export_says_what_to_do(tmp_path: Path, judgements: tuple[Judgement, ...], kind: str) -> None:
    with pytest.raises(UsageError, match="no source is judged right yet: footnoted chat has thumbs"):
        export(judged(Feedback(judgements, (rated("Who built it?", True),))), **{kind: tmp_path / "out"})
    assert list(tmp_path.iterdir()) == []
