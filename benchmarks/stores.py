"""The same questions to an index in a folder and in Milvus: which passages, which citations, in what time.

    python benchmarks/stores.py --data ../shared/data

`--data` holds scifact/ and seed/. Servers are started here: `milvus-lite server` of this environment, and Milvus 2.3.5
of .bench/milvus (`make .bench/milvus/installed`). SciFact's 5,183 abstracts are embedded once; each store is given the
same vectors and the same stemmed terms. Overlap@10 is the share of the folder's first ten passages that are among the
first ten of the other store, averaged over the 300 claims: by cosine alone (`dense`), and as a search is (`hybrid`).
A folder of more than 4,096 passages scans codes and compares the best exactly (99.5 % of the nearest ten, measured);
Milvus compares every vector, so `exact` is its overlap with all vectors compared here.

The 20 questions over one seed document are answered by each, and their citations are compared.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from recording import record
from reliability.servers import Missing, Server

from eval.collections import load_collection
from index import Index
from index.embedders import load_embedder
from index.embedding import Embedder, Vectors
from index.indexing import update
from index.sentences import Span
from index.stores import bind
from rag.answers import Answer
from rag.retrieval import Mode
from rag.system import System

ASKED = {"dense": 0.99, "hybrid": 0.95}
_MODES: dict[str, Mode] = {"dense": "dense", "hybrid": "fused"}
_K = 10
_SERVERS = ("lite", "real")


class Remembering:
    """An embedder that embeds each text once."""

    def __init__(self, real: Any) -> None:
        self._real: Any = real
        self._made: dict[str, tuple[Vectors, Vectors]] = {}
        self.name, self.dimension, self.window, self.languages = (
            real.name, real.dimension, real.window, real.languages,
        )  # fmt: skip

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        counts: list[int] = self._real.count_pieces(texts)
        return counts

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._real.embed_queries(texts)
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._real.embed_passages(texts)
        return vectors

    def embed_with_sentences(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Vectors, Vectors]:
        fresh = [place for place, text in enumerate(texts) if text not in self._made]
        if fresh:
            inside = [spans[place] for place in fresh]
            vectors, sentences = self._real.embed_with_sentences([texts[place] for place in fresh], inside)
            first = 0
            for place, vector, within in zip(fresh, vectors, inside, strict=True):
                self._made[texts[place]] = vector, sentences[first : first + len(within)]
                first += len(within)
        made = [self._made[text] for text in texts]
        none = np.empty((0, self.dimension), dtype=np.float32)
        return np.array([one for one, _ in made]).reshape(-1, self.dimension), np.concatenate(
            [none, *(rows for _, rows in made)]
        )


def found(system: System, claims: Sequence[str], mode: Mode) -> tuple[list[list[tuple[str, int]]], list[float]]:
    """The first ten passages of each claim, by source and start, and the milliseconds of each search."""
    system.search(claims[0], _K, mode)
    lists, taken = [], []
    for claim in claims:
        started = time.perf_counter()
        hits = system.search(claim, _K, mode)
        taken.append(1000 * (time.perf_counter() - started))
        lists.append([(hit.passage.source, hit.passage.start) for hit in hits])
    return lists, taken


def overlap(one: Sequence[Sequence[Any]], other: Sequence[Sequence[Any]]) -> float:
    return round(fmean(len(set(a) & set(b)) / len(a) for a, b in zip(one, other, strict=True)), 4)


def exact(index: Index, claims: Sequence[str]) -> list[list[tuple[str, int]]]:
    """The nearest ten with every vector compared."""
    rows = [row for source, *_ in index.sources() for row in index.rows_of(source)]
    vectors = index.vectors(rows)
    scores = index.embedder.embed_queries(list(claims)) @ vectors.T
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :_K]
    named = [[index.passage(rows[place]) for place in best] for best in nearest]
    return [[(one.source, one.start) for one in best] for best in named]


def searched(folder: Path, data: Path, servers: dict[str, Server], embedder: Embedder) -> dict[str, Any]:
    collection = load_collection(data / "scifact")
    claims = list(collection.queries.values())
    figures: dict[str, Any] = {"claims": len(claims)}
    lists: dict[str, dict[str, list[list[tuple[str, int]]]]] = {}
    for name in ("folder", *servers):
        at = folder / f"scifact {name}"
        if name in servers:
            bind(at, servers[name].address("scifact"))
        started = time.perf_counter()
        done = update(at, [collection.corpus], embedder=embedder)
        built = time.perf_counter() - started
        system = System(Index.open(at, embedder=embedder))
        figures[name] = {"passages": done.passages, "build s": round(built, 1)}
        if system.notices:
            figures[name]["notices"] = system.notices
        lists[name] = {}
        for label, mode in _MODES.items():
            lists[name][label], taken = found(system, claims, mode)
            figures[name][f"{label} p50 ms"] = round(median(taken), 1)
            figures[name][f"{label} p95 ms"] = round(float(np.quantile(taken, 0.95)), 1)
        if name == "folder":
            nearest = exact(system.index, claims)
        for label in _MODES:
            figures[name][f"{label} overlap@10"] = overlap(lists["folder"][label], lists[name][label])
        figures[name]["exact overlap@10"] = overlap(nearest, lists[name]["dense"])
        print(name, json.dumps(figures[name]), flush=True)
    return figures


def cited(answer: Answer) -> list[tuple[str, int, int]]:
    return [(one.source, one.start, one.end) for one in answer.citations]


def answered(folder: Path, data: Path, servers: dict[str, Server], embedder: Embedder) -> dict[str, Any]:
    """The seed questions: what each store cites as the folder does."""
    lines = (data / "seed" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    answers: dict[str, list[Answer]] = {}
    taken: dict[str, float] = {}
    for name in ("folder", *servers):
        at = folder / f"seed {name}"
        if name in servers:
            bind(at, servers[name].address("seed"))
        update(at, [data / "seed" / "soviet-war-crimes.txt"], embedder=embedder)
        system = System.open(at, embedder=embedder)
        answers[name] = [system.answer(one["question"]) for one in questions]
        taken[name] = round(1000 * median(one.timings.total_s for one in answers[name]), 1)
    figures: dict[str, Any] = {"questions": len(questions)}
    for name, given in answers.items():
        differing = []
        for one, mine, theirs in zip(questions, given, answers["folder"], strict=True):
            if cited(mine) != cited(theirs) or mine.abstained != theirs.abstained:
                differing.append(
                    {
                        "question": one["question"],
                        "folder": [quote.quote for quote in theirs.citations] or theirs.text,
                        name: [quote.quote for quote in mine.citations] or mine.text,
                    }
                )
        figures[name] = {
            "same citations": len(questions) - len(differing),
            "same text": sum(mine.text == theirs.text for mine, theirs in zip(given, answers["folder"], strict=True)),
            "answer p50 ms": taken[name],
            "differences": differing,
        }
    print(json.dumps(figures, indent=1, ensure_ascii=False), flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    servers: dict[str, Server] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            for name in _SERVERS:
                try:
                    servers[name] = Server(name, folder / name).start()
                except Missing as missing:
                    print(f"without {name}: {missing}", file=sys.stderr)
            embedder = Remembering(load_embedder())
            figures = {
                "asked overlap@10": ASKED,
                "scifact": searched(folder, options.data, servers, embedder),
                "seed questions": answered(folder, options.data, servers, embedder),
            }
        finally:
            for server in servers.values():
                server.kill()
    record("stores", figures)
    reached = (
        [(label, figures["scifact"]["lite"][f"{label} overlap@10"]) for label in ASKED] if "lite" in servers else []
    )
    reached += [("dense", figures["scifact"]["real"]["dense overlap@10"])] if "real" in servers else []
    missed = [f"{label}: {value}" for label, value in reached if value < ASKED[label]]
    sys.exit(f"MISSED {missed}" if missed else 0)


if __name__ == "__main__":
    main()
