"""One writer at a time, and the next one at once when it is gone."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.errors import LockedIndex, UsageError
from index.locking import writing


@pytest.fixture
def holder(tmp_path: Path, fork: Callable[..., Any]) -> Any:
    """A child that holds the lock of `tmp_path` until it is killed."""

    def hold(tell: Callable[[bytes], object]) -> None:
        with writing(tmp_path):
            tell(b"!")
            time.sleep(60)

    child = fork(hold)
    assert child.hear() == b"!"
    return child


def test_a_second_writer_is_refused_at_once_and_told_who_writes(tmp_path: Path, holder: Any) -> None:
    with pytest.raises(LockedIndex) as error, writing(tmp_path):
        pass
    assert holder.is_there()  # it was not waited for: it would hold the lock for a minute
    expected = f"the index at {tmp_path} is being written by process {holder.pid}: try again when it is done"
    assert str(error.value) == expected


def test_after_a_kill_the_next_writer_gets_in(tmp_path: Path, holder: Any) -> None:
    holder.kill()
    with writing(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_the_lock_is_let_go_of_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing(tmp_path):
        raise ZeroDivisionError
    with writing(tmp_path), pytest.raises(LockedIndex, match=f"process {os.getpid()}"), writing(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as error, writing(tmp_path / "file" / "index"):
        pass
    assert str(error.value).startswith(f"cannot write an index at {tmp_path / 'file' / 'index'}: ")
