"""What is trained on: rows that fit, and nothing of what is evaluated."""

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from training.claims import SETS as CLAIM_SETS
from training.claims import load_claims
from training.evaluated import FOLDERS, Evaluated, key, load_evaluated, long_sentences
from training.rows import HELD, SETS, TEXTS, load_rows

BRIDGE = "The Halden Bridge was opened on 4 June 1974 by the mayor of the town, Ruth Sandvik. It is long."
TRAM = "A tram ran along the river from the market to the old harbour until the flood of 1953. It was red."
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def write_train(tmp_path: Path) -> Callable[..., Path]:
    """Writes every set, empty but for the rows given by name."""

    def write(**rows: list[Mapping[str, object]]) -> Path:
        for name in [*SETS, *CLAIM_SETS, TEXTS]:
            with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in rows.get(name.replace("-", "_"), []))
        return tmp_path

    return write


def asked(question: str, context: str, *answers: str, **more: object) -> dict[str, object]:
    found = [{"text": one, "start": context.index(one)} for one in answers]
    return {"question": question, "context": context, "answers": found, "is_impossible": not answers, **more}


NOTHING = Evaluated(frozenset(), frozenset())


def test_a_row_is_a_question_with_its_answers_in_a_text(write_train: Callable[..., Path]) -> None:
    rows = [
        asked("When  was it opened?", BRIDGE, "4 June 1974", "June 1974", title="The_Halden_Bridge"),
        asked("When  was it opened?", BRIDGE, "4 June 1974"),  # a second time
        asked("Who sang there?", BRIDGE),
        {**asked("Is it long?", BRIDGE), "is_impossible": False, "yesno": "yes"},  # no span to learn from
        asked("Which tram?", TRAM, " A tram ran "[1:], sentence_level=True),
    ]
    found = load_rows(write_train(nq_open_oracle=rows), NOTHING)
    texts = {one.text: one for one in found.texts.values()}
    assert texts[BRIDGE].title == "The Halden Bridge"
    assert [(row.question, row.answers, row.sentence, row.set) for row in found.rows] == [
        ("When was it opened?", ((32, 43), (34, 43)), False, "nq-open-oracle"),
        ("Who sang there?", (), False, "nq-open-oracle"),
        ("Which tram?", ((0, 10),), True, "nq-open-oracle"),
    ]
    assert {row.text_id for row in found.rows} == {one.id for one in texts.values()}


def test_a_text_without_a_title_has_that_of_its_article(write_train: Callable[..., Path]) -> None:
    train = write_train(
        **{"passages_squad_articles": [{"title": "Trams_of_Norway", "text": TRAM.replace(" ", "  ", 3)}]},
        squad11_train_44articles=[asked("What colour was it?", TRAM, "red")],
    )
    found = load_rows(train, NOTHING)
    assert [one.title for one in found.texts.values() if one.text == TRAM] == ["Trams of Norway"]


def test_what_is_evaluated_is_left_out(write_train: Callable[..., Path]) -> None:
    evaluated = Evaluated(
        frozenset({key("When was it opened?")}),
        frozenset(long_sentences(f"Another text. {BRIDGE.upper().replace(' ', '  ')}")),
    )
    rows = [
        asked("when was it OPENED", TRAM, "1953"),  # the question
        asked("Who opened it?", BRIDGE, "Ruth Sandvik"),  # the text, in other case and spaces
        asked("Who opened it?", f"Before. {BRIDGE}", "Ruth Sandvik"),  # a sentence of it
        asked("What colour was it?", TRAM, "red"),
    ]
    found = load_rows(write_train(quoref_contrast=rows), evaluated)
    assert [(row.question, found.texts[row.text_id].text) for row in found.rows] == [("What colour was it?", TRAM)]
    assert set(found.texts) == {found.rows[0].text_id}
    assert found.left_out == {"quoref-contrast": 3}


def test_claims_of_what_is_evaluated_are_left_out(write_train: Callable[..., Path]) -> None:
    rows = [
        {"claim": "The bridge is from 1974.", "evidence": [BRIDGE], "label": "SUPPORTS"},
        {"claim": "The tram was blue.", "evidence": [TRAM, "It was red."], "label": "REFUTES"},
        {"claim": "The tram was red.", "evidence": ["It was red."], "label": "SUPPORTS"},
        {"claim": "Nobody knows.", "evidence": [], "label": "REFUTES"},
    ]
    pairs = [{"premise": "It rains.", "hypothesis": "It is wet.", "label": "neutral"}]
    evaluated = Evaluated(frozenset({key("the tram was red")}), frozenset(long_sentences(BRIDGE)))
    train = write_train(nli_fever_athnlp=rows, nli_snli_dev=pairs)
    assert load_claims(train, evaluated) == [
        ("The tram was blue.", f"{TRAM} It was red.", False),
        ("It is wet.", "It rains.", False),
    ]


def test_a_collection_that_is_not_there_is_no_collection_without_questions(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="what is evaluated must be there"):
        load_evaluated(tmp_path)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_no_row_question_or_text_of_what_is_evaluated_is_trained_on() -> None:
    evaluated = load_evaluated(SHARED)
    found = load_rows(SHARED / "train", evaluated)
    assert len(found.rows) > 50_000
    # Compared here in another way than where it is left out: every run of twelve words of an evaluated text.
    words = [row.split() for row in evaluated.sentences]
    runs = {" ".join(row[at : at + 12]) for row in words for at in range(0, max(1, len(row) - 11))}
    runs = {run for run in runs if run.count(" ") == 11}
    shared = 0
    for text in found.texts.values():
        row = key(text.text).split()
        shared += any(" ".join(row[at : at + 12]) in runs for at in range(len(row) - 11))
    assert shared <= len(found.texts) / 500  # phrases that many texts have ("the number of people who ... in the")
    assert not {key(row.question) for row in found.rows} & evaluated.questions
    for name in FOLDERS:  # each of them was read
        assert any((SHARED / name).rglob("*")), name
    questions = [json.loads(line)["question"] for line in (SHARED / "seed" / "questions.jsonl").open()]
    assert {key(one) for one in questions} <= evaluated.questions
    first = (SHARED / "scifact" / "corpus.jsonl").read_text().partition("\n")[0]
    assert set(long_sentences(json.loads(first)["text"])) <= evaluated.sentences


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_one_text_in_twenty_is_held_back() -> None:
    found = load_rows(SHARED / "train", NOTHING)
    held = sum(text.held for text in found.texts.values())
    assert len(found.texts) / HELD * 0.9 < held < len(found.texts) / HELD * 1.1
