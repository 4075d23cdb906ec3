"""Retrieval and answers on collections, through the command line, as a user would run it.

    python benchmarks/quality.py --data ../shared/data

`--data` holds scifact/ and cranfield/ (BEIR layout) and seed/. Nothing of SciFact or the seed was
tuned on; of Cranfield every second query chose one constant (rag/fusion.py: POOL), so only the
others are reported.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

import ir_measures
from recording import record

FOOTNOTED = Path(sys.executable).with_name("footnoted")
MODES = ("dense", "lexical", "fused")


def footnoted(*arguments: str | Path) -> dict[str, Any]:
    done = subprocess.run([FOOTNOTED, *arguments, "--json"], check=True, capture_output=True, text=True)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def retrieval(collection: Path, out: Path, *, other_half: bool = False) -> dict[str, dict[str, float]]:
    """Means by mode, and the same from a second tool's reading of run.trec."""
    rows = {}
    for mode in MODES:
        folder = out / f"{collection.name}-{mode}"
        report = footnoted("eval", collection, "--mode", mode, "--out", folder)
        if other_half:
            queries = [json.loads(line) for line in (folder / "per_query.jsonl").read_text().splitlines()]
            kept = sorted(queries, key=lambda row: row["query"])[1::2]
            rows[mode] = {name: round(fmean(row["metrics"][name] for row in kept), 4) for name in report["metrics"]}
            continue
        second = ir_measures.calc_aggregate(
            [ir_measures.nDCG @ 10, ir_measures.R @ 100],
            list(ir_measures.read_trec_qrels(str(folder / "qrels.trec"))),
            list(ir_measures.read_trec_run(str(folder / "run.trec"))),
        )
        rows[mode] = {name: round(value, 4) for name, value in report["metrics"].items()}
        rows[mode] |= {f"{name} by ir_measures": round(value, 4) for name, value in second.items()}
        rows[mode] |= {"nDCG@10 from": round(report["ci"]["nDCG@10"][0], 3), "to": round(report["ci"]["nDCG@10"][1], 3)}
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        figures: dict[str, object] = {
            "scifact": retrieval(options.data / "scifact", out),
            "cranfield, the half not tuned on": retrieval(options.data / "cranfield", out, other_half=True),
        }
        index = out / "seed"
        footnoted("index", options.data / "seed" / "soviet-war-crimes.txt", "--index", index)
        questions = options.data / "seed" / "questions.jsonl"
        report = footnoted("eval", "--questions", questions, "--index", index, "--out", out / "questions")
        figures["seed"] = {name: report[name] for name in ("types", "refusal", "quotes", "exact_quotes")}
    record("quality", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
