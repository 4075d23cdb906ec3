"""A question to its answer: every sentence has its footnote, every footnote its exact excerpt."""

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import rag
from index.errors import NoIndex, OtherIndex, UsageError
from rag import Answer, System
from rag.system import EMPTY, REFUSAL

Make = Callable[[Mapping[str, str]], System]


def check(answer: Answer, system: System, most: int = 3) -> None:
    """What holds for every answer."""
    markers = [int(found) for found in re.findall(r"\[(\d+)\]", answer.text)]
    assert markers == [citation.marker for citation in answer.citations] == list(range(1, len(markers) + 1))
    assert len(answer.citations) <= most
    for citation in answer.citations:
        document = system.index.document(citation.source)
        assert document.text[citation.start : citation.end] == citation.quote
        assert document.title == citation.title
    shown = [re.sub(r"\[(?=\d+\])", "[\u2060", citation.quote) for citation in answer.citations]
    assert answer.abstained or answer.text.endswith(" ".join(f"{quote} [{n}]" for n, quote in enumerate(shown, 1)))
    assert 0 <= answer.confidence <= 1
    assert answer.abstained == (not answer.citations)
    assert answer.hits or not system.index.passages


def test_an_answer_is_the_sentence_that_says_it(system: System) -> None:
    answer = system.answer("  When was the old bridge opened?\n")
    assert answer.question == "When was the old bridge opened?"
    assert answer.text == "The old bridge was opened in 1974. [1]"
    (citation,) = answer.citations
    assert (citation.source, citation.start, citation.end) == ("bridge.txt", 0, 34)
    assert citation.passage_id == answer.hits[0].passage.id
    assert answer.generation == 1
    assert not answer.abstained
    check(answer, system)


def test_what_the_documents_do_not_say_is_refused_with_the_nearest_passages(system: System) -> None:
    answer = system.answer("How many wheels has a bicycle?")
    assert (answer.text, answer.citations, answer.abstained) == (REFUSAL, (), True)
    assert len(answer.hits) == 4
    assert answer.confidence < 0.2


def test_the_threshold_decides(system: System) -> None:
    question = "How many wheels has a bicycle?"
    sure = system.answer(question).confidence
    assert system.answer(question, threshold=sure + 1e-6).abstained
    assert not system.answer(question, threshold=sure).abstained
    assert system.answer("When was the old bridge opened?", threshold=1).abstained


@pytest.mark.parametrize(
    "question", ["wheels", "?!", "the of", "\u65e5\u672c", "<|endoftext|>", "[1]", "a" * 4000, "' OR 1=1 --"]
)
def test_threshold_zero_never_refuses(question: str, system: System) -> None:
    answer = system.answer(question, threshold=0)
    assert not answer.abstained
    check(answer, system)


def test_a_number_in_brackets_in_a_quote_makes_no_footnote(system: System) -> None:
    answer = system.answer("What did the repairs of the bridge cost?", threshold=0)
    assert any("[3]" in citation.quote for citation in answer.citations)
    check(answer, system)


def test_random_questions_are_answered_in_exact_quotes(make_system: Make) -> None:
    dice = random.Random(11)
    plain = "lake boat red [2] 7,5 Ann's 日本 old. New! is | 😀 - 1974, naïve café"
    words = [*plain.split(), "ﬁre", "soft\u00adhyphen"]
    files = {
        f"{number}.txt": "\n".join(
            " ".join(dice.choices(words, k=dice.randint(1, 40))) for _ in range(dice.randint(1, 9))
        )
        for number in range(8)
    }
    system = make_system(files)
    starts = ["Who", "When", "How many", "Why", "Where", "Is", "Summarise", "What is", ""]
    for _ in range(150):
        question = f"{dice.choice(starts)} {' '.join(dice.choices(words, k=dice.randint(1, 6)))}?"
        most = dice.choice([1, 2, 3, 5])
        check(system.answer(question, threshold=0, citations=most), system, most)


def test_the_stream_gives_the_passages_first_and_ends_with_the_answer(system: System) -> None:
    question = "When was the old bridge opened?"
    first, *_, last = system.stream(question)
    assert (first.text, first.citations, first.abstained) == ("", (), False)
    assert first.hits == last.hits != ()
    answer = system.answer(question)
    assert (last.text, last.citations, last.confidence) == (answer.text, answer.citations, answer.confidence)
    assert 0 < first.timings.retrieve_s == last.timings.retrieve_s <= last.timings.total_s


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", "the question is empty: ask something"),
        (" \n", "the question is empty: ask something"),
        ("\u200b", "the question is empty: ask something"),
        ("a" * 5000, "the question has 5,000 characters, at most 4,000 are read: shorten it"),
    ],
)
def test_what_cannot_be_asked(question: str, message: str, system: System) -> None:
    for ask in (system.answer, system.search, lambda text: next(system.stream(text))):
        with pytest.raises(UsageError) as error:
            ask(question)  # type: ignore[operator]
        assert str(error.value) == message


def test_a_sentence_that_leans_on_the_one_before_is_read_after_it(make_system: Make) -> None:
    system = make_system(
        {"a.txt": "Keller planned the bridge at Bern for years. He designed the bridge at Bern in 1900."}
    )
    answer = system.answer("When was the bridge at Bern designed?")
    assert answer.text == "Keller planned the bridge at Bern for years. [1] He designed the bridge at Bern in 1900. [2]"
    first, second = answer.citations
    assert first.score < second.score


def test_what_a_sentence_announces_is_read_after_it(make_system: Make) -> None:
    system = make_system(
        {"a.md": "All are welcome.\n\nThe rules of the house are these:\n\n- Boots stay outside.\n- Nobody shouts.\n"}
    )
    answer = system.answer("What are the rules of the house?", threshold=0)
    assert answer.text == "The rules of the house are these: [1] Boots stay outside. [2] Nobody shouts. [3]"


def test_an_index_without_passages_says_so(make_system: Make) -> None:
    system = make_system({"a.txt": " "})
    for question in ("Who?", "What is this about?"):
        answer = system.answer(question, threshold=0)
        assert (answer.text, answer.hits, answer.abstained, answer.confidence) == (EMPTY, (), True, 0.0)


def test_a_commit_is_seen_by_the_next_question(system: System, write: Callable[..., Path]) -> None:
    assert system.answer("Who painted the mural?").abstained
    system.index.update([write({"mural.txt": "The mural was painted by Joan Rivera."})])
    answer = system.answer("Who painted the mural?")
    assert (answer.text, answer.generation) == ("The mural was painted by Joan Rivera. [1]", 2)


def test_another_model_is_refused_before_any_question(system: System, make_embedder: Callable[..., object]) -> None:
    at = system.index.folder
    with pytest.raises(OtherIndex, match=r"made with words.*shifted"):
        System.open(at, embedder=make_embedder("shifted", dimension=512, shift=1))
    opened = System.open(at, embedder=make_embedder(dimension=512))
    assert opened.answer("Who slept?").timings.load_s > 0
    assert opened.answer("Who slept?").timings.load_s == 0


def test_the_first_level_of_python(system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    embedder, at = system.index.embedder, system.index.folder
    asked: list[str | None] = []
    monkeypatch.setattr("index.index.load_embedder", lambda name=None: asked.append(name) or embedder)
    question = "When was the old bridge opened?"
    assert (
        rag.answer(question, index=at).text
        == rag.load(at).answer(question).text
        == "The old bridge was opened in 1974. [1]"
    )
    assert rag.answer(question, index=str(at), threshold=1).abstained
    assert asked == ["words", "words"]  # once for each system: what answer() loads is kept
    with pytest.raises(NoIndex, match="no index at"):
        rag.answer(question, index=tmp_path / "none")


def test_the_documents_that_are_asked_alone_answer(system: System) -> None:
    question = "When was the old bridge opened?"
    whole = system.answer(question, 0)
    assert {one.source for one in whole.citations} == {"bridge.txt"}
    others = [source for source, *_ in system.index.sources() if source != "bridge.txt"]
    without = system.answer(question, sources=others)
    assert "bridge.txt" not in {hit.passage.source for hit in without.hits}
    assert without.abstained
    only = system.answer(question, 0, sources=["bridge.txt"])
    assert (only.text, only.citations[0].quote) == (whole.text, whole.citations[0].quote)
    assert {hit.passage.source for hit in system.search(question, sources=["bridge.txt"])} == {"bridge.txt"}
    overview = system.answer("What are these documents about?", sources=others[:1])
    assert {one.source for one in overview.citations} == {others[0]}
    with pytest.raises(UsageError, match="no document 'nowhere"):
        system.answer(question, sources=["nowhere.txt"])
