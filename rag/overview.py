"""Questions about the documents as a whole: what they are, what one of them is about."""

from collections.abc import Sequence

import numpy as np

from index import Index
from index.embedding import Vectors
from index.terms import terms

from .answers import Hit
from .questions import Question
from .reading import Features, Sentence

# Titles that are named before "and n more".
_NAMED = 12
_NO_FEATURES = Features(0, 0, 0, 0, 0, 0, 0, 0, 0)
# A lead sentence has at least so many words; shorter first lines are bylines and dates.
_LEAD_WORDS = 7


def overview(index: Index, question: Question, most: int) -> tuple[str, list[Sentence]]:
    """What to say first, and at most `most` sentences that show what it is about.

    Of one document (the one that the question names, or the only one): its lead and its most
    central sentences, in order. Of several: their names, and the leads of the most central ones.
    """
    documents = index.sources()
    named = _named(question, documents)
    if len(documents) == 1 or (named and not question.wants_list):
        source, title, _, _ = named or documents[0]
        return f"{_plain(title)}:", _summary(index, source, most)
    titles = [_plain(title) for _, title, _, _ in documents]
    more = f"; and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
    lead = f"There are {len(titles)} documents: {'; '.join(titles[:_NAMED])}{more}."
    return lead, _leads(index, [source for source, *_ in documents], most)


def _named(question: Question, documents: Sequence[tuple[str, str, int, int]]) -> tuple[str, str, int, int] | None:
    """The document most of whose title, or whose file name, stands in the question."""
    asked = set(question.words)
    best = max(documents, key=lambda row: _share(asked, row[1], row[0]), default=None)
    return best if best and _share(asked, best[1], best[0]) >= 0.6 else None


def _share(asked: set[str], title: str, source: str) -> float:
    shares = []
    for name in (title, source.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("-", " ").replace("_", " ")):
        words = {word for word in terms(name) if not word.isdigit()}
        shares.append(len(words & asked) / len(words) if words else 0.0)
    return max(shares)


def _summary(index: Index, source: str, most: int) -> list[Sentence]:
    rows = index.rows_of(source)
    sentences = [sentence for row in rows for sentence in _sentences(index, row)]
    full = [sentence for sentence in sentences if _whole(sentence)] or sentences
    if not full:
        return []
    centre = np.mean([sentence.vector for sentence in sentences], axis=0)
    chosen = [full[0]]
    for sentence in sorted(full[1:], key=lambda one: -float(one.vector @ centre)):
        if len(chosen) == most:
            break
        if all(sentence.hit.passage.id != other.hit.passage.id for other in chosen):
            chosen.append(sentence)
    return sorted(chosen, key=lambda one: one.start)


def _leads(index: Index, sources: Sequence[str], most: int) -> list[Sentence]:
    """The lead sentences of the documents nearest to the middle of them all, in the order of sources."""
    leads = []
    for source in sources[:200]:
        for row in index.rows_of(source)[:2]:
            found = _sentences(index, row)
            full = [one for one in found if _whole(one)] or found
            if full:
                leads.append(full[0])
                break
    if not leads:
        return []
    centre = np.mean([lead.vector for lead in leads], axis=0)
    nearest = sorted(range(len(leads)), key=lambda place: -float(leads[place].vector @ centre))[:most]
    return [leads[place] for place in sorted(nearest)]


def _whole(sentence: Sentence) -> bool:
    """Whether it reads as a sentence, not as a title, a byline or a table row."""
    text = sentence.text
    return len(text.split()) >= _LEAD_WORDS and text.rstrip("\"”’')]")[-1:] in ".!?。！？" and " | " not in text


def _sentences(index: Index, row: int) -> list[Sentence]:
    passage = index.passage(row)
    vectors: Vectors = index.sentence_vectors(row)
    hit = Hit(passage, 1.0, None, None)
    return [
        Sentence(hit, number, start, end, passage.quote(number), 1.0, _NO_FEATURES, vectors[number], frozenset())
        for number, (start, end) in enumerate(passage.sentences)
    ]


def _plain(title: str) -> str:
    """A title that cannot be taken for a footnote."""
    return title.replace("[", "(").replace("]", ")").strip()
