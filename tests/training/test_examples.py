"""Windows and what they should be read as."""

import random
from collections import Counter

import pytest

from rag.windows import LENGTH, windows
from training import examples
from training.examples import Shown, claims, epoch, group
from training.impossible import alter, deceive
from training.negatives import Mined

BRIDGE = "The Halden Bridge was opened in 1974. It was designed by Anna Keller. The bridge is 320 metres long."
SENTENCES = ((0, 37), (38, 68), (69, 100))
TRAM = "A tram ran along the river until the flood of 1953. It was red."
PASSAGES = [Shown("Bridges > Halden", BRIDGE, SENTENCES), Shown("", TRAM, ((0, 51), (52, 63)))]

pytestmark = pytest.mark.model  # the word pieces of the packaged model


def mined(question: str, *answers: str, sentence: bool = False) -> Mined:
    spans = tuple((BRIDGE.index(one), BRIDGE.index(one) + len(one)) for one in answers)
    return Mined(question, spans, sentence, "set", False, 0, (1,), 1)


def said(example: examples.Example, text: str = BRIDGE) -> tuple[str, str]:
    """The text of the pieces where the answers begin and end."""
    window = example.window
    starts = [text[slice(*window.offsets[at - window.begin])] for at in example.starts if at]
    ends = [text[slice(*window.offsets[at - window.begin])] for at in example.ends if at]
    return " ".join(starts), " ".join(ends)


def test_a_window_is_question_context_and_text() -> None:
    (plain, titled) = windows(["Who?"] * 2, ["", "Bridges"], [BRIDGE, BRIDGE])
    assert plain.ids[:4] == (101, 2040, 1029, 102)
    assert plain.ids[-1] == titled.ids[-1] == 102
    assert plain.begin == 4
    assert titled.ids[4] == 7346  # "bridges"
    assert titled.begin == 6
    assert titled.ids[6:] == plain.ids[4:]
    assert [BRIDGE[slice(*span)] for span in plain.offsets[:3]] == ["The", "Hal", "den"]


def test_a_window_is_never_longer_than_the_model_sees() -> None:
    (one,) = windows(["why " * 500], ["title " * 500], ["word " * 900])
    assert len(one.ids) == LENGTH
    assert len(one.offsets) == LENGTH - one.begin - 1
    assert one.begin == 1 + 48 + 1 + 24 + 1


def test_the_first_window_answers_and_the_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "CROPPED", 0.0)
    monkeypatch.setattr(examples, "IMPOSSIBLE", 0.0)
    monkeypatch.setattr(examples, "SECOND", 0.0)
    good, bad = group(mined("Who designed it?", "Anna Keller", "Keller"), PASSAGES, random.Random(1))
    assert (good.answers, *said(good)) == (1.0, "Anna Keller", "Keller")
    assert (bad.answers, bad.starts, bad.ends) == (0.0, (0,), (0,))


def test_of_a_whole_sentence_every_piece_may_begin_and_end() -> None:
    row = mined("Who designed it?", "It was designed by Anna Keller.", sentence=True)
    good = group(row, PASSAGES, random.Random(0))[0]
    assert good.starts == good.ends
    assert len(good.starts) == 7


def test_a_question_without_an_answer_has_no_window_that_answers() -> None:
    for seed in range(20):
        assert all(
            one.answers == 0 and one.starts == (0,) for one in group(mined("Why?"), PASSAGES, random.Random(seed))
        )


def test_what_is_cut_keeps_its_answer() -> None:
    lengths = Counter()
    for seed in range(60):
        row = mined("How long is it?", "320 metres")
        first = group(row, PASSAGES, random.Random(seed))[0]
        assert first.answers == 1.0
        assert len(first.starts) == len(first.ends) == 1
        assert first.ends[0] == first.starts[0] + 1
        lengths[len(first.window.ids)] += 1
    assert len(lengths) > 3


def test_made_questions_are_not_answered() -> None:
    answers = Counter()
    for seed in range(200):
        made = group(mined("When was the Halden Bridge opened?", "1974"), PASSAGES, random.Random(seed))
        answers[made[0].answers] += 1
        assert all(one.answers == 0 for one in made[1:])
    assert answers == {1.0: 200}


def test_an_epoch_is_the_same_each_time_and_another_the_next() -> None:
    rows = [mined(f"Who designed it {number}?", "Anna Keller") for number in range(8)]
    first, same, other = (list(epoch(rows, PASSAGES, seed)) for seed in ("1", "1", "2"))
    assert first == same != other


def test_claims_come_with_their_evidence() -> None:
    made = list(claims([("It was red.", TRAM, True), ("It was blue.", TRAM, False)], "1"))
    assert sorted((one.supports, len(one.window.ids)) for one in made) == [(0.0, 23), (1.0, 23)]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Who designed the longest bridge?", {"Who designed the shortest bridge?"}),
        ("Who drew the bridge in 1974?", {"Who drew the bridge in 1953?", "Who drew the bridge in 1999?"}),
    ],
)
def test_a_question_is_changed_into_one_that_its_passage_does_not_answer(question: str, found: set[str]) -> None:
    passage = "In 1974 the bridge was drawn by Anna Keller. In 1953 there was a flood, in 1999 another one."
    made = {deceive(question, passage, ["Anna Keller"], random.Random(seed)) for seed in range(60)}
    assert found <= made
    assert question not in made


def test_a_passage_is_changed_where_the_question_names_something() -> None:
    made = {
        alter(BRIDGE, "Who designed the bridge of 1974?", ["Anna Keller"], random.Random(seed)) for seed in range(9)
    }
    assert None not in made
    assert BRIDGE not in made
    assert all(one and "1974" not in one and "Anna Keller" in one for one in made)
