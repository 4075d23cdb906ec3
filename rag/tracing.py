"""Where a phrase was lost on its way from a file to the answer of a question: `search --why`."""

import difflib
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from index import Index
from index.documents import Passage
from index.errors import UsageError
from index.normalising import searchable
from index.store import Candidate
from index.terms import terms

from .answers import Answer
from .fusion import POOL
from .questions import Question, Wanted
from .reader import Reader
from .reading import PASSAGES, Features, Sentence, kept, read, same
from .rereading import read_again
from .retrieval import retrieve

# Left-out files that the report names, and rare words that it proposes.
_NAMED = 3
_PROPOSED = 3
# Passages whose sentences are compared with a phrase that no document has, and characters of the phrase that are:
# what repeats itself takes time by the product of the lengths.
_NEAR = 5
_COMPARED = 400

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›"
_DASHES = "-‐‑‒–—−"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage and whether the phrase came through it (None: it was not reached); `figures` are ready for JSON."""

    name: str
    passed: bool | None
    detail: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trace:
    """The stages in order, where the phrase was lost (empty if it is cited), and what to do about it."""

    query: str
    phrase: str
    stages: tuple[Stage, ...]
    lost: str
    advice: str


STAGES = ("extraction", "chunk", "dense", "lexical", "fused", "read", "answer")
# Each of these two may miss a passage that the other finds: nothing is lost before both are fused.
_HALVES = ("dense", "lexical")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the phrase stands: `text[start:end]` of a document, and the row of the passage that has most of it."""

    source: str
    start: int
    end: int
    row: int | None
    passage: Passage | None

    def within(self, start: int, end: int) -> bool:
        """Whether a span shares a character with it."""
        return start < self.end and self.start < end


def trace(
    index: Index, query: str, phrase: str, answer: Answer, threshold: float, *, disputed: bool, reader: Reader | None
) -> Trace:
    """Follow the phrase through every stage of a query; `answer` is its answer, given at `threshold` with
    `reader`, `disputed` if it shows two sentences that disagree.

    Of several places with the phrase, the one whose passage ranks best is followed. Case, white space,
    and the kinds of quotes and dashes make no difference.
    Raises UsageError for an empty phrase or query.
    """
    question = Question.parse(query)
    pattern = _pattern(phrase)
    ranking = retrieve(index, question.text, max(index.passages, 1))
    places = _places(index, pattern, {row: rank for rank, row in enumerate(ranking.rows)})
    stages = [_extracted(index, phrase, places)]
    if places:
        place = places[0]
        stages.append(_chunked(index, place))
        if question.wanted is Wanted.OVERVIEW:
            detail = "a question about the documents as a whole: their leads are shown, no passage is searched"
            stages += [Stage("read", False, detail, {"rank": None}), _answered(answer, [], places, threshold, disputed)]
        elif place.row is not None and place.passage is not None:
            stages += [
                _dense(index.dense(index.embed_query(question.text), index.passages), place.row),
                _lexical(index, index.lexical(question.text, index.passages), place.row, question, place.passage),
                _fused(ranking.rows, [hit.score for hit in ranking.hits], place.row),
            ]
            retrieved = retrieve(index, question.text, PASSAGES)
            sentences = read(index, question, retrieved)
            if reader:
                _, sentences = read_again(reader, index, question, retrieved, sentences)
            stages += [_read(sentences, place)] if stages[-1].passed else []
            stages.append(_answered(answer, sentences, places, threshold, disputed))
    by_name = {stage.name: stage for stage in stages}
    stages = [by_name.get(name, Stage(name, None, "not reached", {})) for name in STAGES]
    failed = (stage.name for stage in stages if stage.passed is False and stage.name not in _HALVES)
    lost = "" if stages[-1].passed else next(failed)
    return Trace(question.text, phrase, tuple(stages), lost, _advice(index, lost, places, stages, threshold))


def _pattern(phrase: str) -> re.Pattern[str]:
    """The phrase, whatever its case, white space, quotes and dashes."""
    words = searchable(phrase).split()
    if not words:
        raise UsageError("the phrase is empty: give some words of the passage that you miss")
    kinds = {kind: f"[{re.escape(kinds)}]" for kinds in (_QUOTES, _DASHES) for kind in kinds}
    return re.compile(
        r"\s+".join("".join(kinds.get(character, re.escape(character)) for character in word) for word in words),
        re.IGNORECASE,
    )


def _places(index: Index, pattern: re.Pattern[str], ranks: dict[int, int]) -> list[_Place]:
    """Every place of the phrase, that of the best passage first."""
    found = []
    for source, *_ in index.sources():
        spans = [match.span() for match in pattern.finditer(index.document(source).text)]
        passages = [(row, index.passage(row)) for row in index.rows_of(source)] if spans else []
        # Passages come in order: with their starts, their ends ascend.
        starts, ends = [one.start for _, one in passages], [one.end for _, one in passages]
        for start, end in spans:
            has = passages[bisect_right(ends, start) : bisect_left(starts, end)]
            best = min(
                has,
                key=lambda item: (
                    max(0, item[1].start - start) + max(0, end - item[1].end),
                    ranks.get(item[0], len(ranks)),
                ),
                default=(None, None),
            )
            found.append(_Place(source, start, end, *best))
    return sorted(found, key=lambda one: len(ranks) if one.row is None else ranks.get(one.row, len(ranks)))


def _extracted(index: Index, phrase: str, places: list[_Place]) -> Stage:
    if places:
        place, sources = places[0], list(dict.fromkeys(place.source for place in places))
        more = f", and {len(places) - 1} more" if len(places) > 1 else ""
        detail = f"in the text of {place.source}, characters {place.start:,} to {place.end:,}{more}"
        return Stage("extraction", True, detail, {"source": place.source, "start": place.start, "end": place.end,
                                                  "places": len(places), "sources": sources})  # fmt: skip
    left_out = [record for record in index.files() if record.status != "added" and record.reason != "hidden"]
    nearest, source = _nearest(index, phrase)
    detail = f"in the text of none of the {len(index.sources()):,} documents"
    if nearest:
        detail += f"; the nearest is “{nearest}” in {source}"
    if left_out:
        named = "; ".join(f"{record.path} ({record.reason})" for record in left_out[:_NAMED])
        more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
        detail += f"; left out were {named}{more}"
    return Stage(
        "extraction",
        False,
        detail,
        {
            "nearest": nearest,
            "nearest_source": source,
            "left_out": [{"path": one.path, "status": one.status, "reason": one.reason} for one in left_out],
        },
    )


def _nearest(index: Index, phrase: str) -> tuple[str, str]:
    """The sentence most like the phrase, character by character, and its document; empty if none is like it."""
    hits = retrieve(index, phrase, _NEAR).hits if index.passages else ()
    likeness = [
        (_likeness(phrase, hit.passage.quote(number)), hit.passage.quote(number), hit.passage.source)
        for hit in hits
        for number in range(len(hit.passage.sentences))
    ]
    best, text, source = max(likeness, key=lambda one: one[0], default=(0.0, "", ""))
    return (text, source) if best >= 0.5 else ("", "")


def _likeness(phrase: str, sentence: str) -> float:
    """The share of the phrase's characters that stand in the sentence in the same order."""
    wanted = phrase[:_COMPARED].lower()
    matched = difflib.SequenceMatcher(None, wanted, sentence.lower(), autojunk=False).get_matching_blocks()
    return sum(block.size for block in matched if block.size > 4) / len(wanted)


def _chunked(index: Index, place: _Place) -> Stage:
    if place.passage is None:
        return Stage("chunk", False, "in no passage: a heading, or text that is not indexed", {"passage_id": None})
    whole = place.passage.start <= place.start and place.end <= place.passage.end
    number = index.rows_of(place.source).index(place.row) + 1 if place.row is not None else 0
    of = len(index.rows_of(place.source))
    figures = {"passage_id": place.passage.id, "number": number, "of": of, "whole": whole}
    if whole:
        return Stage("chunk", True, f"whole in passage {number} of {of}", figures)
    return Stage("chunk", False, f"cut: passage {number} of {of} has most of it, its neighbour the rest", figures)


def _first(rank: int, score: float, digits: int) -> str:
    """What the first has, unless this is the first."""
    return f" (the first has {score:.{digits}f})" if rank > 1 else ""


def _dense(found: tuple[Candidate, ...], row: int) -> Stage:
    rank, score = next((rank, one.score) for rank, one in enumerate(found, 1) if one.row == row)
    detail = f"rank {rank:,} of {len(found):,} by meaning, cosine {score:.3f}{_first(rank, found[0].score, 3)}"
    return Stage("dense", rank <= POOL, detail, {"rank": rank, "score": round(score, 6)})


def _lexical(index: Index, found: tuple[Candidate, ...], row: int, question: Question, passage: Passage) -> Stage:
    has = set(terms(f"{passage.context} {passage.text}", passage.language))
    asked = set(index.question_terms(question.text, passage.language))
    words = {
        stem: word
        for word in re.findall(r"\w[\w'’.,:-]*\w|\w", question.text)
        for stem in terms(word, passage.language)
        if stem in asked
    }
    shared = [word for stem, word in words.items() if stem in has]
    lacks = [word for stem, word in words.items() if stem not in has]
    figures: dict[str, Any] = {"rank": None, "score": None, "shared": shared, "lacks": lacks}
    said = f"has {', '.join(shared) or 'none of its words'}" + (f"; lacks {', '.join(lacks)}" if lacks else "")
    for rank, one in enumerate(found, 1):
        if one.row == row:
            detail = f"rank {rank:,} of {len(found):,} by words, BM25 {one.score:.2f}{_first(rank, found[0].score, 2)}"
            figures |= {"rank": rank, "score": round(one.score, 6)}
            return Stage("lexical", rank <= POOL, f"{detail}; {said}", figures)
    return Stage("lexical", False, f"not found by words: {said}", figures)


def _fused(rows: tuple[int, ...], scores: list[float], row: int) -> Stage:
    if row not in rows:
        return Stage("fused", False, "not in the fused list", {"rank": None, "score": None})
    rank = rows.index(row) + 1
    detail = f"rank {rank:,}, score {scores[rank - 1]:.3f}; the first {PASSAGES} are read"
    return Stage("fused", rank <= PASSAGES, detail, {"rank": rank, "score": round(scores[rank - 1], 6)})


def _read(sentences: list[Sentence], place: _Place) -> Stage:
    mine = _mine(sentences, place)
    if mine is None:
        return Stage("read", False, "no sentence of the passages read has it", {"rank": None})
    rank, sentence = mine
    best = sentences[0]
    detail = f"rank {rank} of {len(sentences)} sentences, score {sentence.score:.2f}"
    if rank > 1:
        detail += f" (the first has {best.score:.2f}: {_better(best, sentence)})"
    figures = {
        "rank": rank,
        **_scores(sentence),
        "best": {"source": best.hit.passage.source, "quote": best.text, **_scores(best)},
    }
    return Stage("read", rank == 1 or sentence.score >= kept(best), detail, figures)


def _scores(sentence: Sentence) -> dict[str, Any]:
    features = dict(zip(Features.__slots__, sentence.features.values(), strict=True))
    found: dict[str, Any] = {"score": round(sentence.score, 4), "features": features}
    if sentence.reread:
        found["reader"] = {"margin": round(sentence.reread.margin, 3), "answers": round(sentence.reread.answers, 3)}
    return found


def _mine(sentences: list[Sentence], place: _Place) -> tuple[int, Sentence] | None:
    """The best sentence with a part of the phrase, and its rank from 1."""
    for rank, sentence in enumerate(sentences, 1):
        if sentence.hit.passage.source == place.source and place.within(sentence.start, sentence.end):
            return rank, sentence
    return None


_SAID = {
    "passage": "its passage ranks higher",
    "cosine": "it is nearer in meaning",
    "words": "it has more of the words",
    "context": "its heading or the sentence before has more of the words",
    "around": "more of the words stand around it",
    "offered": "it has the kind of thing that is asked for",
    "reader": "the reader finds an answer in it sooner",
}


def _better(best: Sentence, mine: Sentence) -> str:
    """What speaks for the first sentence, most telling first."""
    names = [name for name in _SAID if name in Features.__slots__]
    gaps = {name: getattr(best.features, name) - getattr(mine.features, name) for name in names}
    if best.reread and mine.reread:
        gaps["reader"] = (best.reread.margin - mine.reread.margin) / 10
    telling = sorted((name for name in gaps if gaps[name] > 0.02), key=lambda name: -gaps[name])
    return ", ".join(_SAID[name] for name in telling[:2]) or "by little"


def _answered(
    answer: Answer, sentences: list[Sentence], places: list[_Place], threshold: float, disputed: bool
) -> Stage:
    figures: dict[str, Any] = {"confidence": round(answer.confidence, 4), "threshold": threshold, "marker": None}
    for one in answer.citations:
        if any(one.source == place.source and place.within(one.start, one.end) for place in places):
            return Stage("answer", True, f"cited as [{one.marker}]", {**figures, "marker": one.marker})
    mine = _mine(sentences, places[0])
    if answer.abstained:
        detail = f"refused: confidence {answer.confidence:.2f} is below the threshold {threshold:.2f}"
    elif mine is None:
        detail = "not cited: it was not read"
    elif disputed:
        detail = "not cited: two sentences that disagree are shown instead"
    elif twin := next((one for one in sentences[: mine[0] - 1] if same(one, mine[1])), None):
        detail = f"not cited: {twin.hit.passage.source} says nearly the same, “{twin.text}”"
    elif mine[1].score < kept(sentences[0]):
        share = kept(sentences[0]) / sentences[0].score
        detail = f"not cited: its score {mine[1].score:.2f} is below {share:.1f} of the first sentence's"
    else:
        detail = f"not cited: the {len(answer.citations)} sentences that are cited come before it"
    return Stage("answer", False, detail, figures)


def _advice(index: Index, lost: str, places: list[_Place], stages: list[Stage], threshold: float) -> str:
    if not lost:
        return "Nothing was lost: the phrase is in the answer."
    if lost == "extraction":
        return "See what was read with  footnoted show SOURCE, or index the file that has it."
    if lost == "chunk" and places[0].passage is None:
        return "Ask for the text below that heading: only sentences are quoted."
    if lost == "chunk":
        return "Longer passages keep it whole:  footnoted index --rebuild --chunk-size TOKENS --overlap TOKENS PATH"
    if lost == "fused" and places[0].passage is not None:
        words = ", ".join(_rare(index, places[0], places[0].passage, stages))
        return f"Ask with words of that place, such as {words}." if words else "Ask with words of that passage."
    if lost == "read" and stages[-3].passed is None:
        return "Ask about the matter itself, not about the documents."
    if lost == "read":
        return "Ask for exactly what the sentence says: one matter a question, in its words."
    if "refused" in stages[-1].detail:
        confidence = stages[-1].figures["confidence"]
        return f"A lower threshold answers it: --threshold {int(confidence * 100) / 100:.2f} (now {threshold:.2f})."
    return "The sentences before it were more likely; a question that only this sentence answers brings it up."


def _rare(index: Index, place: _Place, passage: Passage, stages: list[Stage]) -> list[str]:
    """The rarest plain words of the sentences with the phrase that the query does not have."""
    (shared,) = [stage.figures["shared"] for stage in stages if stage.name == "lexical"]
    known = set(terms(" ".join(shared), passage.language))
    sentences = [passage.quote(number) for number, span in enumerate(passage.sentences) if place.within(*span)]
    stems: dict[str, str] = {}
    for word in re.findall(r"[^\W\d_]{4,}", " ".join(sentences)):
        for stem in terms(word, passage.language):
            stems.setdefault(stem, word)
    rarity = dict(zip(stems, index.term_weights(list(stems)), strict=True))
    rarest = sorted((stem for stem in stems if stem not in known), key=lambda stem: -rarity[stem])
    return [stems[stem] for stem in rarest[:_PROPOSED]]
