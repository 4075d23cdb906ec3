"""An opened index that answers questions."""

import re
import time
from collections.abc import Generator as Generating
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

from index import Index
from index.embedding import Embedder
from index.errors import GeneratorError, ModelError
from index.stores import place, store_at

from .answers import Answer, Hit, Timings
from .citing import cite
from .confidence import THRESHOLD, confidence
from .conversation import EARLIER, Search, follow_up, may_lean
from .disagreement import disagreement
from .generator import Generator
from .overview import overview
from .questions import Question, Wanted
from .reader import BUNDLED, Reader
from .reading import Sentence, choose, kept, read
from .rereading import read_again
from .retrieval import Mode, retrieve
from .short_answers import short_answer
from .tracing import Trace, trace

# One constant for the text, the code and the tests.
HURRIED = "many are asking now, so this was answered in a hurry, without what chooses best: ask again in a while"
REFUSAL = "The documents don't say. The nearest passages are listed with their scores."
EMPTY = "The index holds no passages yet: add documents first."
DISAGREE = "The sources disagree."

LEANING = re.compile(r"(?:he|she|it|they|his|her|its|their|this|that|these|those|such)\b", re.IGNORECASE)

# Passages that an answer shows, and sentences that it quotes.
HITS = 8
CITATIONS = 3


class System:
    """Answers from the current generation of an index; a commit is seen between two questions.

    Safe to use from several threads.
    """

    def __init__(
        self,
        index: Index,
        load_s: float = 0.0,
        reader: Reader | None = None,
        generator: Generator | None = None,
    ) -> None:
        self._index = index
        self._opening = Lock()
        self._load_s = load_s
        self._reader = reader
        self._generator = generator
        self._reader_notice = ""

    @classmethod
    def open(
        cls,
        at: Path | str,
        *,
        embedder: Embedder | None = None,
        reader: Reader | None = BUNDLED,
        generator: Generator | None = None,
    ) -> "System":
        """`reader` rereads the first passages; None: sentences are scored without one, as they are, with a
        notice, where the bundled one is missing or damaged. `generator` writes what is answered; None: it is quoted.

        Raises NoIndex, DamagedIndex, OtherIndex or ModelError.
        """
        started = time.perf_counter()
        index = Index.open(at, embedder=embedder)
        index.check_model()
        notice = ""
        if reader is BUNDLED:
            try:
                BUNDLED.check()
            except ModelError as error:
                reader, notice = None, f"{error}; until then sentences are scored without it"
        system = cls(index, time.perf_counter() - started, reader, generator)
        system._reader_notice = notice
        return system

    def over(self, at: Path | str) -> "System":
        """Another index, answered from in the same way; the embedder is shared where it is of the same model.

        Raises as `open` does.
        """
        here = self.index
        same = store_at(place(at)).manifest().model == here.manifest.model
        index = Index.open(at, embedder=here.embedder if same else None)
        index.check_model()
        system = System(index, reader=self._reader, generator=self._generator)
        system._reader_notice = self._reader_notice
        return system

    @property
    def notices(self) -> list[str]:
        """A line for a person for each thing that is not as it should be: the index, the reader."""
        index = self.index  # of a server: each look asks it
        return [line for line in (index.notice, index.without, self._reader_notice) if line]

    @property
    def generator(self) -> str:
        """The name of the language model that writes the answers; empty where they are quoted."""
        return self._generator.name if self._generator else ""

    @property
    def index(self) -> Index:
        """The current generation; opened anew, by one thread, after a commit."""
        with self._opening:
            self._index = self._index.current()
            return self._index

    def search(
        self,
        query: str,
        k: int = 10,
        mode: Mode = "fused",
        *,
        history: Sequence[str] = (),
        sources: Sequence[str] | None = None,
    ) -> tuple[Hit, ...]:
        """The k best passages, best first, for a query after the questions of `history`; of all documents, or of
        those that `sources` stand for (`Index.of`).

        A reader is not asked: of the queries of a search it orders the passages worse (docs/evaluation.md).
        Raises UsageError for an empty query, and for a source that is not there.
        """
        index = self._asked(sources)
        search = self._follow_up(index, Question.parse(query), history)
        asked = search.read
        return retrieve(index, asked.text, k, mode, vector=search.vector, further=asked.further).hits

    def why(self, query: str, phrase: str, threshold: float | None = None) -> Trace:
        """At which stage a phrase of the documents was lost for a query. Raises UsageError if either is empty."""
        limit = THRESHOLD if threshold is None else threshold
        answer = System(self.index, reader=self._reader).answer(query, limit)  # what is quoted, whoever writes
        disputed = answer.text.startswith(DISAGREE)
        return trace(self.index, query, phrase, answer, limit, disputed=disputed, reader=self._reader)

    def answer(
        self,
        question: str,
        threshold: float | None = None,
        *,
        history: Sequence[str] = (),
        citations: int = CITATIONS,
        sources: Sequence[str] | None = None,
        hurried: bool = False,
    ) -> Answer:
        """The last word of `stream`."""
        asking = self.stream(
            question, threshold=threshold, history=history, citations=citations, sources=sources, hurried=hurried
        )
        *_, last = asking
        return last

    def stream(
        self,
        question: str,
        *,
        threshold: float | None = None,
        history: Sequence[str] = (),
        citations: int = CITATIONS,
        sources: Sequence[str] | None = None,
        hurried: bool = False,
    ) -> Iterator[Answer]:
        """The answer as it grows: first the passages without a word, at last all of it.

        `history` holds the earlier questions of the conversation, the latest last: a question that leans
        on them is searched with what they add (`Answer.searched`). At most `citations` sentences are
        quoted. A confidence below `threshold` (default: the calibrated one; 0 never refuses) makes it a
        refusal. All documents are asked, or those that `sources` stand for (`Index.of`). `hurried` leaves
        reader and generator out, and says so in the answer's notices.
        Raises UsageError for an empty question, and for a source that is not there.
        """
        started = time.perf_counter()
        load_s, self._load_s = self._load_s, 0.0
        index = self._asked(sources)
        search = self._follow_up(index, Question.parse(question), history, None if hurried else self._generator)
        asked = search.read
        retrieved = retrieve(index, asked.text, HITS, vector=search.vector, further=asked.further)
        retrieved_at = time.perf_counter()
        timings = Timings(load_s, retrieved_at - started, 0.0, load_s + retrieved_at - started)
        partial = Answer(
            search.question.text,
            "",
            (),
            retrieved.hits,
            searched=search.text,
            generation=index.generation,
            notices=(HURRIED,) if hurried and (self._reader or self._generator) else (),
            timings=timings,
        )
        yield partial

        if asked.wanted is Wanted.OVERVIEW and index.passages:
            lead, chosen = overview(index, asked, citations)
            sure = 1.0
        else:
            sentences = read(index, asked, retrieved)
            judged = retrieved, sentences
            if self._reader and not hurried:
                retrieved, sentences = read_again(self._reader, index, asked, retrieved, sentences)
                partial = replace(partial, hits=retrieved.hits)
                # The reader looks for words that are the answer, and no text has a yes. Of 297 questions of BoolQ that
                # the documents answer it would refuse 31 %, without it 10 % are; it orders them better all the same.
                judged = judged if asked.wanted is Wanted.YES_OR_NO else (retrieved, sentences)
            sure = confidence(index, asked, *judged)
            lead, chosen = _compose(index, asked, sentences, citations)
        if not chosen or sure < (THRESHOLD if threshold is None else threshold):
            text = REFUSAL if index.passages else EMPTY
            done = replace(partial, text=text, abstained=True, confidence=sure)
        else:
            # A sentence that is quoted for its neighbour's sake answers nothing itself.
            likely = kept(max(chosen, key=lambda one: one.score))
            answers = [short_answer(index, asked, one) if lead or one.score >= likely else None for one in chosen]
            text, cited = cite(chosen, lead, answers)
            done = replace(partial, text=text, citations=cited, confidence=sure)
            if self._generator and not hurried and not asked.wants_list:
                done = yield from _written(self._generator, index, asked, done, chosen, citations)
        finished = time.perf_counter()
        yield replace(
            done,
            timings=replace(timings, read_s=finished - retrieved_at, total_s=load_s + finished - started),
        )

    def _asked(self, sources: Sequence[str] | None) -> Index:
        """The index, or the part of it that is asked."""
        return self.index if sources is None else self.index.of(sources)

    def _follow_up(
        self, index: Index, question: Question, history: Sequence[str], generator: Generator | None = None
    ) -> Search:
        """What is searched for: the question as the generator makes it stand alone, or with the words that the rules
        of rag/conversation.py add. The last question of `history` is answered again, without a reader, for the names in
        its answer.
        """

        def answered() -> str:
            *before, last = history
            earlier = System(index).answer(last, history=before[1 - EARLIER :])
            return " ".join(one.quote for one in earlier.citations)

        if not history:
            return Search(question)
        language = index.question_language(question.text)
        if generator and isinstance(history, (list, tuple)) and may_lean(question, language):
            from .generation import condensed

            if found := condensed(generator, question, history, language):
                return Search(question, condensed=found)
        return follow_up(index, question, history, answered)


def _written(
    generator: Generator, index: Index, question: Question, quoted: Answer, chosen: Sequence[Sentence], most: int
) -> Generating[Answer, None, Answer]:
    """The answer as the generator writes it from the passages of the `chosen` sentences and the others found: yields
    it as it grows, returns it checked; `quoted` itself, with a notice, where that fails.
    """
    from .generation import write  # what a question without a language model does not import

    hits = [*(one.hit for one in chosen), *quoted.hits]
    passages = list({one.passage.id: one.passage for one in hits}.values())
    try:
        for draft in write(generator, index, question.text, passages, most):
            done = replace(
                quoted,
                text=draft.text,
                citations=draft.citations,
                unsupported=draft.unsupported,
                weak=draft.weak,
                left_out=tuple(one.id for one in draft.prompt.left_out),
                notices=draft.notices,
                generator=generator.name,
            )
            if not draft.whole:
                yield done
        cited, sides = ({one.source for one in answer.citations} for answer in (done, quoted))
        if quoted.text.startswith(DISAGREE) and not sides <= cited:
            raise GeneratorError("the language model left out one side of what the sources disagree about")
        return done
    except GeneratorError as error:
        return replace(quoted, notices=(f"{error}; quoted instead is what the documents say",))


def _compose(index: Index, question: Question, sentences: Sequence[Sentence], most: int) -> tuple[str, list[Sentence]]:
    """What to say before, and the sentences to quote in the order they are read."""
    pair = disagreement(index, question, sentences) if most > 1 else None
    if pair:
        return DISAGREE, list(pair)
    chosen = choose(sentences, most)
    if not chosen:
        return "", []
    # A sentence that leans on the one before it ("He ...", "This ...") is read after it, however likely that one is.
    best = chosen[0]
    before = [one for one in sentences if one.hit is best.hit and one.number == best.number - 1]
    if before and most > 1 and LEANING.match(best.text):
        chosen = [before[0], *(one for one in chosen if one is not before[0])]
    elif best.text.endswith(":"):  # what it announces is read after it
        listed = [one for one in sentences if one.hit is best.hit and best.number < one.number < best.number + most]
        chosen = [best, *sorted(listed, key=lambda one: one.number), *(one for one in chosen[1:] if one not in listed)]
    return "", chosen[:most]
