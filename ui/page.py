"""The chat page: what is on it, and which event calls what."""

from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from index.errors import UnreachableStore
from index.files import printable

from .conversation import Conversation
from .gate import Gate
from .libraries import FOLDER, Libraries
from .shelf import Shelf
from .starters import MOST, starters
from .talk import EMPTY, Given, Talk, sentence

HERE = Path(__file__).parent
TITLE = "Footnoted"
# Events in Gradio's hands at a time, and in its queue; who is answered now, and who waits, says ui/gate.py.
EVENTS, WAITING = 256, 1024
# Open pages whose conversation is held in memory. Whoever comes back after so many others has it from the history.
SESSIONS = 256
# Which documents are asked is chosen in the browser (working.js), and goes along with each question.
_CHOSEN = "async (...given) => [...given.slice(0, -1), (await window.footnoted?.chosen()) ?? null]"
_ADDRESS = "() => location.search"


def build(libraries: Libraries, gate: Gate, threshold: float | None = None) -> gr.Blocks:
    """The page over some libraries: which one, its address says."""
    talks = Conversation(libraries, gate, threshold)

    def about(request: gr.Request) -> tuple[Any, ...]:
        """What the page says of the library: its header, what to do if it is empty, first questions."""
        shelf = libraries.of(request)
        try:
            return _about(libraries, shelf)
        except UnreachableStore as error:
            return _away(libraries, shelf, error)

    def arrive(search: str, request: gr.Request) -> tuple[Any, ...]:
        """The same, and the conversation that the address names."""
        name = parse_qs(search.removeprefix("?")).get("conversation", [""])[0]
        reopened: Given = talks.reopen(name, request)
        return *about(request), *reopened

    page: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        talk = gr.State(Talk())
        chosen = gr.JSON(visible=False)
        search = gr.Textbox(visible=False)
        top = gr.HTML(_header(libraries, libraries.main), elem_id="top")
        with gr.Row(elem_id="desk", equal_height=False):
            with gr.Column(scale=3, min_width=320, elem_id="talk"):
                nothing = gr.HTML(_nothing(libraries.main), elem_id="nothing", visible=_is_empty(libraries.main))
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
                        gr.Button(text, size="sm", variant="secondary", elem_classes="chip", visible=bool(text))
                        for text in _first(libraries.main)
                    ]
                with gr.Row(elem_id="tools"):
                    gr.HTML(_EXPORT, elem_id="export")
                    change = gr.Button("Edit question", size="sm", variant="secondary")
                    retry = gr.Button("Ask again", size="sm", variant="secondary")
                    clear = gr.Button("New conversation", size="sm", variant="secondary")
                refresh = gr.Button("Refresh", elem_id="refresh")
            with gr.Column(scale=2, min_width=320, elem_id="side"):
                pane = gr.HTML(EMPTY, elem_id="sources")

        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        asking: dict[str, Any] = {**options, "concurrency_limit": None, "js": _CHOSEN}
        given = [talk, chat, pane, row, line]
        turns: list[Any] = []
        for trigger, words in [(box.submit, box), *((chip.click, chip) for chip in chips)]:
            turns.append(trigger(talks.converse, [words, talk, chosen], [box, *given], **asking))
        turns.append(retry.click(talks.again, [talk, chosen], [box, *given], **asking))
        turns.append(line.submit(talks.instead, [line, talk, chosen], [box, *given], **asking))
        turns.append(only.click(talks.alone, [talk, chosen], [box, *given], **asking))
        for ends, called, taken in [
            (box.stop, talks.stopped, talk),
            (change.click, talks.edit, talk),
            (clear.click, talks.begin, None),
        ]:
            # Ended first, as an event of its own: with both in one Gradio ends the answer last, and what has come of it
            # meanwhile is drawn over what is called here.
            ends(None, cancels=turns, queue=False, **options)
            ends(called, taken, [box, *given], queue=False, **options)
        library = [top, nothing, *chips]
        page.load(arrive, search, [*library, *given], js=_ADDRESS, queue=False, **options)
        refresh.click(about, None, library, queue=False, **options)
        for endpoint in (talks.ask, talks.follow_up):
            gr.events.api(endpoint, api_name=endpoint.__name__, concurrency_limit=None)
    page.max_threads = EVENTS
    page.queue(max_size=WAITING, default_concurrency_limit=None)
    page.state_session_capacity = SESSIONS
    page.run_history = False  # kept at a hub; ours is rag/history.py
    return page


_EXPORT = (
    'Save as <a class="export" data-format="md" href="export">Markdown</a> '
    '<a class="export" data-format="json" href="export">JSON</a>'
)


def _about(libraries: Libraries, shelf: Shelf) -> tuple[Any, ...]:
    chips = [gr.update(value=text, visible=bool(text)) for text in _first(shelf)]
    nothing = gr.update(value=_nothing(shelf), visible=_is_empty(shelf))
    return _header(libraries, shelf), nothing, *chips


def _away(libraries: Libraries, shelf: Shelf, error: UnreachableStore) -> tuple[Any, ...]:
    """The same while the server that holds the library does not answer."""
    said = f'<h1>{TITLE}</h1><p class="warning">{escape(sentence(str(error)))}</p>{_choices(libraries, shelf)}'
    return said, gr.update(visible=False), *[gr.update(visible=False)] * MOST


def _first(shelf: Shelf) -> list[str]:
    """MOST first questions, empty ones at the end."""
    asked = [] if _is_empty(shelf) else list(starters(shelf.system.index))
    return [*asked, *[""] * MOST][:MOST]


def _is_empty(shelf: Shelf) -> bool:
    return not shelf.system.index.passages


def _nothing(shelf: Shelf) -> str:
    """How an index without documents begins; where it is on the disk concerns nobody else."""
    if not _is_empty(shelf):
        return ""
    return (
        '<div class="begin"><p><strong>No documents yet.</strong> Drop files or folders anywhere on this page: '
        f"they are copied to <code>{escape(printable(shelf.library.folder))}</code> and {_stays(shelf)}.</p>"
        f"<p>{PICK}</p></div>"
    )


def _stays(shelf: Shelf) -> str:
    index = shelf.system.index
    here = index.store == str(index.folder)
    return "stay on this machine" if here else f"what they say goes to <code>{escape(index.store)}</code>"


# Two ways to choose what is handed over; working.js listens.
PICK = (
    '<label class="pick">Choose files<input type="file" class="files" multiple></label>'
    '<label class="pick">Choose a folder<input type="file" class="files" webkitdirectory></label>'
)


def _header(libraries: Libraries, shelf: Shelf) -> str:
    index = shelf.system.index
    documents = len(index.sources())
    noun = "document" if documents == 1 else "documents"
    held, them = f"{documents:,} {noun}, {index.passages:,} passages. ", "them"
    if _is_empty(shelf):
        held, them = "", "your documents"
    how = f"Every sentence of an answer is quoted from {them}."
    if shelf.system.generator:
        how = f"Answers are written by {escape(shelf.system.generator)} and checked against {them}."
    return (
        f"<h1>{TITLE}</h1><p>{held}{how}</p>"
        + "".join(f'<p class="warning">{escape(notice)}</p>' for notice in shelf.system.notices)
        + _choices(libraries, shelf)
    )


def _choices(libraries: Libraries, shelf: Shelf) -> str:
    return (
        f'<nav aria-label="Library">{_choice(libraries, shelf)}'
        '<button type="button" data-opens="documents">Documents<span id="asked-of"></span></button>'
        '<button type="button" data-opens="conversations">Conversations</button>'
        '<button type="button" data-opens="keys">Keys</button></nav>'
    )


def _choice(libraries: Libraries, shelf: Shelf) -> str:
    """The libraries; working.js goes to their addresses."""
    chosen = [("", "Main library"), *((name, name) for name in libraries.names())]
    rows = [
        f'<option value="{escape(name)}"{" selected" if name == shelf.name else ""}>{escape(shown)}</option>'
        for name, shown in chosen
    ]
    gone = "<option data-delete>Delete this library …</option>" if shelf.name else ""
    return (
        f'<select id="library" aria-label="Library" data-here="{escape(shelf.name)}" data-folder="{FOLDER}">'
        f"{''.join(rows)}<option data-new>New library …</option>{gone}</select>"
    )


THEME = gr.themes.Base(
    primary_hue="teal",
    neutral_hue="stone",
    font=["ui-sans-serif", "system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
    radius_size="md",
)
