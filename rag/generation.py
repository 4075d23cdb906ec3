"""What a language model writes about passages, checked as it grows."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index import Index
from index.documents import Passage
from index.errors import GeneratorError, UsageError
from index.sentences import sentence_spans
from index.terms import terms

from .answers import Citation, Doubt
from .citing import without_markers
from .generator import Generator
from .markers import Marked, parse
from .prompts import NO_ANSWER, Prompt, answering, condensing
from .questions import Question
from .support import Checker, Quote, figures

# An answer is shown anew when it has grown by so many characters and by this share: 5 to 10 times.
_STEP, _GROWTH = 40, 0.4
# Seconds that a follow-up question may take to be rewritten, and what is no question any more.
_CONDENSE_S = 5.0
_LONGEST_CONDENSED = 400


@dataclass(frozen=True, slots=True)
class Draft:
    """A generated answer, or its beginning: whole sentences are checked, the one that still grows is not.

    `text` has our markers, `[1]`, `[2]`, ... in order of appearance, one to one with `citations`; the spans of
    `unsupported` and `weak` are of sentences in it. `dropped` counts markers that named no passage.
    """

    text: str
    citations: tuple[Citation, ...]
    unsupported: tuple[Doubt, ...]
    weak: tuple[Doubt, ...]
    dropped: int
    prompt: Prompt
    whole: bool

    @property
    def notices(self) -> tuple[str, ...]:
        """A line for each thing that a person should know of how it came about."""
        lines = []
        if self.prompt.left_out:
            whole = len(self.prompt.passages) + len(self.prompt.left_out) - self._cut
            lines.append(
                f"the language model was not shown all that was found: {len(self.prompt.left_out)} of {whole} passages "
                "did not fit into its prompt, or not wholly"
            )
        if self.dropped:
            noun = "a footnote that names" if self.dropped == 1 else f"{self.dropped} footnotes that name"
            lines.append(f"the language model wrote {noun} no passage: left out")
        return tuple(lines)

    @property
    def _cut(self) -> int:
        """Whether the last passage is both shown and, in part, left out."""
        return int(self.prompt.passages[-1] in self.prompt.left_out)


def write(generator: Generator, index: Index, question: str, passages: Sequence[Passage], most: int) -> Iterator[Draft]:
    """The answer as it grows, at last all of it; the model is asked for at most `most` sentences.

    Raises GeneratorError if it gives no whole answer, or one in which nothing is supported.
    """
    prompt = answering(question, passages, most, generator.budget)
    checker = Checker(index, prompt.passages)
    written, shown = "", float(_STEP)
    for piece in generator.generate(prompt.messages):
        written += piece
        if len(written) < shown:
            continue
        draft = _draft(written, prompt, checker, whole=False)
        if draft.text:
            yield draft
            shown = len(written) + max(_STEP, _GROWTH * len(written))
        else:
            shown = len(written) + 1
    draft = _draft(written, prompt, checker, whole=True)
    if not draft.citations:
        said = "found no answer in the passages" if NO_ANSWER in draft.text else "wrote nothing that the passages say"
        raise GeneratorError(f"the language model {generator.name} {said}")
    yield draft


def _draft(written: str, prompt: Prompt, checker: Checker, *, whole: bool) -> Draft:
    written = re.sub(rf"(?:BEGIN |END )?{prompt.mark}", "", written)  # small models repeat what they are shown
    marked = parse(written, len(prompt.passages), whole=whole)
    spans = sentence_spans(marked.text, language=prompt.passages[0].language)
    cited = _by_sentence(marked, [start for start, _ in spans])
    text, last = "", spans[0][0] if spans and not marked.text[: spans[0][0]].strip() else 0
    citations: list[Citation] = []
    doubts: dict[str, list[Doubt]] = {"unsupported": [], "weak": []}
    for number, (start, end) in enumerate(spans):
        text += without_markers(marked.text[last:start])
        sentence, last = marked.text[start:end], end
        begin = len(text)
        text += without_markers(sentence)
        if not whole and number == len(spans) - 1:
            break  # it still grows
        support = checker.check(sentence, tuple(cited[number]))
        if support.grade != "supported":
            doubts[support.grade].append(Doubt(begin, len(text), support.reason))
        for citation in _citations(support.quotes, prompt.passages, len(citations)):
            citations.append(citation)
            text += f" [{citation.marker}]"
    text += without_markers(marked.text[last:])
    return Draft(
        text,
        tuple(citations),
        tuple(doubts["unsupported"]),
        tuple(doubts["weak"]),
        marked.dropped,
        prompt,
        whole,
    )


def _by_sentence(marked: Marked, starts: Sequence[int]) -> list[list[int]]:
    """The passages (from 0) that each sentence cites: a marker belongs to the sentence in which, or after which, it
    stands.
    """
    cited: list[list[int]] = [[] for _ in starts]
    for place, number in marked.markers:
        if starts:
            of = cited[max(bisect_left(starts, place) - 1, 0)]
            if number - 1 not in of:
                of.append(number - 1)
    return cited


def _citations(quotes: Sequence[Quote], passages: Sequence[Passage], before: int) -> Iterator[Citation]:
    """A citation for each quote, numbered after those `before`; a sentence in two overlapping passages counts once."""
    found: dict[tuple[str, int, int], Quote] = {}
    for quote in quotes:
        found.setdefault((passages[quote.passage].source, *passages[quote.passage].sentences[quote.sentence]), quote)
    for marker, ((source, start, end), quote) in enumerate(found.items(), before + 1):
        passage = passages[quote.passage]
        yield Citation(
            marker=marker,
            source=source,
            title=passage.title,
            start=start,
            end=end,
            quote=passage.quote(quote.sentence),
            passage_id=passage.id,
            page=passage.page,
            heading=passage.heading,
            score=min(max(quote.score / 2, 0.0), 1.0),
        )


def condensed(generator: Generator, question: Question, history: Sequence[str], language: str) -> Question | None:
    """The question as the model writes it to stand alone; None if it fails, is slow, changes nothing, or says what
    neither the question nor the conversation did.
    """
    try:
        written = "".join(generator.generate(condensing(question.text, history), _CONDENSE_S))
        line = parse(written, 0).text.strip().strip("\"“”'").strip()
        if "\n" in line or len(line) > _LONGEST_CONDENSED or line.casefold() == question.text.casefold():
            return None
        found = Question.parse(line)
    except (GeneratorError, UsageError):
        return None
    said = " ".join([*history, question.text])
    known = set(terms(said, language))
    if not set(terms(line, language)) <= known or not figures(line) <= figures(said):
        return None
    return found
