"""Questions in the language of the documents, each against passages of the same language."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from index import Index
from rag import System
from rag.fusion import DENSE_WEIGHT, FOREIGN_DENSE_WEIGHT

Make = Callable[[Mapping[str, str]], System]

LIBRARY = {
    "de.txt": "Die Häuser der Station wurden vor fünfzig Jahren gebaut.\nDie Kündigungsfristen betragen drei Monate "
    "zum Ende des Quartals und gelten für alle Verträge.",
    "de-ferry.txt": "Die Fähre brachte in der Sturmnacht achtzig Reisende zur Insel, weil der Hafen gesperrt war.",
    "es.txt": "No se permiten camiones en el patio de la estación, porque el suelo es demasiado blando.",
    "es-port.txt": "El puerto está cerrado durante el invierno y los barcos no pueden llegar a la isla.",
    "zh.txt": "南极站的发电机在七月九日凌晨发生故障，维修队用了三个小时才恢复供电。",
    "zh-garden.txt": "花园里种着茶树和玫瑰，园丁每天早上给玫瑰浇水，夏天晚上六点关门。",
    "ja.txt": "発電機は七月九日に故障し、修理には三時間かかりました。隊員は全員無事でした。",
    "ja-garden.txt": "庭にはバラとお茶の木があり、庭師は毎朝バラに水をやります。",
    "th.txt": "เครื่องกำเนิดไฟฟ้าของสถานีเสียเมื่อวันที่เก้ากรกฎาคม และทีมช่างใช้เวลาซ่อมสามชั่วโมง",
    "th-garden.txt": "ในสวนมีต้นชาและดอกกุหลาบ คนสวนรดน้ำกุหลาบทุกเช้า",
    "hi.txt": "पुस्तकालय की किताबें सोमवार को वापस करनी होती हैं, नहीं तो जुर्माना लगता है।",
    "hi-garden.txt": "बगीचे में गुलाब और चाय के पौधे हैं और माली हर सुबह उन्हें पानी देता है।",
    "ar.txt": "أغلقت المدرسة أبوابها في الشتاء بسبب العاصفة، وعاد الطلاب إلى بيوتهم سيرا على الأقدام.",
    "ar-garden.txt": "في الحديقة أشجار الشاي والورود، ويسقي البستاني الورود كل صباح.",
    "en.txt": "The old bridge was opened in 1974, and the repairs of it cost more than was planned by the town.",
    "en-garden.txt": "The garden grows tea and roses, and the gardeners water the roses every morning in the summer.",
}
ASKED = {
    "Wie lang ist die Kündigungsfrist?": "de.txt",
    "Wann wurde das Haus gebaut?": "de.txt",
    "KUENDIGUNGSFRIST": "de.txt",
    "Wie viele Reisende kamen in der Sturmnacht?": "de-ferry.txt",
    "¿Se permite un camion en el patio?": "es.txt",
    "¿Está cerrado el puerto?": "es-port.txt",
    "发电机什么时候发生故障？": "zh.txt",
    "谁给玫瑰浇水？": "zh-garden.txt",
    "修理には何時間かかりましたか？": "ja.txt",
    "ใครรดน้ำกุหลาบ": "th-garden.txt",
    "ซ่อมเครื่องกำเนิดไฟฟ้านานเท่าไร": "th.txt",
    "किताब कब वापस करनी है?": "hi.txt",
    "متى أُغلِقت المدارس والمدرسة؟": "ar.txt",
    "When was the bridge opened?": "en.txt",
    "Who waters the roses?": "en-garden.txt",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for name, text in LIBRARY.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def system(library: Path, make_embedder: Callable[..., object], tmp_path: Path) -> System:
    return System(Index.build([library], tmp_path / "at", embedder=make_embedder(dimension=512)))


def test_a_question_finds_its_passage_among_all_languages(system: System) -> None:
    found = {question: system.search(question, 1, "lexical")[0].passage.source for question in ASKED}
    assert found == ASKED


def test_a_question_finds_its_passage_where_all_documents_speak_its_language(make_system: Make) -> None:
    for language in ("de", "es", "zh", "th"):
        own = {name: text for name, text in LIBRARY.items() if name.startswith(language)}
        alone = make_system(own)
        assert list(alone.index.languages) == [language]
        for question, source in ASKED.items():
            if source in own:
                assert alone.search(question, 1, "lexical")[0].passage.source == source
        for name in own:
            alone.index.folder.parent.joinpath("files", name).unlink()


def test_every_document_is_in_its_own_language(system: System) -> None:
    told = {name: system.index.passage(system.index.rows_of(name)[0]).language for name in LIBRARY}
    assert told == {name: name[:2] for name in LIBRARY}


def test_a_passage_in_another_language_than_its_document(make_system: Make) -> None:
    english = "The bridge was opened in the spring and it is the longest of them, with four lanes and a path. "
    german = "Die Häuser der Station wurden von den Ingenieuren gebaut und die Türme später von anderen erneuert. "
    system = make_system({"a.md": f"# Report\n\n{english * 3}\n\n# Anhang\n\n{german * 2}"})
    assert {system.index.passage(row).language for row in system.index.rows_of("a.md")} == {"de", "en"}
    assert system.index.document_languages() == {"en": 1}
    assert system.search("Haus", 1, "lexical")[0].passage.heading == "Anhang"


def test_a_word_is_compared_as_the_passage_has_it_and_counts_once(make_system: Make) -> None:
    system = make_system({name: LIBRARY[name] for name in ("de.txt", "de-ferry.txt", "en.txt", "en-garden.txt")})
    (hit,) = system.search("Kündigungsfrist", 5, "lexical")
    assert hit.passage.source == "de.txt"
    assert system.index.lexical("Kündigungsfrist Kündigungsfristen", 5) == system.index.lexical("Kündigungsfrist", 5)
    assert system.search("gardener", 5, "lexical")[0].passage.source == "en-garden.txt"


def test_an_answer_in_another_language_quotes_the_sentence(system: System) -> None:
    answer = system.answer("Wie lang ist die Kündigungsfrist?", threshold=0)
    assert answer.citations[0].quote.startswith("Die Kündigungsfristen betragen drei Monate")
    answer = system.answer("谁给玫瑰浇水？", threshold=0)
    assert answer.citations[0].quote == LIBRARY["zh-garden.txt"]


def test_words_weigh_more_where_the_model_does_not_know_the_language(
    library: Path, make_embedder: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = make_embedder(dimension=512)
    system = System(Index.build([library], tmp_path / "at", embedder=embedder))
    monkeypatch.setattr(embedder, "languages", frozenset({"en"}))
    monkeypatch.setattr("rag.retrieval.rerank", lambda index, query, fused, *rest: fused)
    for question, weight in (("Ist die Fähre da?", FOREIGN_DENSE_WEIGHT), ("Where are the roses?", DENSE_WEIGHT)):
        hits = system.search(question, len(LIBRARY))
        first = max(hits, key=lambda hit: hit.lexical or 0)  # scaled, its BM25 score is 1
        dense = [hit.dense for hit in hits]
        scaled = (first.dense - min(dense)) / (max(dense) - min(dense))
        assert first.score == pytest.approx(weight * scaled + (1 - weight))
