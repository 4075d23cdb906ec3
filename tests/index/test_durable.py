"""What is written is synced before it is relied on: each file, then the folder that names it."""

import os
from pathlib import Path

import pytest

from index.durable import make_folder, write_synced
from index.manifest import Manifest, write_manifest


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The syncs and renames, in order, by the file's name."""
    seen: list[tuple[str, str]] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        seen.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        seen.append(("rename", Path(target).name))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    return seen


pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names descriptors through /proc")


def test_every_new_folder_is_synced_into_the_one_above(tmp_path: Path, events: list[tuple[str, str]]) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert events == [("sync", tmp_path.name), ("sync", "a")]
    make_folder(tmp_path / "a" / "b")
    assert len(events) == 2


def test_a_written_file_is_synced(tmp_path: Path, events: list[tuple[str, str]]) -> None:
    write_synced(tmp_path / "file", b"bytes")
    assert (tmp_path / "file").read_bytes() == b"bytes"
    assert events == [("sync", "file")]


def test_current_is_renamed_only_after_all_it_stands_on_is_on_the_disk(
    tmp_path: Path, events: list[tuple[str, str]]
) -> None:
    write_manifest(tmp_path, Manifest(7, "words", 16, "", {}))
    (manifest,) = (tmp_path / "manifests").iterdir()
    assert events == [
        ("sync", tmp_path.name),  # which names the new folder
        ("sync", manifest.name),
        ("sync", "manifests"),
        ("sync", "CURRENT.tmp"),
        ("rename", "CURRENT"),
        ("sync", tmp_path.name),
    ]
