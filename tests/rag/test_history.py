"""Conversations that are kept: as they were, whatever became of the documents, the file or the program since."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from index.errors import UsageError
from rag import System
from rag.checking import Checked, Quoted, check
from rag.history import (
    answered,
    conversations,
    forget,
    forget_all,
    keep,
    new_id,
    read_conversation,
    take_back,
)

QUESTION = "When was the old bridge opened?"


def kept(system: System, folder: Path, question: str = QUESTION, id: str = "one", name: str = "") -> str:
    name = name or new_id()
    keep(folder, name, answered(system.index, id, question, system.answer(question, 0), sources=["bridge.txt"]))
    return name


def test_a_turn_comes_back_as_it_was(system: System, tmp_path: Path) -> None:
    answer = system.answer(QUESTION)
    turn = answered(system.index, "one", QUESTION, answer)
    name = new_id()
    keep(tmp_path, name, turn)
    (again,) = read_conversation(tmp_path, name)
    assert again == turn
    assert again.answer == answer
    assert again.documents == {"bridge.txt": system.index.document("bridge.txt").sha256}
    assert again.sources is None


def test_the_list_has_the_last_answered_first_and_the_first_question_as_title(system: System, tmp_path: Path) -> None:
    first, second = kept(system, tmp_path), kept(system, tmp_path, "Who built the bridge?")
    os.utime(tmp_path / "history" / f"{first}.jsonl", (1, 1))  # both may be of one tick of the clock of files
    assert [(one.id, one.title, one.turns) for one in conversations(tmp_path)] == [
        (second, "Who built the bridge?", 1),
        (first, QUESTION, 1),
    ]
    kept(system, tmp_path, "And the new one?", "two", first)
    latest = conversations(tmp_path)[0]
    assert (latest.id, latest.title, latest.turns) == (first, QUESTION, 2)


def test_a_turn_answered_again_counts_once_and_one_taken_back_not_at_all(system: System, tmp_path: Path) -> None:
    name = kept(system, tmp_path)
    kept(system, tmp_path, "Who built it?", "two", name)
    kept(system, tmp_path, "Who built the old bridge?", "two", name)
    assert [turn.question for turn in read_conversation(tmp_path, name)] == [QUESTION, "Who built the old bridge?"]
    take_back(tmp_path, name, "one")
    assert [turn.question for turn in read_conversation(tmp_path, name)] == ["Who built the old bridge?"]
    take_back(tmp_path, name, "two")
    assert read_conversation(tmp_path, name) == ()
    assert conversations(tmp_path) == []


@pytest.mark.parametrize("torn", [b"", b"{", b'{"id": "two", "at": 7}', b"[]", b"7", b"\xff\x00", b"[" * 5000])
def test_a_line_that_is_cut_off_or_none_of_ours_costs_itself_alone(system: System, tmp_path: Path, torn: bytes) -> None:
    name = kept(system, tmp_path)
    path = tmp_path / "history" / f"{name}.jsonl"
    path.write_bytes(path.read_bytes() + torn)
    assert [turn.id for turn in read_conversation(tmp_path, name)] == ["one"]
    kept(system, tmp_path, id="three", name=name)
    assert [turn.id for turn in read_conversation(tmp_path, name)] == ["one", "three"]


def test_every_cut_of_the_last_line_leaves_the_turns_before(system: System, tmp_path: Path) -> None:
    name = kept(system, tmp_path)
    path = tmp_path / "history" / f"{name}.jsonl"
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 1, 97):
        path.write_bytes(whole + whole.replace(b'"one"', b'"two"')[:cut])
        assert [turn.id for turn in read_conversation(tmp_path, name)] == ["one"]


def test_conversations_are_deleted_one_or_all(system: System, tmp_path: Path) -> None:
    names = [kept(system, tmp_path) for _ in range(3)]
    forget(tmp_path, names[1])
    assert {one.id for one in conversations(tmp_path)} == {names[0], names[2]}
    assert forget_all(tmp_path) == 2
    assert list((tmp_path / "history").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../feedback", "20261124-000000-0000000g", "20261124-000000-00000000/../x"])
def test_only_a_name_of_ours_is_looked_for(system: System, tmp_path: Path, name: str) -> None:
    for work in (read_conversation, forget):
        with pytest.raises(UsageError, match="not the name of a conversation"):
            work(tmp_path, name)
    with pytest.raises(UsageError, match="no conversation 20261124-000000-00000000"):
        read_conversation(tmp_path, "20261124-000000-00000000")


def test_a_quote_is_found_moved_changed_or_gone(make_system: Callable[[Mapping[str, str]], System]) -> None:
    index = make_system({"tea.txt": "Tea is hot. Rice is dry. Tea is hot."}).index
    quoted = Quoted("1", "tea.txt", 0, 11, "Tea is hot.")
    assert check(index, quoted) == Checked(quoted, "found", 0)
    for start, now in [(3, 0), (20, 25), (900, 25)]:
        assert check(index, replace(quoted, start=start, end=start + 11)).start == now
        assert check(index, replace(quoted, start=start, end=start + 11)).state == "moved"
    assert check(index, replace(quoted, quote="Tea is cold.")).state == "changed"
    assert check(index, replace(quoted, quote="", end=0)).state == "changed"
    assert check(index, replace(quoted, source="milk.txt")).state == "gone"
