"""Words as BM25 counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.stopwords import STOPWORDS
from index.terms import terms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("The of AND", []),
        ("Running runners ran", ["run", "runner", "ran"]),
        ("It cost 20,000 at 02:14 on v3.5", ["cost", "20000", "02:14", "v3", "5"]),
        ("20000", ["20000"]),
        ("3.5 percent", ["3.5", "percent"]),
        ("Smith's and Smith’s", ["smith", "smith"]),
        ("Straße ÉCOLE", ["straße", "école"]),
        ("re\u00adtrie\u200bval", ["retriev"]),
        ("a-b_c", ["b_c"]),
        ("!!! ... 😀", []),
        ("İstanbul", ["istanbul"]),
        ("cafe\u0301s", ["café"]),
        ("What 道 means", ["道", "mean"]),
    ],
)
def test_terms_of(text: str, words: list[str]) -> None:
    assert terms(text) == words


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("de", "Die Kündigungsfristen der STRASSE", ["kundigungsfrist", "strass"]),
        ("de", "Kuendigungsfrist, Straße", ["kundigungsfrist", "strass"]),
        ("de", "Häuser und Haus", ["haus", "haus"]),
        ("es", "¿Cuántos camiones? Un camion", ["camion", "camion"]),
        ("fr", "Pourquoi l’avocat, les avocats", ["avocat", "avocat"]),
        ("ru", "собаки и собака", ["собак", "собак"]),
        ("el", "ΣΚΎΛΟΣ σκύλοι", ["σκυλ", "σκυλ"]),
        ("tr", "DIŞ İstanbul'da", ["dış", "istanbul"]),
        ("hi", "हिन्दी किताबें। क्या", ["हिन्द", "किताब"]),  # the vowel signs stay in the word
        ("ar", "الكِتَابُ في كتـــاب", ["كتاب", "كتاب"]),
        ("he", "שָׁלוֹם שלום", ["שלום", "שלום"]),
        ("zh", "南极站 308分，站", ["南极", "极站", "308", "分", "站"]),
        ("ja", "東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ("ko", "대한민국의 수도", ["대한", "한민", "민국", "국의", "수도"]),
        ("th", "น้ำแข็ง", ["น้ํา", "าแ", "แข็", "ข็ง"]),  # a pair never parts a letter from its marks
        ("km", "ខ្មែរ", ["ខ្មែ", "មែរ"]),
        ("cy", "Llyfrau'r y", ["llyfrau'r", "y"]),  # no stemmer, no stopwords
    ],
)
def test_terms_by_language(language: str, text: str, words: list[str]) -> None:
    assert terms(text, language) == words


def test_a_question_loses_the_stopwords_of_its_own_language_too() -> None:
    assert terms("Wie lang ist die Frist?", "en", "de") == ["lang", "frist"]
    assert terms("What's the Frist?", "de", "en") == ["frist"]


def test_question_words_carry_nothing() -> None:
    assert {"who", "what", "when", "how"} <= STOPWORDS["en"]


@pytest.mark.parametrize("text", ["What's", "it's", "who's", "that's"])
def test_a_contracted_stopword_is_a_stopword(text: str) -> None:
    assert terms(text) == []


@given(st.text())
def test_case_makes_no_difference_to_ascii(text: str) -> None:
    text = text.encode("ascii", "ignore").decode()
    assert terms(text.upper()) == terms(text.lower())


@given(st.lists(st.sampled_from(["apple", "Pears", "3,000", "it's"])))
def test_terms_of_a_whole_are_those_of_its_parts(words: list[str]) -> None:
    assert terms(" ".join(words)) == [term for word in words for term in terms(word)]
