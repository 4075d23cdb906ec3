"""Text as search sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.normalising import searchable


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("zero\u200bwidth", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\ufeffmark", "mark"),
        ("right\u202eleft\u202c", "rightleft"),
        ("tag\U000e0041", "tag"),
        ("❤\ufe0f", "❤"),
        ("ﬁre", "fire"),
        ("Ｆｕｌｌ", "Full"),
        ("cafe\u0301", "café"),
        ("no\u00a0break", "no break"),
    ],
)
def test_what_is_invisible_goes_and_forms_are_one(text: str, seen: str) -> None:
    assert searchable(text) == seen


@given(st.text())
def test_seen_once_is_seen_for_good(text: str) -> None:
    assert searchable(searchable(text)) == searchable(text)
