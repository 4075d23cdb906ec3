"""Questions answered by yes or no, judged with the reader's word and without it: rag/system.py takes it out.

python benchmarks/yes_or_no.py --data ../shared/data

BoolQ's development set, which nothing is trained on and nothing else is measured on: 700 texts in an index, the
first 300 questions, once with their text in it and once without. Prints the figures of docs/evaluation.md.
"""

import argparse
import gzip
import json
import random
import tempfile
from pathlib import Path
from statistics import fmean

from fit_reading import retrieved
from sklearn.metrics import roc_auc_score

from index import Index
from rag.confidence import THRESHOLD, confidence
from rag.questions import Question, Wanted
from rag.reader import BUNDLED
from rag.reading import read
from rag.rereading import read_again

TEXTS, QUESTIONS = 700, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    with gzip.open(options.data / "train" / "aux-boolq-dev.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    random.Random(0).shuffle(rows)
    sure: dict[tuple[str, bool], list[float]] = {}
    first: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "texts.jsonl"
        lines = [json.dumps({"_id": str(number), "text": row["context"]}) for number, row in enumerate(rows[:TEXTS])]
        corpus.write_text("\n".join(lines), encoding="utf-8")
        index = Index.build([corpus], Path(folder) / "index")
        sources = [index.passage(row).source for row in range(index.passages)]
        for number, row in enumerate(rows[:QUESTIONS]):
            question = Question.parse(f"{row['question'].strip().capitalize().rstrip('?')}?")
            if question.wanted is not Wanted.YES_OR_NO:
                continue
            for away in (False, True):
                found = retrieved(index, sources, question.text, str(number) if away else "")
                alone = found, read(index, question, found)
                for name, (hits, sentences) in (
                    ("without", alone),
                    ("with", read_again(BUNDLED, index, question, *alone)),
                ):
                    sure.setdefault((name, away), []).append(confidence(index, question, hits, sentences))
                    if not away:
                        source = hits.hits[0].passage.source
                        first.setdefault(name, []).append(source.partition("#")[2] == str(number))
    for name in ("without", "with"):
        here, gone = sure[name, False], sure[name, True]
        auroc = roc_auc_score([1] * len(here) + [0] * len(gone), here + gone)
        refused = [fmean(one < THRESHOLD for one in part) for part in (here, gone)]
        print(f"{name}: {len(here)} questions, right text first {fmean(first[name]):.3f}, AUROC {auroc:.3f},"
              f" refused {refused[0]:.3f}, with their text taken out {refused[1]:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
