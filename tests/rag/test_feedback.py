"""What was said of answers and sources: the last word counts, and nothing that was said is lost."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index import Index
from index.errors import FailedWrite, UsageError
from index.index import verify
from index.indexing import update
from rag.feedback import Excerpt, Judgement, Rating, read_feedback, record

DOOR = Excerpt("house.txt", 0, 17, "The door is blue.")
GATE = Excerpt("house.txt", 18, 36, "The gate is green.")
AT = "2026-11-23T14:00:00+00:00"


def judgement(excerpt: Excerpt, relevant: bool | None, question: str = "What colour?", at: str = AT) -> Judgement:
    place = excerpt.source, excerpt.start, excerpt.end, excerpt.quote
    return Judgement(question, *place, relevant, "", at, 1)


def rating(good: bool | None, *cited: Excerpt, reason: str = "", question: str = "What colour?") -> Rating:
    return Rating(question, good, reason, cited, AT, 1)


def in_force(folder: Path) -> dict[tuple[str, int], bool | None]:
    return {(one.question, one.start): one.relevant for one in read_feedback(folder).judgements}


def test_an_entry_is_one_ascii_line_and_read_as_it_was_written(tmp_path: Path) -> None:
    said = judgement(Excerpt("häuser/tür.txt", 3, 21, "Die Tür\nist “blau”."), False)
    record(tmp_path, said)
    record(tmp_path, rating(False, DOOR, reason="incomplete"))
    content = (tmp_path / "feedback.jsonl").read_bytes()
    assert content.isascii()
    assert content.count(b"\n") == 2
    assert json.loads(content.splitlines()[0]) == {
        "question": "What colour?", "source": "häuser/tür.txt", "start": 3, "end": 21,
        "quote": "Die Tür\nist “blau”.", "relevant": False, "reason": "", "at": AT, "generation": 1,
    }  # fmt: skip
    found = read_feedback(tmp_path)
    assert found.judgements == (said,)
    assert found.ratings == (rating(False, DOOR, reason="incomplete"),)


def test_the_last_word_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    record(tmp_path, judgement(DOOR, True))
    record(tmp_path, judgement(GATE, True))
    record(tmp_path, judgement(DOOR, False))
    record(tmp_path, judgement(DOOR, True, question="What is blue?"))
    assert in_force(tmp_path) == {("What colour?", 0): False, ("What colour?", 18): True, ("What is blue?", 0): True}
    record(tmp_path, judgement(DOOR, None))
    assert in_force(tmp_path) == {("What colour?", 18): True, ("What is blue?", 0): True}
    assert len((tmp_path / "feedback.jsonl").read_text().splitlines()) == 5


def test_a_good_answer_makes_its_sources_relevant_unless_one_was_called_wrong(tmp_path: Path) -> None:
    record(tmp_path, judgement(GATE, False))
    record(tmp_path, rating(True, DOOR, GATE))
    assert in_force(tmp_path) == {("What colour?", 0): True, ("What colour?", 18): False}
    assert read_feedback(tmp_path).relevance("What colour?", "house.txt", 0, 17) is True
    record(tmp_path, judgement(GATE, None))
    assert in_force(tmp_path) == {("What colour?", 0): True, ("What colour?", 18): True}
    record(tmp_path, rating(None))
    assert in_force(tmp_path) == {}
    assert read_feedback(tmp_path).ratings == ()
    assert read_feedback(tmp_path).rating("What colour?") is None


def test_a_bad_answer_judges_no_source(tmp_path: Path) -> None:
    record(tmp_path, rating(True, DOOR))
    record(tmp_path, rating(False, DOOR, reason="not what I asked"))
    found = read_feedback(tmp_path)
    assert found.judgements == ()
    assert [(one.good, one.reason) for one in found.ratings] == [(False, "not what I asked")]


def test_nothing_said_is_empty(tmp_path: Path) -> None:
    assert read_feedback(tmp_path).judgements == read_feedback(tmp_path).ratings == ()


@pytest.mark.parametrize("torn", [b'{"question": "What col', b'{"question": "W\xc3'])
def test_a_line_cut_off_in_a_crash_loses_only_itself(tmp_path: Path, torn: bytes) -> None:
    record(tmp_path, judgement(DOOR, True))
    with (tmp_path / "feedback.jsonl").open("ab") as file:
        file.write(torn)
    record(tmp_path, judgement(GATE, True))
    assert in_force(tmp_path) == {("What colour?", 0): True, ("What colour?", 18): True}
    assert read_feedback(tmp_path).unreadable == (2,)


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[]",
        '"good"',
        "{}",
        '{"good": true}',
        "[" * 100_000,
        json.dumps({"question": "q", "good": "yes", "reason": "", "cited": [], "at": AT, "generation": 1}),
        json.dumps({"question": "q", "good": True, "reason": "", "cited": [1], "at": AT, "generation": 1}),
        json.dumps({"question": "q", "good": True, "reason": "", "cited": "no", "at": AT, "generation": 1}),
        json.dumps(
            {"question": "q", "source": "s", "start": 0.5, "end": 2, "quote": "x", "relevant": True, "reason": "",
             "at": AT, "generation": 1}
        ),
    ],
)  # fmt: skip
def test_a_line_that_is_no_entry_is_left_out_and_named(tmp_path: Path, line: str) -> None:
    record(tmp_path, judgement(DOOR, True))
    with (tmp_path / "feedback.jsonl").open("a") as file:
        file.write(line + "\n")
    found = read_feedback(tmp_path)
    assert (len(found.judgements), found.unreadable) == (1, (2,))


def test_threads_and_processes_write_whole_lines(tmp_path: Path, fork: Callable[..., Any]) -> None:
    def say(worker: int) -> None:
        for number in range(50):
            record(tmp_path, judgement(replace(DOOR, quote="x" * 5000), True, question=f"{worker}:{number}"))

    children = [fork(lambda tell, worker=worker: (say(worker), tell(b"!"))) for worker in range(2)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(say, [2, 3]))
    assert [child.hear() for child in children] == [b"!", b"!"]
    found = read_feedback(tmp_path)
    assert {one.question for one in found.judgements} == {f"{w}:{n}" for w in range(4) for n in range(50)}
    assert found.unreadable == ()


def test_what_a_full_disk_takes_half_of_is_not_there_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, judgement(DOOR, True))
    before = (tmp_path / "feedback.jsonl").read_bytes()
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: real(descriptor, line[:20]))
    with pytest.raises(FailedWrite, match=r"feedback\.jsonl: No space left on device"):
        record(tmp_path, judgement(GATE, True))
    assert (tmp_path / "feedback.jsonl").read_bytes() == before


def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "feedback.jsonl").mkdir()
    with pytest.raises(FailedWrite, match=r"cannot write .*feedback\.jsonl: Is a directory"):
        record(tmp_path, judgement(DOOR, True))
    with pytest.raises(UsageError, match=r"cannot read .*feedback\.jsonl: Is a directory"):
        read_feedback(tmp_path)


def test_it_outlives_updates_rebuilding_and_sweeping_and_is_no_damage(
    write: Callable[..., Path], tmp_path: Path, embedder: Any
) -> None:
    at, files = tmp_path / "at", write({"house.txt": "The door is blue. The gate is green."})
    Index.build([files], at, embedder=embedder)
    record(at, judgement(DOOR, True))
    before = (at / "feedback.jsonl").read_bytes()
    for text in ("The door is red.", "The door is grey.", "The door is brown."):
        write({"house.txt": text})
        update(at, [files], embedder=embedder)  # each sweeps away what is older than two generations
    update(at, [files], embedder=embedder, rebuild=True)
    assert verify(at) == []
    (next((at / "segments").iterdir()) / "vectors.faiss").write_bytes(b"")
    update(at, [], embedder=embedder, rebuild=True)  # moves what is damaged aside
    assert verify(at) == []
    assert (at / "feedback.jsonl").read_bytes() == before


def test_it_is_no_document_and_can_be_taken_along_to_a_new_index(
    write: Callable[..., Path], tmp_path: Path, embedder: Any
) -> None:
    files = write({"house.txt": "The door is blue."})
    at = files / ".footnoted"
    at.mkdir()
    record(at, judgement(DOOR, True))
    index = Index.build([files], at, embedder=embedder)
    assert [source for source, *_ in index.sources()] == ["house.txt"]
    assert in_force(at) == {("What colour?", 0): True}
