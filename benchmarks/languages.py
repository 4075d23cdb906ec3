"""Retrieval in languages that the packaged model does not know, and what telling them apart costs.

    python benchmarks/languages.py --data ../shared/data

`--data` holds xquad/ (the same paragraphs and questions in each language, BEIR layout). Of the
questions in order of their ids the first, third, ... chose index/stopwords.py, pairs of characters and
rag/fusion.py: FOREIGN_DENSE_WEIGHT; the others are reported. `half and half` is the fusion that is used
where the model knows the language.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import fmean

from recording import record

from eval.collections import load_collection
from eval.evaluation import evaluate
from eval.reports import Report
from index import Index
from index.languages import language_of
from rag import System, retrieval
from rag.retrieval import MODES

LANGUAGES = ("en", "de", "es", "zh")
MEASURES = ("Success@1", "nDCG@10")
DEPTH = 100  # passages of a query: ten times what the measures look at


def reported(report: Report) -> dict[str, float]:
    """Means over the half that nothing was chosen on."""
    rows = sorted(report.per_query, key=lambda row: row.query)[1::2]
    return {name: round(fmean(row.metrics[name] for row in rows), 4) for name in report.metrics}


def retrieved(folder: Path, at: Path) -> dict[str, object]:
    collection = load_collection(folder)
    texts = [json.loads(line)["text"] for line in collection.corpus.read_text(encoding="utf-8").splitlines()]
    language_of("Das Haus.")  # what is loaded once is no cost of a text
    started = time.process_time()
    told = [language_of(text) for text in texts]
    telling = time.process_time() - started
    started = time.process_time()
    system = System(Index.build([collection.corpus], at))
    indexing = time.process_time() - started
    figures: dict[str, object] = {mode: reported(evaluate(collection, system, mode, MEASURES, DEPTH)) for mode in MODES}
    chosen, retrieval.FOREIGN_DENSE_WEIGHT = retrieval.FOREIGN_DENSE_WEIGHT, retrieval.DENSE_WEIGHT
    figures["half and half"] = reported(evaluate(collection, system, "fused", MEASURES, DEPTH))
    retrieval.FOREIGN_DENSE_WEIGHT = chosen
    figures["language told of documents"] = {code: told.count(code) for code in sorted(set(told))}
    figures["telling it, share of indexing's CPU time"] = round(telling / indexing, 4)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures: dict[str, object] = {
            language: retrieved(options.data / "xquad" / language, Path(folder) / language) for language in LANGUAGES
        }
    record("languages", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
