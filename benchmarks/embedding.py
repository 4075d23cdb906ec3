"""Texts to vectors on one core: our embedder against sentence-transformers, and against the machine's limit.

    python benchmarks/embedding.py --data ../shared/data

The same paragraphs in interleaved rounds, one process, one thread, on one core. The limit is sgemm: the four
multiplications of a layer, at the batch of tokens that our embedder runs, by whichever of numpy and torch is
faster. Counted are the operations of the tokens that a text has; those spent on padding are lost.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from articles import SQUAD
from asked import squad_passages
from plain import model
from recording import record
from running import one_core

# all-MiniLM-L6-v2 (its config.json): layers, width, width within the feed-forward part.
LAYERS, WIDTH, WIDE = 6, 384, 1536
# (in, out) of a layer's multiplications: queries, keys and values; attention's output; the feed-forward part.
LAYER = ((WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, WIDE), (WIDE, WIDTH))
# Tokens of a multiplication, and how many layers are multiplied a measurement.
TOKENS, REPEATED = 1024, 20


def operations(tokens: int) -> int:
    """Floating-point operations of a forward pass over a text of so many tokens: a multiplication and an
    addition for each weight and token, and for each pair of tokens in the scores and in what they weigh.
    """
    weights = sum(inside * outside for inside, outside in LAYER)
    return LAYERS * (2 * tokens * weights + 4 * tokens * tokens * WIDTH)


def passages(data: Path, number: int) -> list[str]:
    """Paragraphs of SQuAD v2.0 dev, evenly spread."""
    texts = [row["text"] for row in squad_passages(data / SQUAD).rows]
    number = min(number, len(texts))
    return [texts[place * len(texts) // number] for place in range(number)]


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process, which has one core: the wall seconds on a quiet machine."""
    started = time.process_time()
    work()
    return time.process_time() - started


def multiplications() -> dict[str, Callable[[], object]]:
    """A layer's multiplications in each library, `REPEATED` times."""
    import numpy as np
    import torch

    generator = np.random.default_rng(7)
    arrays = [
        [generator.standard_normal(shape, dtype=np.float32) for shape in ((TOKENS, i), (i, o), (TOKENS, o))]
        for i, o in LAYER
    ]
    tensors = [[torch.from_numpy(array) for array in each] for each in arrays]

    def numpy() -> None:
        for _ in range(REPEATED):
            for left, right, product in arrays:
                np.matmul(left, right, out=product)

    def torch_() -> None:
        for _ in range(REPEATED):
            for left, right, product in tensors:
                torch.mm(left, right, out=product)

    return {"numpy": numpy, "torch": torch_}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=96)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    one_core()
    import numpy as np
    import torch

    from index.embedders import load_embedder

    torch.set_num_threads(1)
    texts = passages(options.data, options.passages)
    ours, library = load_embedder(), model()

    def encode(batch: int) -> Callable[[list[str]], "np.ndarray[tuple[int, int], np.dtype[np.float32]]"]:
        return lambda texts: library.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)

    systems = {"footnoted": ours.embed_passages, "batch 32": encode(32), "batch 8": encode(8)}
    vectors = {name: embed(texts[:8]) for name, embed in systems.items()}  # loaded, and warm
    multiplied = multiplications()
    spent: dict[str, list[float]] = {name: [] for name in (*systems, *multiplied)}
    for _ in range(options.runs):
        for name, embed in systems.items():
            started = time.process_time()
            vectors[name] = embed(texts)
            spent[name].append(time.process_time() - started)
        for name, work in multiplied.items():
            spent[name].append(seconds(work))

    tokens = [min(pieces, ours.window) + 2 for pieces in ours.count_pieces(texts)]
    useful = sum(map(operations, tokens)) / 1e9
    layer = REPEATED * sum(2 * TOKENS * inside * outside for inside, outside in LAYER) / 1e9
    sgemm = {name: layer / median(spent[name]) for name in multiplied}
    limit = max(sgemm, key=lambda name: sgemm[name])
    figures: dict[str, object] = {"passages": len(texts), "tokens": sum(tokens), "runs": options.runs}
    for name in systems:
        against = median(other / one for one, other in zip(spent[name], spent["batch 32"], strict=True))
        share = median(useful / one / (layer / other) for one, other in zip(spent[name], spent[limit], strict=True))
        figures[name] = {
            "passages_per_s": round(len(texts) / median(spent[name]), 2),
            "against batch 32": round(against, 3),
            "gflop_per_s": round(useful / median(spent[name]), 2),
            "share of sgemm": round(share, 3),
        }
    figures["sgemm"] = {"by": limit, **{f"{name}_gflop_per_s": round(rate, 1) for name, rate in sgemm.items()}}
    # Rows are unit: the sum of the products is the cosine.
    cosines = (vectors["footnoted"].astype(float) * vectors["batch 32"].astype(float)).sum(axis=1)
    figures["lowest cosine"] = round(float(cosines.min()), 7)
    record("embedding", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
