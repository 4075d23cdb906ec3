"""What a reading says, worked out by hand; the bundled reader itself on a few plain questions."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from rag.reader import BUNDLED, WEIGHTS, WEIGHTS_SHA256, Excerpt, GraphReader, Reading

TEXT = "It opened in 1974."
# "It", "opened", "in", "1974", "."
OFFSETS = ((0, 2), (3, 9), (10, 12), (13, 17), (17, 18))


def reading(starts: list[float], ends: list[float], none: float = 1.0) -> Reading:
    return Reading(0.0, none, np.array(starts, dtype=np.float32), np.array(ends, dtype=np.float32), OFFSETS)


def test_the_best_answer_is_the_likeliest_pair_in_order() -> None:
    found = reading([0, 1, 0, 4, 0], [5, 0, 0, 3, 0]).best(0, 18)
    assert found == (4 + 3 - 1, (13, 17))  # not from "1974" back to "It"


def test_the_best_answer_within_a_part() -> None:
    one = reading([0, 1, 0, 4, 0], [0, 2, 0, 3, 0])
    assert one.best(0, 12) == (1 + 2 - 1, (3, 9))
    assert one.best(4, 12) == (0 + 0 - 1, (10, 12))  # a piece that is cut by the part's edge is none of it


def test_a_part_that_was_not_read_has_no_answer() -> None:
    assert reading([0] * 5, [0] * 5).best(18, 40) is None


def test_an_answer_is_no_longer_than_thirty_pieces() -> None:
    offsets = tuple((2 * at, 2 * at + 1) for at in range(60))
    starts, ends = np.zeros(60, dtype=np.float32), np.zeros(60, dtype=np.float32)
    starts[0] = ends[29] = 3
    ends[30] = 9
    assert Reading(0.0, 0.0, starts, ends, offsets).best(0, 120) == (9.0, (2, 61))  # from the second piece on
    ends[30] = 2
    assert Reading(0.0, 0.0, starts, ends, offsets).best(0, 120) == (6.0, (0, 59))


def test_weights_that_are_not_there_or_not_these(tmp_path: Path) -> None:
    file = tmp_path / "reader.safetensors"
    with pytest.raises(ModelError, match=r"cannot read the reader .*reader\.safetensors \(No such file or directory\)"):
        GraphReader(file).check()
    file.write_bytes(b"other")
    with pytest.raises(ModelError, match=r"not the one of this version \(sha256 d9298a10d1b0"):
        GraphReader(file).check()


def test_the_shipped_weights_are_small_and_of_this_version() -> None:
    BUNDLED.check()
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == WEIGHTS_SHA256
    assert WEIGHTS.stat().st_size <= 12_000_000


PASSAGE = (
    "The Halden Bridge was opened on 4 June 1974 by the mayor, Ruth Sandvik. It replaced a ferry that had "
    "carried 300 passengers a day. The architect was Anna Keller, who also drew the town hall."
)


@pytest.mark.model
@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When was the Halden Bridge opened?", "4 June 1974"),
        ("Who was the architect of the Halden Bridge?", "Anna Keller"),
        ("How many passengers did the ferry carry a day?", "300"),
    ],
)
def test_the_bundled_reader_finds_the_words(question: str, expected: str) -> None:
    (read,) = BUNDLED.read(question, [Excerpt("", PASSAGE)])
    found = read.best(0, len(PASSAGE))
    assert found is not None
    margin, (start, end) = found
    assert PASSAGE[start:end] == expected
    assert margin > 0
    assert read.answers > 0


@pytest.mark.model
def test_the_bundled_reader_tells_what_is_not_said() -> None:
    other = "Bread is baked from flour, water, salt and yeast; the dough has to rise for some hours."
    said, unsaid = BUNDLED.read("When was the Halden Bridge opened?", [Excerpt("", PASSAGE), Excerpt("", other)])
    assert said.answers > 0 > unsaid.answers


@pytest.mark.model
def test_an_excerpt_is_read_the_same_whatever_stands_beside_it() -> None:
    question, long = "Who was the architect?", Excerpt("Town", 4 * PASSAGE)
    alone = BUNDLED.read(question, [Excerpt("", PASSAGE)])[0]
    beside = BUNDLED.read(question, [long, Excerpt("", PASSAGE), long])[1]
    assert alone.answers == beside.answers
    assert (alone.starts == beside.starts).all()


@pytest.mark.model
@pytest.mark.parametrize("text", ["", "\ud800", "x" * 5000, "\u200b\u00ad"])
def test_any_text_is_read(text: str) -> None:
    for question in ("Why?", "\ud800?", "why " * 900):
        (read,) = BUNDLED.read(question, [Excerpt(text, text)])
        assert math.isfinite(read.answers)
        assert len(read.offsets) == len(read.starts) <= 256


@pytest.mark.model
def test_a_claim_is_supported_by_what_says_it() -> None:
    yes, no = BUNDLED.supports(["The bridge was opened in 1974.", "The bridge was opened in 1989."], [PASSAGE, PASSAGE])
    assert yes > no
