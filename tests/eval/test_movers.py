"""What is said of a query that moved, from two rows of per_query.jsonl."""

from typing import Any

from eval.movers import Reply, Shift, Standing, mover


def place(id: str, rank: int, dense: int | None, lexical: int | None) -> dict[str, Any]:
    return {"id": id, "rank": rank, "dense": dense, "lexical": lexical, "text": f"text of {id}", "relevant": id == "r"}


def searched(relevant: dict[str, int | None], *places: dict[str, Any]) -> dict[str, Any]:
    return {"text": "a query", "relevant": relevant, "places": list(places)}


def answered(confidence: float, *quotes: str) -> dict[str, Any]:
    return {"text": "?", "abstained": not quotes, "confidence": confidence, "quotes": [{"quote": q} for q in quotes]}


def test_a_relevant_document_that_fell_and_what_took_its_place() -> None:
    before = searched({"r": 1, "still": 3}, place("r", 1, 2, 1), place("x", 2, 1, 4), place("still", 3, 3, 3))
    after = searched(
        {"r": 4, "still": 3}, place("x", 1, 1, 1), place("new", 2, 5, 2), place("still", 3, 3, 3), place("r", 4, 2, 30)
    )
    found = mover("q", 1.0, 0.5, before, after)
    assert found.shifts == (
        Shift("r", True, Standing(1, 2, 1), Standing(4, 2, 30), "text of r"),
        Shift("x", False, Standing(2, 1, 4), Standing(1, 1, 1), "text of x"),
        Shift("new", False, Standing(), Standing(2, 5, 2), "text of new"),
    )
    assert found.why == (
        "relevant r: 1 -> 4, lowered by lexical 1 -> 30 (dense 2)",
        "took place 1 (was 2): x: text of x",
        "took place 2: new: text of new",
    )


def test_a_relevant_document_that_rose_is_told_without_what_it_passed() -> None:
    before = searched({"r": None}, place("x", 1, 1, 1))
    after = searched({"r": 1}, place("r", 1, 1, None), place("x", 2, 2, 1))
    assert mover("q", 0.0, 1.0, before, after).why == ("relevant r: none -> 1, raised by dense none -> 1",)


def test_a_side_that_is_asked_anew_lowers_what_it_ranks_lower() -> None:
    before = searched({"r": 1}, place("r", 1, 1, None))
    after = searched({"r": 9}, place("r", 9, 1, 44))
    assert mover("q", 1.0, 0.3, before, after).why == ("relevant r: 1 -> 9, lowered by lexical none -> 44 (dense 1)",)


def test_a_document_passed_by_others_has_no_side_to_blame() -> None:
    before, after = (
        searched({"r": 1}, place("r", 1, 1, 1)),
        searched({"r": 2}, place("x", 1, 2, 2), place("r", 2, 1, 1)),
    )
    assert mover("q", 1.0, 0.6, before, after).why == (
        "relevant r: 1 -> 2 (dense 1, lexical 1)",
        "took place 1: x: text of x",
    )


def test_rows_that_recorded_no_places_tell_of_the_ranks() -> None:
    found = mover("q", 1.0, 0.5, {"text": "a query", "relevant": {"r": 1}}, {"text": "a query", "relevant": {"r": 2}})
    assert found.why == ("relevant r: 1 -> 2",)
    assert mover("q", 1.0, 0.5, {"text": "a"}, {"text": "a"}).why == ()


def test_a_document_that_holds_a_judged_span_is_none_that_took_its_place() -> None:
    before = searched({"s:5-9": 1}, place("s", 1, 1, 1), place("x", 2, 2, 2), place("r", 3, 3, 3))
    after = searched({"s:5-9": 3}, place("r", 1, 1, 1), place("x", 2, 2, 2), place("s", 3, 3, 3))
    assert mover("q", 1.0, 0.3, before, after).why == ("relevant s:5-9: 1 -> 3",)


def test_the_documents_that_count_most_come_first_and_three_at_most() -> None:
    ranks = {"deep": (200, 300), "first": (1, 2), "fifth": (5, 9), "third": (3, 4), "same": (6, 6)}
    before, after = (searched({id: pair[side] for id, pair in ranks.items()}) for side in (0, 1))
    shifts = mover("q", 1.0, 0.5, before, after).shifts
    assert [shift.document for shift in shifts] == ["first", "fifth", "third"]


def test_an_answer_instead_of_a_refusal_and_back() -> None:
    found = mover("q", 0.0, 1.0, answered(0.3), answered(0.5, "one", "two"))
    assert found.replies == (Reply(True, 0.3, ()), Reply(False, 0.5, ("one", "two")))
    assert found.why == (
        "refused -> answered; confidence 0.30 -> 0.50",
        "now quotes: “one”",
        "now quotes: “two”",
    )
    assert mover("q", 1.0, 0.0, answered(0.5, "one"), answered(0.3)).why == (
        "answered -> refused; confidence 0.50 -> 0.30",
        "quoted: “one”",
    )
    assert mover("q", 1.0, 0.0, answered(0.2), answered(0.3)).why == ("refused both times; confidence 0.20 -> 0.30",)


def test_other_quotes() -> None:
    assert mover("q", 1.0, 0.0, answered(0.5, "one", "two"), answered(0.5, "two", "three")).why == (
        "other quotes; confidence 0.50 -> 0.50",
        "gone: “one”",
        "new: “three”",
    )
    assert mover("q", 1.0, 0.5, answered(0.5, "one", "two"), answered(0.6, "two", "one")).why == (
        "the same quotes in another order; confidence 0.50 -> 0.60",
    )
    four = answered(0.5, "a", "b", "c", "d")
    assert mover("q", 0.0, 1.0, answered(0.1), four).why[-2:] == ("now quotes: “c”", "and 1 more")
