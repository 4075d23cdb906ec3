"""What an update of an index did, and how far it is."""

from dataclasses import dataclass

STATUSES = ("added", "updated", "unchanged", "removed", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class FileRow:
    """What became of one file: its absolute path, one of STATUSES, and the reason for the last two."""

    path: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an update stands: files read of all, passages embedded of those read, the file in hand."""

    done: int
    files: int
    embedded: int
    passages: int
    path: str


@dataclass(frozen=True, slots=True)
class Update:
    """What an update did. `documents` counts files by status; `passages` are those in the index now,
    `embedded` those whose vectors were computed and not reused. `damaged` names files of the index that
    were found damaged and put aside; `partly` counts the files of which something could not be read.
    """

    generation: int
    documents: dict[str, int]
    passages: int
    embedded: int
    files: tuple[FileRow, ...]
    seconds: float
    damaged: tuple[str, ...] = ()
    partly: int = 0
