"""Checksums over every byte: FAISS and SQLite notice few damages themselves."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileSum:
    """What a file must be, byte for byte."""

    sha256: str
    bytes: int


def file_sum(path: Path) -> FileSum:
    with path.open("rb") as file:
        return FileSum(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def check_file(path: Path, expected: FileSum) -> str | None:
    """What is wrong with the file, or None."""
    try:
        size = path.stat().st_size
        if size != expected.bytes:
            return f"{path} is damaged ({size} bytes, expected {expected.bytes})"
        if file_sum(path) != expected:
            return f"{path} is damaged (sha256 differs)"
    except FileNotFoundError:
        return f"{path} is missing"
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    return None
