"""R21: every quote is the exact text of the stored document at its offsets, and no number is invented.

    python -m benchmarks.reliability.exact_quotes --data ../shared/data

Asks the questions of the seed and of the papers, and SciFact's claims and titles as questions, until
there are `--runs` answers, with the threshold at 0, so that nothing is refused.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

from benchmarks.recording import record
from index import Index
from rag.system import System

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MARKER = re.compile(r"\[(\d+)\]")


def rows(file: Path, key: str) -> list[str]:
    return [json.loads(line)[key] for line in file.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--abstracts", type=int, default=1500, help="of SciFact's, in their order")
    options = parser.parse_args()
    seed, papers, scifact = options.data / "seed", options.data / "papers", options.data / "scifact"
    answers = quotes = inexact = unmarked = invented = 0
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "corpus.jsonl"
        lines = (scifact / "corpus.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        part.write_text("".join(lines[: options.abstracts]), encoding="utf-8")
        sets = [
            (seed / "soviet-war-crimes.txt", rows(seed / "questions.jsonl", "question")),
            (papers / "pdfs", rows(papers / "questions.jsonl", "question")),
            (part, rows(scifact / "queries.jsonl", "text") + rows(part, "title")),
        ]
        for number, (documents, questions) in enumerate(sets):
            Index.build([documents], Path(folder) / str(number))
            system = System.open(Path(folder) / str(number))
            for question in questions[: options.runs - answers]:
                if not question.strip():
                    continue
                answer = system.answer(question, 0)
                answers += 1
                markers = [int(marker) for marker in _MARKER.findall(answer.text)]
                unmarked += markers != [one.marker for one in answer.citations]
                quoted = set()
                for one in answer.citations:
                    quotes += 1
                    text = system.index.document(one.source).text
                    inexact += text[one.start : one.end] != one.quote
                    quoted |= set(_NUMBER.findall(one.quote))
                said = set(_NUMBER.findall(_MARKER.sub("", answer.text.replace("\u2060", ""))))
                invented += bool(answer.citations) and not said <= quoted
    figures = {
        "answers": answers, "quotes": quotes, "inexact quotes": inexact,
        "markers that do not match": unmarked, "answers with a number that no quote has": invented,
    }  # fmt: skip
    record("exact_quotes", {**figures, "asked": "0 inexact, 0 invented over at least 1,000 answers"})
    print(json.dumps(figures))
    sys.exit(1 if inexact or unmarked or invented or answers < options.runs else 0)


if __name__ == "__main__":
    main()
