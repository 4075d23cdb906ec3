"""Sentence spans: exact, in one line each, without white space at their ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.sentences import sentence_spans

# Characters that segmenters stumble over, and all others but surrogates.
TEXTS = st.text(
    st.one_of(st.sampled_from("a .!?\n\t\r\0-|1)😀日。é\u0301\u200b\u2028"), st.characters(exclude_categories=["Cs"]))
)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\n", []),
        ("No stop", ["No stop"]),
        ("One.  Two!\tThree?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith came at 5 p.m. to see us. He left.", ["Dr. Smith came at 5 p.m. to see us.", "He left."]),
        ("It cost 3.5 million. Then 4.", ["It cost 3.5 million.", "Then 4."]),
        ("A line\nand another", ["A line", "and another"]),
        ("😀 One. 𝔘 Two.", ["😀 One.", "𝔘 Two."]),
        ("一つです。二つです。", ["一つです。", "二つです。"]),
        ("- Milk. Fresh.\n* Eggs\n• Tea\n12. Salt\n3) Oil", ["Milk.", "Fresh.", "Eggs", "Tea", "Salt", "Oil"]),
        ("-5 degrees", ["-5 degrees"]),
        ("1984. A novel", ["1984.", "A novel"]),
        ("Name | Dr. Who. | Age. | 5", ["Name | Dr. Who. | Age. | 5"]),
        ("One\n- \n2. ", ["One"]),
    ],
)
def test_sentences_of(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("language", "text", "second"),
    [
        ("de", "Es kostet z. B. am 3. Mai ca. 5 Euro. Dann nichts.", "Dann nichts."),
        ("es", "Viene de EE. UU. con el Sr. López. ¿Quién es?", "¿Quién es?"),
        ("zh", "他们赢了！真的？", "真的？"),
        ("ja", "これはペンです。彼は来た！", "彼は来た！"),
        ("hi", "राम घर गया। वह खुश है।", "वह खुश है।"),
        ("el", "Τι κάνεις; Καλά.", "Καλά."),
    ],
)
def test_sentences_end_as_the_language_has_it(language: str, text: str, second: str) -> None:
    (_, (start, end)) = sentence_spans(text, language=language)
    assert text[start:end] == second


def test_a_part_of_a_text_has_the_offsets_of_the_whole() -> None:
    text = "Skip this. One. Two. Not this."
    assert sentence_spans(text, 11, 20) == [(11, 15), (16, 20)]


@given(TEXTS)
def test_spans_ascend_are_trimmed_and_stay_in_their_line(text: str) -> None:
    before = 0
    for start, end in sentence_spans(text):
        assert before <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert "\n" not in text[start:end]
        before = end


@given(TEXTS)
def test_only_space_and_list_markers_are_outside_of_sentences(text: str) -> None:
    outside = list(text)
    for start, end in sentence_spans(text):
        outside[start:end] = "\0" * (end - start)
    for line in "".join(outside).split("\n"):
        assert set(line.strip(" \t").replace("\0", "")) - set("-*•0123456789.)") <= {c for c in line if c.isspace()}
