"""Updates whose files are read by workers, with workers that run here: what is taken, given back, lost and refused."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import index.indexing
from index import ChunkSettings, Index
from index.batch import Batch
from index.bulk.cluster import PART_BYTES, PART_FILES, Ray, _parts
from index.bulk.parcel import Answer, Order, pack_part, unpack_answer
from index.bulk.worker import Attempts, Worker, code
from index.embedding import Embedder
from index.errors import ClusterError, UsageError
from index.indexing import update
from index.manifest import Manifest

Write = Callable[..., Path]


class Here:
    """As `bulk.Ray`, with one worker in this process; `between` is called with each answer before it is given."""

    def __init__(self, embedder: Embedder, between: Callable[[Answer], Answer] = lambda answer: answer) -> None:
        self.embedder = embedder
        self.between = between
        self.attempts = Attempts()
        self.asked: list[str] = []
        self.late = False

    def leaves(self, record: object) -> bool:
        return False

    def check(self) -> None:
        if self.late:
            raise ClusterError("the deadline of 9 s has come")

    def worker(self, manifest: Manifest, settings: ChunkSettings) -> Worker:
        setup = {"environment": {}, "settings": [settings.size, settings.overlap], "model": manifest.model}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("index.bulk.worker.load_embedder", lambda name: self.embedder)
            patch.setattr("index.bulk.worker.at_most", lambda processors: None)
            return Worker({**setup, "processors": 1, "code": code(), "probe": manifest.probe}, self.attempts)

    def answers(
        self, orders: Sequence[Order], sizes: Sequence[int], manifest: Manifest, settings: ChunkSettings
    ) -> Generator[Answer, None, None]:
        self.asked = [Path(order.path).name for order in orders]
        worker = self.worker(manifest, settings)
        for number, order in enumerate(orders):
            self.check()
            (packed,) = worker({"part": [pack_part(number, [order])]})["answer"]
            yield self.between(unpack_answer(packed))


def held(at: Path, embedder: Embedder) -> dict[str, tuple[object, bytes, bytes]]:
    opened = Index.open(at, embedder=embedder)
    found = {}
    for row in range(opened.passages):
        passage = opened.passage(row)
        sentences = opened.sentence_vectors(row).tobytes()
        found[passage.id] = (passage, opened.vectors([row])[0].tobytes(), sentences)
    assert len(found) == opened.passages
    return found


FILES = {
    "a.md": "# Bridges\n\nAda built a bridge. She liked it.\n\n## Costs\n\nIt cost 900 euros.\n",
    "b.jsonl": '{"_id": "1", "text": "Hot tea."}\n{"_id": "2", "text": "Cold milk."}\nno JSON\n',
    "c.txt": "Der Vertrag endet am 31. Dezember 2019. Wer hat ihn geschrieben?\n",
    "d.txt": "\n",
    "e.jsonl": "no JSON",
    "f.bin": "what",
}


def test_what_workers_read_is_what_is_read_here(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write(FILES)
    plain = update(tmp_path / "plain", [folder], embedder=embedder)
    bulk = update(tmp_path / "bulk", [folder], embedder=embedder, ray=Here(embedder))  # type: ignore[arg-type]
    assert replace(bulk, seconds=0) == replace(plain, seconds=0)
    assert bulk.partly == 1
    assert held(tmp_path / "bulk", embedder) == held(tmp_path / "plain", embedder)


def test_only_what_has_changed_is_sent_and_a_copy_is_not_embedded(
    write: Write, make_embedder: Callable[..., Embedder], tmp_path: Path
) -> None:
    embedder = make_embedder()
    folder = write({"a.txt": "Hot tea.", "b.txt": "Cold milk."})
    update(tmp_path / "at", [folder], embedder=embedder)
    write({"b.txt": "Warm milk.", "copy.txt": "Hot tea."})
    here = Here(embedder)
    done = update(tmp_path / "at", [folder], embedder=embedder, ray=here)  # type: ignore[arg-type]
    assert here.asked == ["b.txt"]
    assert [row.status for row in done.files] == ["unchanged", "updated", "added"]
    assert (done.embedded, done.passages) == (1, 3)


def test_a_file_that_changes_while_it_is_read_is_read_again(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write({"a.txt": "Hot tea.", "b.txt": "Cold milk."})

    def changes(answer: Answer) -> Answer:
        write({"b.txt": "Warm milk."})
        return answer

    update(tmp_path / "at", [folder], embedder=embedder, ray=Here(embedder, changes))  # type: ignore[arg-type]
    opened = Index.open(tmp_path / "at", embedder=embedder)
    assert opened.document("b.txt").text == "Warm milk."
    record = {record.source: record for record in opened.files()}["b.txt"]
    assert record.sha256 == hashlib.sha256(b"Warm milk.").hexdigest()


def test_a_file_that_is_gone_when_its_worker_comes_is_a_row(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write({"a.txt": "Hot tea.", "b.txt": "Cold milk."})

    def goes(answer: Answer) -> Answer:
        (folder / "b.txt").unlink(missing_ok=True)
        return answer

    done = update(tmp_path / "at", [folder], embedder=embedder, ray=Here(embedder, goes))  # type: ignore[arg-type]
    assert [(row.status, row.reason) for row in done.files] == [
        ("added", ""),
        ("failed", "cannot be read: no such file or directory"),
    ]


def test_at_the_deadline_what_came_is_kept_and_the_rest_is_named(
    write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    folder = write({f"{name}.txt": f"Text {name}." for name in "abc"})
    here = Here(embedder)

    def late(answer: Answer) -> Answer:
        here.late = answer.part == 1
        return answer

    here.between = late
    said = "the deadline of 9 s has come; 2 of 3 files are done and kept, 1 to go: the same command goes on from there"
    with pytest.raises(ClusterError, match=f"^{said}$"):
        update(tmp_path / "at", [folder], embedder=embedder, ray=here)  # type: ignore[arg-type]
    assert Index.open(tmp_path / "at", embedder=embedder).passages == 2
    again = Here(embedder)
    done = update(tmp_path / "at", [folder], embedder=embedder, ray=again)  # type: ignore[arg-type]
    assert (again.asked, done.passages) == (["c.txt"], 3)


def test_a_long_file_is_committed_in_pieces(
    write_rows: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.indexing, "BATCH", 10)
    rows = write_rows([f"Row number {number}." for number in range(35)])
    bulk = update(tmp_path / "bulk", [rows], embedder=embedder, ray=Here(embedder))  # type: ignore[arg-type]
    plain = update(tmp_path / "plain", [rows], embedder=embedder)
    assert (bulk.passages, bulk.embedded, bulk.generation) == (35, 35, plain.generation)
    assert held(tmp_path / "bulk", embedder) == held(tmp_path / "plain", embedder)


def test_the_file_that_kills_its_worker_is_found_and_tried_again_by_the_next_update(
    write: Write, make_embedder: Callable[..., Embedder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Death(BaseException):
        pass

    embedder = make_embedder()
    folder = write({f"{name}.txt": f"Text {name}." for name in "abc"})
    orders = [Order(str(path), path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in folder.iterdir()]
    orders.sort(key=lambda order: order.path)
    here = Here(embedder)
    update(tmp_path / "made", [folder / "a.txt"], embedder=embedder)
    manifest = Index.open(tmp_path / "made", embedder=embedder).manifest
    take = Batch.take

    def dies(batch: Batch, tell: Callable[[], None]) -> object:
        if any(record.source == "b.txt" for record, _ in batch.files):
            raise Death
        return take(batch, tell)

    monkeypatch.setattr(Batch, "take", dies)
    for _ in range(3):  # each time another process, as Ray would start it
        with pytest.raises(Death):
            here.worker(manifest, ChunkSettings())({"part": [pack_part(7, orders)]})
    (packed,) = here.worker(manifest, ChunkSettings())({"part": [pack_part(7, orders)]})["answer"]
    told = [(outcome.status, outcome.reason) for outcome in unpack_answer(packed).outcomes]
    assert told == [("read", ""), ("lost", "its worker died each of 3 times"), ("read", "")]


def test_a_file_that_was_lost_keeps_its_version_and_is_tried_again(
    write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    folder = write({"a.txt": "Hot tea."})
    update(tmp_path / "at", [folder], embedder=embedder)
    write({"a.txt": "Cold tea."})

    def lost(answer: Answer) -> Answer:
        (outcome,) = answer.outcomes
        return replace(answer, outcomes=(replace(outcome, status="lost", reason="its worker died", read=()),))

    done = update(tmp_path / "at", [folder], embedder=embedder, ray=Here(embedder, lost))  # type: ignore[arg-type]
    assert [(row.status, row.reason) for row in done.files] == [
        ("failed", "its worker died (the version indexed before is kept)")
    ]
    again = Here(embedder)
    assert update(tmp_path / "at", [folder], embedder=embedder, ray=again).documents["updated"] == 1  # type: ignore[arg-type]


def test_workers_with_another_model_or_other_code_are_refused(
    write: Write, make_embedder: Callable[..., Embedder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write({"a.txt": "Hot tea."})
    update(tmp_path / "at", [folder], embedder=make_embedder())
    manifest = Index.open(tmp_path / "at", embedder=make_embedder()).manifest
    part = {"part": [pack_part(0, [])]}
    (packed,) = Here(make_embedder(shift=1)).worker(manifest, ChunkSettings())(part)["answer"]
    assert "gives other vectors" in unpack_answer(packed).broken
    worker = Here(make_embedder()).worker(replace(manifest, probe=""), ChunkSettings())
    (packed,) = worker(part)["answer"]
    assert "no fingerprint of its model" in unpack_answer(packed).broken


def test_parts_are_small_in_number_and_in_bytes() -> None:
    orders = [Order(str(number), str(number), "") for number in range(PART_FILES * 2 + 1)]
    assert [len(part) for part in _parts(orders, [0] * len(orders))] == [PART_FILES, PART_FILES, 1]
    assert [len(part) for part in _parts(orders[:4], [PART_BYTES // 2, PART_BYTES // 2, 9 * PART_BYTES, 1])] == [
        2,
        1,
        1,
    ]


def test_an_answer_that_is_cut_off_is_none(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    path = write({"a.txt": "Hot tea."}) / "a.txt"
    update(tmp_path / "at", [path], embedder=embedder)
    worker = Here(embedder).worker(Index.open(tmp_path / "at", embedder=embedder).manifest, ChunkSettings())
    order = Order(str(path), "a.txt", hashlib.sha256(path.read_bytes()).hexdigest())
    (packed,) = worker({"part": [pack_part(0, [order])]})["answer"]
    (document, inside), *_ = unpack_answer(packed).outcomes[0].read
    assert document.text == "Hot tea."
    assert np.isclose(np.linalg.norm(inside[0].vector), 1)
    with pytest.raises(ValueError):
        unpack_answer(packed[:-1])


def test_without_ray_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.bulk.cluster.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'footnoted\[ray\]'"):
        Ray("local")
