"""Whether the passages say what a sentence says, with an embedder that counts words."""

from collections.abc import Sequence

import numpy as np
import pytest

from rag import System
from rag.support import Checker, figures, likeness

BRIDGE, GARDEN, LOG, LETTER = range(4)


@pytest.fixture
def checker(system: System) -> Checker:
    """Over the passages of the bridge, the garden, the log and the letter, in this order."""
    index = system.index
    found = sorted((index.passage(row) for row in range(index.passages)), key=lambda one: one.source)
    assert [one.source for one in found] == ["bridge.txt", "garden.txt", "letter.txt", "log.txt"]
    return Checker(index, [found[0], found[1], found[3], found[2]])


@pytest.mark.parametrize(
    ("sentence", "cited", "grade", "reason"),
    [
        ("The old bridge was opened in 1974.", [BRIDGE], "supported", ""),
        ("It was designed by Anna Keller.", [BRIDGE], "supported", ""),
        ("The garden grows roses and tea.", [GARDEN], "supported", ""),
        ("The old bridge was opened in 1975.", [BRIDGE], "unsupported", "the number 1975 stands in no passage"),
        ("The old bridge was opened in 1974.", [GARDEN], "unsupported", "the number 1974 stands in no passage"),
        ("It was designed by Anna Miller.", [BRIDGE], "unsupported", "the name Miller stands in no passage"),
        ("The garden grows roses and tea.", [BRIDGE], "unsupported", "the passage that it cites does not say it"),
        ("Penguins can dance.", [BRIDGE, GARDEN], "unsupported", "the passages that it cites do not say it"),
        ("The old bridge was opened in 1999.", [BRIDGE], "weak", "a number in it stands elsewhere in the passage"),
        ("The old bridge was not opened in 1974.", [BRIDGE], "weak", "only one of the two, it or its source, says not"),
        ("The log says “the captain of the ferry slept”.", [LOG], "unsupported", "it quotes what stands in no passage"),
        ("The log: “The harbour log records that ... 80 passengers”", [LOG], "supported", ""),
        ("The garden grows tea and roses.", [], "supported", ""),
        ("Roses need much care and love.", [], "unsupported", "it names no passage, and none says it"),
        ("And so on.", [BRIDGE], "unsupported", "it says nothing that can be checked"),
    ],
)
def test_grades(checker: Checker, sentence: str, cited: Sequence[int], grade: str, reason: str) -> None:
    found = checker.check(sentence, tuple(cited))
    assert (found.grade, found.reason[: len(reason)]) == (grade, reason)
    assert bool(found.quotes) == (grade != "unsupported")
    assert bool(found.reason) == (grade != "supported")


def test_the_quote_is_the_sentence_that_says_it(checker: Checker) -> None:
    (quote,) = checker.check("Anna Keller designed it.", (BRIDGE,)).quotes
    assert (quote.passage, quote.sentence) == (BRIDGE, 1)
    # A passage that is cited beside the right one and does not bear on it gets no footnote.
    (quote,) = checker.check("Anna Keller designed it.", (GARDEN, BRIDGE)).quotes
    assert (quote.passage, quote.sentence) == (BRIDGE, 1)


def test_likeness_by_hand() -> None:
    weights = {"a": 3.0, "b": 1.0}
    alone, together = likeness(weights, np.array([0.5, 0.25], dtype=np.float32), [{"a"}, {"b"}])
    assert alone == [0.5 + 0.75, 0.25 + 0.25]
    assert together == 0.5 + 1.0
    alone, together = likeness(weights, np.array([0.5, 0.25], dtype=np.float32), [set(), set()], {"b"})
    assert (alone, together) == ([0.75, 0.5], 0.75)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,200 and 1200 and 2.50", {"1200", "2.5"}),
        ("at 02:14 and 2:14", {"2:14"}),
        ("G1 in the 1970s, 9th of 320m", {"1", "g1", "1970", "9", "320"}),
        ("three ferries on the third", {"3"}),
        ("twelve, 12", {"12"}),
        ("one half", set()),
    ],
)
def test_figures_in_one_spelling(text: str, found: set[str]) -> None:
    assert figures(text) == found


def test_a_word_that_may_be_no_number_needs_no_proof() -> None:
    assert figures("Second, the third ship", proven=False) == set()
    assert figures("Second, the third ship") == {"2", "3"}
