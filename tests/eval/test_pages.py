"""The report pages as text: what they say, and that nothing of a document becomes markup."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval import evaluate, html
from eval.comparison import compare
from eval.evaluation import evaluate_questions
from eval.questions import Question, Support
from eval.writing import write

HOSTILE = "</title></style></td><script>alert(1)</script><img src=http://example.com/x onerror=alert(2)>\"'&amp; \ud800"


class Tags(HTMLParser):
    """The elements of a page with their attributes, and the text outside style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("style", "script"):
            self.text.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def harmless(page: str) -> Tags:
    """The page, after checks that it holds one script and one style, both ours, and refers to nothing."""
    tags = Tags(page)
    assert (tags.count("script"), tags.count("style"), tags.count("img"), tags.count("link")) == (1, 1, 0, 0)
    for name, attributes in tags.tags:
        assert not {"src", "href", "srcset", "action", "data"} & set(attributes), name
        assert not [key for key in attributes if key.startswith("on")], name
    assert "url(" not in page
    assert "default-src 'none'" in page
    return tags


@pytest.fixture
def hostile_questions(make_answerer: Callable[..., object], tmp_path: Path) -> Path:
    """The folder of a report on questions and documents that are full of markup."""
    system = make_answerer(
        {HOSTILE: f"{HOSTILE} was signed in 1955."},
        {f"When? {HOSTILE}": ([(HOSTILE, f"{HOSTILE} was signed in 1955.")], 0.9), "Who?": ([], 0.1)},
    )
    asked = [
        Question(HOSTILE, f"When? {HOSTILE}", ("1955", HOSTILE), (Support(HOSTILE, HOSTILE, (0, 5)),), HOSTILE),
        Question("plain", "Who?", (), (), "unanswerable"),
    ]
    report = evaluate_questions(asked, system, settings={"questions": HOSTILE, HOSTILE: [HOSTILE]})
    return write(report, tmp_path / "questions")


def test_hostile_questions_and_documents_stay_text(hostile_questions: Path) -> None:
    page = (hostile_questions / "report.html").read_text(encoding="utf-8")
    tags = harmless(page)
    assert "When? </title></style></td><script>alert(1)</script>" in "".join(tags.text)


def test_hostile_collections_stay_text(
    write_collection: Callable[..., Path], make_searcher: Callable[..., object], tmp_path: Path
) -> None:
    folder = write_collection(
        queries=json.dumps({"_id": "<b>", "text": HOSTILE}) + "\n", qrels="<b>\t<i>\t1\n<b>\t</td>\t1\n"
    )
    system = make_searcher({HOSTILE: [("corpus.jsonl#<i>", 0.9, HOSTILE), ("corpus.jsonl#x", 0.5, HOSTILE)]})
    out = write(evaluate(folder, system, settings={"model": HOSTILE}), tmp_path / "a")
    tags = harmless((out / "report.html").read_text(encoding="utf-8"))
    assert (tags.count("i"), tags.count("b")) == (4, 2)  # four intervals and two ranks, none of the ids

    other = write(evaluate(folder, make_searcher({HOSTILE: [("corpus.jsonl#x", 0.9, HOSTILE)]})), tmp_path / "b")
    harmless((write(compare(out, other), tmp_path / "c") / "report.html").read_text(encoding="utf-8"))


def test_a_comparison_of_hostile_answers_stays_text(hostile_questions: Path, tmp_path: Path) -> None:
    rows = (hostile_questions / "per_query.jsonl").read_text().replace('"right": 1.0', '"right": 0.0', 1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "per_query.jsonl").write_text(rows.replace("signed in", "sealed in"))
    comparison = compare(hostile_questions, tmp_path / "other")
    assert len(comparison.lost) == 1
    harmless((write(comparison, tmp_path / "c") / "report.html").read_text(encoding="utf-8"))


def test_accepted_answers_are_marked_in_quotes_as_words() -> None:
    shown = html.quotes([("In 1955 or 19551, at <b> & in 1955.", "a.txt")], ("1955", "<b>", "&"))
    assert shown.count("<mark>1955</mark>") == 2
    assert "19551, at <mark>&lt;b&gt;</mark> <mark>&amp;</mark> in" in shown
    assert "4 &lt; 5 in <mark>1955</mark> &amp; later" in html.quotes([("4 < 5 in 1955 & later", "")], ["1955"])
    assert "<mark>" not in html.quotes([("nothing", "a.txt")])


def test_measures_of_spans_come_first(
    write_collection: Callable[..., Path], make_searcher: Callable[..., object], tmp_path: Path
) -> None:
    report = evaluate(write_collection(), make_searcher({"one": [("corpus.jsonl#d1", 0.9)]}), measures=["R@5", "RR@10"])
    on_spans = [row.metrics | {"span R@5": place / 2} for place, row in enumerate(report.per_query[:2])]
    rows = [replace(row, metrics=metrics) for row, metrics in zip(report.per_query[:2], on_spans, strict=True)]
    judged = replace(
        report,
        metrics=report.metrics | {"span R@5": 0.25},
        ci=report.ci | {"span R@5": (0.0, 0.5)},
        per_query=(*rows, report.per_query[2]),  # the last query has no judged span
        spans={"judged": 3, "lost": 1},
        notes=("topics without judgements left out: 2",),
    )
    page = (write(judged, tmp_path / "out") / "report.html").read_text()
    assert re.findall(r'scope="col" class="c\d"><button type="button">([^<]+)', page) == [
        "query", "first hit", "span R@5", "R@5", "RR@10",
    ]  # fmt: skip
    assert "The worst by span R@5 first." in page
    assert "Each query&#x27;s span R@5, best to worst; 1 of 2 score 0. The mean is 0.250." in page
    assert "<span>3 spans judged</span> <span>1 spans lost</span>" in page
    assert '<p class="lead">topics without judgements left out: 2</p>' in page


def test_settings_are_flat() -> None:
    config = {"mode": "fused", "chunking": {"size": 200, "overlap": 40}, "measures": ["R@5", "AP"], "threshold": None}
    assert html.settings(config) == [
        ("mode", "fused"),
        ("chunking.size", "200"),
        ("chunking.overlap", "40"),
        ("measures", "R@5, AP"),
        ("threshold", "none"),
    ]


def test_the_worst_five_hundred_are_listed_and_it_says_so(make_answerer: Callable[..., object], tmp_path: Path) -> None:
    table = {f"question {n}": ([("a.txt", "It was 1955.")], n / 1000) for n in range(600)}
    asked = [Question(f"q{n}", name, ("1955" if n % 2 else "1956",), (), "fact") for n, name in enumerate(table)]
    report = evaluate_questions(asked, make_answerer({"a.txt": "It was 1955."}, table), threshold=0.2)
    page = (write(report, tmp_path) / "report.html").read_text()
    assert "The first 500 of 600 are listed; per_query.jsonl has all." in page
    ids = re.findall(r'<span class="note">(q\d+), fact</span>', page)
    assert len(ids) == 500
    # wrong and answered, the surest first; then wrong and refused; then right
    assert ids[:2] == ["q598", "q596"]
    assert ids[200] == "q199"
    assert ids[400] == "q599"
