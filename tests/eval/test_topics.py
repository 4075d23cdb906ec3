"""Topics in the forms they are published in, and the judgements and runs that go with them."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.evaluation import evaluate_run, evaluate_topics
from eval.runs import read_qrels, trec_id, write_qrels
from eval.searching import names_of_sources
from eval.spans import Span
from eval.topics import read_topics
from eval.writing import write as write_evaluation
from index.errors import UsageError

Make = Callable[..., object]
CLASSIC = """
<top>

<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations that participate in
international criminal activity.

<narr> Narrative:
A relevant document must as a minimum identify
the organization (5 < 6).
</top>

<top>
<head> Tipster Topic Description
<num> Number:  052
<dom> Domain:  International Economics
<title> Topic:  AT&amp;T and South
African Sanctions
<desc> Description:
Any.
</top>
<top><num>351-A</num><title></title><desc>Only a description.</desc></top>
"""
XML = """<?xml version="1.0"?>
<topics task="COVIDSearch">
  <topic number="1"><query>coronavirus origin</query><question>what is the origin?</question></topic>
  <topic number='2' type="faceted">
    <query>coronavirus response</query>
  </topic>
</topics>
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "topics.txt"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        (
            CLASSIC,
            {
                "301": "International Organized Crime",
                "052": "AT&T and South African Sanctions",
                "351-A": "Only a description.",
            },
        ),
        (XML, {"1": "coronavirus origin", "2": "coronavirus response"}),
        (
            "1048585\twhat is paula deen's brother\r\n\r\n2\ta\ttab\n",
            {"1048585": "what is paula deen's brother", "2": "a\ttab"},
        ),
        ('{"_id": "q1", "text": "one"}\n{"_id": 2, "text": "two"}\n', {"q1": "one", "2": "two"}),
    ],
)
def test_every_form_is_read(tmp_path: Path, text: str, topics: dict[str, str]) -> None:
    assert read_topics(write(tmp_path, text)) == topics


@pytest.mark.parametrize(
    ("text", "number", "wanted"),
    [
        ("<top>\n<num> Number: 1\n<title> one\n</top>\n\n<top>\n<num> 2\n<title> two\n", 6, "a topic ends with </top>"),
        ("<top>\n<num> 1\n<title> one\n<top>\n<num> 2\n<title> two\n</top>", 1, "a topic ends with </top>"),
        ("<top>\n<title> one\n</top>", 1, "a topic needs its number, one word: <num> Number: 301"),
        ("<top>\n<num> Number: 3 0 1\n<title> one\n</top>", 1, "a topic needs its number, one word: <num> Number: 301"),
        ("<top>\n<num> 301\n<narr> Long.\n</top>", 1, "a topic needs a <title>"),
        ("<top><num>1<title>a</top>\n<top><num>1<title>b</top>", 2, "topic numbers must differ"),
        ("1\tone\n1\ttwo\n", 2, "query ids must differ"),
        ("1\tone\n2 two\n", 2, "a topic is its id, a tab and its text"),
        ("1\t \n", 1, "a topic is its id, a tab and its text"),
        ('{"_id": "q1"}\n', 1, 'a query needs a "text"'),
    ],
)
def test_a_bad_topic_is_named(tmp_path: Path, text: str, number: int, wanted: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read_topics(file)
    assert str(error.value).startswith(f"{file} line {number}: {wanted}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "\n", "<xml></xml>"])
def test_no_topics_at_all(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"topics\.txt holds no topics; topics are <top> elements, lines of id, tab"):
        read_topics(write(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["1 0 a 2\n1 0 b -1\n2 0 é#1 1\n", "query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t-1\n2\té#1\t1\n"]
)
def test_judgements_of_trec_and_beir_are_the_same(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    qrels = read_qrels(file)
    assert qrels == {"1": {"a": 2, "b": -1}, "2": {"é#1": 1}}
    write_qrels(file, qrels)
    assert read_qrels(file) == qrels


def test_a_source_with_white_space_has_a_name_for_trec() -> None:
    assert trec_id("my lease\u00a0(90%).pdf") == "my%20lease%C2%A0(90%25).pdf"
    assert trec_id("a/b#c.txt") == "a/b#c.txt"


SOURCES = ["a b.txt", "rows.jsonl#1", "rows.jsonl#2", "more.csv#2", "more.csv#3"]


def test_rows_are_called_as_the_judgements_call_them() -> None:
    plain = {"a b.txt": "a%20b.txt", "rows.jsonl#1": "1", "rows.jsonl#2": "rows.jsonl#2", "more.csv#2": "more.csv#2"}
    assert names_of_sources(SOURCES, {"1", "a%20b.txt"}) == plain | {"more.csv#3": "3"}
    whole = {source: source.replace(" ", "%20") for source in SOURCES}
    assert names_of_sources(SOURCES, {"rows.jsonl#1"}) == whole
    with pytest.raises(UsageError) as error:
        names_of_sources(SOURCES, {"1", "2"})
    assert str(error.value) == "a judgement of '2' could mean more.csv#2 and rows.jsonl#2: judge rows by path#_id"


TEXTS = {"my lease.txt": "It ends in May.", "rows.jsonl#1": "Pets are welcome."}


@pytest.fixture
def system(make_searcher: Make) -> object:
    lease, pets = ("my lease.txt", 0.9, "It ends in May.", 0), ("rows.jsonl#1", 0.5, "Pets are welcome.", 0)
    return make_searcher({"end?": [lease, pets], "cats?": [lease, pets]}, TEXTS)


def test_topics_on_an_index_of_ones_own(system: object, tmp_path: Path) -> None:
    qrels = {"1": {"my%20lease.txt": 1}, "2": {"1": 2, "gone": 1}, "9": {"1": 1}}
    report = evaluate_topics({"1": "end?", "2": "cats?", "3": "other"}, qrels, {}, system, measures=["RR@10", "R@5"])
    assert report.metrics == {"RR@10": 0.75, "R@5": 0.75}
    assert [row.relevant for row in report.per_query] == [{"my%20lease.txt": 1}, {"1": 2, "gone": None}]
    assert report.notes == (
        "topics without judgements left out: 1",
        "judged queries without a topic left out: 1",
        "relevant documents that the index does not have: 1 of 3",
    )
    assert report.as_json()["notes"] == list(report.notes)
    assert report.table().splitlines()[1:4] == list(report.notes)
    write_evaluation(report, tmp_path)
    assert (tmp_path / "run.trec").read_text().splitlines()[0].split()[:4] == ["1", "Q0", "my%20lease.txt", "1"]


def test_topics_on_spans_of_rows_called_by_their_id(system: object) -> None:
    spans = {"2": (Span("1", 0, 17, "Pets are welcome."),)}
    report = evaluate_topics({"2": "cats?"}, {}, spans, system)
    assert report.spans == {"judged": 1, "moved": 0, "lost": 0}
    assert (report.metrics["span RR@5"], report.metrics["token precision@5"]) == (0.5, 17 / 32)
    assert report.qrels == {"2": {"1": 1}}


def test_judgements_of_something_else_are_noticed(system: object) -> None:
    with pytest.raises(UsageError) as error:
        evaluate_topics({"1": "end?"}, {"1": {"d1": 1}}, {}, system)
    assert str(error.value) == (
        "none of the 1 relevant documents is in the index, the first is 'd1': "
        "name documents as footnoted status lists them, a row also by its _id"
    )
    with pytest.raises(UsageError) as error:
        evaluate_topics({"1": "end?"}, {"7": {"1": 1}}, {}, system)
    assert str(error.value) == (
        "none of the 1 topics is judged: the first is '1', the first judged query '7'; use the files of one collection"
    )


def test_a_run_is_scored_over_every_judged_query() -> None:
    run = {"1": {"a": 2.0, "b": 1.0}, "x": {"a": 1.0}}
    report = evaluate_run(run, {"1": {"b": 1}, "2": {"a": 1}}, {"1": "one"}, ["RR", "Success@1"])
    assert report.metrics == {"RR": 0.25, "Success@1": 0.0}
    assert [(row.query, row.text, row.relevant) for row in report.per_query] == [
        ("1", "one", {"b": 2}),
        ("2", "", {"a": None}),
    ]
    assert report.notes == (
        "judged queries without results, which score 0: 1",
        "queries without judgements left out: 1",
    )
    assert report.table().splitlines()[0] == "run, run: 2 queries"


def test_a_run_of_other_queries_is_noticed() -> None:
    with pytest.raises(
        UsageError, match=r"^no query of the run is judged: its first is 'x', the first judged one '1'; "
    ):
        evaluate_run({"x": {"a": 1.0}}, {"1": {"b": 1}})
    with pytest.raises(UsageError, match=r"^the run holds no results: "):
        evaluate_run({}, {"1": {"b": 1}})


def test_many_topics_and_broken_tags_are_read_in_the_time_of_a_reading(tmp_path: Path) -> None:
    file = tmp_path / "topics.txt"
    started = time.process_time()
    file.write_text("".join(f"<top>\n<num> {number}\n<title> tea {number}\n</top>\n\n" for number in range(20_000)))
    assert len(read_topics(file)) == 20_000
    file.write_text("<top>\n<num> 1\n<title> tea\n</top>\n\n<top>\n<num> 2 3\n<title> tea\n</top>\n")
    with pytest.raises(UsageError, match="line 6"):
        read_topics(file)
    file.write_text("<top " * 40_000)
    with pytest.raises(UsageError, match="holds no topics"):
        read_topics(file)
    assert time.process_time() - started < 10  # a second; by the square of the length it was over a minute
