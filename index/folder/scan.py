"""The nearest of many vectors, found by a scan over 4-bit codes; the caller scores the best by it exactly.

Product quantisation (Jégou, Douze, Schmid 2011, https://doi.org/10.1109/TPAMI.2010.57), its tables held in
registers (André, Kermarrec, Le Scouarnec 2017, https://arxiv.org/abs/1704.07355), as FAISS's IndexPQFastScan
has it. Every code is looked at. Inverted lists look at the nearest lists only, and the passages near to a
question lie in many of them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ..embedding import Vectors
from ..store import Measured

Ints = NDArray[np.int64]

CODES = "codes.faiss"
MEASURED = "codes.json"
# From this many passages on a segment is scanned; fewer are compared one by one.
PASSAGES = 4096
# Components of a vector that become one code of 4 bits.
_COMPONENTS = 4
# Vectors that the codes are trained on; FAISS wants 256 for each of the 16 codes, and takes no more.
_TRAINED_ON = 4096
# Of the ten nearest, the share that the first `depth` codes must hold.
RECALL, AT = 0.995, 10
# The least depth that is tried, and the share of all codes that it is; it is doubled up to four times. Sentences are
# nearer to their passages than questions are, and of many passages more are nearly as near. The share was chosen with
# questions of SQuAD's tuning half; benchmarks/scale.py reports on the other.
_LEAST, _SHARE, _DOUBLED = 100, 1 / 1000, 4


class Scan:
    """The codes of a segment, in the order of its rows. `dead` rows may be found: the caller drops them."""

    def __init__(self, folder: Path) -> None:
        self._codes: Any = faiss.read_index(str(folder / CODES))
        self.measured = Measured(**json.loads((folder / MEASURED).read_text()))

    def nearest(self, query: Vectors, count: int) -> Ints:
        """The rows of about the `count` nearest to a unit query (dim,)."""
        _, rows = self._codes.search(query[None], min(count, self._codes.ntotal))
        found: Ints = rows[0][rows[0] >= 0]
        return found


def write_scan(folder: Path, vectors: Any, queries: Vectors) -> None:
    """Write the codes of `vectors`, a FAISS index of n rows, to a segment's folder, and what they find for
    `queries` (m, dim). Nothing is written for few vectors, nor where codes do not find enough.
    """
    if vectors.ntotal < PASSAGES or vectors.d % _COMPONENTS or not len(queries):
        return
    codes = faiss.IndexPQFastScan(vectors.d, vectors.d // _COMPONENTS, 4, faiss.METRIC_INNER_PRODUCT)
    places = np.linspace(0, vectors.ntotal - 1, min(_TRAINED_ON, vectors.ntotal)).astype(np.int64)
    codes.train(vectors.reconstruct_batch(places))
    for first in range(0, vectors.ntotal, 1 << 16):
        codes.add(vectors.reconstruct_n(first, min(1 << 16, vectors.ntotal - first)))
    _, nearest = vectors.search(queries, AT)
    least = max(_LEAST, round(_SHARE * vectors.ntotal))
    depths = [least << times for times in range(_DOUBLED + 1)]
    measured = _measure(lambda depth: codes.search(queries, depth)[1], nearest, depths)
    if measured:
        faiss.write_index(codes, str(folder / CODES))
        (folder / MEASURED).write_text(json.dumps(asdict(measured)))


def _measure(found_at: Callable[[int], Ints], nearest: Ints, depths: Sequence[int]) -> Measured | None:
    """The least depth at which the nearest (m, AT) are found well enough; None if none is."""
    for depth in depths:
        found = found_at(depth)
        recall = float(np.mean([np.isin(row, rows).mean() for row, rows in zip(nearest, found, strict=True)]))
        if recall >= RECALL:
            return Measured(depth, round(recall, 4))
    return None
