"""An index of another model, dimension, chunking or newer format: refused in one line that names both.

python -m benchmarks.reliability.other_indexes
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.reliability.faults import (
    Bar,
    WordEmbedder,
    bring_up,
    current_manifest,
    document,
    measured,
    put_manifest,
)
from index.chunking import ChunkSettings
from index.errors import OtherIndex
from index.index import Index
from index.indexing import update
from index.manifest import FORMAT
from rag.system import System


def refused(attempt: Callable[[], object], *names: str) -> str:
    """Empty, or what is wrong with the refusal."""
    try:
        attempt()
    except OtherIndex as error:
        line = str(error)
        missing = [name for name in names if name not in line]
        return f"without {missing}: {line}" if missing or "\n" in line else ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "not refused"


def newer_format(at: Path) -> None:
    """The manifest as a later version might write it, with a sum that is right."""
    values = json.loads(current_manifest(at).read_bytes())
    put_manifest(at, json.dumps({**values, "format": FORMAT + 6, "more": [1]}).encode())


def open_others(folder: Path, bar: Bar) -> None:
    docs, at = folder / "docs", folder / "index"
    docs.mkdir(parents=True)
    (docs / "d.txt").write_text(document(1, 1))
    bring_up(at, docs)
    model, wide = WordEmbedder("letters", shift=3), WordEmbedder("wide", 32)
    finds: dict[str, str] = {}
    for name, embedder, names in (
        ("model", model, ("words", "letters")),
        ("dimension", wide, ("words", "16", "wide", "32")),
    ):
        finds[f"update, another {name}"] = refused(lambda e=embedder: update(at, [docs], embedder=e), *names)
        finds[f"answer, another {name}"] = refused(lambda e=embedder: System.open(at, embedder=e), *names)
    settings = ChunkSettings(100, 20)
    chunked: Callable[[], Any] = lambda: update(at, [docs], embedder=WordEmbedder(), settings=settings)  # noqa: E731
    finds["update, another chunking"] = refused(chunked, "200 tokens", "100", "overlap 40", "overlap 20")
    newer_format(at)
    formats = (f"format {FORMAT + 6}", f"reads {FORMAT}")
    finds["update, newer format"] = refused(lambda: bring_up(at, docs), *formats)
    finds["open, newer format"] = refused(lambda: Index.open(at, embedder=WordEmbedder()), *formats)
    bad = {name: find for name, find in finds.items() if find}
    bar.note("refusals", len(finds))
    bar.check("not refused, or one of both not named", len(bad), 0)
    if bad:
        bar.note("bad", bad)


def main() -> None:
    with measured("other_indexes", 1, __doc__) as (_, folder, bar):
        open_others(folder, bar)


if __name__ == "__main__":
    main()
