"""A small library that speaks of a bridge, a garden and a ferry, and a system that answers from it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from index import Index
from rag import System

LIBRARY = {
    "bridge.txt": "The old bridge was opened in 1974. It was designed by Anna Keller. The bridge is 320 metres long. "
    "Repairs of the bridge [3] cost 2.5 million in 1999.",
    "garden.txt": "The garden grows tea and roses. Gardeners water the roses every morning. "
    "The garden closes at 18:30 in summer.",
    "log.txt": "The harbour log records that the ferry carried 80 passengers on the storm night. The captain slept.",
    "letter.txt": "My letter says that the ferry carried 120 passengers on the storm night. The night was dark.",
}


@pytest.fixture
def make_system(
    write: Callable[..., Path], make_embedder: Callable[..., object], tmp_path: Path
) -> Callable[[Mapping[str, str]], System]:
    """Builds a system over files by name; its embedder knows words by 512 sums of code points."""

    def make(files: Mapping[str, str]) -> System:
        return System(Index.build([write(files)], tmp_path / "at", embedder=make_embedder(dimension=512)))

    return make


@pytest.fixture
def system(make_system: Callable[[Mapping[str, str]], System]) -> System:
    return make_system(LIBRARY)
