"""What a reader that stays open knows of the files, whatever is deleted meanwhile."""

from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index
from index.indexing import update

from .places import LITE, Place, only


def listed(index: Index) -> list[str]:
    return [source for source, *_ in index.sources()]


@only(LITE)
@pytest.mark.parametrize("looks", [True, False], ids=["looks at each generation", "looks at the last one"])
def test_files_that_were_deleted_are_listed_no_more(
    place: Place,
    write: Callable[..., Path],
    make_embedder: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    looks: bool,
) -> None:
    monkeypatch.setattr("index.milvus.writer.GRACE_S", -1)
    folder, at, embedder = write({f"{name}.txt": f"Tea {name}." for name in "abcd"}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    reader = Index.open(at, embedder=embedder)
    assert listed(reader) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    for gone in ("a.txt", "b.txt", "c.txt"):  # each is deleted by the commit after the one that it died with
        (folder / gone).unlink()
        write({"d.txt": f"Salt without {gone}."})
        update(at, [folder], embedder=embedder)
        if looks:
            reader = reader.current()
            assert gone not in listed(reader)
    reader = reader.current()
    assert listed(reader) == listed(Index.open(at, embedder=embedder)) == ["d.txt"]
    assert reader.document("d.txt").text == "Salt without c.txt."
