"""The chat page: what is on it, and what happens when a question is asked."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from index.errors import FootnotedError, UsageError
from rag.answers import Answer
from rag.confidence import THRESHOLD
from rag.feedback import Feedback, read_feedback
from rag.questions import Question
from rag.system import System

from .printing import answer_values
from .rendering import answer_html, plain_html, searching_html, sources_html, unanswered_html

HERE = Path(__file__).parent
TITLE = "Footnoted"
# Questions at a time; further ones wait in a queue that is itself bounded.
CONCURRENT = 4
WAITING = 64

Message = dict[str, Any]
# A question of the conversation, and whether the person wants it searched without what was asked before.
Asked = tuple[str, bool]
# The conversation so far: questions, messages, cards, their HTML; and the row and line "Searched for".
Given = tuple[list[Asked], list[Message], list[str], str, Any, Any]
Turn = tuple[Any, list[Asked], list[Message], list[str], str, Any, Any]
_EMPTY = (
    '<section class="turn hint"><h3>Sources</h3><p class="state">Each sentence of an answer has a footnote. '
    "Click one, and the place it comes from is marked here.</p></section>"
)


def build(system: System, examples: Sequence[str], threshold: float | None = None) -> gr.Blocks:
    """The page over a system; `examples` are offered as first questions."""

    def ask(question: str) -> dict[str, Any]:
        """Answer one question: the object of `footnoted ask --json`."""
        return follow_up(question, [])

    def follow_up(question: str, history: list[str]) -> dict[str, Any]:
        """The same for a question that may lean on those before it; `history` has the latest last."""
        try:
            return answer_values(system.answer(question, threshold, history=history))
        except FootnotedError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def converse(question: str, asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Turn]:
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
        yield gr.update(value="", submit_btn=False, stop_btn=True), asked, history, shown, _pane(shown), *_line()
        for given in reply(asked, history, shown):
            yield gr.skip(), *given
        yield ready(), *given

    def again(asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        """The last answer is taken back and given anew."""
        if not asked or not history or history[-1]["role"] != "assistant":
            yield asked, history, shown, _pane(shown), gr.skip(), gr.skip()
            return
        answered = shown[:-1] if shown and f'id="t-{len(shown)}"' in shown[-1] else shown
        yield from reply(asked, history[:-1], answered)

    def instead(searched: str, asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        """The last answer is taken back, and given for what the person has made of the search."""
        if not asked or not searched.strip():
            yield asked, history, shown, _pane(shown), gr.skip(), gr.skip()
            return
        yield from again([*asked[:-1], (searched.strip(), True)], history, shown)

    def alone(asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        """The last answer is taken back, and given for the question without the conversation."""
        yield from instead(asked[-1][0] if asked else "", asked, history, shown)

    def reply(asked: list[Asked], history: list[Message], shown: list[str]) -> Iterator[Given]:
        question, stands_alone = asked[-1]
        before = () if stands_alone else [text for text, _ in asked[:-1] if _can_be_asked(text)]
        turn = len(shown) + 1
        answer: Answer | None = None
        try:
            for answer in system.stream(question, threshold=threshold, history=before):
                if not answer.text:
                    pane = _pane([*shown, searching_html(answer, turn)])
                    yield asked, history, shown, pane, *_line(answer)
        except FootnotedError as error:
            shown = [*shown, unanswered_html(question, turn)]
            history = [*history, _said("assistant", plain_html(_sentence(str(error)), "notice"))]
            yield asked, history, shown, _pane(shown), *_line()
            return
        assert answer is not None
        feedback = _feedback(system)
        limit = THRESHOLD if threshold is None else threshold
        shown = [*shown, sources_html(answer, turn, feedback, limit, len(system.index.sources()))]
        history = [*history, _said("assistant", answer_html(answer, turn, feedback))]
        yield asked, history, shown, _pane(shown), *_line(answer)

    def ready() -> Any:
        return gr.update(submit_btn=True, stop_btn=False)

    page: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        shown = gr.State([])
        asked = gr.State([])
        top = gr.HTML(_header(system), elem_id="top")
        with gr.Row(elem_id="desk", equal_height=False):
            with gr.Column(scale=3, min_width=320, elem_id="talk"):
                chat = gr.Chatbot(
                    show_label=False,
                    label="Conversation",
                    elem_id="chat",
                    height=None,
                    latex_delimiters=[],
                    buttons=[],
                    layout="bubble",
                    placeholder="Ask something that is in the documents.",
                    feedback_options=None,
                    container=False,
                )
                with gr.Row(elem_id="searched", visible=False) as row:
                    line = gr.Textbox(label="Searched for", elem_id="searched-for", max_lines=4, container=True)
                    only = gr.Button("Search for the question alone", size="sm", variant="secondary")
                box = gr.Textbox(
                    show_label=False,
                    label="Question",
                    placeholder="Ask your documents",
                    elem_id="question",
                    max_lines=6,
                    submit_btn=True,
                    autofocus=True,
                    container=False,
                )
                with gr.Row(elem_id="examples"):
                    chips = [
                        gr.Button(example, size="sm", variant="secondary", elem_classes="chip") for example in examples
                    ]
                with gr.Row(elem_id="tools"):
                    retry = gr.Button("Ask again", size="sm", variant="secondary")
                    clear = gr.Button("New conversation", size="sm", variant="secondary")
            with gr.Column(scale=2, min_width=320, elem_id="side"):
                pane = gr.HTML(_EMPTY, elem_id="sources")

        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        asking: dict[str, Any] = {**options, "concurrency_limit": CONCURRENT, "concurrency_id": "ask"}
        conversation = [asked, chat, shown]
        given = [*conversation, pane, row, line]
        turns: list[Any] = []
        for trigger, words in [(box.submit, box), *((chip.click, chip) for chip in chips)]:
            turns.append(trigger(converse, [words, *conversation], [box, *given], **asking))
        turns.append(retry.click(again, conversation, given, **asking))
        turns.append(line.submit(instead, [line, *conversation], given, **asking))
        turns.append(only.click(alone, conversation, given, **asking))
        box.stop(ready, None, box, cancels=turns, queue=False, **options)
        clear.click(
            lambda: ([], [], [], _EMPTY, *_line(), ready()), None, [*given, box], cancels=turns, queue=False, **options
        )
        page.load(lambda: _header(system), None, top, queue=False, **options)
        for endpoint in (ask, follow_up):
            gr.events.api(endpoint, api_name=endpoint.__name__, concurrency_limit=CONCURRENT, concurrency_id="ask")
    page.queue(max_size=WAITING, default_concurrency_limit=CONCURRENT)
    return page


def _feedback(system: System) -> Feedback:
    """What was said before; an answer does not fail where that cannot be read."""
    with suppress(FootnotedError):
        return read_feedback(system.index.folder)
    return Feedback((), ())


def _line(answer: Answer | None = None) -> tuple[Any, Any]:
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
    return "".join(reversed(shown)) or _EMPTY


def _header(system: System) -> str:
    index = system.index
    documents = len(index.sources())
    noun = "document" if documents == 1 else "documents"
    return (
        f"<h1>{TITLE}</h1><p>{documents:,} {noun}, {index.passages:,} passages. "
        "Every sentence of an answer is quoted from them.</p>"
        + "".join(f'<p class="warning">{escape(notice)}</p>' for notice in system.notices)
    )


THEME = gr.themes.Base(
    primary_hue="teal",
    neutral_hue="stone",
    font=["ui-sans-serif", "system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
    radius_size="md",
)
