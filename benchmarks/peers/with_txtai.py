"""txtai: hybrid (vectors and BM25) with the texts stored, a passage a paragraph.

python with_txtai.py upsert     answers lines of JSON: the first, rows [id, text] to index; each further one, rows to
                                put in the place of those with their ids
"""

import sys
from pathlib import Path

from driving import NEAREST, answering, drive, model_folder, paragraphs
from txtai import Embeddings


def rows(name: str, text: str) -> list[tuple[str, str]]:
    return [(f"{name}#{number}", paragraph) for number, paragraph in enumerate(paragraphs(text))]


def empty() -> Embeddings:
    return Embeddings(path=model_folder(), hybrid=True, content=True)


def opened(store: Path) -> Embeddings:
    held = empty()
    held.load(str(store))
    return held


def build(texts: dict[str, str], store: Path) -> int:
    held = empty()
    held.index([row for name, text in texts.items() for row in rows(name, text)])
    held.save(str(store))
    return held.count()


def ask(store: Path, question: str) -> list[str]:
    return [found["text"] for found in opened(store).search(question, NEAREST)]


def change(store: Path):  # type: ignore[no-untyped-def]
    held = opened(store)

    def changed(name: str, text: str) -> int:
        """Every paragraph of the file, in the index and on disk."""
        found = rows(name, text)
        held.upsert(found)
        held.save(str(store))
        return len(found)

    return changed


def upsert() -> None:
    held = empty()

    def done(given: list[list[str]]) -> int:
        put = held.upsert if held.count() else held.index
        put([tuple(row) for row in given])
        return held.count()

    answering(done)


if __name__ == "__main__":
    if sys.argv[1] == "upsert":
        upsert()
    else:
        drive(build, ask, change)
