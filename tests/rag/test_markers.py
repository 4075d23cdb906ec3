"""Markers of a language model: taken out, bounds-checked, never seen half."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.markers import parse


@pytest.mark.parametrize(
    ("written", "text", "markers", "dropped"),
    [
        ("It opened [1].", "It opened.", ((9, 1),), 0),
        ("It opened. [1, 3]", "It opened.", ((10, 1), (10, 3)), 0),
        ("It opened [1][2]; it closed [2]", "It opened; it closed", ((9, 1), (9, 2), (20, 2)), 0),
        ("It opened [1,1;2].", "It opened.", ((9, 1), (9, 2)), 0),
        ("It opened [0][4][9999].", "It opened.", (), 3),
        ("It opened [2, 7].", "It opened.", ((9, 2),), 1),
        ("Take `a[1]` or ```\nb[2]\n``` [3]", "Take `a[1]` or ```\nb[2]\n```", ((27, 3),), 0),
        ("Half a marker [1", "Half a marker [1", (), 0),
        ("An [a1] and [1-2] and [12345]", "An [a1] and [1-2] and [12345]", (), 0),
        ("<think>Is it [2]?</think>\n\nYes [1].", "Yes.", ((3, 1),), 0),
        ("<think>for ever [2]", "", (), 0),
        ("Zero\u200bwidth\u202e and \x1b[31mred", "Zerowidth and  [31mred", (), 0),
        ("", "", (), 0),
    ],
)
def test_what_is_a_marker(written: str, text: str, markers: tuple[tuple[int, int], ...], dropped: int) -> None:
    found = parse(written, 3)
    assert (found.text, found.markers, found.dropped) == (text, markers, dropped)


@pytest.mark.parametrize("end", ["[", "[1", "[1,", "[1, 2", "`", "``", "<think", " ", "\n"])
def test_what_may_become_a_marker_is_held_back(end: str) -> None:
    before = "" if end.startswith("<") else "It opened"
    assert parse(before + end, 3, whole=False).text == before


@given(st.lists(st.sampled_from([*"[]`,; \n.1", "[1]", "[9]", "```", "[1, 3]", "ab", "<think>", "</think>"])))
def test_what_is_shown_of_a_part_begins_what_is_shown_of_the_whole(parts: list[str]) -> None:
    written = "".join(parts)
    whole = parse(written, 3)
    for end in range(len(written)):
        assert whole.text.startswith(parse(written[:end], 3, whole=False).text)
    assert all(1 <= number <= 3 and 0 <= place <= len(whole.text) for place, number in whole.markers)
