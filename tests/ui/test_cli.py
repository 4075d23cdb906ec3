"""The command line: what it prints, its JSON and its exit status, with an embedder that counts words."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import ModuleType

import pytest

from index.verified import VerifiedEmbedder
from rag.feedback import Excerpt, Judgement, Rating, record
from ui.cli import main

ONE_OF = "give one of COLLECTION, --questions FILE, --topics FILE, --run FILE and --from-feedback"
LEASE = "# Lease\n\nThe lease ends on 31 March 2030. The rent is 900 euros a month.\n"
NOTES = "The garden gate is painted green every spring.\n"


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, make_embedder: Callable
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in a folder with two documents; (exit status, output, errors)."""

    def load(name: str | None = None) -> object:
        return make_embedder(name or "words", shift=1 if name == "letters" else 0)

    for module in ("index.indexing", "index.index", "ui.commands"):
        monkeypatch.setattr(f"{module}.load_embedder", load)
    monkeypatch.delenv("FOOTNOTED_INDEX", raising=False)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lease.md").write_text(LEASE)
    (tmp_path / "docs" / "notes.txt").write_text(NOTES)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(arguments)
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def values(out: str) -> dict:
    assert out.isascii()
    assert out.count("\n") == 1
    return json.loads(out)


def test_index_tells_of_every_file(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "docs" / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7\nno more")
    status, out, _ = run("index", "docs", "--json")
    got = values(out)
    assert status == 3
    assert got["documents"] == {"added": 2, "updated": 0, "unchanged": 0, "removed": 0, "skipped": 1, "failed": 1}
    assert (got["generation"], got["passages"], got["embedded"]) == (1, 2, 2)
    assert {Path(row["path"]).name: row["status"] for row in got["files"]} == {
        "lease.md": "added", "notes.txt": "added", "photo.png": "skipped", "broken.pdf": "failed",
    }  # fmt: skip
    assert all(Path(row["path"]).is_absolute() for row in got["files"])
    assert all(row["reason"] for row in got["files"] if row["status"] in ("skipped", "failed"))


def test_files_that_are_left_out_are_named_and_hidden_ones_counted(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "docs" / ".starters.json").write_text("[]")
    (tmp_path / "docs" / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    out = run("index", "docs")[1]
    assert f" skipped  {tmp_path / 'docs' / 'photo.png'}: " in out
    assert ".starters.json" not in out
    assert out.splitlines()[-1].startswith("2 added, 2 skipped (1 hidden); 2 passages in .footnoted, ")


def test_index_without_a_path_refreshes_what_is_known(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    (tmp_path / "docs" / "notes.txt").unlink()
    (tmp_path / "docs" / "new.txt").write_text("The cellar is dry.\n")
    status, out, _ = run("index", "--json")
    assert status == 0
    assert values(out)["documents"] == {
        "added": 1, "updated": 0, "unchanged": 1, "removed": 1, "skipped": 0, "failed": 0,
    }  # fmt: skip


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_index_watch_tells_of_changes_until_ctrl_c(
    run: Callable, tmp_path: Path, fork: Callable, as_json: bool
) -> None:
    def watching(_: Callable[[bytes], object]) -> None:
        os.dup2(os.open("out", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(os.open("err", os.O_WRONLY | os.O_CREAT), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", 1), os.fdopen(2, "w", 1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        status = main(["index", "docs", "--watch", *(["--json"] if as_json else [])])
        Path("status").write_text(str(status))

    def waited(file: str, words: str, lines: int) -> list[str]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            said = Path(file).read_text().splitlines() if Path(file).exists() else []
            if len(said) >= lines and words in said[-1]:
                return said
            time.sleep(0.05)
        pytest.fail(f"{file}: {said}")

    child = fork(watching)
    waited("err", "footnoted: following these files: Ctrl-C stops it", 1)
    (tmp_path / "docs" / "new.txt").write_text("The cellar is dry.\n")
    said = waited("out", "new.txt", 2)
    os.kill(child.pid, signal.SIGINT)
    child.wait()
    assert Path("status").read_text() == "0"
    assert Path("err").read_text().splitlines()[-1] == (
        "footnoted: stopped: generation 2 of .footnoted is committed, 3 passages"
    )
    if as_json:
        first, second = map(json.loads, said)
        assert (first["generation"], second["generation"]) == (1, 2)
        assert (second["documents"]["added"], second["documents"]["unchanged"], second["embedded"]) == (1, 2, 1)
    else:
        assert said[0].startswith("2 added; 2 passages in .footnoted, ")
        assert re.fullmatch(rf"\d\d:\d\d:\d\d     added  {tmp_path}/docs/new.txt", said[1])
    assert run("ask", "Is the cellar dry?", "--threshold", "0")[1].startswith("The cellar is dry. [1]")


def test_a_root_that_is_gone_loses_nothing(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    (tmp_path / "docs").rename(tmp_path / "elsewhere")
    status, out, _ = run("index", "--json")
    assert status == 3
    assert values(out)["files"] == [
        {
            "path": str(tmp_path / "docs"),
            "status": "failed",
            "reason": "no longer there: what was indexed from it is kept",
        }
    ]
    assert values(run("ask", "When does the lease end?", "--json")[1])["abstained"] is False


def test_rows_of_a_table_are_printed_on_lines_of_their_own(run: Callable, tmp_path: Path) -> None:
    rows = "Bag | Limit\n---|---\nMain bag | 35 kg\nComfort bag | 5 kg\n"
    (tmp_path / "docs" / "bags.md").write_text(f"# Luggage\n\n{rows}")
    run("index", "docs")
    out = run("ask", "What may a main bag and a comfort bag weigh?", "--threshold", "0")[1]
    lines = out.split("\n\n")[0].splitlines()
    assert sorted(line.partition(" [")[0] for line in lines) == ["Comfort bag | 5 kg", "Main bag | 35 kg"]
    assert [line[-3:] for line in lines] == ["[1]", "[2]"]


def test_ask_gives_the_object_of_the_contract(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    status, out, _ = run("ask", "When does the lease end?", "--json", "--threshold", "0")
    got = values(out)
    assert status == 0
    assert list(got) == [
        "question", "searched", "text", "abstained", "confidence", "citations", "hits", "unsupported", "weak",
        "generator", "left_out", "notices", "generation", "timings",
    ]  # fmt: skip
    assert (got["weak"], got["generator"], got["left_out"], got["notices"]) == ([], None, [], [])
    first = got["citations"][0]
    assert first["quote"] == "The lease ends on 31 March 2030."
    assert (first["marker"], first["source"], first["title"], first["page"]) == (1, "lease.md", "Lease", None)
    shown = values(run("show", "lease.md", "--json")[1])
    assert shown["text"][first["start"] : first["end"]] == first["quote"]
    assert list(shown) == ["source", "title", "text", "pages", "sha256"]
    assert list(got["timings"]) == ["load_s", "retrieve_s", "read_s", "total_s"]


def test_ask_after_an_earlier_question_says_what_it_searched_for(run: Callable) -> None:
    run("index", "docs")
    after = ("--after", "Who wrote this?", "--after", "What does the lease cost?")
    status, out, _ = run("ask", "And when does it end?", *after, "--threshold", "0", "--json")
    got = values(out)
    assert status == 0
    assert (got["question"], got["searched"]) == (
        "And when does it end?",
        "And when does it end? · March lease cost wrote",
    )
    assert got["citations"][0]["quote"] == "The lease ends on 31 March 2030."
    assert run("ask", "And when does it end?", *after, "--threshold", "0")[1].startswith(
        "Searched for: And when does it end? · March lease cost wrote\n\nThe lease ends on 31 March 2030. [1]\n"
    )
    assert "Searched for" not in run("ask", "What ends on 31 March 2030?", *after)[1]


def test_ask_after_nothing_or_with_many_questions_is_refused(run: Callable) -> None:
    run("index", "docs")
    status, out, err = run("ask", "-", "--after", "What does the lease cost?")
    assert (status, out) == (2, "")
    assert err == 'footnoted: --after goes with one question: "-" reads single ones\n'
    status, out, err = run("ask", "And when?", "--after", " ")
    assert (status, err) == (2, "footnoted: the question is empty: ask something\n")


def test_search_why_tells_where_a_phrase_was_lost(run: Callable) -> None:
    run("index", "docs")
    status, out, _ = run("search", "When does the lease end?", "--why", "ENDS on  31 march")
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "✓ extraction  in the text of lease.md, characters 17 to 33"
    assert [line[:13].rstrip() for line in lines[:7]] == [
        f"✓ {stage}" for stage in ("extraction", "chunk", "dense", "lexical", "fused", "read", "answer")
    ]
    assert lines[7:] == ["Nothing was lost: the phrase is in the answer."]
    got = values(run("search", "When does the lease end?", "--why", "no such words", "--json")[1])
    assert list(got) == ["query", "phrase", "stages", "lost", "advice"]
    assert [(stage["name"], stage["passed"]) for stage in got["stages"]] == [
        ("extraction", False), ("chunk", None), ("dense", None), ("lexical", None), ("fused", None), ("read", None),
        ("answer", None),
    ]  # fmt: skip
    assert got["lost"] == "extraction"
    assert list(got["stages"][0]) == ["name", "passed", "detail", "figures"]
    status, out, err = run("search", "When does the lease end?", "--why", " ")
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("footnoted: the phrase is empty")


def test_ask_reads_a_question_a_line_and_a_bad_line_stops_nothing(
    run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", "docs")
    lines = b"When does the lease end?\n   \nWhat colour is the \xff gate?\n"
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(lines)))
    status, out, _ = run("ask", "-")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 3
    assert [row["question"] for row in rows] == ["When does the lease end?", "   ", "What colour is the \ufffd gate?"]
    assert rows[1] == {"question": "   ", "error": "the question is empty: ask something"}


def test_ask_for_a_person_shows_quote_and_place(run: Callable) -> None:
    run("index", "docs")
    _, out, _ = run("ask", "When does the lease end?", "--threshold", "0")
    assert out.startswith("The lease ends on 31 March 2030. [1]")
    assert "[1] lease.md\n    “The lease ends on 31 March 2030.”" in out


def test_search_lists_scores_of_both_sides(run: Callable) -> None:
    run("index", "docs")
    got = values(run("search", "green gate", "-k", "1", "--json")[1])
    assert got["query"] == "green gate"
    (hit,) = got["hits"]
    assert hit["source"] == "notes.txt"
    assert hit["score"] == 1.0
    assert hit["lexical"] > 0
    assert 0 < hit["dense"] < 1


def test_status_and_verify_tell_what_is_there(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    got = values(run("status", "--json")[1])
    assert (got["documents"], got["passages"], got["model"], got["generation"]) == (2, 2, "words", 1)
    assert [row["source"] for row in got["sources"]] == ["lease.md", "notes.txt"]
    assert run("verify")[0] == 0
    (vectors,) = (tmp_path / ".footnoted").rglob("vectors.faiss")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    status, out, _ = run("verify", "--json")
    assert status == 1
    assert values(out)["problems"][0].startswith(str(Path(".footnoted") / "segments"))
    assert "vectors.faiss is damaged" in out


def test_status_says_which_languages_the_model_knows(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_embedder: Callable
) -> None:
    (tmp_path / "docs" / "vertrag.txt").write_text("Der Vertrag endet am 31. März und die Frist ist drei Monate lang.")
    run("index", "docs")
    known = {"name": "English", "documents": 2, "passages": 2, "meaning": None}
    foreign = {"name": "German", "documents": 1, "passages": 1, "meaning": None}
    assert values(run("status", "--json")[1])["languages"] == {"en": known, "de": foreign}
    assert "by language: 2 English, 1 German\n" in run("status")[1]
    monkeypatch.setattr(make_embedder, "languages", frozenset({"en"}))
    got = values(run("status", "--json")[1])["languages"]
    assert (got["en"]["meaning"], got["de"]["meaning"]) == (True, False)
    out = " ".join(run("status")[1].split())
    assert "German: mostly by words, for words reads English; for meaning: footnoted index --rebuild --embedder" in out


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("index", "nowhere"), 2, "no such file or folder: "),
        (("index", "docs/*.pdf"), 2, "no file matches "),
        (("index",), 1, "no index at .footnoted: name what to index, footnoted index PATH"),
        (("ask", "Who?"), 1, "no index at .footnoted: make one with  footnoted index PATH"),
        (("status", "--index", "docs/lease.md"), 1, "no index at docs/lease.md"),
        (("search", "x", "-k", "0", "--index", "made"), 2, "the number of passages must be at least 1, got 0"),
        (("ask", "   ", "--index", "made"), 2, "the question is empty: ask something"),
        (("ask", "x" * 4001, "--index", "made"), 2, "the question has 4,001 characters, at most 4,000 are read"),
        (("show", "nothing.txt", "--index", "made"), 2, "no document 'nothing.txt' in the index at made"),
        (
            ("index", "docs", "--index", "made", "--chunk-size", "64"),
            1,
            "the index was made with passages of 200 tokens, overlap 40",
        ),
        (("index", "docs", "--chunk-size", "4"), 2, "chunk size must be at least 16 tokens, got size=4"),
        (("index", "docs", "--index", "docs/lease.md"), 2, "cannot write an index at docs/lease.md"),
        (("index", "docs", "--index", "docs"), 2, "docs holds other files and is no index: name a new folder"),
        (("feedback",), 1, "no index at .footnoted: make one with  footnoted index PATH"),
        (("feedback", "--qrels", "out", "--index", "made"), 2, "no source is judged right yet: footnoted chat has"),
        (("feedback", "--spans", "out", "--index", "made"), 2, "no source is judged right yet: footnoted chat has"),
        (("eval", "--from-feedback"), 1, "no index at .footnoted: make one with  footnoted index PATH"),
        (("eval", "--from-feedback", "--index", "made"), 2, "nothing is judged yet: footnoted chat has thumbs"),
        (("eval", "docs", "--from-feedback"), 2, ONE_OF),
        (("eval", "--from-feedback", "--qrels", "q"), 2, "--qrels and --spans judge --topics FILE or --run FILE"),
        (("eval",), 2, ONE_OF),
        (("eval", "tiny", "--questions", "my.jsonl"), 2, ONE_OF),
        (("eval", "tiny", "--run", "run.trec"), 2, ONE_OF),
        (("eval", "--qrels", "judged.trec"), 2, ONE_OF),
        (("eval", "tiny", "--qrels", "judged.trec"), 2, "--qrels and --spans judge --topics FILE or --run FILE"),
        (("eval", "--topics", "t.txt"), 2, "--topics are scored by judgements: add --qrels FILE, --spans FILE or both"),
        (("eval", "--run", "run.trec"), 2, "--run is scored by judgements: add --qrels FILE"),
        (
            ("eval", "--run", "run.trec", "--spans", "s.jsonl"),
            2,
            "a run ranks documents, not spans: search with --topics FILE instead, or leave --spans out",
        ),
        (
            ("eval", "--topics", "docs/notes.txt", "--qrels", "q"),
            2,
            "docs/notes.txt line 1: a topic is its id, a tab and",
        ),
        (("eval", "--run", "docs/notes.txt", "--qrels", "q"), 2, "docs/notes.txt line 1: a run line is: query Q0"),
        (("eval", "nowhere"), 2, "no "),
        (("eval", "--questions", "nowhere.jsonl", "--index", "made"), 2, "no "),
    ],
)
def test_a_users_mistake_is_one_line(run: Callable, arguments: tuple[str, ...], status: int, line: str) -> None:
    run("index", "docs", "--index", "made")
    got, out, err = run(*arguments)
    assert err.startswith(f"footnoted: {line}"), err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert (got, out) == (status, "")


def test_an_empty_folder_is_an_index_without_passages(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, out, _ = run("index", "empty")
    assert (status, out.startswith("no files found; 0 passages")) == (0, True)
    got = values(run("ask", "Anything?", "--json")[1])
    assert (got["abstained"], got["text"]) == (True, "The index holds no passages yet: add documents first.")


def test_an_unreadable_file_is_failed_and_the_others_are_there(run: Callable, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "docs" / "lease.md").chmod(0)
    status, out, _ = run("index", "docs", "--json")
    assert status == 3
    assert values(out)["documents"]["failed"] == 1
    assert values(out)["documents"]["added"] == 1


def test_an_index_of_another_model_is_named_with_both(run: Callable) -> None:
    run("index", "docs")
    status, _, err = run("index", "docs", "--embedder", "letters")
    assert status == 1
    assert err.startswith("footnoted: the index was made with words, but letters gives other vectors (cosine 0.")
    assert run("index", "docs", "--embedder", "letters", "--rebuild")[0] == 0
    assert values(run("status", "--json")[1])["model"] == "letters"


def test_eval_of_a_collection_writes_run_and_rows(run: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": "a", "title": "", "text": LEASE}, {"_id": "b", "title": "", "text": NOTES}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "green gate"}\n{"_id": "q2", "text": "rent of the lease"}\n'
    )
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tb\t1\nq2\ta\t1\n")
    status, out, _ = run("eval", "tiny", "--json", "--out", "runs")
    got = values(out)
    assert status == 0
    assert got["metrics"] == {"nDCG@10": 1.0, "R@5": 1.0, "R@100": 1.0, "RR@10": 1.0}
    assert got["ci"]["nDCG@10"] == [1.0, 1.0]
    assert (got["collection"], got["queries"]) == ("tiny", 2)
    assert Path(got["run"]).read_text().splitlines()[0].split()[:4] == ["q1", "Q0", "b", "1"]
    assert len(Path(got["per_query"]).read_text().splitlines()) == 2
    assert Path(got["page"]) == tmp_path / "runs" / "report.html"
    assert "green gate" in Path(got["page"]).read_text()
    assert not (tmp_path / ".footnoted").exists()


def test_eval_leaves_a_cached_index_of_another_format_alone(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny" / "qrels").mkdir(parents=True)
    (tmp_path / "tiny" / "corpus.jsonl").write_text(json.dumps({"_id": "a", "title": "", "text": LEASE}))
    (tmp_path / "tiny" / "queries.jsonl").write_text('{"_id": "q1", "text": "rent"}')
    (tmp_path / "tiny" / "qrels" / "test.tsv").write_text("q1\ta\t1\n")
    assert run("eval", "tiny")[0] == 0
    for module in ("index.manifest", "ui.commands"):
        monkeypatch.setattr(f"{module}.FORMAT", 99)
    assert run("eval", "tiny")[0] == 0


@pytest.fixture
def judged_lease(run: Callable, tmp_path: Path) -> None:
    """An index of the documents; its answer about the lease is called good, one source of it wrong, and a
    refusal right.
    """
    run("index", "docs")
    lease = Excerpt("lease.md", 9, 41, "The lease ends on 31 March 2030.")
    notes = Excerpt("notes.txt", 0, 46, "The garden gate is painted green every spring.")
    at, folder = "2026-11-23T14:00:00+00:00", tmp_path / ".footnoted"
    record(folder, Rating("When does the lease end?", True, "", (lease, notes), at, 1))
    place = notes.source, notes.start, notes.end, notes.quote
    record(folder, Judgement("When does the lease end?", *place, False, "wrong source", at, 1))
    record(folder, Rating("Who is the king?", True, "", (), at, 1))


@pytest.mark.usefixtures("judged_lease")
def test_feedback_lists_what_was_judged(run: Callable, tmp_path: Path) -> None:
    got = values(run("feedback", "--json")[1])
    assert [(one["question"], one["source"], one["relevant"], one["reason"]) for one in got["judgements"]] == [
        ("When does the lease end?", "lease.md", True, "good answer"),
        ("When does the lease end?", "notes.txt", False, "wrong source"),
    ]
    assert [(one["question"], one["good"]) for one in got["ratings"]] == [
        ("When does the lease end?", True),
        ("Who is the king?", True),
    ]
    assert run("feedback")[1] == (
        "When does the lease end?\n"
        "  good answer\n"
        "  right source lease.md:9-41 “The lease ends on 31 March 2030.”\n"
        "  wrong source notes.txt:0-46 “The garden gate is painted green every spring.”\n"
        "Who is the king?\n"
        "  good refusal\n"
    )
    with (tmp_path / ".footnoted" / "feedback.jsonl").open("a") as file:
        file.write('{"question": "Wh')
    status, out, err = run("feedback", "--json")
    assert (status, values(out)["unreadable_lines"]) == (0, [4])
    assert err == "footnoted: .footnoted/feedback.jsonl: no judgement can be read in line 4; the others count\n"


@pytest.mark.usefixtures("judged_lease")
def test_feedback_is_put_to_the_test(run: Callable, tmp_path: Path) -> None:
    status, out, _ = run("eval", "--from-feedback", "--threshold", "0", "--json", "--out", "runs")
    got = values(out)
    assert status == 0
    assert (got["collection"], got["queries"], got["spans"]["judged"]) == ("feedback", 2, 1)
    assert got["metrics"]["span R@5"] == got["metrics"]["right source cited"] == 1.0
    assert got["metrics"]["refused as judged"] == 0.5  # a threshold of 0 refuses nothing
    assert got["notes"][0] == f"wrong sources that are still cited: {len(got['notes']) - 1} of 1"
    assert Path(got["per_query"]) == tmp_path / "runs" / "per_query.jsonl"
    assert "wrong sources that are still cited: " in run("eval", "--from-feedback")[1]


@pytest.mark.usefixtures("judged_lease")
def test_feedback_is_exported_and_read_again(run: Callable, tmp_path: Path) -> None:
    got = values(run("feedback", "--qrels", "out/lease.qrels", "--spans", "out/lease.jsonl", "--json")[1])
    out = tmp_path / "out"
    assert got == {
        "qrels": str(out / "lease.qrels"),
        "spans": str(out / "lease.jsonl"),
        "topics": str(out / "lease.topics.tsv"),
    }
    assert [line.split(" ", 1)[1] for line in (out / "lease.qrels").read_text().splitlines()] == [
        "0 notes.txt 0",
        "0 lease.md 1",
    ]
    judged = ("--qrels", got["qrels"], "--spans", got["spans"])
    metrics = values(run("eval", "--topics", got["topics"], *judged, "--json")[1])["metrics"]
    assert (metrics["span R@5"], metrics["R@5"]) == (1.0, 1.0)
    assert run("feedback", "--spans", "out/spans.jsonl")[1] == (
        "spans in out/spans.jsonl\ntopics in out/spans.topics.tsv\n"
    )


def test_eval_of_questions_and_what_another_threshold_changes(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    rows = [
        {"id": "q1", "question": "When does the lease end?", "answers": ["31 March 2030"]},
        {"_id": "q2", "question": "Who painted the garden gate?", "answers": [], "is_impossible": True},
    ]
    (tmp_path / "my.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, _ = run("eval", "--questions", "my.jsonl", "--threshold", "0", "--out", "runs/a", "--json")
    got = values(out)
    assert status == 0
    assert (got["metrics"]["right"], got["metrics"]["contains"], got["metrics"]["right:unanswerable"]) == (
        0.5,
        1.0,
        0.0,
    )
    assert (got["risk_coverage"]["coverage"], got["risk_coverage"]["risk"]) == (1.0, 0.5)
    assert set(got["latency_s"]) == {"p50", "p95", "p99"}
    assert Path(got["page"]).read_text().startswith("<!doctype html>")
    config = json.loads((tmp_path / "runs" / "a" / "config.json").read_text())
    assert (config["questions"], config["threshold"], config["chunking"]["size"]) == ("my.jsonl", 0.0, 200)
    assert len(config["versions"]["code"]) == 12

    status, out, _ = run("eval", "--questions", "my.jsonl", "--threshold", "1", "--out", "runs/b")
    assert (status, out.rstrip().split("\n")[-1]) == (0, "runs/b/report.html shows it; rows and figures beside it")
    got = values(run("compare", "runs/a", "runs/b", "--out", "runs/a-b", "--json")[1])
    assert got["changed"] == [{"setting": "threshold", "a": "0.0", "b": "1.0"}]
    assert [one["query"] for one in got["gained"]] == ["q2"]
    assert got["lost"][0]["why"][0].startswith("answered -> refused; confidence ")
    assert got["page"] == str(tmp_path / "runs" / "a-b" / "report.html")
    assert Path(got["page"]).is_file()
    out = run("compare", "runs/a", "runs/b", "--out", "runs/a-b")[1]
    assert out.rstrip().split("\n")[-1] == "runs/a-b/report.html shows it"
    assert "runs/a-b" not in run("compare", "runs/a", "runs/b")[1]


TOPICS = """<top>
<num> Number: 301
<title> green gate
<desc> Description:
Which one is painted?
</top>
<top>
<num> Number: 302
<title> rent of the lease
</top>
"""


def test_eval_of_topics_searches_the_index(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "topics.sgml").write_text(TOPICS)
    (tmp_path / "judged.trec").write_text("301 0 notes.txt 1\n302 0 lease.md 2\n302 0 gone.pdf 1\n303 0 lease.md 1\n")
    run("index", "docs")
    status, out, _ = run("eval", "--topics", "topics.sgml", "--qrels", "judged.trec", "--json", "--out", "runs")
    got = values(out)
    assert (status, got["collection"], got["mode"], got["queries"]) == (0, "topics", "fused", 2)
    assert (got["metrics"]["RR@10"], got["metrics"]["R@5"]) == (1.0, 0.75)
    assert got["notes"] == [
        "judged queries without a topic left out: 1",
        "relevant documents that the index does not have: 1 of 3",
    ]
    again = values(
        run(
            "eval", "--run", got["run"], "--qrels", "judged.trec", "--topics", "topics.sgml", "--json", "--out", "again"
        )[1]
    )
    assert again["metrics"]["nDCG@10"] == pytest.approx(got["metrics"]["nDCG@10"] * 2 / 3)  # 303 counts with 0
    assert again["notes"] == ["judged queries without results, which score 0: 1"]
    shown = run("eval", "--run", "runs/run.trec", "--qrels", "runs/qrels.trec")[1]
    assert shown.splitlines()[0] == "run, run: 2 queries"
    assert shown.splitlines()[3] == "R@5      0.7500  0.5000 to 1.0000"


def test_eval_of_topics_on_spans(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "topics.tsv").write_text("301\tgreen gate\n")
    reference = {"content": "The garden gate is painted  green", "start_index": 0, "end_index": 33}
    (tmp_path / "spans.jsonl").write_text(
        json.dumps({"_id": "301", "corpus_id": "notes.txt", "references": [reference]}) + "\n"
    )
    run("index", "docs")
    got = values(run("eval", "--topics", "topics.tsv", "--spans", "spans.jsonl", "--json")[1])
    assert got["spans"] == {"judged": 1, "moved": 1, "lost": 0}
    assert (got["metrics"]["token recall@5"], got["metrics"]["span RR@5"]) == (1.0, 1.0)
    shown = run("eval", "--topics", "topics.tsv", "--spans", "spans.jsonl")[1].splitlines()
    assert shown[1] == "spans: 1 judged, 1 moved, 0 lost"


def test_judgements_of_another_index_are_one_line(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "topics.tsv").write_text("301\tgreen gate\n")
    (tmp_path / "judged.trec").write_text("301 0 doc-1 1\n")
    run("index", "docs")
    status, _, err = run("eval", "--topics", "topics.tsv", "--qrels", "judged.trec")
    assert (status, err) == (
        2,
        "footnoted: none of the 1 relevant documents is in the index, the first is 'doc-1': "
        "name documents as footnoted status lists them, a row also by its _id\n",
    )


def test_a_document_taken_out_stays_out_until_it_is_named(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    assert values(run("remove", "notes.txt", "--json")[1]) == {
        "removed": "notes.txt", "path": str(tmp_path / "docs" / "notes.txt"),
    }  # fmt: skip
    again = values(run("index", "docs", "--json")[1])
    assert (again["documents"]["skipped"], again["documents"]["unchanged"], again["passages"]) == (1, 1, 1)
    assert values(run("index", "docs/notes.txt", "--json")[1])["passages"] == 2
    missing = "footnoted: no document 'nothing.txt' in the index at .footnoted: footnoted status lists them\n"
    assert run("remove", "nothing.txt")[2] == missing


def test_an_export_can_be_indexed_again(run: Callable) -> None:
    run("index", "docs")
    assert values(run("export", "all.jsonl", "--json")[1])["documents"] == 2
    run("index", "all.jsonl", "--index", "second")
    shown = [values(run("show", name, "--index", at, "--json")[1])["text"]
             for name, at in (("lease.md", ".footnoted"), ("all.jsonl#lease.md", "second"))]  # fmt: skip
    assert shown[0].strip() == shown[1].strip()


def test_damage_is_answered_from_the_generation_before_and_mended(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    (tmp_path / "docs" / "new.txt").write_text("The cellar is dry.\n")
    run("index", "docs")
    newest = sorted((tmp_path / ".footnoted" / "segments").iterdir())[-1]
    (newest / "vectors.faiss").write_bytes(b"")
    _, out, err = run("ask", "When does the lease end?", "--json", "--threshold", "0")
    assert values(out)["generation"] == 1
    assert "vectors.faiss is damaged (0 bytes" in err
    assert "generation 1, the last good one, is used" in err
    mended = values(run("index", "--json")[1])
    assert (mended["passages"], mended["embedded"]) == (3, 1)
    assert run("verify")[0] == 0
    assert list((tmp_path / ".footnoted" / "quarantine").rglob("vectors.faiss"))


def test_output_that_cannot_be_written_is_one_line(run: Callable, tmp_path: Path) -> None:
    run("index", "docs")
    code = "import sys; from ui.cli import main; sys.exit(main(['show', 'lease.md']))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-P", "-c", code], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "footnoted: No space left on device\n"


def test_wrong_usage_exits_with_two(run: Callable) -> None:
    status, _, err = run("ask")
    assert status == 2
    assert "QUESTION" in err


def test_a_bad_line_is_done_in_part_and_a_guessed_encoding_is_not(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "docs" / "rows.jsonl").write_text('{"_id": "1", "text": "The barn is red."}\n{"_id": \n')
    status, out, _ = run("index", "docs", "--json")
    (row,) = [row for row in values(out)["files"] if row["path"].endswith("rows.jsonl")]
    assert status == 3
    assert (row["status"], row["reason"].startswith("line 2: ")) == ("added", True)
    assert run("index", "docs")[0] == 0
    (tmp_path / "docs" / "rows.jsonl").unlink()
    (tmp_path / "docs" / "old.txt").write_bytes("Der Müller öffnet die Mühle.\n".encode("cp1252"))
    status, out, _ = run("index", "docs")
    assert status == 0
    assert "its encoding is a guess" in out


def test_a_damaged_reader_is_said_and_done_without(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", "docs")
    monkeypatch.setattr("rag.reader.BUNDLED._file", tmp_path / "docs" / "notes.txt")
    status, out, err = run("ask", "When does the lease end?")
    assert status == 0
    assert "The lease ends on 31 March 2030. [1]" in out
    assert err.count("\n") == 1
    assert "notes.txt is not the one of this version (sha256 " in err
    assert err.endswith("install footnoted again; until then sentences are scored without it\n")
    assert run("ask", "When does the lease end?", "--reader", "none") == (0, out, "")
    assert run("ask", "Why?", "--reader", "better")[0] == 2


def test_status_says_why_a_model_needs_the_library(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", "docs")
    assert values(run("status", "--json")[1])["library_because"] == ""
    monkeypatch.setattr("index.index.load_embedder", lambda _: VerifiedEmbedder(str(tmp_path)))
    assert values(run("status", "--json")[1])["library_because"] == "its modules.json cannot be read"
    out = " ".join(run("status")[1].split())
    assert "runs through sentence-transformers, which takes seconds to start: its modules.json cannot be read" in out


def test_source_asks_these_documents_alone(run: Callable) -> None:
    run("index", "docs")
    question = "When does the lease end?"
    got = values(run("ask", question, "--source", "notes.txt", "--json", "--threshold", "0")[1])
    assert {hit["source"] for hit in got["hits"]} == {"notes.txt"}
    assert values(run("ask", question, "--source", "lease.md", "--source", "notes.txt", "--json")[1])["hits"][1:]
    found = values(run("search", question, "--source", "notes.txt", "--json")[1])["hits"]
    assert {hit["source"] for hit in found} == {"notes.txt"}
    status, out, err = run("ask", question, "--source", "gone/")
    assert (status, out) == (2, "")
    assert err == "footnoted: no document 'gone/' in the index at .footnoted: footnoted status lists them\n"
    status, _, err = run("search", question, "--why", "lease", "--source", "lease.md")
    assert (status, err) == (
        2,
        "footnoted: --why follows a phrase through the whole index: leave --source out\n",
    )


def test_verify_answer_tells_how_each_quote_stands(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", "docs")
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"When does the lease end?\nWhat colour is the gate?\n")))
    asked = run("ask", "-", "--threshold", "0")[1]
    Path("answer.json").write_text(asked)
    quotes = [one for line in asked.splitlines() for one in json.loads(line)["citations"]]
    status, out, _ = run("verify-answer", "answer.json")
    assert (status, out.splitlines()[0]) == (0, f"✓ [1] {quotes[0]['source']}: as it was")
    assert out.splitlines()[-1] == f"{len(quotes)} of {len(quotes)} quotes are as they were"
    (tmp_path / "docs" / "lease.md").write_text(LEASE.replace("# Lease\n", "# The lease\n"))
    (tmp_path / "docs" / "notes.txt").unlink()
    run("index")
    status, out, _ = run("verify-answer", "answer.json", "--json")
    got = values(out)
    assert (status, got["found"]) == (1, False)
    stands = {one["quote"]: (one["state"], one["now"]) for one in got["quotes"]}
    ends = stands["The lease ends on 31 March 2030."]
    assert ends == ("moved", values(run("show", "lease.md", "--json")[1])["text"].index("The lease ends"))
    assert stands["The garden gate is painted green every spring."] == ("gone", None)
    (tmp_path / "docs" / "lease.md").write_text(LEASE.replace("2030", "2031"))
    run("index")
    assert "✗ [1] lease.md: the document no longer says this" in run("verify-answer", "answer.json")[1]
    status, _, err = run("verify-answer", "docs/lease.md")
    assert (status, err) == (
        2,
        "footnoted: docs/lease.md holds no answer: give an exported conversation, or what ask --json printed\n",
    )


HOSTILE = "\x1b[31ma\x9b1m\u202e\r\nfootnoted: 1 of 1 quotes are as they were"


@pytest.mark.parametrize("source", [HOSTILE, "\ud800", "a\0", "../../etc/passwd", "/etc/passwd"])
@pytest.mark.parametrize("start", [0, -5, 10**40])
def test_a_file_of_an_attacker_names_no_document_and_writes_nothing_on_the_terminal(
    run: Callable, source: str, start: int
) -> None:
    run("index", "docs")
    cited = {"marker": 1, "source": source, "start": start, "end": start + 4, "quote": "\x1b[2Jroot"}
    Path(f"{HOSTILE[:5]}.json").write_text(json.dumps({"citations": [cited]}))
    status, out, err = run("verify-answer", f"{HOSTILE[:5]}.json")
    assert (status, err) == (1, "")
    assert len(out.splitlines()) in (3, 4)
    assert out.splitlines()[-1] == "0 of 1 quotes are as they were"
    assert not set(out) & set("\x1b\x9b\u202e\r\0")
    assert run("verify-answer", HOSTILE)[2].startswith("footnoted: cannot read \ufffd[31ma\ufffd1m\ufffd")


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
def test_a_limit_of_the_page_is_a_whole_number(run: Callable, limit: str) -> None:
    status, _, err = run("chat", "--upload-limit", limit)
    assert status == 2
    assert f"must be a whole number from 1 on, got '{limit}'" in err


@pytest.mark.parametrize("as_json", [False, True])
def test_a_language_model_writes_the_answer(run: Callable, server_that: ModuleType, as_json: bool) -> None:
    run("index", "docs")
    written = "The lease ends on 31 March 2030 [1]. Cats are cheaper."
    with server_that.serving(server_that.says("The lease", written.removeprefix("The lease"))) as server:
        flags = ["--llm-url", server.url, "--llm-model", "small", *["--json"] * as_json]
        status, out, err = run("ask", "When does the lease end?", "--threshold", "0", *flags)
    assert (status, err) == (0, "")
    if as_json:
        got = values(out)
        assert got["text"] == "The lease ends on 31 March 2030. [1] Cats are cheaper."
        assert got["generator"] == "small"
        assert [one["quote"] for one in got["citations"]] == ["The lease ends on 31 March 2030."]
        assert got["unsupported"] == [{"start": 37, "end": 54, "reason": "it names no passage, and none says it"}]
    else:
        assert out.startswith("The lease ends on 31 March 2030. [1] Cats are cheaper.\n")
        assert "! not supported: “Cats are cheaper.”: it names no passage, and none says it" in out
        assert "written by small" in out


def test_a_language_model_that_fails_is_told_on_stderr(
    run: Callable, server_that: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", "docs")
    monkeypatch.setenv("FOOTNOTED_LLM_KEY", "sk-geheim")
    with server_that.serving(server_that.status(500, "sk-geheim")) as server:
        monkeypatch.setenv("FOOTNOTED_LLM_URL", server.url)
        monkeypatch.setenv("FOOTNOTED_LLM_MODEL", "small")
        status, out, err = run("ask", "When does the lease end?", "--threshold", "0", "--json")
    assert (status, values(out)["citations"][0]["quote"]) == (0, "The lease ends on 31 March 2030.")
    notice = (
        f"the language model small at {server.url} answered with status 500; quoted instead is what the documents say"
    )
    assert values(out)["notices"] == [notice]
    assert err == f"footnoted: {notice}\n"
    assert "sk-geheim" not in out + err


def test_half_the_settings_of_a_language_model_are_wrong_usage(run: Callable) -> None:
    run("index", "docs")
    for command in (["ask", "Why?"], ["chat"], ["eval", "--questions", "q.jsonl"]):
        (Path("q.jsonl")).write_text('{"question": "Why?", "answers": ["x"]}\n')
        status, out, err = run(*command, "--llm-model", "small")
        assert (status, out) == (2, "")
        assert err.endswith("got 'small' alone: add --llm-url or FOOTNOTED_LLM_URL\n")
