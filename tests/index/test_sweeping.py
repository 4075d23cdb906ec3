"""What is removed from an index folder, and what never is."""

from dataclasses import replace
from pathlib import Path

from index.folder.sweeping import sweep
from index.manifest import CURRENT, Manifest, SegmentEntry, write_manifest


def commit(folder: Path, generation: int, *names: str) -> None:
    for name in names:
        (folder / "segments" / name).mkdir(parents=True, exist_ok=True)
        (folder / "segments" / name / "texts.sqlite").write_text(name)
    entries = tuple(SegmentEntry(name, {}) for name in names)
    write_manifest(folder, replace(Manifest(generation, "words", 16, "", {}), segments=entries))


def left(folder: Path) -> tuple[list[int], list[str]]:
    return (
        sorted(int(path.name[:8]) for path in (folder / "manifests").iterdir()),
        sorted(path.name for path in (folder / "segments").iterdir()),
    )


def test_the_current_generation_and_the_one_before_are_kept(tmp_path: Path) -> None:
    commit(tmp_path, 1, "a")
    commit(tmp_path, 2, "a", "b")
    commit(tmp_path, 3, "b", "c")
    commit(tmp_path, 4, "c")
    sweep(tmp_path)
    assert left(tmp_path) == ([3, 4], ["b", "c"])


def test_leftovers_of_a_killed_run_go(tmp_path: Path) -> None:
    commit(tmp_path, 1, "a")
    (tmp_path / "segments" / "half").mkdir()
    (tmp_path / "manifests" / "00000002.json").write_text('{"format": 1, "segm')
    sweep(tmp_path)
    assert left(tmp_path) == ([1], ["a"])


def test_nothing_goes_where_the_index_is_damaged(tmp_path: Path) -> None:
    commit(tmp_path, 1, "a")
    commit(tmp_path, 2, "b")
    commit(tmp_path, 3, "c")
    (tmp_path / CURRENT).write_text("damaged")
    before = left(tmp_path)
    sweep(tmp_path)
    assert left(tmp_path) == before == ([1, 2, 3], ["a", "b", "c"])
