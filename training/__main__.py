"""Train the reader from all-MiniLM-L6-v2 and write its weights.

    python -m training --data ../shared/data --work /tmp/training

Stages, each of which is done once and kept in --work: the rows and an index of their texts, the negatives
that our own retrieval finds, the training (a checkpoint every 250 steps; start the same command again after
a stop), the weights. --data holds train/ and what is evaluated, of which no row, question or text is used.
"""

import argparse
import sys
import time
from pathlib import Path

from index import Index
from index.minilm import minilm_folder

from .claims import load_claims
from .evaluated import load_evaluated
from .examples import epoch, shown
from .export import export
from .fitting import fit
from .negatives import build_index, load_mined, mine
from .rows import load_rows

WEIGHTS = Path(__file__).parent.parent / "rag" / "reader.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--groups", type=int, default=120_000, help="questions trained on, repeated ones counted")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights are written")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    evaluated = load_evaluated(options.data)
    rows = load_rows(options.data / "train", evaluated)
    _say(f"{len(rows.rows)} questions on {len(rows.texts)} texts; left out, being evaluated: {dict(rows.left_out)}")
    claimed = load_claims(options.data / "train", evaluated)
    _say(f"{len(claimed)} claims")
    if not (options.work / "mined.jsonl").exists():
        build_index(rows, options.work)
        _say("texts indexed")
        mine(rows, options.work)
    mined = [one for one in load_mined(options.work) if not one.held]
    first = sum(one.rank == 1 for one in mined) / len(mined)
    _say(f"{len(mined)} questions to train on; retrieval alone has the right text first for {first:.3f}")
    passages = shown(Index.open(options.work / "index"))
    model = fit(minilm_folder(), lambda seed: epoch(mined, passages, seed), options.groups, claimed, options.work, _say)
    export(model, options.out)
    _say(f"wrote {options.out}")


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
