"""Where a phrase was lost, told by stage."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from index import Index
from index.chunking import ChunkSettings
from index.documents import Passage
from index.errors import UsageError
from rag import System
from rag.tracing import STAGES, Stage, Trace

Make = Callable[[Mapping[str, str]], System]


def stages(trace: Trace) -> dict[str, Stage]:
    assert [stage.name for stage in trace.stages] == list(STAGES)
    return {stage.name: stage for stage in trace.stages}


def passed(trace: Trace) -> list[bool | None]:
    return [stage.passed for stage in trace.stages]


def test_a_phrase_that_is_cited_went_through_every_stage(system: System) -> None:
    trace = system.why("When was the old bridge opened?", "OPENED\n in   1974")
    found = stages(trace)
    assert passed(trace) == [True] * 7
    assert (trace.lost, trace.advice) == ("", "Nothing was lost: the phrase is in the answer.")
    assert found["extraction"].figures == {
        "source": "bridge.txt", "start": 19, "end": 33, "places": 1, "sources": ["bridge.txt"],
    }  # fmt: skip
    assert found["chunk"].detail == "whole in passage 1 of 1"
    assert found["lexical"].figures["shared"] == ["old", "bridge", "opened"]
    assert (found["dense"].figures["rank"], found["lexical"].figures["rank"], found["fused"].figures["rank"]) == (
        1,
    ) * 3
    assert found["read"].figures["rank"] == 1
    assert found["read"].figures["features"]["words"] == 1.0
    assert (found["answer"].detail, found["answer"].figures["marker"]) == ("cited as [1]", 1)


def test_quotes_and_dashes_of_any_kind_are_the_same(make_system: Make) -> None:
    system = make_system({"a.txt": "He said “it’s the north–south line” on the (new) plan."})
    for phrase in ('"it\'s the north-south line"', "«it’s the north—south line»", "the (NEW) plan."):
        assert stages(system.why("Which line?", phrase))["extraction"].passed


def test_a_phrase_that_no_document_has_names_the_nearest_and_what_was_left_out(
    write: Callable[..., Path], make_embedder: Callable[..., object], tmp_path: Path
) -> None:
    folder = write({"a.txt": "The ferry carried eighty passengers.", "bad.pdf": b"%PDF-1.7\n"})
    system = System(Index.build([folder], tmp_path / "at", embedder=make_embedder(dimension=512)))
    trace = system.why("Who?", "ferry carried ninety passengers")
    extraction = trace.stages[0]
    assert passed(trace) == [False, *[None] * 6]
    assert trace.lost == "extraction"
    assert extraction.figures["nearest"] == "The ferry carried eighty passengers."
    assert [Path(one["path"]).name for one in extraction.figures["left_out"]] == ["bad.pdf"]
    assert "“The ferry carried eighty passengers.” in a.txt" in extraction.detail
    assert "bad.pdf (" in extraction.detail
    assert "footnoted show SOURCE" in trace.advice
    assert system.why("Who?", "zebra crossings").stages[0].figures["nearest"] == ""


def test_a_phrase_that_is_cut_between_two_passages(
    write: Callable[..., Path], make_embedder: Callable[..., object], tmp_path: Path
) -> None:
    text = " ".join(f"Sentence number{n} speaks of matter{n} and nothing else at all." for n in range(8))
    at, folder = tmp_path / "at", write({"a.txt": text})
    index = Index.build([folder], at, embedder=make_embedder(dimension=512), settings=ChunkSettings(24, 0))
    system = System(index)
    last = index.passage(index.rows_of("a.txt")[0])
    following = text[last.end : last.end + 25].strip()
    trace = system.why("Who was it then?", f"{last.text[-12:]} {following}", 1.0)
    assert stages(trace)["chunk"].passed is False
    assert stages(trace)["chunk"].figures["whole"] is False
    assert trace.lost == "chunk"
    assert "--chunk-size" in trace.advice


def test_a_passage_that_is_ranked_too_low_names_words_to_ask_with(make_system: Make) -> None:
    files = {f"{number}.txt": f"The harbour log of the ferry, day {number}." for number in range(12)}
    system = make_system({**files, "z.txt": "Passengers embarked at Rotterdam."})
    trace = system.why("Which ferry has a harbour log?", "embarked at rotterdam")
    found = stages(trace)
    assert trace.lost == "fused"
    assert found["lexical"].detail == "not found by words: has none of its words; lacks ferry, harbour, log"
    assert found["fused"].figures["rank"] == 13
    assert found["read"].passed is None
    assert trace.advice == "Ask with words of that place, such as Passengers, embarked, Rotterdam."


def test_a_refusal_names_the_threshold_that_would_answer(system: System) -> None:
    question, phrase = "When was the old bridge opened?", "opened in 1974"
    trace = system.why(question, phrase, 1.0)
    sure = system.answer(question).confidence
    assert trace.lost == "answer"
    assert trace.stages[-1].detail == f"refused: confidence {sure:.2f} is below the threshold 1.00"
    assert trace.stages[-1].figures["threshold"] == 1.0
    proposed = float(trace.advice.split("--threshold ")[1].split()[0])
    assert system.why(question, phrase, proposed).lost == ""


def test_a_sentence_that_is_less_likely_is_lost_when_read(system: System) -> None:
    trace = system.why("When was the old bridge opened?", "320 metres")
    read = stages(trace)["read"]
    assert trace.lost in ("read", "answer")
    assert read.figures["rank"] > 1
    assert read.figures["best"]["quote"] == "The old bridge was opened in 1974."
    assert read.figures["score"] < read.figures["best"]["score"]
    assert "it has more of the words" in read.detail


def test_a_sentence_beside_two_that_disagree(system: System) -> None:
    question = "How many passengers did the ferry carry on the storm night?"
    assert system.answer(question).text.startswith("The sources disagree.")
    trace = system.why(question, "the night was dark")
    assert trace.stages[-1].detail == "not cited: two sentences that disagree are shown instead"


def test_an_overview_searches_no_passage(system: System) -> None:
    trace = system.why("What are these documents about?", "320 metres")
    assert passed(trace) == [True, True, None, None, None, False, False]
    assert trace.lost == "read"


def test_of_several_places_the_best_passage_is_followed(make_system: Make) -> None:
    system = make_system({"a.txt": "Tea was cold in May.", "b.txt": "The garden grows roses. Tea was cold in May."})
    trace = system.why("What does the garden grow?", "tea was cold")
    assert trace.stages[0].figures["source"] == "b.txt"
    assert trace.stages[0].figures["sources"] == ["b.txt", "a.txt"]


@pytest.mark.parametrize("phrase", ["", " \n", "\u200b"])
def test_an_empty_phrase_is_refused(system: System, phrase: str) -> None:
    with pytest.raises(UsageError, match="the phrase is empty"):
        system.why("Who?", phrase)


def test_an_empty_index_has_no_phrase(make_system: Make) -> None:
    trace = make_system({"a.txt": " "}).why("Who?", "tea")
    assert trace.lost == "extraction"
    assert passed(trace) == [False, *[None] * 6]


GERMAN = "Die Häuser der Station wurden vor fünfzig Jahren von den Ingenieuren gebaut und später erneuert."


def test_words_are_compared_in_the_language_of_the_passage(make_system: Make) -> None:
    others = {f"{number}.txt": f"Die Fähre fuhr am Tag {number} zur Insel und war alt." for number in range(12)}
    system = make_system({"de.txt": GERMAN, **others})
    found = stages(system.why("Wann wurde das Haus gebaut?", "Häuser der Station"))
    assert found["lexical"].figures["shared"] == ["Haus", "gebaut"]
    assert found["lexical"].figures["lacks"] == []
    trace = system.why("Wie alt ist die Fähre?", "Häuser der Station")
    assert trace.lost == "fused"
    assert trace.advice == "Ask with words of that place, such as Häuser, Station, fünfzig."


def test_a_phrase_that_stands_everywhere_is_found_in_the_time_of_a_reading(
    make_system: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    class Counted(int):
        def __lt__(self, other: int) -> bool:
            compared.append(1)
            return int(self) < int(other)

    system = make_system({"a.txt": "\n".join(f"Tea number {number} was cold in May." for number in range(1200))})
    assert system.index.passages > 200
    passage = Index.passage

    def counted(self: Index, row: int) -> Passage:
        found = passage(self, row)
        return replace(found, start=Counted(found.start), end=Counted(found.end))

    monkeypatch.setattr(Index, "passage", counted)
    trace = system.why("Which tea was cold?", "tea")
    assert trace.stages[0].figures["places"] == 1200
    assert len(compared) < 30 * 1200


def test_a_long_phrase_of_one_letter_is_compared_quickly(make_system: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    system = make_system({"a.txt": "a" * 9000})
    lengths: list[int] = []
    matcher = difflib.SequenceMatcher

    def watched(junk: None, ours: str, theirs: str, autojunk: bool) -> difflib.SequenceMatcher[str]:
        lengths.append(len(ours))
        return matcher(junk, ours, theirs, autojunk)

    monkeypatch.setattr(difflib, "SequenceMatcher", watched)
    trace = system.why("Which?", "b" + "a" * 3000)
    assert trace.lost == "extraction"
    assert max(lengths) == 400
