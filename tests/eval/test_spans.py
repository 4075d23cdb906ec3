"""Span judgements: reading, anchoring in changed texts, and each measure worked out by hand."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from eval import evaluate, evaluate_spans
from eval.span_metrics import K, coverage, holds, places, span_measures
from eval.spans import Span, anchor, anchored, read_spans, write_spans
from eval.writing import write
from index.documents import Passage
from index.errors import UsageError

Make = Callable[..., object]
TEXT = "The lease began in March. It ends in “May” – or later. Nobody knows."


def span(quote: str, source: str = "a.txt", text: str = TEXT) -> Span:
    start = text.index(quote)
    return Span(source, start, start + len(quote), quote)


def passage(start: int, end: int, source: str = "a.txt") -> Passage:
    return Passage(f"{source}:{start}", source, "", start, end, "x" * (end - start))


def judged(start: int, end: int, source: str = "a.txt") -> Span:
    return Span(source, start, end, "x" * (end - start))


def test_reading_and_writing(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    judgements = {
        "q1": (Span("a.txt", 0, 4, "One "), Span("b c.txt", 5, 8, "two"), Span("a.txt", 9, 10, "é")),
        "q2": (Span("a.txt", 0, 4, "One "),),
    }
    write_spans(file, judgements)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(row["_id"], row["corpus_id"], len(row["references"])) for row in rows] == [
        ("q1", "a.txt", 2),
        ("q1", "b c.txt", 1),
        ("q2", "a.txt", 1),
    ]
    assert rows[1]["references"] == [{"content": "two", "start_index": 5, "end_index": 8}]
    again = read_spans(file)
    assert {query: set(spans) for query, spans in again.items()} == {q: set(s) for q, s in judgements.items()}
    write_spans(file, again)
    assert read_spans(file) == again


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"corpus_id": "a", "references": []}, 'a judgement needs the "_id" of its query, without white space'),
        ({"_id": "a b", "corpus_id": "a"}, 'a judgement needs the "_id" of its query, without white space'),
        ({"_id": "q"}, 'a judgement needs the "corpus_id" of its document'),
        ({"_id": "q", "corpus_id": "a", "references": []}, 'a judgement needs "references", a list of spans'),
        ({"_id": "q", "corpus_id": "a", "references": "x"}, 'a judgement needs "references", a list of spans'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: dict[str, object], wanted: str) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_text(json.dumps(row) + "\n")
    with pytest.raises(UsageError) as error:
        read_spans(file)
    assert str(error.value) == f"{file} line 1: {wanted}, got {json.dumps(row)!r}"


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("text", 'a span needs the text that it judges as "content"'),
        ({"content": " ", "start_index": 0, "end_index": 1}, 'a span needs the text that it judges as "content"'),
        ({"content": "a", "start_index": "0", "end_index": 1}, "a span needs whole numbers"),
        ({"content": "a", "start_index": 1, "end_index": 1}, "a span needs whole numbers"),
        ({"content": "a", "start_index": -1, "end_index": 1}, "a span needs whole numbers"),
        ({"content": "a", "start_index": False, "end_index": True}, "a span needs whole numbers"),
    ],
)
def test_a_bad_span_is_named(tmp_path: Path, reference: object, wanted: str) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_text("\n" + json.dumps({"_id": "q", "corpus_id": "a", "references": [reference]}) + "\n")
    with pytest.raises(UsageError) as error:
        read_spans(file)
    assert str(error.value).startswith(f"{file} line 2: {wanted}")


def test_no_judgements_at_all(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_text("\n")
    with pytest.raises(UsageError, match=r"spans\.jsonl holds no judgements: write lines of "):
        read_spans(file)


@pytest.mark.parametrize(
    "quote",
    [
        "It ends in “May” – or later.",
        "It ends\n  in “May” –\tor later.",
        'It ends in "May" - or later.',
        "It ends in “May” – or lat-\n  er.",
    ],
)
def test_a_quote_is_found_where_it_reads_alike(quote: str) -> None:
    found = anchor(Span("a.txt", 3, 3 + len(quote), quote), TEXT)
    assert found == span("It ends in “May” – or later.")


def test_the_nearest_place_is_taken() -> None:
    text = "no. yes. no. yes. no. yes."
    assert anchor(Span("a", 15, 19, "yes."), text) == Span("a", 13, 17, "yes.")
    assert anchor(Span("a", 13, 17, "yes."), text) == Span("a", 13, 17, "yes.")
    assert anchor(Span("a", 99, 103, "yes."), text) == Span("a", 22, 26, "yes.")


@pytest.mark.parametrize("quote", ["It ended in “May”", "It ends in May", "it ends", "(.*"])
def test_another_text_is_lost(quote: str) -> None:
    assert anchor(Span("a.txt", 26, 26 + len(quote), quote), TEXT) is None


def test_what_moved_and_what_is_lost_is_counted(make_searcher: Make) -> None:
    library = make_searcher({}, {"a.txt": "New: " + TEXT}).index
    kept = Span("a.txt", 0, 4, "New:")
    gone, elsewhere = Span("a.txt", 0, 7, "Removed"), Span("b.txt", 0, 3, "The")
    found = anchored({"q1": (kept, span("Nobody knows.")), "q2": (gone, elsewhere)}, library)
    assert found.spans == {"q1": (kept, span("Nobody knows.", text="New: " + TEXT)), "q2": ()}
    assert found.lost == {"q1": (), "q2": (gone, elsewhere)}
    assert found.counts() == {"judged": 4, "moved": 1, "lost": 2}
    with pytest.raises(UsageError) as error:
        anchored({"q2": (gone, elsewhere)}, library)
    assert str(error.value) == (
        "none of the 2 judged spans is in the index, the first is a.txt:0-7: index the documents that were judged"
    )


def test_coverage_by_hand() -> None:
    # judged 10..20 and 30..50 of a.txt (30); passages 0..15, 12..35 of a.txt, 10..20 of b.txt (15 + 23 + 10)
    # found: 10..20 once, although 12..15 is shown twice, and 30..35
    given = coverage([passage(0, 15), passage(12, 35), passage(10, 20, "b.txt")], [judged(10, 20), judged(30, 50)])
    assert (given.judged, given.found, given.retrieved) == (30, 15, 48)
    assert (given.recall, given.precision, given.iou) == (15 / 30, 15 / 48, 15 / (48 + 15))


def test_spans_that_overlap_are_judged_once() -> None:
    given = coverage([passage(0, 30)], [judged(10, 20), judged(15, 25)])
    assert (given.judged, given.found) == (15, 15)


def test_the_measures_of_a_query_by_hand() -> None:
    passages = [passage(0, 10), passage(20, 40), passage(20, 50), passage(60, 70, "b.txt"), passage(80, 90)]
    spans = [judged(20, 30), judged(30, 46), judged(62, 66, "b.txt"), judged(200, 210)]
    # the second passage holds the first two spans (10 and 10 of 16 characters), the third nothing new, the fourth one
    assert list(places(passages, spans).values()) == [2, 2, 4, None]
    scores = {one.name: one(passages, spans) for one in span_measures(5)}
    dcg, ideal = 1 / 1.584963 + 1 / 2 + 1 / 2.584963, 1 + 1 / 1.584963 + 1 / 2 + 1 / 2.321928  # places 2, 3 and 5
    assert scores == pytest.approx(
        {
            "token recall@5": 30 / 40,
            "token precision@5": 30 / 80,
            "token IoU@5": 30 / 90,
            "span nDCG@5": dcg / ideal,
            "span RR@5": 1 / 2,
            "span R@5": 3 / 4,
        },
        abs=1e-6,
    )
    assert {one.name: one(passages, spans) for one in span_measures(1)} == dict.fromkeys(
        [f"{name}@1" for name in ("token recall", "token precision", "token IoU", "span nDCG", "span RR", "span R")], 0
    )


def test_one_passage_that_holds_everything_is_perfect_but_for_its_length() -> None:
    spans = [judged(10, 20), judged(20, 30)]
    scores = {one.name: one([passage(10, 50)], spans) for one in span_measures(5)}
    assert scores == {
        "token recall@5": 1.0,
        "token precision@5": 0.5,
        "token IoU@5": 0.5,
        "span nDCG@5": 1.0,
        "span RR@5": 1.0,
        "span R@5": 1.0,
    }


def test_a_lost_span_is_not_found() -> None:
    scores = {one.name: one([passage(0, 10)], [judged(0, 10)], [judged(0, 30)]) for one in span_measures(5)}
    assert scores["token recall@5"] == 10 / 40
    assert scores["token precision@5"] == 1.0
    assert scores["token IoU@5"] == 10 / 40
    assert scores["span R@5"] == 1 / 2
    assert scores["span nDCG@5"] == pytest.approx(1 / (1 + 1 / 1.584963))


def test_nothing_retrieved_scores_zero() -> None:
    assert {one([], [judged(0, 10)]) for one in span_measures(5)} == {0.0}


def test_half_of_a_span_is_enough() -> None:
    assert holds(passage(5, 20), judged(0, 10))
    assert not holds(passage(6, 20), judged(0, 10))
    assert not holds(passage(0, 10, "b.txt"), judged(0, 10))


def test_at_least_one_passage() -> None:
    with pytest.raises(UsageError, match=r"^the number of passages must be at least 1, got 0$"):
        span_measures(0)


def published(passages: list[Passage], spans: list[Span]) -> tuple[float, float, float]:
    """Recall, precision and IoU character by character."""
    gold = {(one.source, at) for one in spans for at in range(one.start, one.end)}
    shown = [(one.source, at) for one in passages for at in range(one.start, one.end)]
    found = gold.intersection(shown)
    return len(found) / len(gold), len(found) / len(shown), len(found) / (len(shown) + len(gold - found))


@pytest.mark.parametrize("seed", range(30))
def test_the_same_as_counting_characters(seed: int) -> None:
    draw = random.Random(seed)

    def ranges(n: int) -> list[tuple[int, int, str]]:
        starts = [draw.randrange(60) for _ in range(n)]
        return [(start, start + draw.randint(1, 30), draw.choice(["a.txt", "b.txt"])) for start in starts]

    passages, spans = [passage(*one) for one in ranges(K)], [judged(*one) for one in ranges(4)]
    given = coverage(passages, spans)
    assert (given.recall, given.precision, given.iou) == pytest.approx(published(passages, spans))


LEASE, PETS = "The lease ends in May.", "Pets are welcome."


def test_a_report_on_spans_of_any_index(make_searcher: Make, tmp_path: Path) -> None:
    texts = {"my lease.txt": f"{PETS}\n{LEASE}", "b.txt": "Nothing."}
    entries = [("b.txt", 0.9, "Nothing.", 0), ("my lease.txt", 0.8, LEASE, 18), ("my lease.txt", 0.7, PETS, 0)]
    judgements = {
        "q1": (Span("my lease.txt", 0, 22, LEASE),),  # judged before the line on pets was there
        "q2": (Span("my lease.txt", 0, 17, PETS), Span("gone.txt", 0, 9, "Long gone")),
    }
    queries = {"q1": "When does it end?", "q2": "May I keep a cat?", "q3": "never judged"}
    system = make_searcher({queries["q1"]: entries, queries["q2"]: entries[:1]}, texts)
    report = evaluate_spans(queries, judgements, system, k=2, settings={"model": "fake"})
    assert (report.queries, report.spans) == (2, {"judged": 3, "moved": 1, "lost": 1})
    assert report.metrics == pytest.approx(
        {
            "token recall@2": (1 + 0) / 2,
            "token precision@2": 22 / 30 / 2,
            "token IoU@2": 22 / 30 / 2,
            "span nDCG@2": 1 / 1.584963 / 2,
            "span RR@2": 1 / 2 / 2,
            "span R@2": (1 + 0) / 2,
        },
        abs=1e-6,
    )
    assert [row.relevant for row in report.per_query] == [
        {"my lease.txt:18-40": 2},
        {"my lease.txt:0-17": None, "gone.txt:0-9": None},
    ]
    assert report.as_json()["spans"] == {"judged": 3, "moved": 1, "lost": 1}
    assert report.table().splitlines()[1] == "spans: 3 judged, 1 moved, 1 lost"
    out = write(report, tmp_path / "out")
    assert (out / "qrels.trec").read_text() == "q1 0 my%20lease.txt 1\nq2 0 my%20lease.txt 1\nq2 0 gone.txt 1\n"
    assert (out / "run.trec").read_text().split()[:4] == ["q1", "Q0", "b.txt", "1"]
    assert json.loads((out / "config.json").read_text())["kind"] == "spans"


def test_queries_without_judgements_are_an_error(make_searcher: Make) -> None:
    with pytest.raises(UsageError, match=r"^no query has a judged span: judge the queries that are to be searched$"):
        evaluate_spans({"q1": "text"}, {"q2": (judged(0, 1),)}, make_searcher({}))


def test_a_collection_with_documents_and_spans_has_both_measures(write_collection: Make, make_searcher: Make) -> None:
    folder = write_collection()
    reference = {"content": LEASE, "start_index": 0, "end_index": len(LEASE)}
    (folder / "spans.jsonl").write_text(
        "".join(json.dumps({"_id": id, "corpus_id": "d1", "references": [reference]}) + "\n" for id in ("q1", "train"))
    )
    hits = {"one": [("corpus.jsonl#d2", 0.9, PETS), ("corpus.jsonl#d1", 0.8, LEASE)]}
    report = evaluate(folder, make_searcher(hits, {"corpus.jsonl#d1": LEASE}))
    assert report.queries == 4
    assert list(report.metrics) == ["nDCG@10", "R@5", "R@100", "RR@10", *(one.name for one in span_measures(5))]
    assert report.metrics["R@5"] == pytest.approx(1 / 3)  # of the three queries with judged documents
    assert report.metrics["span R@5"] == 1 / 2  # of the two with judged spans
    assert report.per_query[0].relevant == {"d1": 2, "d2": 1, "corpus.jsonl#d1:0-22": 2}
    assert list(report.per_query[3].metrics) == [one.name for one in span_measures(5)]


def test_a_collection_of_spans_alone(write_collection: Make, make_searcher: Make) -> None:
    folder = write_collection()
    (folder / "qrels" / "test.tsv").unlink()
    reference = {"content": LEASE, "start_index": 0, "end_index": len(LEASE)}
    row = {"_id": "q1", "corpus_id": "d1", "references": [reference]}
    (folder / "spans.jsonl").write_text(json.dumps(row) + "\n")
    system = make_searcher({"one": [("corpus.jsonl#d1", 0.8, LEASE)]}, {"corpus.jsonl#d1": LEASE})
    report = evaluate(folder, system)
    assert report.metrics == dict.fromkeys([one.name for one in span_measures(5)], 1.0)
    assert (report.run, report.qrels) == ({"q1": {"d1": pytest.approx(0.8)}}, {"q1": {"d1": 1}})
