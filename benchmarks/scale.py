"""How an index grows: its size, build, memory and the time of a question, at several numbers of passages.

python benchmarks/scale.py --index WORK/index --data ../shared/data --sizes 100000 1000000

`--index` is an index of real text, such as the one that `python -m training` makes in its work folder. Its passages are
taken once as they are; beyond them they are repeated with other words in one of eight places and other numbers, their
vectors turned by about 27 degrees. Everything but the model runs as for any documents; what embedding costs is
measured by embedding.py. Questions are those of the half of SQuAD v2.0 dev that nothing was chosen on (asked.py).
"""

import argparse
import json
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from articles import SQUAD
from asked import squad_halves
from recording import RESULTS, cost, record

from index import Index
from index.embedders import load_embedder
from index.embedding import Vectors, unit
from index.indexing import update
from index.manifest import read_manifest
from index.sentences import Span
from rag.retrieval import retrieve
from rag.system import System

HERE = Path(__file__)
# Rows of a JSONL file, each a document.
ROWS = 10_000
NOISE = 0.5
QUESTIONS = 300
_MARK = re.compile(r"(\d+) (\d+)(?:\n|$)")


class Repeated:
    """Gives the vectors of a real index for its texts and their repetitions, whose title is "passage repetition"."""

    dimension = 384
    window = 254
    languages = frozenset({"en"})

    def __init__(self, real: Index) -> None:
        self._real = real
        self._model = load_embedder()
        self.name = self._model.name

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        return self._model.count_pieces(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._model.embed_queries(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._model.embed_passages(texts)

    def embed_with_sentences(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Vectors, Vectors]:
        vectors, sentences = [], [np.empty((0, self.dimension), dtype=np.float32)]
        for text, inside in zip(texts, spans, strict=True):
            mark = _MARK.match(text)
            assert mark, f"no mark in {text[:80]!r}"
            row, repetition = int(mark[1]), int(mark[2])
            whole, parts = self._real.vectors([row]), self._real.sentence_vectors(row)
            parts = parts[np.arange(len(inside)) % len(parts)]
            if repetition:
                draw = np.random.default_rng([row, repetition])
                whole, parts = (
                    unit(of + NOISE * unit(draw.normal(size=of.shape).astype(np.float32))) for of in (whole, parts)
                )
            vectors.append(whole[0])
            sentences.append(unit(parts))
        return np.stack(vectors) if vectors else sentences[0], np.concatenate(sentences)


def texts(real: Index, passages: int) -> Iterator[tuple[int, int, str]]:
    """(row, repetition, text): each real passage as it is, then again and again, varied."""
    pick = random.Random(0)
    words = [word for row in range(0, real.passages, 50) for word in real.passage(row).text.split()]
    for number in range(passages):
        repetition, row = divmod(number, real.passages)
        text = real.passage(row).text
        if repetition:
            parts = [pick.choice(words) if pick.random() < 1 / 8 else word for word in text.split(" ")]
            text = re.sub(r"\d", lambda _: str(pick.randrange(1, 10)), " ".join(parts))
        yield row, repetition, text


def write(real: Index, passages: int, folder: Path) -> None:
    """JSONL files with so many documents."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = None
    for number, (row, repetition, text) in enumerate(texts(real, passages)):
        if number % ROWS == 0:
            if file:
                file.close()
            file = (folder / f"{number // ROWS:04}.jsonl").open("w", encoding="utf-8")
        assert file
        entry = {"_id": f"{row}.{repetition}", "title": f"{row} {repetition}", "text": text}
        file.write(json.dumps(entry) + "\n")
    if file:
        file.close()


def resident() -> float:
    """MB that this process holds of its own, mapped files not counted."""
    status = Path("/proc/self/status").read_text()
    return sum(int(found) for found in re.findall(r"(?:RssAnon|RssShmem):\s+(\d+)", status)) / 1024


def mapped() -> float:
    """MB of files that are mapped and in memory."""
    (found,) = re.findall(r"RssFile:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found) / 1024


def limit() -> float | None:
    """MB that the control group of this process may hold, cached files counted; None if there is no limit."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        names = ("memory", "memory.limit_in_bytes") if controllers else ("", "memory.max")
        file = Path("/sys/fs/cgroup") / names[0] / path.lstrip("/") / names[1]
        if controllers in ("memory", "") and file.is_file() and (found := file.read_text().strip()).isdecimal():
            return int(found) / 2**20 if int(found) < 2**50 else None
    return None


def times(ask: Callable[[Any], object], asked: Sequence[Any]) -> dict[str, float]:
    """Milliseconds of each call, the first few left out."""
    for one in asked[:20]:
        ask(one)
    taken = []
    for one in asked:
        started = time.perf_counter()
        ask(one)
        taken.append(1000 * (time.perf_counter() - started))
    return {"p50 ms": round(median(taken), 3), "p99 ms": round(float(np.quantile(taken, 0.99)), 3)}


def exact(index: Index, vectors: Vectors, k: int) -> list[set[int]]:
    """The k nearest rows of each query, every vector compared."""
    best: list[list[tuple[float, int]]] = [[] for _ in vectors]
    for base, segment in zip(index.state.bases, index.state.segments, strict=False):
        scores, rows = segment.vectors.search(vectors, k)
        for found, some, of in zip(best, scores, rows, strict=True):
            found += [(float(score), base + int(row)) for score, row in zip(some, of, strict=True)]
    return [{row for _, row in sorted(found, reverse=True)[:k]} for found in best]


def ask(at: Path, data: Path) -> dict[str, Any]:
    """What questions cost on the index at `at`."""
    started = time.perf_counter()
    index = Index.open(at)
    opened = time.perf_counter() - started
    questions = [one.question for one in random.Random(1).sample(squad_halves(data / SQUAD)[1], QUESTIONS)]
    vectors = index.embedder.embed_queries(questions)
    found = [{one.row for one in index.dense(vector, 10)} for vector in vectors]
    figures: dict[str, Any] = {
        "passages": index.passages,
        "segments": [segment.passages for segment in index.state.segments],
        "codes looked at again": [
            segment.scan.measured.depth if segment.scan else None for segment in index.state.segments
        ],
        "open s": round(opened, 2),
        "dense, 10 passages": times(lambda vector: index.dense(vector, 10), vectors),
        "memory of that search MB": {"own": round(resident()), "files mapped": round(mapped())},
        "dense, 400 passages": times(lambda vector: index.dense(vector, 400), vectors),
        "words, 400 passages": times(lambda text: index.lexical(text, 400), questions),
        "passages of a question": times(lambda text: retrieve(index, text, 8), questions),
        "answer, no reader": times(System(index).answer, questions),
    }
    figures["memory MB"] = {"own": round(resident()), "files mapped": round(mapped())}
    started = time.perf_counter()
    nearest = exact(index, vectors, 10)
    figures["exact ms"] = round(1000 * (time.perf_counter() - started) / len(vectors), 2)
    shares = [len(some & all_) / 10 for some, all_ in zip(found, nearest, strict=True)]
    figures["recall@10"] = round(float(np.mean(shares)), 4)
    return figures


def size(at: Path) -> dict[str, float]:
    """MB on disk of the current generation, by file, and of everything."""
    manifest = read_manifest(at)
    by_name: dict[str, float] = {}
    for entry in manifest.segments:
        for name, total in entry.files.items():
            by_name[name] = by_name.get(name, 0) + total.bytes / 1e6
    every = sum(path.stat().st_size for path in at.rglob("*") if path.is_file()) / 1e6
    whole = sum(by_name.values())
    return {**{name: round(mb, 1) for name, mb in by_name.items()}, "index": round(whole, 1), "folder": round(every, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="an index of real text")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/scale"), help="a folder for some GB")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument(
        "--again",
        action="store_true",
        help="ask the indexes that are in --work; what their build took stays as recorded",
    )
    parser.add_argument("--step", choices=("build", "ask"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step == "build":
        (passages,) = options.sizes
        at, files = options.work / f"index-{passages}", options.work / f"files-{passages}"
        update(at, [files], embedder=Repeated(Index.open(options.index)))
        return
    if options.step == "ask":
        (passages,) = options.sizes
        print(json.dumps(ask(options.work / f"index-{passages}", options.data)))
        return
    real = Index.open(options.index)
    figures: dict[str, Any] = {"real passages": real.passages, "questions": QUESTIONS}
    recorded = json.loads((RESULTS / "scale.json").read_text())["figures"] if options.again else {}
    for passages in options.sizes:
        at, files = options.work / f"index-{passages}", options.work / f"files-{passages}"
        same = ["--index", options.index, "--data", options.data, "--work", options.work, "--sizes", str(passages)]
        if options.again:
            built = recorded[str(passages)]["build without embedding"]
        else:
            shutil.rmtree(at, ignore_errors=True)
            write(real, passages, files)
            build = cost([sys.executable, HERE, *same, "--step", "build"])
            shutil.rmtree(files)
            built = {"cpu s": round(build.cpu, 1), "wall s": round(build.wall, 1), "peak MB": round(build.peak_mb)}
            built["memory limit MB"] = limit()
        output = options.work / "asked.json"
        cost([sys.executable, HERE, *same, "--step", "ask"], output)
        figures[str(passages)] = {
            "build without embedding": built,
            "size MB": size(at),
            **json.loads(output.read_text().splitlines()[-1]),
        }
        print(passages, json.dumps(figures[str(passages)], indent=1), flush=True)
    record("scale", figures)


if __name__ == "__main__":
    main()
