"""The chat page: what is on it, and which event calls what."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from rag.system import System

from .conversation import EMPTY, Conversation, searched_line

HERE = Path(__file__).parent
TITLE = "Footnoted"
# Questions at a time; further ones wait in a queue that is itself bounded.
CONCURRENT = 4
WAITING = 64


def build(system: System, examples: Sequence[str], threshold: float | None = None) -> gr.Blocks:
    """The page over a system; `examples` are offered as first questions."""
    talk = Conversation(system, threshold)
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
                pane = gr.HTML(EMPTY, elem_id="sources")

        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        asking: dict[str, Any] = {**options, "concurrency_limit": CONCURRENT, "concurrency_id": "ask"}
        conversation = [asked, chat, shown]
        given = [*conversation, pane, row, line]
        turns: list[Any] = []
        for trigger, words in [(box.submit, box), *((chip.click, chip) for chip in chips)]:
            turns.append(trigger(talk.converse, [words, *conversation], [box, *given], **asking))
        turns.append(retry.click(talk.again, conversation, given, **asking))
        turns.append(line.submit(talk.instead, [line, *conversation], given, **asking))
        turns.append(only.click(talk.alone, conversation, given, **asking))
        box.stop(talk.ready, None, box, cancels=turns, queue=False, **options)
        clear.click(
            lambda: ([], [], [], EMPTY, *searched_line(), talk.ready()),
            None,
            [*given, box],
            cancels=turns,
            queue=False,
            **options,
        )
        page.load(lambda: _header(system), None, top, queue=False, **options)
        for endpoint in (talk.ask, talk.follow_up):
            gr.events.api(endpoint, api_name=endpoint.__name__, concurrency_limit=CONCURRENT, concurrency_id="ask")
    page.queue(max_size=WAITING, default_concurrency_limit=CONCURRENT)
    return page


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
