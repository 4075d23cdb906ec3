"""What happens in a conversation: a question comes in, its evidence and its answer are put on the page."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import gradio as gr

from index.errors import FootnotedError, UsageError
from rag.answers import Answer
from rag.feedback import Feedback, read_feedback
from rag.questions import Question
from rag.system import System

from .printing import answer_values
from .rendering import answer_html, plain_html, searching_html, sources_html, unanswered_html

Message = dict[str, Any]
# A question of the conversation, and whether the person wants it searched without what was asked before.
Asked = tuple[str, bool]
# The conversation so far: questions, messages, cards, their HTML; and the row and line "Searched for".
Given = tuple[list[Asked], list[Message], list[str], str, Any, Any]
Turn = tuple[Any, list[Asked], list[Message], list[str], str, Any, Any]
EMPTY = (
    '<section class="turn hint"><h3>Sources</h3><p class="state">Each sentence of an answer has a footnote. '
    "Click one, and the place it comes from is marked here.</p></section>"
)


class Conversation:
    """The turns of a conversation with a system; what was said stands in the page's state, not here."""

    def __init__(self, system: System, threshold: float | None = None) -> None:
        self.system = system
        self.threshold = threshold

    def ask(self, question: str) -> dict[str, Any]:
        """Answer one question: the object of `footnoted ask --json`."""
        return self.follow_up(question, [])

    def follow_up(self, question: str, history: list[str]) -> dict[str, Any]:
        """The same for a question that may lean on those before it; `history` has the latest last."""
        try:
            return answer_values(self.system.answer(question, self.threshold, history=history))
        except FootnotedError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def converse(self, question: str, asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Turn]:
        """One turn, from the box to the answer: the question first, then the evidence, then the answer.

        `asked` are the questions before; all of it is one event, so that no second question comes between.
        """
        question = question.strip()
        if not question:
            kept = (asked, history, shown, _pane(shown), gr.skip(), gr.skip())
            yield gr.update(value="", placeholder="Type a question first"), *kept
            return
        asked = [*asked, (question, False)]
        history = [*history, _said("user", plain_html(question, "asked"))]
        yield (
            gr.update(value="", submit_btn=False, stop_btn=True),
            asked,
            history,
            shown,
            _pane(shown),
            *searched_line(),
        )
        for given in self.reply(asked, history, shown):
            yield gr.skip(), *given
        yield self.ready(), *given

    def again(self, asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        """The last answer is taken back and given anew."""
        if not asked or not history or history[-1]["role"] != "assistant":
            yield asked, history, shown, _pane(shown), gr.skip(), gr.skip()
            return
        answered = shown[:-1] if shown and f'id="t-{len(shown)}"' in shown[-1] else shown
        yield from self.reply(asked, history[:-1], answered)

    def instead(self, searched: str, asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        """The last answer is taken back, and given for what the person has made of the search."""
        if not asked or not searched.strip():
            yield asked, history, shown, _pane(shown), gr.skip(), gr.skip()
            return
        yield from self.again([*asked[:-1], (searched.strip(), True)], history, shown)

    def alone(self, asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        """The last answer is taken back, and given for the question without the conversation."""
        yield from self.instead(asked[-1][0] if asked else "", asked, history, shown)

    def reply(self, asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        question, stands_alone = asked[-1]
        before = () if stands_alone else [text for text, _ in asked[:-1] if _can_be_asked(text)]
        turn = len(shown) + 1
        answer: Answer | None = None
        try:
            for answer in self.system.stream(question, threshold=self.threshold, history=before):
                if not answer.text:
                    pane = _pane([*shown, searching_html(answer, turn)])
                    yield asked, history, shown, pane, *searched_line(answer)
        except FootnotedError as error:
            shown = [*shown, unanswered_html(question, turn)]
            history = [*history, _said("assistant", plain_html(_sentence(str(error)), "notice"))]
            yield asked, history, shown, _pane(shown), *searched_line()
            return
        assert answer is not None
        feedback = _feedback(self.system)
        shown = [*shown, sources_html(answer, turn, feedback)]
        history = [*history, _said("assistant", answer_html(answer, turn, feedback))]
        yield asked, history, shown, _pane(shown), *searched_line(answer)

    @staticmethod
    def ready() -> Any:
        return gr.update(submit_btn=True, stop_btn=False)


def _feedback(system: System) -> Feedback:
    """What was said before; an answer does not fail where that cannot be read."""
    with suppress(FootnotedError):
        return read_feedback(system.index.folder)
    return Feedback((), ())


def searched_line(answer: Answer | None = None) -> tuple[Any, Any]:
    """The row and the line "Searched for": shown where the conversation added something to the question."""
    added = answer is not None and answer.searched != answer.question
    return gr.update(visible=added), answer.searched if answer is not None and added else ""


def _can_be_asked(text: str) -> bool:
    """Whether it was a question at all: what was refused as none is nothing to lean on."""
    try:
        Question.parse(text)
    except UsageError:
        return False
    return True


def _said(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pane(shown: Sequence[str]) -> str:
    """The cards of every question of the conversation, the latest first."""
    return "".join(reversed(shown)) or EMPTY
