"""Where documents stood, from a ranking of passages."""

from eval.places import Place, listed, placed
from index.documents import Passage
from rag.answers import Hit


def hit(source: str, score: float, dense: float | None, lexical: float | None, text: str = "text") -> Hit:
    return Hit(Passage(source, source, "", 0, len(text), text), score, dense, lexical)


def name(source: str) -> str | None:
    return None if source == "notes" else source


def test_a_document_stands_where_its_best_passage_does_on_every_side() -> None:
    hits = [
        hit("a", 0.9, 0.5, 2.0, "first  of a"),
        hit("notes", 0.8, 0.9, 9.0),
        hit("b", 0.7, None, 7.0),
        hit("a", 0.6, 0.8, None, "second of a"),
        hit("c", 0.5, 0.6, None),
    ]
    assert placed(hits, {"c"}, name) == (
        Place("a", 1, 1, 2, "first of a", False),
        Place("b", 2, None, 1, "text", False),
        Place("c", 3, 2, None, "text", True),
    )


def test_the_first_ten_and_the_relevant_ones_are_kept() -> None:
    hits = [hit(f"d{n}", 1 - n / 100, 1 - n / 100, None) for n in range(1, 31)]
    found = placed(hits, {"d25", "d3", "gone"}, name)
    assert [place.rank for place in found] == [*range(1, 11), 25]


def test_a_long_passage_is_cut_at_a_word() -> None:
    (place,) = placed([hit("a", 1.0, 1.0, None, "word " * 100)], set(), name)
    assert place.text == "word " * 47 + "..."


def test_a_ranking_alone_tells_the_ranks() -> None:
    assert listed(["a", "b"], {"b"}) == (Place("a", 1, None, None, "", False), Place("b", 2, None, None, "", True))
    assert [place.rank for place in listed([f"d{n}" for n in range(1, 31)], {"d20"})] == [*range(1, 11), 20]
