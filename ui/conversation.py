"""What happens in a conversation: a question comes in, its evidence and its answer are put on the page."""

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import gradio as gr
from starlette.concurrency import run_in_threadpool

from index.errors import FootnotedError, UsageError
from rag.answers import Answer
from rag.checking import Quoted, check
from rag.confidence import THRESHOLD
from rag.feedback import Feedback, read_feedback
from rag.history import Turn, answered, keep, new_id, read_conversation, take_back
from rag.questions import Question
from rag.system import System

from .cards import searching_html, sources_html, unanswered_html
from .gate import Gate, stepped
from .libraries import Libraries
from .messages import answer_html, plain_html
from .printing import answer_values
from .shelf import Shelf

Message = dict[str, Any]
# A conversation goes back to the browser with every answer.
_LONGEST = 50


class Asked(NamedTuple):
    """A question of the conversation; `alone`: the person wants it searched without what was asked before.

    `turn` is the id of its line in the history, the same when it is answered again.
    """

    text: str
    alone: bool
    turn: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as the page's state holds it: its name in the history, empty before the first answer; its
    questions; what stands on the page, messages and cards.
    """

    name: str = ""
    asked: tuple[Asked, ...] = ()
    messages: tuple[Message, ...] = ()
    shown: tuple[str, ...] = ()


# The talk, the messages, the cards, and the row and line "Searched for"; a turn has the question box before them.
Given = tuple[Talk, list[Message], str, Any, Any]
Spoken = tuple[Any, Talk, list[Message], str, Any, Any]
EMPTY = (
    '<section class="turn hint"><h3>Sources</h3><p class="state">Each sentence of an answer has a footnote. '
    "Click one, and the place it comes from is marked here.</p></section>"
)
_STOPPABLE = gr.update(submit_btn=False, stop_btn=True)
_STOPPED = "Stopped. “Ask again” asks this again, “Edit question” gives it back to be changed."
_SINCE = {
    "found": "The document has changed since; this sentence stands where it stood.",
    "moved": "The document has changed since; this sentence stands elsewhere in it now.",
    "changed": "The document has changed since and no longer says this; here is what it said.",
    "gone": "The document is gone since; here is what it said.",
}


class Conversation:
    """The turns of conversations with a library; what was said stands in the page's state and in the history.

    A method that an event calls is given the `request`, which tells the library.
    """

    def __init__(self, libraries: Libraries, gate: Gate, threshold: float | None = None) -> None:
        self.libraries = libraries
        self.threshold = threshold
        self._gate = gate

    async def ask(self, question: str, request: gr.Request, sources: list[str] | None = None) -> dict[str, Any]:
        """Answer one question, from all documents or from those that `sources` stand for: the object of
        `footnoted ask --json`.
        """
        return await self.follow_up(question, [], request, sources)

    async def follow_up(
        self, question: str, history: list[str], request: gr.Request, sources: list[str] | None = None
    ) -> dict[str, Any]:
        """The same for a question that may lean on those before it; `history` has the latest last."""

        def answered() -> dict[str, Any]:
            system = self.libraries.of(request).system
            given = system.answer(question, self.threshold, history=history, sources=sources, hurried=hurried)
            return answer_values(given)

        try:
            with self._gate.place() as hurried:
                async with self._gate.turn(hurried):
                    return await run_in_threadpool(answered)
        except FootnotedError as error:
            raise gr.Error(str(error), print_exception=False) from None

    async def converse(
        self, question: str, talk: Talk, sources: list[str] | None, request: gr.Request
    ) -> AsyncIterator[Spoken]:
        """One turn, from the box to the answer: the question first, then the evidence, then the answer.

        All of it is one event, so that no second question comes between. `sources` are the documents that are
        asked, None for all.
        """
        question, talk = question.strip(), await run_in_threadpool(self._resumed, talk, request)
        if not question:
            yield gr.update(value="", placeholder="Type a question first"), *_kept(talk)
            return
        if len(talk.asked) >= _LONGEST:
            gr.Warning(f"This conversation has {_LONGEST} questions, and stays in the history: begin a new one.")
            yield gr.skip(), *_kept(talk)
            return
        talk = replace(
            talk,
            asked=(*talk.asked, Asked(question, False, secrets.token_hex(4))),
            messages=(*talk.messages, _said("user", plain_html(question, "asked"))),
        )
        async for spoken in self._spoken(talk, sources, request, gr.update(value="", submit_btn=False, stop_btn=True)):
            yield spoken

    async def again(self, talk: Talk, sources: list[str] | None, request: gr.Request) -> AsyncIterator[Spoken]:
        """The last question is answered anew; what it was answered, if it was, is taken back."""
        if not talk.asked:
            yield gr.skip(), *_kept(talk)
            return
        async for spoken in self._spoken(_unanswered(talk), sources, request):
            yield spoken

    async def instead(
        self, searched: str, talk: Talk, sources: list[str] | None, request: gr.Request
    ) -> AsyncIterator[Spoken]:
        """The last answer is taken back, and given for what the person has made of the search."""
        if not talk.asked or not searched.strip():
            yield gr.skip(), *_kept(talk)
            return
        changed = talk.asked[-1]._replace(text=searched.strip(), alone=True)
        async for given in self.again(replace(talk, asked=(*talk.asked[:-1], changed)), sources, request):
            yield given

    async def alone(self, talk: Talk, sources: list[str] | None, request: gr.Request) -> AsyncIterator[Spoken]:
        """The last answer is taken back, and given for the question without the conversation."""
        question = talk.asked[-1].text if talk.asked else ""
        async for given in self.instead(question, talk, sources, request):
            yield given

    def stopped(self, talk: Talk) -> Spoken:
        """The person has enough of an answer: its question stands, to be asked again or changed."""
        if not talk.asked or _has_answer(talk):
            return self.ready(), *_kept(talk)
        told = (*talk.messages, _said("assistant", plain_html(_STOPPED, "notice")))
        return self.ready(), *_given(talk, drawn=replace(talk, messages=told))

    def edit(self, talk: Talk, request: gr.Request) -> Spoken:
        """The last question is taken back, answer and all, and stands in the box to be changed."""
        if not talk.asked:
            return gr.skip(), *_kept(talk)
        question = talk.asked[-1]
        if talk.name:
            with _warned():
                take_back(self.libraries.of(request).folder, talk.name, question.turn)
        talk = _unanswered(talk)
        talk = replace(talk, asked=talk.asked[:-1], messages=talk.messages[:-1])
        return gr.update(value=question.text, submit_btn=True, stop_btn=False), *_given(talk)

    def reopen(self, name: str, request: gr.Request) -> Given:
        """A conversation of the history as it was, with a word on every citation whose document has changed."""
        if not name:
            return _given(Talk())
        try:
            shelf = self.libraries.of(request)
            turns = read_conversation(shelf.folder, name)
            system = shelf.system
        except FootnotedError:  # deleted, or the address was made up
            gr.Warning("This conversation is not in the history any more.")
            return _given(Talk())
        feedback = _feedback(system)
        messages, shown = list[Message](), list[str]()
        for number, turn in enumerate(turns, 1):
            messages.append(_said("user", plain_html(turn.question, "asked")))
            messages.append(_said("assistant", answer_html(turn.answer, number, feedback)))
            note = _of_those(turn.sources)
            shown.append(sources_html(turn.answer, number, feedback, note, since=changed_since(system, turn)))
        asked = tuple(Asked(turn.question, turn.alone, turn.id) for turn in turns)
        talk = Talk(name if turns else "", asked, tuple(messages), tuple(shown))
        return _given(talk, turns[-1].answer if turns else None)

    def _resumed(self, talk: Talk, request: gr.Request) -> Talk:
        """The talk, or the one that the page's address names where the state is lost: the program was restarted."""
        name = request.query_params.get("conversation", "")
        if talk.messages or not name:
            return talk
        resumed, *_ = self.reopen(name, request)
        return resumed

    async def _spoken(
        self, talk: Talk, sources: list[str] | None, request: gr.Request, box: Any = _STOPPABLE
    ) -> AsyncIterator[Spoken]:
        """The answer to the last question, when it is its turn; before it the question, with a button that stops it."""
        yield box, *_given(talk)
        with self._gate.place() as hurried:
            async with self._gate.turn(hurried):
                async for given in stepped(self._reply(talk, sources, request, hurried)):
                    yield self.ready() if _has_answer(given[0]) else gr.skip(), *given

    def _reply(self, talk: Talk, sources: list[str] | None, request: gr.Request, hurried: bool) -> Iterator[Given]:
        asked = talk.asked[-1]
        sources = None if sources is None else [str(one) for one in sources]
        before = () if asked.alone else [one.text for one in talk.asked[:-1] if _can_be_asked(one.text)]
        turn = len(talk.shown) + 1
        answer: Answer | None = None
        try:
            shelf = self.libraries.of(request)
            system = shelf.system
            note = _of_those(sources, 0 if sources is None else len(shelf.documents()))
            feedback = _feedback(system)
            answers = system.stream(
                asked.text, threshold=self.threshold, history=before, sources=sources, hurried=hurried
            )
            for answer in answers:
                if hurried or (answer.text and not answer.generator):
                    continue  # quotes come whole
                grown = answer_html(replace(answer, hits=()), turn, feedback)
                growing = (_said("assistant", grown),) if answer.text else ()
                shown = (*talk.shown, searching_html(answer, turn, note))
                yield _given(talk, answer, replace(talk, messages=(*talk.messages, *growing), shown=shown))
        except FootnotedError as error:
            yield _failed(talk, error)
            return
        assert answer is not None
        talk = replace(
            talk,
            name=talk.name or new_id(),
            messages=(*talk.messages, _said("assistant", answer_html(answer, turn, feedback))),
            shown=(
                *talk.shown,
                sources_html(
                    answer,
                    turn,
                    feedback,
                    note,
                    threshold=THRESHOLD if self.threshold is None else self.threshold,
                    documents=len((system.index if sources is None else system.index.of(sources)).sources()),
                ),
            ),
        )
        _log(shelf, talk, answer, sources)
        yield _given(talk, answer)

    def begin(self) -> tuple[Any, ...]:
        """A new conversation; the one before is in the history."""
        return *_given(Talk()), self.ready()

    @staticmethod
    def ready() -> Any:
        return gr.update(submit_btn=True, stop_btn=False)


def _log(shelf: Shelf, talk: Talk, answer: Answer, sources: Sequence[str] | None) -> None:
    asked = talk.asked[-1]
    turn = answered(shelf.system.index, asked.turn, asked.text, answer, alone=asked.alone, sources=sources)
    with _warned():
        keep(shelf.folder, talk.name, turn)


@contextmanager
def _warned() -> Iterator[None]:
    """What goes wrong with the history is said, and costs no answer."""
    try:
        yield
    except FootnotedError as error:
        gr.Warning(f"The history was not kept: {error}")


def changed_since(system: System, turn: Turn) -> dict[int, str]:
    """By marker, what is to be said of each citation whose document is no longer the one that was cited."""
    said = {}
    for one in turn.answer.citations:
        state = check(system.index, Quoted(str(one.marker), one.source, one.start, one.end, one.quote)).state
        same = False
        with suppress(UsageError):
            same = system.index.document(one.source).sha256 == turn.documents.get(one.source)
        if not same or state != "found":
            said[one.marker] = _SINCE[state]
    return said


def _given(talk: Talk, answer: Answer | None = None, drawn: Talk | None = None) -> Given:
    """What the page shows of a talk; `drawn` instead, while an answer is not the talk's yet."""
    drawn = drawn or talk
    return talk, list(drawn.messages), _pane(drawn), *searched_line(answer)


def _failed(talk: Talk, error: FootnotedError) -> Given:
    """Why there is no answer to the last question, in the place of one."""
    notice = _said("assistant", plain_html(_sentence(str(error)), "notice"))
    shown = (*talk.shown, unanswered_html(talk.asked[-1].text, len(talk.shown) + 1))
    return _given(replace(talk, messages=(*talk.messages, notice), shown=shown))


def _kept(talk: Talk) -> Given:
    """The same, where nothing has happened."""
    return talk, list(talk.messages), _pane(talk), gr.skip(), gr.skip()


def _unanswered(talk: Talk) -> Talk:
    """The talk up to its last question, without answer and cards; one that was stopped has none."""
    if not _has_answer(talk):
        return talk
    return replace(talk, messages=talk.messages[:-1], shown=talk.shown[:-1])


def _has_answer(talk: Talk) -> bool:
    """Whether the last word is an answer, or why there is none."""
    return bool(talk.messages) and talk.messages[-1]["role"] == "assistant"


def _feedback(system: System) -> Feedback:
    """What was said before; an answer does not fail where that cannot be read."""
    with suppress(FootnotedError):
        return read_feedback(system.index.folder)
    return Feedback((), ())


def _of_those(sources: Sequence[str] | None, documents: int = 0) -> str:
    """Which documents were asked, if not all of so many; 0: it is not known how many there were."""
    if sources is None:
        return ""
    if len(sources) == 1:
        return f"Only {sources[0]} was asked."
    return f"Only {len(sources):,}{f' of {documents:,}' if documents else ''} documents were asked."


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


def _pane(talk: Talk) -> str:
    """The cards of every question of the conversation, the latest first; working.js reads its name."""
    name = f'<span id="conversation" data-name="{talk.name}"></span>'
    return name + ("".join(reversed(talk.shown)) or EMPTY)
