"""A question within a conversation: what earlier questions add to its search.

A follow-up ("Which is more important?", "And in 2019?") leaves out what was said before. It is searched
with the content words of the last question, those of the one before where that leaned on it, and, where
it has a pronoun, the names in the answer to the last one; a question that stands alone is searched as it
is. The added words are mixed in lightly, as Rocchio (1971) mixes query vectors, so that a wrong guess
costs little. All constants were chosen by benchmarks/conversation.py on its tuning halves
(docs/evaluation.md).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from index import Index
from index.embedding import Vectors, unit
from index.errors import UsageError
from index.terms import terms

from .questions import LONGEST, Question, Wanted

# Earlier questions that add words (those of hardly a word are passed over), words that are added, and
# names taken from the earlier answer.
EARLIER = 2
WORDS = 12
NAMES = 6
# Weight of the added words: of their embedding next to the question's, and of their BM25 next to 1.
DENSE_SHARE = 0.5
LEXICAL_SHARE = 0.4
# How much nearer (cosine) the nearest passage must come by what is added: it may move away a little
# where the wording leans, and must come nearer where only the lack of any name speaks for it.
LEANING, NAMELESS = -0.05, 0.05

SEPARATOR = " · "

_OPENING = re.compile(
    r"^(?:and|but|or|so|then|also|what about|how about|what of|how come|no|yes|i mean|i meant"
    r"|which (?:is|are|was|were|one))\b",
    re.IGNORECASE,
)
# "That" and "one" are mostly no pronouns: only where nothing follows, or after a verb.
_PRONOUN = re.compile(
    r"""\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|these|those|ones
    |(?:that|one)(?=\s*(?:[?.,!]|$))|(?:(?<=is\ )|(?<=was\ )|(?<=did\ )|(?<=does\ ))that)\b""",
    re.IGNORECASE | re.VERBOSE,
)
# A capital within a sentence; and a number, which tells as much in a question.
_NAME = re.compile(r"(?<=[\w,;’'] )[A-Z][\w'’-]+")
_PARTICULAR = re.compile(rf"{_NAME.pattern}|\d[\d.,:]*")
_WORD = re.compile(r"\w[\w'’.,:-]*\w|\w")
# A question of so few content words names too little to be searched alone.
BARE = 1
# After more content words than this, a pronoun stands for one of them; a question of more has a topic.
_FEW = 2


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: the question, and the words `added` by the conversation (none if it stands
    alone), or what it is `condensed` to. `vector` (dim,) embeds it; None where nothing had to be embedded yet.
    """

    question: Question
    added: str = ""
    vector: Vectors | None = None
    condensed: Question | None = None

    @property
    def text(self) -> str:
        """As a person reads it: the question, then what was added; or what it is condensed to."""
        if self.condensed:
            return self.condensed.text
        return self.question.text + (SEPARATOR + self.added if self.added else "")

    @property
    def read(self) -> Question:
        """The question as it is searched and read: with the added terms, or condensed."""
        return self.condensed or replace(self.question, further=dict.fromkeys(self.added.split(), LEXICAL_SHARE))


def follow_up(
    index: Index, question: Question, history: Sequence[str], answered: Callable[[], str] = lambda: ""
) -> Search:
    """The search for a question after the questions of `history`, the latest last.

    `answered` gives the quotes of the answer to the last of them; it is called for a follow-up with a
    pronoun only, which may stand for a name in it.
    Raises UsageError for a history that is no list, or holds something that is no question.
    """
    if not isinstance(history, (list, tuple)):
        raise UsageError(f"history must be a list of the earlier questions, got {type(history).__name__}")
    language = index.question_language(question.text)
    words = _words(history, language)
    added = _new(question, words, language)
    if not added or question.wanted is Wanted.OVERVIEW:
        return Search(question)
    leaning, nameless = leans(question, language), _nameless(question)
    if not (leaning or nameless):
        return Search(question)
    own = index.embed_query(question.text)
    nearer = _nearest(index, _mixed(index, own, added)) - _nearest(index, own)
    if not ((leaning and nearer > LEANING) or (nameless and nearer > NAMELESS)):
        return Search(question, vector=own)
    names = _NAME.findall(answered())[:NAMES] if _PRONOUN.search(question.text) else []
    added = _new(question, [*names, *words], language)
    search = Search(question, added, _mixed(index, own, added))
    return search if len(search.text) <= LONGEST else Search(question)  # as one question it is asked and judged again


def may_lean(question: Question, language: str) -> bool:
    """Whether the wording leaves open that it is asked of what was said before."""
    return question.wanted is not Wanted.OVERVIEW and (leans(question, language) or _nameless(question))


def _nameless(question: Question) -> bool:
    return not _PARTICULAR.search(question.text)


def leans(question: Question, language: str = "en") -> bool:
    """Whether the wording leans on what was said: how it opens, a pronoun for which nothing stands before
    it, or hardly a word that carries content in its `language` (ISO 639-1).
    """
    if _OPENING.search(question.text):
        return True
    pronoun = _PRONOUN.search(question.text)
    if pronoun:
        before = question.text[: pronoun.start()]
        if not _PARTICULAR.search(before) and len(set(terms(before, language))) <= _FEW:
            return True
    return len(question.words_in(language)) <= BARE and not _PARTICULAR.search(question.text)


def _words(history: Sequence[str], language: str) -> list[str]:
    """The content words of the last questions, by the stopwords of the language, the latest first; an overview is
    about no matter of its own.
    """
    words: list[str] = []
    taken = 0
    for question in [Question.parse(text) for text in history][::-1]:
        if question.wanted is Wanted.OVERVIEW:
            continue
        words += [word for word in _WORD.findall(question.text) if terms(word, language)]
        enough = len(question.words_in(language)) > _FEW
        taken += enough
        if taken == EARLIER or (enough and not leans(question, language)):  # what is before it was another matter
            break
    return words


def _new(question: Question, words: Iterable[str], language: str) -> str:
    """The first words that neither the question nor a word before them brings."""
    known, new = set(question.words_in(language)), list[str]()
    for word in words:
        stems = set(terms(word, language))
        if not stems <= known and len(new) < WORDS:
            known |= stems
            new.append(word)
    return " ".join(new)


def _mixed(index: Index, own: Vectors, added: str) -> Vectors:
    mixed: Vectors = unit((own + DENSE_SHARE * index.embed_query(added))[None])[0]
    return mixed


def _nearest(index: Index, vector: Vectors) -> float:
    return max((one.score for one in index.dense(vector, 1)), default=0.0)
