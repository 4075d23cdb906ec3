"""Retrieval with the model as a graph and through sentence-transformers: the same figures?

    python benchmarks/both_ways.py --data ../shared/data

SciFact, all of it, and the half of SQuAD v2.0 dev that nothing was chosen on (retrieval.py), indexed and searched once
each way.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from recording import record
from retrieval import MEASURES, half, means, scored

from index.embedders import load_embedder
from index.embedding import Embedder
from index.indexing import update
from index.library_embedder import LibraryEmbedder
from index.minilm import minilm_folder
from rag.system import System


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    ways: dict[str, Embedder] = {
        "graph": load_embedder(),
        "sentence-transformers": LibraryEmbedder(str(minilm_folder())),
    }
    figures: dict[str, object] = {}
    for name in ("scifact", "squad-v2.0-dev"):
        collection = half(options.data / name, tuning=False)
        found = {}
        with tempfile.TemporaryDirectory() as scratch:
            for way, embedder in ways.items():
                at, started = Path(scratch) / way, time.process_time()
                update(at, [collection.corpus], embedder=embedder)
                built = time.process_time() - started
                values = scored(collection, System.open(at, embedder=embedder, reader=None))
                found[way] = {**means(values), "build cpu s": round(built, 1)}
                print(name, way, found[way], flush=True)
        graph, library = found["graph"], found["sentence-transformers"]
        same = all(round(graph[measure], 2) == round(library[measure], 2) for measure in MEASURES)
        figures[name] = {"queries": len(collection.queries), **found, "the same to the second decimal": same}
    record("both_ways", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
