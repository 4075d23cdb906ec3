"""Reading a collection: what counts, and the one line that each fault gives."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.collections import load_collection
from eval.spans import Span
from index.errors import UsageError

LAYOUT = "a collection is a folder with corpus.jsonl, queries.jsonl, and qrels/test.tsv or spans.jsonl"
JUDGEMENT = "a judgement is: query 0 document grade, or query, document and grade between tabs"
Write = Callable[..., Path]


def test_only_judged_queries_count(write_collection: Write) -> None:
    folder = write_collection()
    collection = load_collection(folder)
    assert (collection.name, collection.corpus) == ("tiny", folder / "corpus.jsonl")
    assert collection.queries == {"q1": "one", "q2": "two", "q3": "three"}
    assert collection.qrels == {"q1": {"d1": 2, "d2": 1}, "q2": {"d#3": 1}, "q3": {"d1": 1}}


def test_order_is_that_of_the_queries(write_collection: Write) -> None:
    collection = load_collection(write_collection(qrels="h\th\th\nq3\td\t1\nq1\td\t0\n"))
    assert list(collection.queries) == list(collection.qrels) == ["q1", "q3"]


def test_files_as_other_systems_write_them(write_collection: Write) -> None:
    queries = '\ufeff{"_id": 7, "text": "a number as id"}\r\n\r\n{"_id": "é", "text": "line \u2028 separator"}\r\n'
    collection = load_collection(
        write_collection(queries=queries, qrels="7\tx\t1\r\né\ty z\t1\r\n".replace("y z", "y"))
    )
    assert collection.queries == {"7": "a number as id", "é": "line \u2028 separator"}
    assert collection.qrels == {"7": {"x": 1}, "é": {"y": 1}}


def test_other_judgements_of_the_same_collection(write_collection: Write) -> None:
    folder = write_collection()
    (folder / "qrels" / "graded.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td1\t-1\n")
    assert load_collection(folder, "graded").qrels == {"q2": {"d1": -1}}


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(write_collection: Write, missing: str) -> None:
    folder = write_collection()
    (folder / missing).unlink()
    with pytest.raises(UsageError) as error:
        load_collection(folder)
    assert str(error.value) == f"no such file: {folder / missing}; {LAYOUT}"


@pytest.mark.parametrize(
    ("qrels", "number", "wanted"),
    [
        ("h\th\th\nq1\td1\n", 2, JUDGEMENT),
        ("h\th\th\nq1 d1 1\n", 2, JUDGEMENT),
        ("h\th\th\nq1\td1\t1\nq1\td2\t0.5\n", 3, JUDGEMENT),
        ("h\th\th\nq1\ttwo words\t1\n", 2, JUDGEMENT),
        ("q1\td1\t1\nh\th\th\n", 2, JUDGEMENT),
        ("h\th\th\nq1\td1\t1\nq1\td1\t2\n", 3, "a document is judged once for a query"),
    ],
)
def test_a_bad_judgement_is_named(write_collection: Write, qrels: str, number: int, wanted: str) -> None:
    folder = write_collection(qrels=qrels)
    with pytest.raises(UsageError) as error:
        load_collection(folder)
    line = qrels.split("\n")[number - 1]
    assert str(error.value) == f"{folder / 'qrels' / 'test.tsv'} line {number}: {wanted}, got {line!r}"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("not json", "every line must be one JSON object"),
        ("[1, 2]", "every line must be one JSON object"),
        ('{"text": "no id"}', 'a query needs an "_id" without white space'),
        ('{"_id": "a b", "text": "x"}', 'a query needs an "_id" without white space'),
        ('{"_id": "q9"}', 'a query needs a "text"'),
        ('{"_id": "q9", "text": " "}', 'a query needs a "text"'),
        ('{"_id": "q1", "text": "again"}', "query ids must differ"),
    ],
)
def test_a_bad_query_is_named(write_collection: Write, line: str, wanted: str) -> None:
    folder = write_collection(queries='{"_id": "q1", "text": "one"}\n' + line + "\n")
    with pytest.raises(UsageError) as error:
        load_collection(folder)
    assert str(error.value) == f"{folder / 'queries.jsonl'} line 2: {wanted}, got {line!r}"


def test_judgements_of_unknown_queries_are_counted(write_collection: Write) -> None:
    folder = write_collection(qrels="h\th\th\nq1\td1\t1\nq8\td1\t1\nq9\td1\t1\n")
    with pytest.raises(UsageError) as error:
        load_collection(folder)
    assert str(error.value) == (
        f"{folder / 'qrels' / 'test.tsv'} judges 2 queries that are not in queries.jsonl, the first is 'q8': "
        "use the two files of one collection"
    )


def test_no_judgements_at_all(write_collection: Write) -> None:
    folder = write_collection(qrels="query-id\tcorpus-id\tscore\n")
    with pytest.raises(UsageError) as error:
        load_collection(folder)
    assert str(error.value) == f"{folder / 'qrels' / 'test.tsv'} holds no judgements; {JUDGEMENT}"


def test_a_file_that_is_not_text_is_named(write_collection: Write) -> None:
    folder = write_collection()
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "\xff"}\n')
    with pytest.raises(UsageError, match=r"queries\.jsonl is not UTF-8 text: invalid start byte at byte 23"):
        load_collection(folder)


def write_spans(folder: Path, *rows: dict[str, object]) -> None:
    (folder / "spans.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


SPAN = {"content": "text", "start_index": 4, "end_index": 8}


def test_spans_judge_beside_documents_or_instead(write_collection: Write) -> None:
    folder = write_collection()
    write_spans(folder, {"_id": "train", "corpus_id": "d#3", "references": [SPAN]})
    both = load_collection(folder)
    assert list(both.queries) == ["q1", "q2", "q3", "train"]
    assert list(both.qrels) == ["q1", "q2", "q3"]
    assert both.spans == {"train": (Span("corpus.jsonl#d#3", 4, 8, "text"),)}
    (folder / "qrels" / "test.tsv").unlink()
    alone = load_collection(folder)
    assert (alone.queries, alone.qrels, alone.spans) == ({"train": "not judged"}, {}, both.spans)


def test_spans_of_unknown_queries_are_counted(write_collection: Write) -> None:
    folder = write_collection()
    write_spans(
        folder,
        {"_id": "q1", "corpus_id": "d1", "references": [SPAN]},
        {"_id": "q9", "corpus_id": "d1", "references": [SPAN]},
    )
    with pytest.raises(UsageError) as error:
        load_collection(folder)
    assert str(error.value) == (
        f"{folder / 'spans.jsonl'} judges 1 queries that are not in queries.jsonl, the first is 'q9': "
        "use the two files of one collection"
    )
