"""The buttons that judge an answer or an excerpt; judging.js posts what they say."""

import json
from dataclasses import asdict
from html import escape

from rag.answers import Answer
from rag.feedback import REASONS, Excerpt, Feedback

# What came of a click stands here.
_NOTED = '<span class="noted" role="status"></span>'


def rating_html(answer: Answer, turn: int, feedback: Feedback) -> str:
    """Good or not, and why not. The conversation keeps no attributes but these: judging.js adds what is missing."""
    rating = feedback.rating(answer.searched)
    good, reason = (rating.good, rating.reason) if rating else (None, "")
    names = ("Right to refuse", "The documents do say it") if answer.abstained else ("Good answer", "Bad answer")
    reasons = "".join(_choice("reason", one, one == reason) for one in REASONS) if not answer.abstained else ""
    return (
        f'<div class="judge" id="j-{turn}">{_choice("thumb up", names[0], good is True)}'
        f'{_choice("thumb down", names[1], good is False)}<span class="reasons">{reasons}</span>{_NOTED}</div>'
    )


def excerpt_html(kind: str, name: str, excerpt: Excerpt, pressed: bool) -> str:
    """A button that judges an excerpt; it carries what is posted."""
    carried = escape(json.dumps(asdict(excerpt)))
    return (
        f'<div class="judge"><button type="button" class="{kind}{" pressed" * pressed}" data-excerpt="{carried}">'
        f"{name}</button>{_NOTED}</div>"
    )


def _choice(kind: str, name: str, pressed: bool) -> str:
    return f'<button type="button" class="{kind}{" pressed" * pressed}" title="{name}">{name}</button>'
