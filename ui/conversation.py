"""What happens in a conversation: a question comes in, its evidence and its answer are put on the page."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from index.errors import FootnotedError, UnreachableStore, UsageError
from rag.answers import Answer
from rag.checking import Quoted, check
from rag.confidence import THRESHOLD
from rag.feedback import Feedback, read_feedback
from rag.history import Turn, answered, keep, new_id, read_conversation, take_back
from rag.system import System

from .cards import searching_html, sources_html
from .gate import Gate, stepped
from .libraries import Libraries
from .messages import answer_html, plain_html
from .printing import answer_values
from .shelf import Shelf
from .talk import Asked, Given, Message, Talk, given, kept, said

# A conversation goes back to the browser with every answer.
_LONGEST = 50


# What the page shows, and the question box before it.
Spoken = tuple[Any, Talk, list[Message], str, Any, Any]
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
            yield gr.update(value="", placeholder="Type a question first"), *kept(talk)
            return
        if len(talk.asked) >= _LONGEST:
            gr.Warning(f"This conversation has {_LONGEST} questions, and stays in the history: begin a new one.")
            yield gr.skip(), *kept(talk)
            return
        box = gr.update(value="", submit_btn=False, stop_btn=True)
        async for spoken in self._spoken(talk.asking(question), sources, request, box):
            yield spoken

    async def again(self, talk: Talk, sources: list[str] | None, request: gr.Request) -> AsyncIterator[Spoken]:
        """The last question is answered anew; what it was answered, if it was, is taken back."""
        if not talk.asked:
            yield gr.skip(), *kept(talk)
            return
        async for spoken in self._spoken(talk.unanswered(), sources, request):
            yield spoken

    async def instead(
        self, searched: str, talk: Talk, sources: list[str] | None, request: gr.Request
    ) -> AsyncIterator[Spoken]:
        """The last answer is taken back, and given for what the person has made of the search."""
        if not talk.asked or not searched.strip():
            yield gr.skip(), *kept(talk)
            return
        changed = talk.asked[-1]._replace(text=searched.strip(), alone=True)
        async for spoken in self.again(replace(talk, asked=(*talk.asked[:-1], changed)), sources, request):
            yield spoken

    async def alone(self, talk: Talk, sources: list[str] | None, request: gr.Request) -> AsyncIterator[Spoken]:
        """The last answer is taken back, and given for the question without the conversation."""
        question = talk.asked[-1].text if talk.asked else ""
        async for spoken in self.instead(question, talk, sources, request):
            yield spoken

    def stopped(self, talk: Talk) -> Spoken:
        """The person has enough of an answer: its question stands, to be asked again or changed."""
        if not talk.asked or talk.is_answered:
            return self.ready(), *kept(talk)
        return self.ready(), *given(talk, drawn=talk.saying(plain_html(_STOPPED, "notice")))

    def edit(self, talk: Talk, request: gr.Request) -> Spoken:
        """The last question is taken back, answer and all, and stands in the box to be changed."""
        if not talk.asked:
            return gr.skip(), *kept(talk)
        question = talk.asked[-1]
        if talk.name:
            with _warned():
                take_back(self.libraries.of(request).folder, talk.name, question.turn)
        talk = talk.unanswered()
        talk = replace(talk, asked=talk.asked[:-1], messages=talk.messages[:-1])
        return gr.update(value=question.text, submit_btn=True, stop_btn=False), *given(talk)

    def reopen(self, name: str, request: gr.Request) -> Given:
        """A conversation of the history as it was, with a word on every citation whose document has changed."""
        try:
            return self._reopened(name, request) if name else given(Talk())
        except UnreachableStore as error:
            gr.Warning(f"This conversation cannot be compared with its documents: {error}")
        except FootnotedError:  # deleted, or the address was made up
            gr.Warning("This conversation is not in the history any more.")
        return given(Talk())

    def _reopened(self, name: str, request: gr.Request) -> Given:
        shelf = self.libraries.of(request)
        turns = read_conversation(shelf.folder, name)
        system = shelf.system
        feedback = _feedback(shelf.folder)
        messages, shown = list[Message](), list[str]()
        for number, turn in enumerate(turns, 1):
            messages.append(said("user", plain_html(turn.question, "asked")))
            messages.append(said("assistant", answer_html(turn.answer, number, feedback)))
            note = _of_those(turn.sources)
            shown.append(sources_html(turn.answer, number, feedback, note, since=changed_since(system, turn)))
        asked = tuple(Asked(turn.question, turn.alone, turn.id) for turn in turns)
        talk = Talk(name if turns else "", asked, tuple(messages), tuple(shown))
        return given(talk, turns[-1].answer if turns else None)

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
        yield box, *given(talk)
        with self._gate.place() as hurried:
            async with self._gate.turn(hurried):
                async for one in stepped(self._reply(talk, sources, request, hurried)):
                    yield self.ready() if one[0].is_answered else gr.skip(), *one

    def _reply(self, talk: Talk, sources: list[str] | None, request: gr.Request, hurried: bool) -> Iterator[Given]:
        asked = talk.asked[-1]
        sources = None if sources is None else [str(one) for one in sources]
        turn = len(talk.shown) + 1
        answer: Answer | None = None
        try:
            shelf = self.libraries.of(request)
            system = shelf.system
            note = _of_those(sources, 0 if sources is None else len(shelf.documents()))
            feedback = _feedback(shelf.folder)
            answers = system.stream(
                asked.text, threshold=self.threshold, history=talk.before, sources=sources, hurried=hurried
            )
            for answer in answers:
                if hurried or (answer.text and not answer.generator):
                    continue  # quotes come whole
                grown = answer_html(replace(answer, hits=()), turn, feedback)
                cards = searching_html(answer, turn, note)
                drawn = talk.saying(grown, cards) if answer.text else replace(talk, shown=(*talk.shown, cards))
                yield given(talk, answer, drawn)
            assert answer is not None
            cards = sources_html(
                answer,
                turn,
                feedback,
                note,
                threshold=THRESHOLD if self.threshold is None else self.threshold,
                documents=len((system.index if sources is None else system.index.of(sources)).sources()),
            )
        except FootnotedError as error:
            yield given(talk.failing(error))
            return
        talk = replace(talk, name=talk.name or new_id()).saying(answer_html(answer, turn, feedback), cards)
        _log(shelf, talk, answer, sources)
        yield given(talk, answer)

    def begin(self) -> Spoken:
        """A new conversation; the one before is in the history."""
        return self.ready(), *given(Talk())

    @staticmethod
    def ready() -> Any:
        return gr.update(submit_btn=True, stop_btn=False)


def _log(shelf: Shelf, talk: Talk, answer: Answer, sources: Sequence[str] | None) -> None:
    asked = talk.asked[-1]
    with _warned():
        turn = answered(shelf.system.index, asked.turn, asked.text, answer, alone=asked.alone, sources=sources)
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


def _feedback(folder: Path) -> Feedback:
    """What was said before; an answer does not fail where that cannot be read."""
    with suppress(FootnotedError):
        return read_feedback(folder)
    return Feedback((), ())


def _of_those(sources: Sequence[str] | None, documents: int = 0) -> str:
    """Which documents were asked, if not all of so many; 0: it is not known how many there were."""
    if sources is None:
        return ""
    if len(sources) == 1:
        return f"Only {sources[0]} was asked."
    return f"Only {len(sources):,}{f' of {documents:,}' if documents else ''} documents were asked."
