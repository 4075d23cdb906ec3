"""One writer at a time."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .durable import make_folder
from .errors import LockedIndex, UsageError


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the index's writer lock; the system lets go of it when the process ends, however it ends.

    Raises LockedIndex at once if another process holds it, UsageError if the folder cannot be written.
    """
    try:
        make_folder(folder)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(f"cannot write an index at {folder}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise UsageError(f"cannot lock the index at {folder}: {error.strerror}") from None
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            raise LockedIndex(
                f"the index at {folder} is being written by process {holder}: try again when it is done"
            ) from None
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        except OSError as error:
            raise UsageError(f"cannot write {folder / 'lock'}: {error.strerror}") from None
        yield
    finally:
        os.close(descriptor)
