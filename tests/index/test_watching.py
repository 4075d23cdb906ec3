"""An index that follows its files: real files, real reports of the system, short delays."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from index import Embedder, Index
from index.indexing import remove, update
from index.locking import writing
from index.updates import FileRow, Update
from index.watching import Watcher

# Seconds: long enough that a busy machine is not taken for a file at rest.
REST = 0.6


class Followed:
    """A folder that is followed: what was told and noticed, and what the index holds."""

    def __init__(self, folder: Path, at: Path, embedder: Embedder) -> None:
        self.folder = folder
        self.at = at
        self.embedder = embedder
        self.updates: list[dict[str, str]] = []
        self.lines: list[str] = []
        self.watcher: Watcher | None = None

    def start(self, *paths: Path, rest: float = REST) -> None:
        done = update(self.at, paths or [self.folder], embedder=self.embedder)
        self.watcher = Watcher(
            self.at, paths, embedder=self.embedder, before=done, told=self._told, noticed=self.lines.append, rest=rest
        )
        self.watcher.start()
        time.sleep(0.1)

    def _told(self, done: Update, news: Sequence[FileRow]) -> None:
        self.updates.append({Path(row.path).name: row.status for row in news})

    def wait(self, for_: Callable[[], object], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not for_():
            assert time.monotonic() < deadline, (self.updates, self.lines)
            time.sleep(0.02)

    def texts(self) -> dict[str, str]:
        index = Index.open(self.at, embedder=self.embedder)
        return {source: index.document(source).text for source, *_ in index.sources()}


@pytest.fixture
def followed(tmp_path: Path, write: Callable[..., Path], embedder: Embedder) -> Iterator[Followed]:
    one = Followed(write({"a.txt": "The gate is green."}), tmp_path / "at", embedder)
    yield one
    if one.watcher:
        one.watcher.stop()


def test_what_is_added_changed_renamed_and_deleted_is_followed(followed: Followed) -> None:
    followed.start()
    (followed.folder / "sub").mkdir()
    (followed.folder / "sub" / "b.txt").write_text("The cellar is dry.")
    followed.wait(lambda: followed.updates == [{"b.txt": "added"}])
    (followed.folder / "a.txt").write_text("The gate is red.")
    followed.wait(lambda: followed.updates[1:] == [{"a.txt": "updated"}])
    (followed.folder / "sub" / "b.txt").rename(followed.folder / "c.txt")
    followed.wait(lambda: followed.updates[2:] == [{"c.txt": "added", "b.txt": "removed"}])
    (followed.folder / "c.txt").unlink()
    followed.wait(lambda: followed.updates[3:] == [{"c.txt": "removed"}])
    assert followed.texts() == {"a.txt": "The gate is red."}
    assert followed.lines == []


def test_what_happened_before_it_listened_is_not_missed(followed: Followed) -> None:
    update(followed.at, [followed.folder], embedder=followed.embedder)
    (followed.folder / "b.txt").write_text("The cellar is dry.")
    followed.start()
    followed.wait(lambda: "b.txt" in followed.texts())


def test_a_file_that_is_written_slowly_is_indexed_whole_and_holds_up_no_other(followed: Followed) -> None:
    followed.start(rest=2)
    with (followed.folder / "slow.txt").open("w") as slow:
        for number in range(600):
            slow.write(f"This is line {number}.\n")
            slow.flush()
            if number == 2:
                (followed.folder / "quick.txt").write_text("The cellar is dry.")
            if followed.updates:
                break
            time.sleep(0.1)
        seen = [*followed.updates]
        slow.write("This is the last line.")
    assert seen == [{"quick.txt": "added"}]
    followed.wait(lambda: followed.updates[1:] == [{"slow.txt": "added"}])
    assert followed.texts()["slow.txt"].endswith("This is the last line.")


def test_many_changes_at_once_are_one_update(followed: Followed) -> None:
    followed.start(rest=2)
    for number in range(200):
        (followed.folder / f"{number}.txt").write_text(f"Number {number} is here.")
    followed.wait(lambda: followed.updates)
    assert [len(one) for one in followed.updates] == [200]


def test_a_folder_that_vanishes_loses_nothing_and_is_followed_again(followed: Followed) -> None:
    followed.start()
    away = followed.folder.with_name("away")
    followed.folder.rename(away)
    gone = f"{followed.folder} is no longer there: what was indexed from it is kept"
    followed.wait(lambda: followed.lines == [gone])
    time.sleep(3 * REST)
    assert followed.lines == [gone]
    assert followed.texts() == {"a.txt": "The gate is green."}
    (away / "b.txt").write_text("The cellar is dry.")
    away.rename(followed.folder)
    followed.wait(lambda: followed.updates == [{"b.txt": "added"}])
    assert followed.lines == [gone, f"{followed.folder} is there again"]
    (followed.folder / "a.txt").unlink()
    followed.wait(lambda: followed.updates[1:] == [{"a.txt": "removed"}])


def test_a_drive_that_leaves_an_empty_folder_behind_loses_nothing(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = {str(followed.folder)}
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) in mounted)
    followed.start()
    (followed.folder / "b.txt").write_text("The cellar is dry.")
    followed.wait(lambda: followed.updates)
    mounted.clear()
    shutil.rmtree(followed.folder)
    followed.folder.mkdir()
    followed.wait(lambda: followed.lines)
    assert followed.lines == [f"{followed.folder} is no longer there: what was indexed from it is kept"]
    assert set(followed.texts()) == {"a.txt", "b.txt"}


def test_another_writer_is_waited_for(followed: Followed) -> None:
    followed.start()
    with writing(followed.at):
        (followed.folder / "b.txt").write_text("The cellar is dry.")
        followed.wait(lambda: followed.lines)
        time.sleep(1.2)
        assert followed.updates == []
    followed.wait(lambda: followed.updates == [{"b.txt": "added"}])
    (line,) = followed.lines
    assert line.startswith(f"the index at {followed.at} is being written by process {os.getpid()}: ")


def test_a_bad_file_is_told_once_and_stops_nothing(followed: Followed) -> None:
    followed.start()
    (followed.folder / "bad.pdf").write_bytes(b"%PDF-1.7\nno more")
    followed.wait(lambda: followed.updates == [{"bad.pdf": "failed"}])
    (followed.folder / "b.txt").write_text("The cellar is dry.")
    followed.wait(lambda: followed.updates[1:] == [{"b.txt": "added"}])


def test_a_file_and_a_pattern_are_followed_and_what_was_removed_stays_out(followed: Followed) -> None:
    one, pattern = followed.folder / "a.txt", followed.folder / "*.md"
    (followed.folder / "x.md").write_text("The roof is new.")
    followed.start(one, pattern)
    (followed.folder / "other.txt").write_text("The cellar is dry.")  # is neither
    (followed.folder / "y.md").write_text("The attic is full.")
    followed.wait(lambda: followed.updates == [{"y.md": "added"}])
    saved = followed.folder / "saved"  # as editors save: another file takes its place
    saved.write_text("The gate is red.")
    saved.replace(one)
    followed.wait(lambda: followed.updates[1:] == [{"a.txt": "updated"}])
    remove(followed.at, "a.txt")
    one.write_text("The gate is blue.")
    (followed.folder / "x.md").unlink()
    followed.wait(lambda: followed.updates[2:] == [{"x.md": "removed"}])
    assert set(followed.texts()) == {"y.md"}


def test_an_index_in_the_folder_and_hidden_files_wake_nobody(
    tmp_path: Path, write: Callable[..., Path], embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write({"a.txt": "The gate is green."})
    one = Followed(folder, folder / "ix", embedder)
    one.start()
    asked = []
    monkeypatch.setattr("index.watching.update", lambda *given, **named: asked.append(given) or update(*given, **named))
    (folder / "b.txt").write_text("The cellar is dry.")
    one.wait(lambda: one.updates == [{"b.txt": "added"}])
    (folder / ".swap").write_text("half")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    time.sleep(4 * REST)
    assert one.watcher
    one.watcher.stop()
    assert len(asked) == 1


def test_an_index_that_is_gone_ends_it_with_a_line(followed: Followed) -> None:
    followed.start()
    shutil.rmtree(followed.at)
    followed.wait(lambda: followed.lines)
    assert followed.lines[0].startswith(f"no index at {followed.at}")
    assert followed.lines[0].endswith("; files are not followed any more")
