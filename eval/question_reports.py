"""What asking a file of questions gives: how many answers are right, and what went wrong with the rest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from .bootstrap import auroc, auroc_interval, interval
from .reports import by_measure, columns
from .risk import Bin, RiskCoverage, calibration_error, percentiles, reliability, risk_coverage
from .short_answers import short_answer
from .verdicts import Verdict

MEASURES = ("answered", "contains", "EM", "F1", "citation precision", "citation recall")
CURVE = 200
"""Points of the risk-coverage curve in the JSON, at most."""


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """Every verdict, in the order of the questions, and what they come to.

    `metrics` are means, fractions of 1, `ci` their 95 % bootstrap intervals over questions and `counts` the
    number of questions of each; see `measures`. `confidence_auroc` tells how well confidence parts answerable
    from unanswerable questions, None unless there are both. `risk` is the curve over all questions, where an
    answer to an unanswerable one is wrong. `seconds` is the time of all answers.
    """

    verdicts: tuple[Verdict, ...]
    seconds: float
    config: dict[str, object]
    threshold: float
    metrics: dict[str, float]
    ci: dict[str, tuple[float, float]]
    counts: dict[str, int]
    confidence_auroc: float | None
    confidence_auroc_ci: tuple[float, float] | None
    risk: RiskCoverage
    calibration: tuple[Bin, ...]
    latency: dict[str, float]

    def as_json(self, folder: str | Path | None = None) -> dict[str, object]:
        """The object of `footnoted eval --questions --json`; `folder` is where `write` put the files."""
        at = Path(folder).resolve() if folder is not None else None
        area = self.confidence_auroc_ci
        return {
            "questions": len(self.verdicts),
            "metrics": self.metrics,
            "ci": {name: list(ends) for name, ends in self.ci.items()},
            "counts": self.counts,
            "types": self.type_counts(),
            "refusal": self.refusal(),
            "confidence_auroc": self.confidence_auroc,
            "confidence_auroc_ci": list(area) if area else None,
            "risk_coverage": self._risk_values(),
            "calibration": {
                "error": calibration_error(self.calibration),
                "bins": [
                    {"count": one.count, "confidence": one.confidence, "right": one.share, "ci": list(one.ci)}
                    for one in self.calibration
                ],
            },
            "latency_s": self.latency,
            "quotes": sum(len(v.answer.citations) for v in self.verdicts),
            "exact_quotes": sum(v.exact for v in self.verdicts),
            "per_query": str(at / "per_query.jsonl") if at else None,
            "page": str(at / "report.html") if at else None,
            "seconds": round(self.seconds, 3),
        }

    def refusal(self) -> dict[str, int]:
        """Counts of answered and refused, answerable and unanswerable questions."""
        counts = {
            "answerable_answered": 0,
            "answerable_refused": 0,
            "unanswerable_answered": 0,
            "unanswerable_refused": 0,
        }
        for v in self.verdicts:
            asked = "answerable" if v.question.answerable else "unanswerable"
            counts[f"{asked}_{'refused' if v.answer.abstained else 'answered'}"] += 1
        return counts

    def type_counts(self) -> dict[str, dict[str, float]]:
        """What became of the questions of each type, in the order in which the types are met."""
        return {name: _counts(group) for name, group in self._types().items()}

    def rows(self) -> Iterator[dict[str, object]]:
        """A row a question, as per_query.jsonl has it."""
        return map(_row, self.verdicts)

    def table(self) -> str:
        """Tables for a terminal: one row a type, one row a measure, then refusals, time and the wrong answers."""
        head = ("type", "questions", "right", "quoted", "supported", "retrieved", "refused")
        groups = self._types() | ({"all": list(self.verdicts)} if len(self._types()) > 1 else {})
        rows = [(name, *(str(count) for count in _cells(group))) for name, group in groups.items()]
        means = [
            (name, f"{mean:.3f}", f"{self.ci[name][0]:.3f} to {self.ci[name][1]:.3f}", str(self.counts[name]))
            for name, mean in self.metrics.items()
        ]
        quotes = sum(len(v.answer.citations) for v in self.verdicts)
        lines = [
            columns([head, *rows]),
            "",
            columns([("measure", "mean", "95 % interval", "of"), *means]),
            "",
            f"{sum(v.exact for v in self.verdicts)} of {quotes} quotes are exact",
            *self._refusal_lines(),
            "a question took " + ", ".join(f"{1000 * s:.0f} ms ({name})" for name, s in self.latency.items()),
        ]
        wrong = [v for v in self.verdicts if not v.right]
        lines += [f"wrong: {v.question.id} ({v.question.type}) {_one_line(v.question.question)}" for v in wrong[:20]]
        lines += [f"... and {len(wrong) - 20} more"] if len(wrong) > 20 else []
        return "\n".join(lines)

    def _types(self) -> dict[str, list[Verdict]]:
        groups: dict[str, list[Verdict]] = {}
        for v in self.verdicts:
            groups.setdefault(v.question.type, []).append(v)
        return groups

    def _refusal_lines(self) -> list[str]:
        refusal, at = self.refusal(), self.risk.at(self.threshold)
        unanswerable = sum(not v.question.answerable for v in self.verdicts)
        lines = [
            f"refused: {refusal['unanswerable_refused']} of {unanswerable} unanswerable questions, "
            f"{refusal['answerable_refused']} of {len(self.verdicts) - unanswerable} answerable ones"
        ]
        if self.confidence_auroc is not None and self.confidence_auroc_ci:
            low, high = self.confidence_auroc_ci
            lines.append(
                f"confidence parts them with an AUROC of {self.confidence_auroc:.3f} ({low:.3f} to {high:.3f})"
            )
        return [
            *lines,
            f"at the threshold {self.threshold:g}: coverage {at.coverage:.3f}, risk {at.risk:.3f}; "
            f"area under the risk-coverage curve {self.risk.aurc:.3f} ({self.risk.ci[0]:.3f} to {self.risk.ci[1]:.3f})",
        ]

    def _risk_values(self) -> dict[str, object]:
        at, refusal, points = self.risk.at(self.threshold), self.refusal(), self.risk.points
        step = -(-len(points) // CURVE)
        kept = [point for place, point in enumerate(points, 1) if place % step == 0 or place == len(points)]
        return {
            "threshold": self.threshold,
            "coverage": at.coverage,
            "risk": at.risk,
            "refused_answerable": _share(refusal["answerable_refused"], refusal["answerable_answered"]),
            "refused_unanswerable": _share(refusal["unanswerable_refused"], refusal["unanswerable_answered"]),
            "aurc": self.risk.aurc,
            "aurc_ci": list(self.risk.ci),
            "curve": [{"threshold": p.threshold, "coverage": p.coverage, "risk": p.risk} for p in kept],
        }


def summarise(
    verdicts: Sequence[Verdict], seconds: float, threshold: float, config: Mapping[str, object]
) -> QuestionReport:
    """The report of these verdicts, of which there must be one at least, all judged at `threshold`."""
    values = by_measure(map(measures, verdicts))
    ordered = sorted(values, key=_order)
    sure = [[v.attempt.confidence for v in verdicts if v.question.answerable is kind] for kind in (True, False)]
    confidences = [0.0 if v.attempt.abstained else v.attempt.confidence for v in verdicts]
    return QuestionReport(
        verdicts=tuple(verdicts),
        seconds=seconds,
        config=dict(config),
        threshold=threshold,
        metrics={name: fmean(values[name]) for name in ordered},
        ci={name: interval(values[name]) for name in ordered},
        counts={name: len(values[name]) for name in ordered},
        confidence_auroc=auroc(*sure),
        confidence_auroc_ci=auroc_interval(*sure),
        risk=risk_coverage(confidences, [not v.attempt_right for v in verdicts]),
        calibration=reliability(confidences, [v.attempt_right for v in verdicts]),
        latency=percentiles([v.seconds for v in verdicts]),
    )


def measures(v: Verdict) -> dict[str, float]:
    """One question's values, larger is better; a measure that does not apply to it is left out.

    right, right:TYPE   see `verdicts.judge`
    answered            an answerable question was not refused
    contains, EM, F1    of questions with accepted answers: one stands in a quote; the short answer's match.
                        A refusal scores 0
    citation precision  of answers with citations; citation recall: of questions with support. Gao et al.,
                        Enabling large language models to generate text with citations (EMNLP 2023), with the
                        words of the judgements in place of a model
    """
    found = {"right": float(v.right), f"right:{v.question.type}": float(v.right)}
    if v.question.answerable:
        found["answered"] = float(not v.answer.abstained)
    if v.question.answers:
        found |= {"contains": float(v.quoted), "EM": v.exact_match, "F1": v.f1}
    if v.precision is not None:
        found["citation precision"] = v.precision
    if v.citation_recall is not None:
        found["citation recall"] = v.citation_recall
    return found


def _order(name: str) -> tuple[int, int]:
    """All of "right" first, then as `measures` lists them."""
    return (0, 0) if name == "right" else (1, 0) if name.startswith("right:") else (2, MEASURES.index(name))


def _counts(group: list[Verdict]) -> dict[str, float]:
    answered = [v.recall for v in group if v.question.answers]
    return {
        "questions": len(group),
        "right": sum(v.right for v in group),
        "quoted": sum(v.quoted for v in group),
        "supported": sum(v.supported > 0 for v in group),
        "retrieved": sum(v.retrieved for v in group),
        "refused": sum(v.answer.abstained for v in group),
        "quotes": sum(len(v.answer.citations) for v in group),
        "exact_quotes": sum(v.exact for v in group),
        "word_recall": fmean(answered) if answered else 0.0,
    }


def _cells(group: list[Verdict]) -> Iterable[float]:
    counts = _counts(group)
    return (counts[name] for name in ("questions", "right", "quoted", "supported", "retrieved", "refused"))


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None


def _row(v: Verdict) -> dict[str, object]:
    return {
        "query": v.question.id,
        "type": v.question.type,
        "text": v.question.question,
        "metrics": measures(v),
        "answer": v.answer.text,
        "short_answer": short_answer(v.answer),
        "quotes": [{"source": c.source, "start": c.start, "end": c.end, "quote": c.quote} for c in v.answer.citations],
        "confidence": v.answer.confidence,
        "abstained": v.answer.abstained,
        "attempt_right": v.attempt_right,
        "quoted": v.quoted,
        "supported": v.supported,
        "support": len(v.question.support),
        "exact": v.exact,
        "retrieved": v.retrieved,
        "word_recall": v.recall,
        "seconds": round(v.seconds, 6),
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())
