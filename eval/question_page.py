"""The report of a file of questions as a page."""

from rag.answers import Answer

from . import html, plots
from .html import Cell, Figure, Row
from .question_reports import QuestionReport
from .questions import CONTESTED
from .risk import calibration_error
from .verdicts import Verdict

RIGHT, REFUSED_RIGHTLY = "right", "rightly refused"
WRONG, REFUSED, ANSWERED = "wrong", "refused", "not refused"
HEADLINES = ("right", "contains", "F1", "citation precision", "citation recall")
TYPE_COUNTS = ("questions", "right", "quoted", "supported", "retrieved", "refused")
HITS = 3
"""Passages that the details of a question show."""


def question_page(report: QuestionReport) -> str:
    """One self-contained HTML file."""
    name = str(report.config.get("questions") or "Questions")
    facts = [
        f"{len(report.verdicts):,} questions",
        f"threshold {report.threshold:g}",
        *html.system_facts(report.config),
    ]
    ordered = sorted(report.verdicts, key=_badness)
    answerable = sum(v.question.answerable for v in report.verdicts)
    kinds = f"{answerable:,} answerable, {len(report.verdicts) - answerable:,} unanswerable"
    return html.page(
        name,
        "Footnoted: answers to questions",
        facts,
        [
            html.section("Figures", html.figures(_figures(report))),
            html.section("How sure, how right, how fast", html.plots(_plots(report))),
            html.section(
                "All measures",
                html.side_by_side(
                    html.table(["measure", "mean", "95 % interval", "questions"], _measures(report), "numbers"),
                    html.table(["type", *TYPE_COUNTS], _types(report), "numbers"),
                ),
            ),
            html.section(
                "Questions",
                html.query_table(
                    ["outcome", "confidence", "F1", "ms"],
                    [_row(v, report.threshold) for v in ordered[: html.LISTED]],
                    len(ordered),
                    "questions",
                ),
                lead=f"{kinds}; the wrong ones first, of these the surest first. Click one to see why.",
            ),
            html.section("What was run", html.table(["setting", "value"], html.settings(report.config))),
        ],
    )


def _figures(report: QuestionReport) -> list[Figure]:
    at = report.risk.at(report.threshold)
    shown = [
        Figure(name, html.fraction(report.metrics[name]), report.ci[name], f"of {report.counts[name]:,}")
        for name in HEADLINES
        if name in report.metrics
    ]
    if report.confidence_auroc is not None:
        shown.append(Figure("refusal AUROC", html.fraction(report.confidence_auroc), report.confidence_auroc_ci))
    spread = f"95 % within {_milliseconds(report.latency['p95'])}"
    return [
        *shown,
        Figure("risk as run", html.fraction(at.risk), None, f"wrong of the {_percent(at.coverage)} answered"),
        Figure("median time", _milliseconds(report.latency["p50"]), None, spread),
    ]


def _measures(report: QuestionReport) -> list[list[str]]:
    every = f"{len(report.verdicts):,}"
    rows = [(name, mean, report.ci[name], f"{report.counts[name]:,}") for name, mean in report.metrics.items()]
    if report.confidence_auroc is not None and report.confidence_auroc_ci:
        rows.append(("refusal AUROC", report.confidence_auroc, report.confidence_auroc_ci, every))
    rows.append(("area under risk-coverage", report.risk.aurc, report.risk.ci, every))
    return [[name, html.fraction(mean), " to ".join(map(html.fraction, ci)), of] for name, mean, ci, of in rows]


def _types(report: QuestionReport) -> list[list[str]]:
    return [[name, *(f"{counts[one]:,}" for one in TYPE_COUNTS)] for name, counts in report.type_counts().items()]


def _plots(report: QuestionReport) -> list[tuple[str, str, str]]:
    return [_risk_plot(report), _calibration_plot(report), _confidence_plot(report), _latency_plot(report)]


def _risk_plot(report: QuestionReport) -> tuple[str, str, str]:
    at = report.risk.at(report.threshold)
    all_answered = report.risk.points[-1].risk
    caption = (
        f"If the questions are answered from the surest down: the share of the answers that is wrong. The dot is the "
        f"threshold {report.threshold:g}: {_percent(at.coverage)} answered, {_percent(at.risk)} of these wrong. "
        f"Answering everything: {_percent(all_answered)} wrong. The area under the curve is {report.risk.aurc:.3f}."
    )
    points = [
        (p.coverage, p.risk, f"threshold {p.threshold:.3f}: coverage {p.coverage:.3f}, risk {p.risk:.3f}")
        for p in report.risk.points
    ]
    told = f"threshold {report.threshold:g}, as run: coverage {at.coverage:.3f}, risk {at.risk:.3f}"
    labels = plots.Labels("Risk and coverage", caption, "coverage: share answered", "risk: share wrong")
    return "Risk and coverage", plots.risk_curve(labels, points, (at.coverage, at.risk, told)), caption


def _calibration_plot(report: QuestionReport) -> tuple[str, str, str]:
    caption = (
        f"Questions of like confidence, and the share that is answered rightly, with its 95 % interval; larger dots "
        f"are more questions. On the line, confidence is that share; the mean distance from it is "
        f"{calibration_error(report.calibration):.3f}."
    )
    dots = [
        (b.confidence, b.share, *b.ci, b.count, f"confidence {b.confidence:.2f}: {b.share:.2f} right of {b.count}")
        for b in report.calibration
    ]
    labels = plots.Labels("Reliability of the confidence", caption, "confidence", "share right")
    return "Reliability of the confidence", plots.calibration(labels, dots), caption


def _confidence_plot(report: QuestionReport) -> tuple[str, str, str]:
    kinds = [[v.attempt.confidence for v in report.verdicts if v.question.answerable is kind] for kind in (True, False)]
    refused = sum(v.answer.abstained for v in report.verdicts)
    upside = "upwards the answerable ones, downwards those without an answer; " if all(kinds) else ""
    caption = f"How many questions have which confidence: {upside}{refused:,} of {len(report.verdicts):,} were refused."
    labels = plots.Labels("Confidence", caption, "confidence", "questions")
    shown, against = kinds if all(kinds) else ([*kinds[0], *kinds[1]], [])
    svg = plots.histogram(labels, shown, top=1.0, marks=[(report.threshold, "threshold")], against=against)
    return "Confidence", svg, caption


def _latency_plot(report: QuestionReport) -> tuple[str, str, str]:
    spoken = ", ".join(f"{name} {_milliseconds(s)}" for name, s in report.latency.items())
    caption = f"Time from a question to its answer, without what loading the index cost the first one: {spoken}."
    labels = plots.Labels("Time", caption, "milliseconds", "questions")
    marks = [(1000 * s, name) for name, s in report.latency.items()]
    return "Time", plots.histogram(labels, [1000 * v.seconds for v in report.verdicts], "ms", marks), caption


def outcome(v: Verdict) -> str:
    """In a word or three."""
    if v.right:
        return REFUSED_RIGHTLY if v.answer.abstained else RIGHT
    if not v.question.answerable:
        return ANSWERED
    return REFUSED if v.answer.abstained else WRONG


def _badness(v: Verdict) -> tuple[bool, bool, float]:
    return v.right, v.answer.abstained, -v.answer.confidence


def _row(v: Verdict, threshold: float) -> Row:
    scored = bool(v.question.answers)
    return Row(
        v.question.question,
        f"{v.question.id}, {v.question.type}",
        [
            Cell(outcome(v), kind="words good" if v.right else "words bad"),
            Cell(f"{v.answer.confidence:.2f}", v.answer.confidence),
            Cell(f"{v.f1:.2f}", v.f1) if scored else Cell(""),
            Cell(f"{1000 * v.seconds:.0f}", v.seconds),
        ],
        _details(v, threshold),
    )


def _details(v: Verdict, threshold: float) -> str:
    gold = [(entry.quote, _place(entry.source, entry.span)) for entry in v.question.support]
    accepted = "; ".join(v.question.answers)
    rows = [
        ("verdict", html.escaped(_why(v, threshold))),
        ("accepted", html.escaped(accepted)),
        ("support", html.quotes(gold)),
        ("quoted", _quotes(v, v.answer)),
        ("would have said", _quotes(v, v.attempt) if v.answer.abstained else ""),
        ("nearest passages" if v.answer.abstained else "passages", _hits(v)),
    ]
    return html.pairs(rows)


def _quotes(v: Verdict, answer: Answer) -> str:
    return html.quotes([(c.quote, _place(c.source, (c.start, c.end))) for c in answer.citations], v.question.answers)


def _hits(v: Verdict) -> str:
    return html.ranking(
        [
            (place, h.passage.source, f"{h.score:.2f}", h.passage.text, False)
            for place, h in enumerate(v.answer.hits[:HITS], 1)
        ]
    )


def _why(v: Verdict, threshold: float) -> str:
    sure = f"confidence {v.answer.confidence:.2f}"
    if not v.question.answerable:
        if v.answer.abstained:
            return f"Rightly refused: {sure}, threshold {threshold:g}."
        return f"The documents do not answer this, and yet {sure} is not below the threshold {threshold:g}."
    wanted = "an accepted answer" if v.question.answers else "the support"
    lost = f"the passages found hold {wanted}: reading lost it" if v.retrieved else (
        f"no passage found holds {wanted}: searching lost it"
    )  # fmt: skip
    if v.answer.abstained:
        spoken = "would have been right" if v.attempt_right else f"would not have been right ({lost})"
        return f"Refused: {sure} is below the threshold {threshold:g}. The answer {spoken}."
    if v.question.type == CONTESTED:
        return f"{v.supported} of {len(v.question.support)} sides cited."
    if v.right:
        return f"A quote holds {wanted}."
    return f"No quote holds {wanted}; {lost}."


def _place(source: str | None, span: tuple[int, int] | None) -> str:
    at = f"characters {span[0]:,} to {span[1]:,}" if span else ""
    return ", ".join(part for part in (source, at) if part)


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
