"""For each question the passages that our own retrieval puts first and that do not answer it.

Windows are our own passages, so that what is trained on is cut as what will be read.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from eval.quoting import contains
from index import Index
from index.cores import cores
from index.documents import Passage
from rag.retrieval import retrieve

from .rows import Row, Rows

# Passages of a question that are looked at, and negatives that are kept.
DEPTH = 24
KEPT = 12
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Mined:
    """A row with its place in the index: `gold` the passage of the index that it is asked of, `answers` its
    accepted (start, end) spans in that passage's text, `negatives` passages that do not answer it, nearest
    first, and `rank` where the first passage of its own text stood, from 1; 0 if it was not found.
    """

    question: str
    answers: tuple[tuple[int, int], ...]
    sentence: bool
    set: str
    held: bool
    gold: int
    negatives: tuple[int, ...]
    rank: int


def build_index(rows: Rows, folder: Path) -> None:
    """An index of every text, in `folder`; one that is there is brought up to date."""
    corpus = folder / "corpus.jsonl"
    lines = (json.dumps({"_id": one.id, "title": one.title, "text": one.text}) for one in rows.texts.values())
    corpus.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    Index.build([corpus], folder / "index")


def mine(rows: Rows, folder: Path) -> None:
    """Write `mined.jsonl`: the rows whose answers stand in one passage of the index, with their negatives."""
    parts = [rows.rows[at : at + _BATCH] for at in range(0, len(rows.rows), _BATCH)]
    held = {id for id, text in rows.texts.items() if text.held}
    scratch = folder / "mined.partial"
    with scratch.open("w", encoding="utf-8") as out, ProcessPoolExecutor(cores()) as pool:
        texts = {id: text.text for id, text in rows.texts.items()}
        for found in pool.map(partial(_mine, folder), ((part, texts_of(part, texts), held) for part in parts)):
            out.writelines(f"{json.dumps(asdict(one))}\n" for one in found)
    scratch.replace(folder / "mined.jsonl")


def texts_of(part: Sequence[Row], texts: dict[str, str]) -> dict[str, str]:
    return {row.text_id: texts[row.text_id] for row in part}


def load_mined(folder: Path) -> Iterator[Mined]:
    with (folder / "mined.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            row["answers"] = tuple(tuple(span) for span in row["answers"])
            yield Mined(**{**row, "negatives": tuple(row["negatives"])})


_opened: dict[Path, Index] = {}  # by each process for itself


def _mine(folder: Path, part: tuple[Sequence[Row], dict[str, str], set[str]]) -> list[Mined]:
    rows, texts, held = part
    if folder not in _opened:
        _opened[folder] = Index.open(folder / "index")
    index = _opened[folder]
    vectors = index.embedder.embed_queries([row.question for row in rows])
    mined = []
    for row, vector in zip(rows, vectors, strict=True):
        own = index.rows_of(f"corpus.jsonl#{row.text_id}")
        passages = {at: index.passage(at) for at in own}
        gold, answers = _placed(passages, texts[row.text_id], row.answers)
        if gold is None:
            continue
        found = retrieve(index, row.question, DEPTH, vector=vector)
        accepted = [texts[row.text_id][start:end] for start, end in row.answers]
        negatives = [
            at
            for at, hit in zip(found.rows, found.hits, strict=True)
            if at not in own and not any(contains(hit.passage.text, one) for one in accepted)
        ]
        rank = next((place for place, at in enumerate(found.rows, 1) if at in own), 0)
        mined.append(
            Mined(
                row.question, answers, row.sentence, row.set, row.text_id in held, gold, tuple(negatives[:KEPT]), rank
            )
        )
    return mined


def _placed(
    passages: dict[int, Passage], text: str, answers: Sequence[tuple[int, int]]
) -> tuple[int | None, tuple[tuple[int, int], ...]]:
    """The passage that holds most of the answers, and where they stand in it; without answers, the first."""
    best: tuple[int | None, tuple[tuple[int, int], ...]] = (None, ())
    for at, passage in passages.items():
        spans = []
        for start, end in answers:
            # The passage's text may differ in white space, so the answer is told by which of its kind it is.
            part = text[start:end]
            before = text[:start].rfind(passage.text[:40]) if len(passages) > 1 else 0
            order = text.count(part, max(before, 0), start)
            place = -1
            for _ in range(order + 1):
                place = passage.text.find(part, place + 1)
                if place < 0:
                    break
            if place >= 0:
                spans.append((place, place + len(part)))
        if (len(spans) > len(best[1])) or (best[0] is None and not answers):
            best = at, tuple(sorted(set(spans)))
    return best
