"""Our chunker beside a plain recursive splitter: same tokens a passage, same embedder, same retrieval.

    pip install langchain-text-splitters
    python benchmarks/chunking.py --data ../shared/data
    python benchmarks/chunking.py --data ../shared/data --chunk-size 150 --overlap 0

`--data` holds chunking-evaluation/: five long documents, 472 questions, 790 judged spans (Smith and Troynikov 2024).
The splitter is LangChain's RecursiveCharacterTextSplitter with the separators of that study, which publishes
recall 75.7, precision 6.5 and IoU 6.5 for it at 200 tokens and MiniLM alone. It is run without overlap and with
ours. Every question counts, and the half that chose where a passage ends (every second one, in order of ids) is told
from the other; the measures are over the first 5 passages (eval/span_metrics.py). With the sizes of
the code the results are kept, with others they are printed only. What was tuned on what: docs/evaluation.md.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

from langchain_text_splitters import RecursiveCharacterTextSplitter
from recording import record

from eval import Report, evaluate_spans
from eval.bootstrap import interval, randomisation
from eval.collections import Collection, load_collection
from eval.span_metrics import K
from index import Index, reading
from index.chunking import ChunkSettings
from index.documents import Document, Passage
from index.inputs import Count
from index.tokens import ENCODING
from rag.system import System

MEASURES = ("token recall@5", "token precision@5", "token IoU@5", "span nDCG@5")
SEPARATORS = ["\n\n", "\n", ".", "?", "!", " ", ""]

Chunk = Callable[[Document, ChunkSettings, Count, int], list[Passage]]


def recursive(document: Document, settings: ChunkSettings, count_pieces: Count, window: int) -> list[Passage]:
    """The splitter in the place of `index.chunking.chunk`; a passage is one sentence, as search does not read it."""
    splitter = RecursiveCharacterTextSplitter.from_tiktoken_encoder(
        ENCODING,
        chunk_size=settings.size,
        chunk_overlap=settings.overlap,
        separators=SEPARATORS,
        disallowed_special=(),
    )
    passages: list[Passage] = []
    start = end = 0
    for text in splitter.split_text(document.text):
        # The splitter's own start_index takes tokens of overlap for characters. A chunk begins at most its
        # overlap before the end of the last one (no token here is longer than 12), or after the white space there.
        spaces = len(document.text) - end - len(document.text[end:].lstrip())
        first, last = max(start, end - 12 * settings.overlap), end + spaces + len(text)
        start = document.text.rindex(text, first, last)
        end = start + len(text)
        span = (start, end)
        id = f"{document.source}:{start}"
        passages.append(Passage(id, document.source, document.title, *span, text, sentences=(span,)))
    return passages


def measured(
    collection: Collection, chunk: Chunk, settings: ChunkSettings, at: Path
) -> tuple[Report, dict[str, object]]:
    """The report on the spans, and what was indexed; an index that is there already is used again."""
    with patch.object(reading, "chunk", chunk):
        index = Index.build([collection.corpus], at, settings=settings)
    report = evaluate_spans(collection.queries, collection.spans, System(index), K, depth=K)
    row: dict[str, object] = {"chunk size": settings.size, "overlap": settings.overlap, "passages": index.passages}
    for name in MEASURES:
        row[name] = round(report.metrics[name], 4)
        row[f"{name}, 95 %"] = [round(end, 4) for end in report.ci[name]]
    row["the half not tuned on"] = {
        name: round(fmean(one.metrics[name] for one in report.per_query if one.query in _rest(report)), 4)
        for name in MEASURES
    }
    return report, row


def _rest(report: Report) -> set[str]:
    """The queries that nothing was chosen on."""
    return set(sorted(one.query for one in report.per_query)[1::2])


def difference(ours: Report, plain: Report) -> dict[str, object]:
    """Ours less plain: mean, paired bootstrap interval and p of the paired randomisation test."""
    rows: dict[str, object] = {}
    for name in MEASURES:
        deltas = {
            one.query: one.metrics[name] - other.metrics[name]
            for one, other in zip(ours.per_query, plain.per_query, strict=True)
        }
        rows[name] = _summary(list(deltas.values()))
        rows[f"{name}, the half not tuned on"] = _summary([deltas[query] for query in sorted(_rest(ours))])
    return rows


def _summary(deltas: list[float]) -> dict[str, object]:
    return {
        "difference": round(fmean(deltas), 4),
        "95 %": [round(end, 4) for end in interval(deltas)],
        "p": round(randomisation(deltas), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--chunk-size", type=int, default=ChunkSettings().size, metavar="TOKENS")
    parser.add_argument("--overlap", type=int, default=ChunkSettings().overlap, metavar="TOKENS")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for the indexes, to be used again")
    options = parser.parse_args()
    settings = ChunkSettings(options.chunk_size, options.overlap)
    collection = load_collection(options.data / "chunking-evaluation")
    with tempfile.TemporaryDirectory() as folder:
        at = options.keep or Path(folder)
        ours, row = measured(collection, reading.chunk, settings, at / f"ours-{settings.size}-{settings.overlap}")
        figures: dict[str, object] = {"ours": row}
        for overlap in sorted({0, settings.overlap}):
            same = replace(settings, overlap=overlap)
            plain, row = measured(collection, recursive, same, at / f"recursive-{same.size}-{same.overlap}")
            figures[f"recursive, overlap {overlap}"] = row
            figures[f"ours less recursive, overlap {overlap}"] = difference(ours, plain)
    if settings == ChunkSettings():
        record("chunking", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
