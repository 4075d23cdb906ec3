"""The chat page: what is on it, and what happens when a question is asked."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from index.errors import FootnotedError
from rag.answers import Answer
from rag.feedback import Feedback, read_feedback
from rag.system import System

from .printing import answer_values
from .rendering import answer_html, plain_html, searching_html, sources_html, unanswered_html

HERE = Path(__file__).parent
TITLE = "Footnoted"
# Questions at a time; further ones wait in a queue that is itself bounded.
CONCURRENT = 4
WAITING = 64

Message = dict[str, Any]
_EMPTY = (
    '<section class="turn hint"><h3>Sources</h3><p class="state">Each sentence of an answer has a footnote. '
    "Click one, and the place it comes from is marked here.</p></section>"
)


def build(system: System, examples: Sequence[str], threshold: float | None = None) -> gr.Blocks:
    """The page over a system; `examples` are offered as first questions."""

    def ask(question: str) -> dict[str, Any]:
        """Answer one question: the object of `footnoted ask --json`."""
        try:
            return answer_values(system.answer(question, threshold))
        except FootnotedError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def converse(
        question: str, asked: str, history: list[Message], shown: list[str]
    ) -> Iterator[tuple[Any, str, list[Message], list[str], str]]:
        """One turn, from the box to the answer: the question first, then the evidence, then the answer.

        `asked` is the question before; all of it is one event, so that no second question comes between.
        """
        question = question.strip()
        if not question:
            yield gr.update(value="", placeholder="Type a question first"), asked, history, shown, _pane(shown)
            return
        history = [*history, _said("user", plain_html(question, "asked"))]
        yield gr.update(value="", submit_btn=False, stop_btn=True), question, history, shown, _pane(shown)
        for replied, grown, pane in reply(question, history, shown):
            yield gr.skip(), question, replied, grown, pane
        yield ready(), question, replied, grown, pane

    def again(asked: str, history: list[Message], shown: list[str]) -> Iterator[tuple[list[Message], list[str], str]]:
        """The last answer is taken back and given anew."""
        if not asked or not history or history[-1]["role"] != "assistant":
            yield history, shown, _pane(shown)
            return
        answered = shown[:-1] if shown and f'id="t-{len(shown)}"' in shown[-1] else shown
        yield from reply(asked, history[:-1], answered)

    def reply(
        question: str, history: list[Message], shown: list[str]
    ) -> Iterator[tuple[list[Message], list[str], str]]:
        turn = len(shown) + 1
        answer: Answer | None = None
        try:
            for answer in system.stream(question, threshold=threshold):
                if not answer.text:
                    yield history, shown, _pane([*shown, searching_html(answer, turn)])
        except FootnotedError as error:
            shown = [*shown, unanswered_html(question, turn)]
            yield [*history, _said("assistant", plain_html(_sentence(str(error)), "notice"))], shown, _pane(shown)
            return
        assert answer is not None
        feedback = _feedback(system)
        shown = [*shown, sources_html(answer, turn, feedback)]
        yield [*history, _said("assistant", answer_html(answer, turn, feedback))], shown, _pane(shown)

    def ready() -> Any:
        return gr.update(submit_btn=True, stop_btn=False)

    page: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        shown = gr.State([])
        question = gr.State("")
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
        turns: list[Any] = []
        for trigger, words in [(box.submit, box), *((chip.click, chip) for chip in chips)]:
            turns.append(
                trigger(converse, [words, question, chat, shown], [box, question, chat, shown, pane], **asking)
            )
        turns.append(retry.click(again, [question, chat, shown], [chat, shown, pane], **asking))
        box.stop(ready, None, box, cancels=turns, queue=False, **options)
        emptied = [chat, shown, pane, question, box]
        clear.click(lambda: ([], [], _EMPTY, "", ready()), None, emptied, cancels=turns, queue=False, **options)
        page.load(lambda: _header(system), None, top, queue=False, **options)
        gr.events.api(ask, api_name="ask", concurrency_limit=CONCURRENT, concurrency_id="ask")
    page.queue(max_size=WAITING, default_concurrency_limit=CONCURRENT)
    return page


def _feedback(system: System) -> Feedback:
    """What was said before; an answer does not fail where that cannot be read."""
    with suppress(FootnotedError):
        return read_feedback(system.index.folder)
    return Feedback((), ())


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
        + (f'<p class="warning">{escape(index.notice)}</p>' if index.notice else "")
    )


THEME = gr.themes.Base(
    primary_hue="teal",
    neutral_hue="stone",
    font=["ui-sans-serif", "system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
    radius_size="md",
)
