"""Answers, quotes and refusals on what nothing was chosen on.

    python benchmarks/answers.py --data ../shared/data

`--data` holds squad-v2.0-dev/ (all paragraphs, the questions of the articles that are not for tuning:
asked.py), seed/ (an article with contested claims, never tuned on) and papers/ (PDFs, never tuned on);
and chunking-evaluation/ and cranfield/, whose questions SQuAD's paragraphs do not answer.
`--pages DIR` keeps the pages that `footnoted eval` writes. Intervals are bootstraps of 95 %.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from asked import squad_halves
from recording import record

from eval.bootstrap import auroc, auroc_interval, interval
from eval.collections import load_collection
from eval.evaluation import evaluate_questions
from eval.question_reports import QuestionReport
from eval.questions import load_questions
from eval.quoting import contains
from eval.verdicts import judge
from eval.writing import write
from index import Index
from index.terms import terms
from rag.confidence import THRESHOLD
from rag.reader import BUNDLED, Reader
from rag.system import System

# Of an answer's key words, the share that its quotes must hold for the answer to be called covered.
COVERED = 0.5


def mean(values: Sequence[float]) -> list[float]:
    """The mean and its interval."""
    return [round(fmean(values), 4), *(round(end, 4) for end in interval(values))]


def parted(yes: Sequence[float], no: Sequence[float]) -> list[float]:
    """AUROC of confidence and its interval."""
    found, ends = auroc(yes, no), auroc_interval(yes, no)
    assert found is not None
    assert ends is not None
    return [round(found, 4), *(round(end, 4) for end in ends)]


def squad(data: Path, folder: Path, pages: Path | None, reader: Reader | None) -> dict[str, object]:
    system = System(Index.build([data / "squad-v2.0-dev" / "corpus.jsonl"], folder / "squad"), reader=reader)
    reported = squad_halves(data / "squad-v2.0-dev")[1]
    kept = {(one.question, bool(one.answers)) for one in reported}
    gold = {one.question: one.passage_id for one in reported if one.answers}
    every = load_questions(data / "squad-v2.0-dev" / "answers.jsonl")
    questions = [one for one in every if (one.question, one.answerable) in kept]
    report = evaluate_questions(questions, system)
    if pages:
        write(report, pages / "squad")
    answered = [v for v in report.verdicts if v.question.answerable]
    deceptive = [v.answer.confidence for v in report.verdicts if not v.question.answerable]
    three = [judge(v.question, v.attempt, 0.0, system.index) for v in answered]
    one = [system.answer(v.question.question, 0.0, citations=1).citations for v in answered]
    first = [any(_holds(c.quote, v.question.answers) for c in cited) for v, cited in zip(answered, one, strict=True)]
    marked = [(v, t) for v, t in zip(answered, three, strict=True) if t.answer.citations[0].answer]
    sure = [v.answer.confidence for v in answered]
    firsts = [v.answer.hits[0].passage.source.partition("#")[2] == gold[v.question.question] for v in answered]
    return {
        "answerable": len(answered),
        "deceptive": len(deceptive),
        "gold first": mean([float(right) for right in firsts]),
        "answer in one quote": mean([float(held) for held in first]),
        "answer in at most three": mean([float(v.quoted) for v in three]),
        "quotes": round(fmean(len(v.answer.citations) for v in three), 2),
        "short answer marked": round(len(marked) / len(answered), 4),
        "EM": mean([t.exact_match for t in three]),
        "F1": mean([t.f1 for t in three]),
        "EM of those marked": mean([t.exact_match for _, t in marked]),
        "F1 of those marked": mean([t.f1 for _, t in marked]),
        "refused of the answerable": mean([float(v.answer.abstained) for v in answered]),
        "refused of the deceptive": mean([float(one < THRESHOLD) for one in deceptive]),
        "AUROC against the deceptive": parted(sure, deceptive),
        **elsewhere(system, data, sure),
        "area under the risk-coverage curve": report.as_json()["risk_coverage"],
        "seconds": {name: round(value, 4) for name, value in report.latency.items()},
    }


def _holds(quote: str, accepted: Sequence[str]) -> bool:
    return any(contains(quote, one) for one in accepted)


def elsewhere(system: System, data: Path, sure: Sequence[float]) -> dict[str, object]:
    """Questions of other collections, which the paragraphs do not answer."""
    figures: dict[str, object] = {}
    for name in ("chunking-evaluation", "cranfield"):
        queries = load_collection(data / name).queries.values()
        doubts = [system.answer(query, 0.0).confidence for query in queries]
        figures[f"AUROC against {name}"] = parted(sure, doubts)
        figures[f"refused of {name}"] = mean([float(one < THRESHOLD) for one in doubts])
    return figures


def seed(data: Path, folder: Path, pages: Path | None, reader: Reader | None) -> dict[str, object]:
    system = System(Index.build([data / "seed" / "soviet-war-crimes.txt"], folder / "seed"), reader=reader)
    report: QuestionReport = evaluate_questions(load_questions(data / "seed" / "questions.jsonl"), system)
    if pages:
        write(report, pages / "seed")
    values = report.as_json()
    overview = system.answer("What is this document about?")
    facts = [one for one in load_questions(data / "seed" / "questions.jsonl") if one.type == "fact"]
    one = [system.answer(fact.question, 0.0, citations=1).citations for fact in facts]
    return {
        "facts in one quote": sum(_holds(cited[0].quote, fact.answers) for cited, fact in zip(one, facts, strict=True)),
        **{name: values[name] for name in ("types", "refusal", "quotes", "exact_quotes")},
        "overview": {"abstained": overview.abstained, "citations": len(overview.citations)},
    }


def papers(data: Path, folder: Path, reader: Reader | None) -> dict[str, object]:
    """The right file first, and the answer's key words (those that the question does not bring) in the quotes."""
    system = System(Index.build([data / "papers" / "pdfs"], folder / "papers"), reader=reader)
    rows = [json.loads(line) for line in (data / "papers" / "questions.jsonl").read_text().splitlines()]
    right: list[float] = []
    shares: list[float] = []
    refused: list[float] = []
    for row in rows:
        answer = system.answer(row["question"], 0.0)
        refused.append(float(answer.confidence < THRESHOLD))
        right.append(float(Path(answer.hits[0].passage.source).name in row["files"]))
        key = set(terms(row["answer"])) - set(terms(row["question"]))
        quoted = {word for one in answer.citations for word in terms(one.quote)}
        shares.append(len(key & quoted) / len(key) if key else 1.0)
    return {
        "questions": len(rows),
        "right file first": mean(right),
        "share of key words in the quotes": mean(shares),
        "any key word": mean([float(share > 0) for share in shares]),
        f"at least {COVERED:.0%} of the key words": mean([float(share >= COVERED) for share in shares]),
        "refused": mean(refused),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=Path, metavar="DIR")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def measured(reader: Reader | None, pages: Path | None) -> dict[str, object]:
            return {
                "seed": seed(options.data, folder, pages, reader),
                "papers": papers(options.data, folder, reader),
                "squad": squad(options.data, folder, pages, reader),
            }

        figures = {**measured(BUNDLED, options.pages), "without a reader": measured(None, None)}
    record("answers", figures)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
