"""What asking a file of questions gives: how many answers are right, and what went wrong with the rest."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from .bootstrap import auroc, interval
from .files import write_json, write_rows
from .reports import columns
from .verdicts import Verdict


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """Every verdict, in the order of the questions. `seconds` is the time of all answers."""

    verdicts: tuple[Verdict, ...]
    seconds: float
    config: dict[str, object] = field(default_factory=dict)

    def as_json(self, folder: str | Path | None = None) -> dict[str, object]:
        """The object of `footnoted eval --questions --json`; `folder` is where `write` put the files.

        `metrics` holds the share of right answers, over all and by type; `refusal` is the table of
        refusals, with answerable questions that were refused, and so on; `confidence_auroc` tells how well
        confidence parts answerable from unanswerable questions, null unless there are both.
        """
        at = Path(folder).resolve() if folder is not None else None
        rights = {name: [float(v.right) for v in group] for name, group in self._groups().items()}
        return {
            "questions": len(self.verdicts),
            "metrics": {name: fmean(values) for name, values in rights.items()},
            "ci": {name: list(interval(values)) for name, values in rights.items()},
            "types": {name: _counts(group) for name, group in self._types().items()},
            "refusal": self.refusal(),
            "confidence_auroc": self.confidence_auroc(),
            "quotes": sum(len(v.answer.citations) for v in self.verdicts),
            "exact_quotes": sum(v.exact for v in self.verdicts),
            "per_query": str(at / "per_query.jsonl") if at else None,
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

    def confidence_auroc(self) -> float | None:
        """Probability that an answerable question gets more confidence than an unanswerable one."""
        return auroc(
            [v.answer.confidence for v in self.verdicts if v.question.answerable],
            [v.answer.confidence for v in self.verdicts if not v.question.answerable],
        )

    def write(self, folder: str | Path) -> Path:
        """Write report.json, config.json and per_query.jsonl (a row a question); the folder's path."""
        at = Path(folder).expanduser().resolve()
        write_rows(at / "per_query.jsonl", map(_row, self.verdicts))
        write_json(at / "config.json", self.config)
        write_json(at / "report.json", self.as_json(at))
        return at

    def table(self) -> str:
        """A table for a terminal: one row a type, then refusals, exactness and the wrong answers."""
        head = ("type", "questions", "right", "quoted", "supported", "retrieved", "refused")
        groups = self._types() | ({"all": list(self.verdicts)} if len(self._types()) > 1 else {})
        rows = [(name, *(str(count) for count in _cells(group))) for name, group in groups.items()]
        refusal, area = self.refusal(), self.confidence_auroc()
        quotes = sum(len(v.answer.citations) for v in self.verdicts)
        unanswerable = sum(not v.question.answerable for v in self.verdicts)
        lines = [
            columns([head, *rows]),
            "",
            f"{sum(v.exact for v in self.verdicts)} of {quotes} quotes are exact",
            f"refused: {refusal['unanswerable_refused']} of {unanswerable} unanswerable questions, "
            f"{refusal['answerable_refused']} of {len(self.verdicts) - unanswerable} answerable ones",
        ]
        if area is not None:
            lines.append(f"confidence parts them with an AUROC of {area:.3f}")
        wrong = [v for v in self.verdicts if not v.right]
        lines += [f"wrong: {v.question.id} ({v.question.type}) {_one_line(v.question.question)}" for v in wrong[:20]]
        lines += [f"... and {len(wrong) - 20} more"] if len(wrong) > 20 else []
        return "\n".join(lines)

    def _types(self) -> dict[str, list[Verdict]]:
        groups: dict[str, list[Verdict]] = {}
        for v in self.verdicts:
            groups.setdefault(v.question.type, []).append(v)
        return groups

    def _groups(self) -> dict[str, list[Verdict]]:
        """The verdicts of each measure: "right" over all, "right:TYPE" over one type."""
        return {"right": list(self.verdicts)} | {f"right:{name}": group for name, group in self._types().items()}


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


def _row(v: Verdict) -> dict[str, object]:
    return {
        "query": v.question.id,
        "type": v.question.type,
        "text": v.question.question,
        "metrics": {"right": float(v.right), f"right:{v.question.type}": float(v.right)},
        "answer": v.answer.text,
        "quotes": [{"source": c.source, "start": c.start, "end": c.end, "quote": c.quote} for c in v.answer.citations],
        "confidence": v.answer.confidence,
        "abstained": v.answer.abstained,
        "quoted": v.quoted,
        "supported": v.supported,
        "support": len(v.question.support),
        "exact": v.exact,
        "retrieved": v.retrieved,
        "word_recall": v.recall,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())
