"""Which language a text is in, and a question."""

import pytest

from index import languages
from index.languages import NAMES, language_of, question_language
from index.stopwords import STOPWORDS

PASSAGES = {
    "ar": "تقع المحطة على الساحل الشمالي من الجزيرة، وقد بنيت قبل خمسين عاما على يد فريق من المهندسين.",
    "de": "Die Station liegt an der Nordküste der Insel und wurde vor fünfzig Jahren von Ingenieuren gebaut.",
    "en": "The station lies on the north coast of the island and was built by engineers fifty years ago.",
    "es": "La estación se encuentra en la costa norte de la isla y fue construida hace cincuenta años.",
    "fr": "La station se trouve sur la côte nord de l'île et a été construite par des ingénieurs.",
    "hi": "यह केंद्र द्वीप के उत्तरी तट पर है और इसे पचास साल पहले इंजीनियरों ने बनाया था।",
    "ja": "この基地は島の北海岸にあり、五十年前に技術者によって建てられました。",
    "ru": "Станция находится на северном берегу острова и была построена инженерами пятьдесят лет назад.",
    "th": "สถานีตั้งอยู่บนชายฝั่งทางเหนือของเกาะ และสร้างขึ้นโดยวิศวกรเมื่อห้าสิบปีก่อน",
    "zh": "该站位于岛的北海岸，由工程师们在五十年前建造。",
}


@pytest.mark.parametrize("language", PASSAGES)
def test_the_language_of_a_sentence(language: str) -> None:
    assert language_of(PASSAGES[language], otherwise="fi") == language


@pytest.mark.parametrize("text", ["", " ", "12 345 | 67.8 | 9", "😀 !!", "Kabel 3"])
def test_what_tells_too_little_is_in_the_other_one(text: str) -> None:
    assert language_of(text, otherwise="fi", sure=0.9) == "fi"


def test_plain_english_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_identifier", lambda: pytest.fail("loaded"))
    text = "The old bridge was opened in 1974, and the repairs of the bridge cost much more than was planned."
    assert language_of(text) == "en"
    assert language_of(text * 1000) == "en"


def test_a_long_text_is_looked_at_in_three_places() -> None:
    cover = "Quarterly report, third edition, revised and extended by the authors. " * 12
    assert language_of(cover + PASSAGES["de"] * 100) == "de"


@pytest.mark.parametrize(
    ("question", "among", "language"),
    [
        ("Wie lang ist die Frist?", ["en", "de"], "de"),
        ("How long is the notice?", ["de"], "en"),
        ("Frist Notice 2019", ["de", "en"], "de"),  # no word tells: the most frequent
        ("Frist Notice 2019", ["en", "de"], "en"),
        ("发电机什么时候坏了？", ["en", "zh"], "zh"),
        ("NFL 是什么", ["en", "zh"], "zh"),
        ("What does 道 mean?", ["zh"], "en"),
        ("東京タワー", ["de", "ja"], "ja"),
        ("Сколько собак?", ["en", "bg", "ru"], "ru"),
        ("", [], "en"),
    ],
)
def test_the_language_of_a_question(question: str, among: list[str], language: str) -> None:
    assert question_language(question, tuple(among)) == language


def test_every_language_with_stopwords_has_a_name() -> None:
    assert STOPWORDS.keys() <= NAMES.keys()
