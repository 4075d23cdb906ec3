"""One contract, four places: what is put into an index is found in it again, as in a folder on this machine."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import index.indexing
import index.reading
from index import ChunkSettings, Index
from index.errors import UsageError
from index.index import verify
from index.indexing import remove, update
from index.loading import Problem
from rag.system import System

from .comparing import same
from .places import FOLDER, LITE, MILVUS, Place, only

Write = Callable[..., Path]

NAUGHTY = 'it\'s a "te\\st" {x} % 名前 😀\x01.txt'
ROWS = [
    {"_id": "1", "title": "Tea", "text": "Tea is hot. Salt is dry."},
    {"_id": 'q"\\\n\t\x07', "title": "t" * 70_000, "text": "The rice of chapter 3 is white."},
    {"_id": "3", "title": "", "text": "a\0b 😀 \ud800 é 𝒳 is odd."},
    {"_id": "4", "title": "Nothing", "text": " "},
]
ODD = {
    "a.txt": "Tea is hot. Tea is tea.\n\nSalt is dry.",
    NAUGHTY: "Salt is dry. So is paper.",
    "empty.txt": "",
    "sub/a.txt": "Tea is hot. Tea is tea.\n\nSalt is dry.",  # the same text under another name
    "ru.txt": "Вода течёт в реке, и река впадает в море. Чай горячий, а соль сухая. " * 3,
    "ja.txt": "茶は熱い。塩は乾いている。水は川を流れて海に入る。" * 3,
    "md.md": "# Tea\n\n" + "\n\n".join(f"## Part {n}\n\nTea {n} is hot. It has {n} leaves." for n in range(9)),
    "rows.jsonl": "\n".join(json.dumps(row) for row in ROWS),
    "bad.jsonl": "no JSON",
    "x.xyz": "?",
}


@pytest.fixture
def expected(tmp_path: Path, make_embedder: Write) -> Callable[..., Index]:
    """The index of the same files in a folder, built anew."""
    made = []

    def expected(*paths: Path) -> Index:
        made.append(tmp_path / f"expected{len(made)}")
        return Index.build(paths, made[-1], embedder=make_embedder())

    return expected


def test_odd_files_are_found_again(
    place: Place, write: Write, make_embedder: Write, expected: Callable[..., Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, at, embedder = write(ODD), place.at(), make_embedder()
    with monkeypatch.context() as small:
        small.setattr("index.indexing.BATCH", 4)  # several commits, and files that are staged
        done = update(at, [folder], embedder=embedder)
    assert (done.documents["added"], done.documents["skipped"], done.documents["failed"]) == (7, 2, 1)
    opened, folded = Index.open(at, embedder=embedder), expected(folder)
    same(opened, folded, has_bm25=place.has_bm25)
    (naughty,) = [source for source, *_ in folded.sources() if source.startswith("it's")]
    assert opened.document(naughty).text == ODD[NAUGHTY]
    assert set(opened.languages) == {"en", "ru", "ja"}
    assert verify(at) == []
    assert opened.generation == done.generation
    # Some documents of it, and what they are called by.
    for sources in ([naughty], ["sub/"], ["rows.jsonl"], ['rows.jsonl#q"\\\n\t\x07', "a.txt"], ["empty.txt"]):
        try:
            wanted = folded.of(sources)
        except UsageError as error:
            with pytest.raises(UsageError, match=str(error)[:12]):
                opened.of(sources)
            continue
        narrowed = opened.of(sources)
        assert narrowed.sources() == wanted.sources()
        same_among(narrowed, wanted, place.has_bm25)
    with pytest.raises(UsageError, match="no document 'none'"):
        opened.of(["none"])
    with pytest.raises(UsageError, match="no document 'none'"):
        opened.document("none")


def same_among(one: Index, other: Index, has_bm25: bool) -> None:
    for query in ("tea", "salt is dry", "rice"):
        vector = other.embed_query(query)
        mine, theirs = one.dense(vector, 100), other.dense(vector, 100)
        assert sorted(one.passage(hit.row).id for hit in mine) == sorted(other.passage(hit.row).id for hit in theirs)
        if has_bm25:
            mine, theirs = one.lexical(query, 100), other.lexical(query, 100)
            found = [[(round(hit.score, 4), of.passage(hit.row).id) for hit in hits]
                     for of, hits in ((one, mine), (other, theirs))]  # fmt: skip
            assert sorted(found[0]) == sorted(found[1])


def test_files_change_move_and_go(
    place: Place, write: Write, make_embedder: Write, expected: Callable[..., Index]
) -> None:
    at, embedder = place.at(), make_embedder()

    def current(*paths: Path) -> Index:
        opened = Index.open(at, embedder=embedder)
        same(opened, expected(*paths), has_bm25=place.has_bm25)
        return opened

    parts = [f"# {word}\n\n{word} is here. So is {word}." for word in ("Tea", "Salt", "Rice")]
    folder = write({"a.md": "\n\n".join(parts), "b.txt": "Milk is white.", "c/d.txt": "Oil is slow."})
    first = update(at, [folder], embedder=embedder)
    assert (first.generation, first.passages, first.embedded) == (1, 5, 5)
    current(folder)

    embedder.asked.clear()
    again = update(at, [], embedder=embedder)
    assert (again.generation, again.documents["unchanged"], again.embedded) == (1, 3, 0)
    assert not [text for text in embedder.asked if "here" in text]

    write({"a.md": "\n\n".join([parts[0], "# Ice\n\nIce is here.", *parts[1:]])})
    changed = update(at, [folder], embedder=embedder)
    assert (changed.documents["updated"], changed.passages, changed.embedded) == (1, 6, 1)
    assert [text for text in embedder.asked if " is here." in text] == ["Tea > Ice\nIce is here.", "Ice is here."]
    current(folder)

    (folder / "c").rename(folder / "e")
    moved = update(at, [folder], embedder=embedder)
    assert (moved.documents["added"], moved.documents["removed"], moved.embedded) == (1, 1, 0)
    assert current(folder).rows_of("c/d.txt") == []

    (folder / "b.txt").unlink()
    gone = update(at, [folder], embedder=embedder)
    assert (gone.documents["removed"], gone.passages) == (1, 5)
    assert "b.txt" not in [source for source, *_ in current(folder).sources()]

    assert remove(at, "e/d.txt").source == "e/d.txt"
    kept_out = update(at, [folder], embedder=embedder)
    assert (kept_out.documents["skipped"], kept_out.passages) == (1, 4)
    current(folder / "a.md")
    update(at, [folder / "e/d.txt"], embedder=embedder)
    same(Index.open(at, embedder=embedder), expected(folder / "a.md", folder / "e/d.txt"), has_bm25=place.has_bm25)
    with pytest.raises(UsageError, match="no document 'e' in the index"):
        remove(at, "e")
    assert verify(at) == []

    rebuilt = update(at, [folder], embedder=embedder, settings=ChunkSettings(16, 0), rebuild=True)
    assert rebuilt.embedded == rebuilt.passages >= 5
    opened = Index.open(at, embedder=embedder)
    assert opened.settings == ChunkSettings(16, 0)
    folded = Index.build([folder], place.folder / "small", embedder=embedder, settings=ChunkSettings(16, 0))
    same(opened, folded, has_bm25=place.has_bm25)
    assert verify(at) == []


LONG = "\n".join(json.dumps({"_id": str(row), "text": f"Tea {row} is hot."}) for row in range(11))


def test_a_long_file_is_seen_when_it_is_whole(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch, expected: Callable[..., Index]
) -> None:
    folder, at, embedder = write({"a.txt": "Salt is dry.", "long.jsonl": LONG, "z.txt": "Oil."}), place.at(), None
    embedder = make_embedder()
    seen = []
    monkeypatch.setattr("index.indexing.BATCH", 4)
    stage = index.indexing._Run._stage

    def watched(run: object, *given: object) -> None:
        stage(run, *given)  # type: ignore[arg-type]
        seen.append([source for source, *_ in Index.open(at, embedder=embedder).sources()])

    monkeypatch.setattr("index.indexing._Run._stage", watched)
    done = update(at, [folder], embedder=embedder)
    assert seen == [["a.txt"], ["a.txt"]]
    assert (done.passages, done.documents["added"]) == (13, 3)
    monkeypatch.setattr("index.indexing.BATCH", 2048)
    same(Index.open(at, embedder=embedder), expected(folder), has_bm25=place.has_bm25)
    write({"long.jsonl": LONG.replace("hot", "cold", 1)})
    monkeypatch.setattr("index.indexing.BATCH", 4)
    assert update(at, [folder], embedder=embedder).embedded == 1
    monkeypatch.setattr("index.indexing.BATCH", 2048)
    same(Index.open(at, embedder=embedder), expected(folder), has_bm25=place.has_bm25)
    assert verify(at) == []


@pytest.mark.parametrize("before", [False, True])
@only(FOLDER, *MILVUS)
def test_a_long_file_that_fails_leaves_nothing(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """It is staged twice, then it cannot be read on: nothing of it is seen, a version before stays."""
    folder, at, embedder = write({"a.txt": "Salt is dry."}), place.at(), make_embedder()
    texts = {"a.txt": "Salt is dry."}
    if before:
        write({"long.jsonl": '{"_id": "1", "text": "Old tea."}'})
        texts["long.jsonl#1"] = "Old tea."
    update(at, [folder], embedder=embedder)
    write({"long.jsonl": LONG, "z.txt": "Oil is slow."})
    texts["z.txt"] = "Oil is slow."
    load = index.reading.load

    def failing(path: Path, source: str) -> object:
        for number, one in enumerate(load(path, source)):
            if number == 9:
                raise index.indexing.DocumentError("its end is gone")
            yield one

    monkeypatch.setattr("index.indexing.BATCH", 4)
    monkeypatch.setattr("index.reading.load", failing)
    done = update(at, [folder], embedder=embedder)
    assert (done.documents["failed"], done.documents["added"], done.passages) == (1, 1, len(texts))
    opened = Index.open(at, embedder=embedder)
    assert {source: opened.document(source).text for source, *_ in opened.sources()} == texts
    assert opened.passages == len(opened.dense(opened.embed_query("tea"), 100)) == len(texts)
    assert [opened.passage(one.row).text for one in opened.lexical("hot", 9)] == []
    assert opened.term_weights(["tea"]) == Index.build(
        [folder / "a.txt", folder / "z.txt", *([write({"old/o.txt": "Old tea."}) / "old"] if before else [])],
        place.folder / "alone",
        embedder=embedder,
    ).term_weights(["tea"])
    assert verify(at) == []
    monkeypatch.setattr("index.reading.load", load)
    write({"long.jsonl": f"{LONG}\n"})
    assert update(at, [folder / "long.jsonl"], embedder=embedder).passages == 13
    assert verify(at) == []


def test_readers_keep_their_generation_and_the_next_question_sees_the_new_one(
    place: Place, write: Write, make_embedder: Write
) -> None:
    folder, at, embedder = write({"a.txt": "Tea is hot.", "b.txt": "Salt is dry."}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    system = System.open(at, embedder=embedder, reader=None)
    before = system.index
    assert system.index is before
    assert [hit.passage.text for hit in system.search("tea is hot", 1)] == ["Tea is hot."]
    for number in range(3):
        write({"a.txt": f"Tea is cold {number}."})
        update(at, [folder], embedder=embedder)
        assert [hit.passage.text for hit in system.search(f"tea is cold {number}", 1)] == [f"Tea is cold {number}."]
        assert (before.generation, before.passages, before.document("a.txt").text) == (1, 2, "Tea is hot.")
        assert [before.passage(one.row).text for one in before.dense(before.embed_query("tea hot is"), 1)] == [
            "Tea is hot."
        ]
    assert system.index.generation == 4
    update(at, [folder], embedder=embedder, settings=ChunkSettings(16, 0), rebuild=True)
    assert before.document("a.txt").text == "Tea is hot."
    assert system.answer("Is salt dry?", 0).citations[0].quote == "Salt is dry."
    assert system.index.settings == ChunkSettings(16, 0)


QUESTIONS = ("When does the lease end?", "Who signed the lease?", "Is salt dry?", "What is tea?", "Where is the key?")


def test_answers_are_those_of_a_folder(
    place: Place, write: Write, make_embedder: Write, expected: Callable[..., Index]
) -> None:
    facts = [f"The lease of house {n} ends on {n} May 2019. Ada Lovelace {n} signed the lease. " for n in range(1, 20)]
    folder = write(
        {
            **{f"{n}.txt": fact + "Salt is dry. " * (n % 3) for n, fact in enumerate(facts)},
            "tea.txt": "Tea is a drink. Tea is hot. The key is under the mat.",
        }
    )
    embedder = make_embedder(dimension=384)
    update(place.at(), [folder], embedder=embedder)
    system = System.open(place.at(), embedder=embedder, reader=None)
    folded = System(Index.build([folder], place.folder / "folded", embedder=embedder))
    assert bool(system.notices) != place.has_bm25
    for question in QUESTIONS if place.has_bm25 else ():
        mine, theirs = system.answer(question), folded.answer(question)
        assert (mine.text, mine.citations, mine.abstained) == (theirs.text, theirs.citations, theirs.abstained)
        assert [hit.passage.id for hit in mine.hits] == [hit.passage.id for hit in theirs.hits]
        assert [hit.score for hit in mine.hits] == pytest.approx([hit.score for hit in theirs.hits], abs=1e-4)
        assert mine.confidence == pytest.approx(theirs.confidence, abs=1e-4)
    for question in QUESTIONS:
        mine, theirs = system.search(question, 5, "dense"), folded.search(question, 5, "dense")
        assert [hit.score for hit in mine] == pytest.approx([hit.score for hit in theirs], abs=1e-4)


@only(*MILVUS)
def test_what_is_too_long_for_a_field_is_kept_whole(
    place: Place, write: Write, make_embedder: Write, expected: Callable[..., Index]
) -> None:
    """Over 128 sentences of 384 components, a title of 209,000 bytes: in notes beside the rows."""
    embedder = make_embedder(dimension=384)
    embedder.window = 4000
    rows = [
        {"_id": "1", "title": "名" * 3_000 + "t" * 200_000, "text": " ".join(f"Tea {n} is." for n in range(300))},
        {"_id": "2", "title": "Short", "text": "Salt is dry."},
    ]
    folder, settings = write({"rows.jsonl": "\n".join(map(json.dumps, rows))}), ChunkSettings(2000, 0)
    done = update(place.at(), [folder], embedder=embedder, settings=settings)
    opened = Index.open(place.at(), embedder=embedder)
    folded = Index.build([folder], place.folder / "folded", embedder=embedder, settings=settings)
    assert max(len(opened.passage(row).sentences) for row in opened.rows_of("rows.jsonl#1")) > 128
    same(opened, folded, has_bm25=place.has_bm25, queries=("tea 7", "salt"))
    assert verify(place.at()) == []
    write({"rows.jsonl": "\n".join(map(json.dumps, [*rows, {"_id": "3", "text": "Oil."}]))})
    assert update(place.at(), [folder], embedder=embedder).passages == done.passages + 1


@only(FOLDER, LITE)
def test_what_a_store_cannot_hold_is_a_failed_file(place: Place, write: Write, make_embedder: Write) -> None:
    folder = write({"rows.jsonl": json.dumps({"_id": "x" * 9000, "text": "Tea."}), "b.txt": "Salt."})
    done = update(place.at(), [folder], embedder=make_embedder())
    reasons = [row.reason for row in done.files if row.status == "failed"]
    assert reasons == ([] if place.kind == FOLDER else ["the name of a document in it is longer than 8,192 bytes"])


def test_an_empty_index(place: Place, write: Write, make_embedder: Write) -> None:
    folder = write({"empty.txt": ""})
    done = update(place.at(), [folder], embedder=make_embedder())
    assert (done.generation, done.passages) == (1, 0)
    opened = Index.open(place.at(), embedder=make_embedder())
    assert (opened.passages, opened.sources(), opened.languages) == (0, [], {})
    assert opened.candidates("tea", 5).dense == opened.candidates("tea", 5).lexical == ()
    assert System(opened).answer("Is tea hot?").text.startswith("The index holds no passages yet")


@only(FOLDER, LITE)
def test_problems_are_told_alike(place: Place, write: Write, make_embedder: Write) -> None:
    folder = write({"a.jsonl": '{"_id": "1", "text": "Tea."}\nno JSON\n{"_id": "2", "text": "Salt."}'})
    done = update(place.at(), [folder], embedder=make_embedder())
    assert [(row.status, row.reason) for row in done.files] == [("added", "line 2: not JSON")]
    (record,) = Index.open(place.at(), embedder=make_embedder()).files()
    assert (record.source, record.status, record.reason) == ("a.jsonl", "added", "line 2: not JSON")
    assert Problem is not None
