"""When one text quotes another."""

import pytest

from eval.quoting import contains, overlap, word_recall, words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The  Quick, brown\nfox!", ["quick", "brown", "fox"]),
        ("about 250,000 (a quarter million)", ["about", "250000", "quarter", "million"]),
        ("3.5 % of $12.", ["3.5", "of", "12"]),
        ("self-taught and/or pre–war", ["self", "taught", "and", "or", "pre", "war"]),
        ("“U.S.” soldiers’ ﬁles", ["us", "soldiers", "files"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("北京 is 3 ひら", ["北", "京", "is", "3", "ひ", "ら"]),
        ("soft\u00adly zero\u200bwidth", ["softly", "zerowidth"]),
        ("½ .5 5.", ["1", "2", "5", "5"]),
        ("the a an ... !", []),
    ],
)
def test_words(text: str, wanted: list[str]) -> None:
    assert list(words(text)) == wanted


def test_contains_is_by_whole_words_in_one_piece() -> None:
    quote = "They refused to recognize them until 1955, formally."
    assert contains(quote, "1955")
    assert contains(quote, "Recognize them, until")
    assert not contains(quote, "195")
    assert not contains(quote, "refused until")
    assert not contains(quote, "the")  # no words are left of it
    assert not contains("", "1955")
    assert contains("他在北京工作", "北京")


def test_overlap_goes_both_ways() -> None:
    assert overlap("until 1955", "refused until 1955, formally")
    assert overlap("refused until 1955, formally", "until 1955")
    assert not overlap("until 1955 formally", "refused until 1955")
    assert not overlap("", "")


def test_word_recall_by_hand() -> None:
    # wanted: masked lm mlm and next sentence; found: masked lm and
    assert word_recall("A masked LM and more", "Masked LM (MLM) and Next Sentence") == 3 / 6
    assert word_recall("two", "two two") == 1 / 2
    assert word_recall("anything", "the") == 0.0
