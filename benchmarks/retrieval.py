"""Retrieval on three collections: each side alone, half and half, and ours.

    python benchmarks/retrieval.py --data ../shared/data             what nothing was chosen on
    python benchmarks/retrieval.py --data ../shared/data --tuning    the other halves, for each constant

`--data` holds scifact/, cranfield/ and squad-v2.0-dev/ (BEIR layout). All of SciFact is reported. Of
Cranfield every second query (in order of id), of SQuAD every second article (asked.py) is for tuning.
"Half and half" is BM25 and the passages' cosines, min-max scaled and mixed alike, as the literature has
it; plain dense is the cosine alone. Differences are paired by query, with bootstrap intervals of 95 %.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

from asked import squad_halves
from recording import record

from eval.bootstrap import interval
from eval.collections import Collection, load_collection
from eval.evaluation import evaluate
from index import ChunkSettings
from index.indexing import update
from rag.retrieval import Mode
from rag.system import System

MEASURES = ("nDCG@10", "Success@1", "R@5", "R@100")
DEPTH = 300

# Of SQuAD's tuning questions one in so many is searched, with every setting.
_SAMPLED = 4

Values = dict[str, list[float]]
"""A measure to its values, query by query."""

# What each constant could have been, tried alone: where it stands, and other values.
OTHERS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "DENSE_WEIGHT": (("rag.retrieval",), (0.4, 0.6)),
    "POOL": (("rag.fusion", "rag.retrieval", "rag.reranking"), (100, 1000)),
    "PASSAGES": (("rag.reranking",), (50, 200)),
    "SENTENCE": (("rag.reranking",), (0.0, 0.5, 1.0)),
    "NEIGHBOURS": (("rag.reranking",), (3, 10)),
    "SMOOTHING": (("rag.reranking",), (0.0, 0.5, 1.0)),
    "LEADING": (("rag.reranking",), (1,)),
    "K1": (("index.lexical",), (0.6, 1.2, 2.0)),
    "B": (("index.lexical",), (0.75,)),
}
CHUNKS = (ChunkSettings(100, 0), ChunkSettings(200, 0), ChunkSettings(250, 40))


@contextmanager
def half_and_half() -> Iterator[None]:
    """Fusion alone, nothing ordered again."""
    with patch("rag.retrieval.rerank", lambda index, query, fused, *rest: fused):
        yield


@contextmanager
def constant(name: str, value: float) -> Iterator[None]:
    with ExitStack() as stack:
        for module in OTHERS[name][0]:
            stack.enter_context(patch(f"{module}.{name}", value))
        yield


def scored(collection: Collection, system: System, mode: Mode = "fused") -> Values:
    report = evaluate(collection, system, mode, MEASURES, DEPTH)
    return {name: [row.metrics[name] for row in report.per_query] for name in MEASURES}


def means(values: Values) -> dict[str, float]:
    return {name: round(fmean(column), 4) for name, column in values.items()}


def differences(ours: Values, other: Values) -> dict[str, object]:
    """Ours less the other: the mean and its paired interval."""
    rows: dict[str, object] = {}
    for name in MEASURES:
        column = [one - two for one, two in zip(ours[name], other[name], strict=True)]
        rows[name] = [round(fmean(column), 4), *(round(end, 4) for end in interval(column))]
    return rows


def half(folder: Path, *, tuning: bool) -> Collection:
    """The queries of a collection that are for tuning, or the others; SciFact has none for tuning."""
    collection = load_collection(folder)
    if folder.name == "scifact":
        kept = set() if tuning else set(collection.queries)
    elif folder.name == "cranfield":
        ordered = sorted(collection.queries)
        kept = set(ordered[::2] if tuning else ordered[1::2])
    else:
        groups = {one.group for one in squad_halves(folder)[0 if tuning else 1]}
        kept = {id for id, judged in collection.qrels.items() if next(iter(judged)).split("#")[0] in groups}
        if tuning:
            kept = set(sorted(kept)[::_SAMPLED])
    return replace(
        collection,
        queries={id: text for id, text in collection.queries.items() if id in kept},
        qrels={id: judged for id, judged in collection.qrels.items() if id in kept},
    )


def opened(collection: Collection, at: Path, settings: ChunkSettings | None = None) -> System:
    update(at, [collection.corpus], settings=settings)
    return System.open(at)


def reported(collections: Sequence[Collection], folder: Path) -> dict[str, object]:
    figures: dict[str, object] = {}
    for collection in collections:
        system = opened(collection, folder / collection.name)
        dense, lexical, ours = (scored(collection, system, mode) for mode in ("dense", "lexical", "fused"))
        with half_and_half():
            half = scored(collection, system)
        figures[collection.name] = {
            "queries": len(collection.queries),
            "dense": means(dense),
            "lexical": means(lexical),
            "half and half": means(half),
            "ours": means(ours),
            "ours less half and half": differences(ours, half),
        }
        print(collection.name, figures[collection.name], flush=True)
    return figures


def ablation(collections: Sequence[Collection], folder: Path) -> dict[str, object]:
    figures: dict[str, object] = {}
    for collection in collections:
        system = opened(collection, folder / collection.name)
        ours = scored(collection, system)
        rows = figures[collection.name] = {"queries": len(collection.queries), "ours": means(ours)}
        with half_and_half():
            rows["half and half"] = means(scored(collection, system))
        for name, (_, values) in OTHERS.items():
            for value in values:
                with constant(name, value):
                    rows[f"{name} {value}"] = means(scored(collection, system))
                print(collection.name, name, value, rows[f"{name} {value}"], flush=True)
        for settings in CHUNKS:
            other = opened(collection, folder / f"{collection.name}-{settings.size}-{settings.overlap}", settings)
            rows[f"chunk size {settings.size}, overlap {settings.overlap}"] = means(scored(collection, other))
            print(collection.name, settings, flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tuning", action="store_true")
    parser.add_argument("--work", type=Path, help="where indexes are kept (default: nowhere)")
    options = parser.parse_args()
    names = ("cranfield", "squad-v2.0-dev") if options.tuning else ("scifact", "cranfield", "squad-v2.0-dev")
    collections = [half(options.data / name, tuning=options.tuning) for name in names]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.work or Path(scratch)
        if options.tuning:
            record("retrieval_tuning", ablation(collections, folder))
        else:
            record("retrieval", reported(collections, folder))


if __name__ == "__main__":
    main()
