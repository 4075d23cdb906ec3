"""A conversation as the page's state holds it, and what the page shows of it."""

import secrets
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import gradio as gr

from index.errors import FootnotedError, UsageError
from rag.answers import Answer
from rag.questions import Question

from .cards import unanswered_html
from .messages import plain_html

Message = dict[str, Any]
EMPTY = (
    '<section class="turn hint"><h3>Sources</h3><p class="state">Each sentence of an answer has a footnote. '
    "Click one, and the place it comes from is marked here.</p></section>"
)


class Asked(NamedTuple):
    """A question of the conversation; `alone`: the person wants it searched without what was asked before.

    `turn` is the id of its line in the history, the same when it is answered again.
    """

    text: str
    alone: bool
    turn: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: its name in the history, empty before the first answer; its questions; what stands on the page,
    messages and cards (HTML), those of the last question only when it has an answer, or a word on why it has none.
    """

    name: str = ""
    asked: tuple[Asked, ...] = ()
    messages: tuple[Message, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def is_answered(self) -> bool:
        """Whether the last word is an answer, or why there is none."""
        return bool(self.messages) and self.messages[-1]["role"] == "assistant"

    @property
    def before(self) -> list[str]:
        """The questions that the last one may lean on: what was refused as none is nothing to lean on."""
        return [] if self.asked[-1].alone else [one.text for one in self.asked[:-1] if _is_question(one.text)]

    @property
    def pane(self) -> str:
        """The cards of every question of the conversation, the latest first; working.js reads its name."""
        name = f'<span id="conversation" data-name="{self.name}"></span>'
        return name + ("".join(reversed(self.shown)) or EMPTY)

    def asking(self, question: str) -> "Talk":
        """With a further question."""
        return replace(
            self,
            asked=(*self.asked, Asked(question, False, secrets.token_hex(4))),
            messages=(*self.messages, said("user", plain_html(question, "asked"))),
        )

    def saying(self, html: str, cards: str | None = None) -> "Talk":
        """With this for an answer, and the cards of the last question."""
        shown = self.shown if cards is None else (*self.shown, cards)
        return replace(self, messages=(*self.messages, said("assistant", html)), shown=shown)

    def failing(self, error: FootnotedError) -> "Talk":
        """With the reason why there is no answer, in the place of one."""
        return self.saying(
            plain_html(sentence(str(error)), "notice"), unanswered_html(self.asked[-1].text, len(self.shown) + 1)
        )

    def unanswered(self) -> "Talk":
        """Up to its last question, without answer and cards; one that was stopped has none."""
        return replace(self, messages=self.messages[:-1], shown=self.shown[:-1]) if self.is_answered else self


# The talk, the messages, the cards, and the row and line "Searched for".
Given = tuple[Talk, list[Message], str, Any, Any]


def given(talk: Talk, answer: Answer | None = None, drawn: Talk | None = None) -> Given:
    """What the page shows of a talk; `drawn` instead, while an answer is not the talk's yet. The line "Searched for"
    is shown where the conversation added something to the question.
    """
    drawn = drawn or talk
    added = answer is not None and answer.searched != answer.question
    line = answer.searched if answer is not None and added else ""
    return talk, list(drawn.messages), drawn.pane, gr.update(visible=added), line


def kept(talk: Talk) -> Given:
    """The same, where nothing has happened."""
    return talk, list(talk.messages), talk.pane, gr.skip(), gr.skip()


def said(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_question(text: str) -> bool:
    try:
        Question.parse(text)
    except UsageError:
        return False
    return True
