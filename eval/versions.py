"""What code ran: so that two evaluations can tell whether it was the same."""

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("faiss-cpu", "numpy", "onnxruntime", "PyStemmer", "sentence-transformers", "tokenizers")


def versions() -> dict[str, str]:
    """Of Footnoted, Python and the libraries that an answer passes through; `code` is a hash of index/ and rag/."""
    return {
        "footnoted": _version("footnoted"),
        "code": _code(),
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _code() -> str:
    """Twelve digits of the sha256 over the names and bytes of the modules that find and read."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for file in sorted(file for package in ("index", "rag") for file in (root / package).rglob("*.py")):
        digest.update(f"{file.relative_to(root).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
