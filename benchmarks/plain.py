"""The plain way, to measure against: sentence-transformers and FAISS, a passage a paragraph.

python benchmarks/plain.py build FILE FOLDER      embed the lines of a text file, or of those of a folder
python benchmarks/plain.py ask FOLDER QUESTION    print the nearest ones
python benchmarks/plain.py answer FOLDER          answer a line of questions (JSON) with the seconds that each took
"""

import json
import sys
import time
from pathlib import Path

from peers.driving import NEAREST, answering, model_folder, paragraphs


def model():  # type: ignore[no-untyped-def]
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model_folder())


def build(file: Path, folder: Path) -> None:
    import faiss

    files = sorted(file.glob("*.txt")) if file.is_dir() else [file]
    passages = [line for one in files for line in paragraphs(one.read_text(encoding="utf-8"))]
    vectors = model().encode(passages, normalize_embeddings=True, show_progress_bar=False)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    folder.mkdir(parents=True, exist_ok=True)
    faiss.write_index(index, str(folder / "index.faiss"))
    (folder / "passages.json").write_text(json.dumps(passages), encoding="utf-8")
    print(len(passages))


class Opened:
    """What was built, ready to be searched."""

    def __init__(self, folder: Path) -> None:
        import faiss

        self._model = model()
        self._index = faiss.read_index(str(folder / "index.faiss"))
        self._passages: list[str] = json.loads((folder / "passages.json").read_text(encoding="utf-8"))

    def nearest(self, question: str) -> list[tuple[float, str]]:
        vector = self._model.encode([question], normalize_embeddings=True, show_progress_bar=False)
        scores, rows = self._index.search(vector, NEAREST)
        return [(score, self._passages[row]) for score, row in zip(scores[0], rows[0], strict=True) if row >= 0]


def ask(folder: Path, question: str) -> None:
    for score, passage in Opened(folder).nearest(question):
        print(f"{score:.3f} {passage}")


def answer(folder: Path) -> None:
    opened = Opened(folder)

    def seconds(question: str) -> float:
        started = time.perf_counter()
        opened.nearest(question)
        return time.perf_counter() - started

    answering(lambda questions: [seconds(question) for question in questions])


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1] == "ask":
        ask(Path(sys.argv[2]), sys.argv[3])
    else:
        answer(Path(sys.argv[2]))
