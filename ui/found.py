"""How passages were found, and where a phrase was lost, as HTML in which every character of a document is escaped."""

from html import escape

from rag.answers import Answer, Hit
from rag.tracing import Trace

from .printing import place

_STAGES = (
    ("Passage", "best first"),
    ("Words", "BM25: the question's words, the rarer the more"),
    ("Meaning", "cosine of the question's vector and the passage's"),
    ("Fused", "both, from 0 to 1, and ordered again"),
    ("Reader", "how likely the passage answers, after it was read beside the question"),
    ("Score", "what the passages are ordered by"),
)
_WHY = (
    '<form class="why"><label>Why is this not here? Some words of the text that you miss'
    '<input name="phrase" required maxlength="1000" autocomplete="off"></label>'
    '<button type="submit">Find where it was lost</button><div class="lost" role="status"></div></form>'
)


def found_html(answer: Answer, threshold: float | None, documents: int | None) -> str:
    """How the passages were found, to be opened: what was searched for, scores and seconds by stage, and a box for a
    phrase that is missed.
    """
    sure = f"{answer.confidence:.2f}"
    if threshold is not None:
        sure += f", {'at least' if answer.confidence >= threshold else 'below'} the threshold {threshold:.2f}"
    where = f"generation {answer.generation} of the index"
    if documents is not None:
        where += f", {documents:,} documents"
    spent = answer.timings
    seconds = f"{spent.retrieve_s * 1000:.0f} ms to find passages, {spent.read_s * 1000:.0f} ms to read them"
    if answer.generator:
        seconds += f" and to have {escape(answer.generator)} write the answer"
    if spent.load_s:
        seconds += f", {spent.load_s * 1000:.0f} ms to open the index before the first question"
    facts = [
        ("Searched for", escape(answer.searched)),
        ("Searched in", where),
        ("Confidence", sure),
        ("Time", seconds),
    ]
    rows = "".join(_scores_row(rank, hit) for rank, hit in enumerate(answer.hits, 1))
    stages = "".join(f'<th scope="col" title="{said}">{name}</th>' for name, said in _STAGES)
    return (
        "<details class='found'><summary>How this was found</summary><dl>"
        + "".join(f"<dt>{name}</dt><dd>{said}</dd>" for name, said in facts)
        + f'</dl><div class="scores" role="group" aria-label="Scores by stage" tabindex="0"><table>'
        f"<caption>Scores of the passages, by stage</caption><thead><tr>{stages}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{_WHY}</details>"
    )


def _scores_row(rank: int, hit: Hit) -> str:
    one = hit.passage
    fused = hit.score if hit.fused is None else hit.fused
    figures = "".join(
        f"<td>{'–' if score is None else f'{score:.2f}'}</td>"
        for score in (hit.lexical, hit.dense, fused, hit.reader, hit.score)
    )
    inner = place(one.title or one.source, one.title, one.page, one.heading, " · ")
    return f'<tr><th scope="row">{rank}. {escape(inner)}</th>{figures}</tr>'


def why_html(found: Trace) -> str:
    """At which stage a phrase was lost: every stage, and what to do."""
    marks = {True: ("passed", "✓"), False: ("failed", "✗"), None: ("unreached", "–")}
    rows = []
    for stage in found.stages:
        kind, mark = marks[stage.passed]
        rows.append(
            f'<li class="{kind}"><span aria-hidden="true">{mark}</span> <b>{stage.name}</b> '
            f'<span class="hidden">{kind}:</span> {escape(stage.detail)}</li>'
        )
    return f"<p>{escape(found.advice)}</p><ol>{''.join(rows)}</ol>"
