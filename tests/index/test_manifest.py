"""The switch from one generation to the next, and every way its two small files can be wrong."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from index.errors import DamagedIndex, NoIndex, OtherIndex
from index.manifest import CURRENT, FORMAT, Manifest, SegmentEntry, damages, read_manifest, without, write_manifest
from index.sums import FileSum, file_sum

FIRST = Manifest(
    generation=1,
    model="words",
    dimension=16,
    probe="AAAA",
    settings={"size": 200, "overlap": 40},
    roots=("/docs", "/más"),
    segments=(SegmentEntry("00000001-ab", {"a.npy": FileSum("00", 7)}, (0, 4)),),
    created="2026-01-02T03:04:05+00:00",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_manifest(tmp_path, FIRST)
    return tmp_path


def manifest_of(folder: Path, generation: int = 1) -> Path:
    (path,) = (folder / "manifests").glob(f"{generation:08}*.json")
    return path


def test_what_is_written_is_read(folder: Path) -> None:
    assert read_manifest(folder) == FIRST
    second = replace(FIRST, generation=2, segments=())
    write_manifest(folder, second)
    assert read_manifest(folder) == second
    assert sorted(path.name for path in folder.iterdir()) == ["CURRENT", "manifests"]


def test_an_older_manifest_is_not_written_again(folder: Path) -> None:
    before = manifest_of(folder).read_bytes()
    write_manifest(folder, replace(FIRST, generation=2))
    assert manifest_of(folder).read_bytes() == before


@pytest.mark.parametrize("at", [".", "missing", "missing/below"])
def test_no_index_says_how_to_make_one(at: str, tmp_path: Path) -> None:
    with pytest.raises(NoIndex) as error:
        read_manifest(tmp_path / at)
    assert str(error.value) == f"no index at {tmp_path / at}: make one with  footnoted index PATH"


def test_a_file_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(NoIndex, match="no index at"):
        read_manifest(tmp_path / "file")


def check_damaged(folder: Path) -> None:
    with pytest.raises(DamagedIndex) as error:
        read_manifest(folder)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


def test_every_flipped_bit_of_current_is_found(folder: Path) -> None:
    content = (folder / CURRENT).read_bytes()
    for place in range(len(content) - 1):
        for bit in range(8):
            flipped = content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
            (folder / CURRENT).write_bytes(flipped)
            check_damaged(folder)


def test_current_cut_anywhere_is_found(folder: Path) -> None:
    content = (folder / CURRENT).read_bytes()
    for length in range(len(content) - 1):
        (folder / CURRENT).write_bytes(content[:length])
        check_damaged(folder)


@pytest.mark.parametrize("end", [b"", b"\x0b", b"\n\n", b" "])
def test_the_last_byte_of_current_counts_too(folder: Path, end: bytes) -> None:
    content = (folder / CURRENT).read_bytes()
    (folder / CURRENT).write_bytes(content[:-1] + end)
    check_damaged(folder)


def test_a_zeroed_byte_in_the_name_of_the_manifest(folder: Path) -> None:
    content = (folder / CURRENT).read_bytes()
    (folder / CURRENT).write_bytes(content[:12] + b"\0" + content[13:])
    check_damaged(folder)


@pytest.mark.parametrize("name", ["../manifests/00000001.json", "/etc/passwd", "manifests/../CURRENT", "CURRENT"])
def test_current_cannot_point_elsewhere(folder: Path, name: str) -> None:
    digest = hashlib.sha256(manifest_of(folder).read_bytes()).hexdigest()
    (folder / CURRENT).write_text(f"{name} {digest}\n")
    check_damaged(folder)


def test_a_missing_current_is_damage(folder: Path) -> None:
    write_manifest(folder, replace(FIRST, generation=2))
    (folder / CURRENT).unlink()
    check_damaged(folder)


def test_a_changed_manifest_is_damage_and_is_named(folder: Path) -> None:
    manifest = manifest_of(folder)
    content = manifest.read_bytes()
    for changed in (b"", content[:-1], content + b"\n", content.replace(b"200", b"201"), b"\0" * len(content)):
        manifest.write_bytes(changed)
        with pytest.raises(DamagedIndex) as error:
            read_manifest(folder)
        assert str(error.value).startswith(f"{manifest} is damaged (sha256 differs)")


def test_a_missing_manifest_is_damage_and_is_named(folder: Path) -> None:
    manifest_of(folder).unlink()
    with pytest.raises(DamagedIndex, match=r"manifests/00000001.*\.json cannot be read \(No such file or directory\)"):
        read_manifest(folder)


def test_an_older_manifest_in_the_place_of_the_current_one_is_damage(folder: Path) -> None:
    older = manifest_of(folder).read_bytes()
    write_manifest(folder, replace(FIRST, generation=2))
    manifest_of(folder, 2).write_bytes(older)
    check_damaged(folder)


def test_a_newer_format_is_named_with_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.manifest.FORMAT", FORMAT + 1)
    write_manifest(folder, replace(FIRST, generation=2))
    monkeypatch.undo()
    with pytest.raises(OtherIndex, match=f"has format {FORMAT + 1}, this version reads {FORMAT}"):
        read_manifest(folder)


def test_damages_name_each_file_and_what_is_wrong(tmp_path: Path) -> None:
    inside = tmp_path / "segments" / "s"
    inside.mkdir(parents=True)
    for name in "abcd":
        (inside / name).write_bytes(b"12345")
    manifest = replace(FIRST, segments=(SegmentEntry("s", {name: file_sum(inside / name) for name in "abcd"}),))
    assert damages(tmp_path, manifest) == []
    (inside / "a").write_bytes(b"12344")
    (inside / "b").write_bytes(b"1234")
    (inside / "c").unlink()
    assert damages(tmp_path, manifest) == [
        f"{inside / 'a'} is damaged (sha256 differs)",
        f"{inside / 'b'} is damaged (4 bytes, expected 5)",
        f"{inside / 'c'} is missing",
    ]


def test_the_sum_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sum(tmp_path / "abc") == FileSum("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3)


def test_dead_rows_add_up() -> None:
    assert without(FIRST.segments[0], {2, 4}).dead == (0, 2, 4)


def test_a_first_commit_that_was_cut_off_has_made_no_index(folder: Path) -> None:
    (folder / CURRENT).unlink()
    with pytest.raises(NoIndex):
        read_manifest(folder)
