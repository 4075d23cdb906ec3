"""Segments made one, without what is dead in them: which, and how.

Few large segments are searched faster than many small ones; every merge writes its passages again. So a
segment is merged with others of about its size (a log-structured merge, O'Neil et al. 1996), and at the end of
an update as many of the smallest as the update's own work outweighs.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ..durable import make_folder
from ..embedding import Vectors
from ..manifest import SegmentEntry
from .scan import PASSAGES, write_scan
from .segment import Segment
from .writing import finish_texts, new_texts, synced, write_arrays

# Passages of a segment that is merged with no other: its vectors (0.8 GB) are in memory while it is written.
LARGEST = 1 << 19
# More segments of one size than this are merged; sizes are alike within this factor, from `_LEAST` passages on.
CROWD = 8
_LEAST = 2048
# Passages that an update may write again for each that it embedded, which costs a hundred times as much.
REWRITTEN = 8
# A segment of which a greater share is dead is written again.
_DEAD = 0.3
# Sentences whose neighbours are searched to measure a scan.
_QUERIES = 100


def crowded(segments: Sequence[Segment]) -> list[Segment]:
    """The segments of the first size of which there are too many; none if no size has."""
    sizes: dict[int, list[Segment]] = {}
    for segment in segments:
        sizes.setdefault(_size(segment.passages), []).append(segment)
    for _, alike in sorted(sizes.items()):
        if len(alike) > CROWD:
            return _fitting(alike, LARGEST)
    return []


def worth_merging(segments: Sequence[Segment], most: int) -> list[Segment]:
    """What to merge at the end of an update that may write at most so many passages again: the smallest, if they
    make a segment that is scanned, or a large one of which much is dead; none if nothing is worth it.
    """
    chosen = _fitting(segments, min(LARGEST, most))
    if sum(segment.passages for segment in chosen) >= PASSAGES:
        return chosen
    return [one for one in segments if len(one.alive) >= PASSAGES and one.passages < (1 - _DEAD) * len(one.alive)][:1]


def _size(passages: int) -> int:
    size = 0
    while passages >= _LEAST * CROWD**size:
        size += 1
    return size


def _fitting(segments: Sequence[Segment], most: int) -> list[Segment]:
    """The smallest segments that have at most so many passages together, in their order; at least two, or none."""
    by_size = sorted(range(len(segments)), key=lambda place: segments[place].passages)
    together = np.cumsum([segments[place].passages for place in by_size])
    chosen = by_size[: int(np.searchsorted(together, most, side="right"))]
    return [segments[place] for place in sorted(chosen)] if len(chosen) > 1 else []


def merge_segments(folder: Path, segments: Sequence[Segment], dimension: int) -> SegmentEntry:
    """Write what lives in `segments`, in their order, as a new segment at `folder`, which must not exist."""
    make_folder(folder)
    languages = sorted({code for segment in segments for code in segment.living})
    vocabulary, pointers, postings = _postings(segments)
    texts = new_texts(folder)
    files = documents = passages = 0
    for segment in segments:
        files, documents, passages = _copy_texts(texts, segment, files, documents, passages)
    finish_texts(texts, vocabulary, languages)
    write_arrays(folder, {"pointers": pointers, "postings": postings})
    del vocabulary, pointers, postings
    sentences = [_living_sentences(segment) for segment in segments]
    counts = [np.diff(segment.bounds)[segment.alive] for segment in segments]
    arrays = {
        "lengths": np.concatenate([one.postings.lengths[one.alive] for one in segments]),
        "languages": np.concatenate([_languages(one, languages) for one in segments]),
        "bounds": np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
        "scales": np.concatenate([one.scales[kept] for one, kept in zip(segments, sentences, strict=True)]),
    }
    write_arrays(folder, arrays)
    with (folder / "sentences.bin").open("wb") as file:
        for segment, kept in zip(segments, sentences, strict=True):
            for part in np.array_split(kept, len(kept) // 65536 + 1):
                segment.codes[part].tofile(file)
    vectors = faiss.IndexFlatIP(dimension)
    for segment in segments:
        rows = np.flatnonzero(segment.alive)
        for part in np.array_split(rows, len(rows) // 65536 + 1):
            if len(part):
                vectors.add(segment.vectors_of(part))
    faiss.write_index(vectors, str(folder / "vectors.faiss"))
    write_scan(folder, vectors, _some_sentences(segments, sentences))
    return synced(folder)


def _copy_texts(texts: Any, segment: Segment, files: int, documents: int, passages: int) -> tuple[int, int, int]:
    """Copy the living rows of a segment's texts behind the so many that are there; how many there are then."""
    texts.execute("ATTACH ? AS old", (segment.location,))
    texts.executescript(
        "CREATE TEMP TABLE dead (row INTEGER PRIMARY KEY);"
        "CREATE TEMP TABLE kept_files (old INTEGER PRIMARY KEY, new INTEGER);"
        "CREATE TEMP TABLE kept_documents (old INTEGER PRIMARY KEY, new INTEGER);"
    )
    texts.execute("BEGIN")
    texts.executemany("INSERT INTO dead VALUES (?)", [(row,) for row in segment.entry.dead])
    texts.execute(
        "INSERT INTO kept_files SELECT row, ? + row_number() OVER (ORDER BY row) - 1 FROM old.files"
        " WHERE row NOT IN (SELECT row FROM dead)",
        (files,),
    )
    texts.execute(
        "INSERT INTO kept_documents SELECT d.row, ? + row_number() OVER (ORDER BY d.row) - 1"
        " FROM old.documents d JOIN kept_files f ON f.old = d.file",
        (documents,),
    )
    added = [
        texts.execute(
            "INSERT INTO main.files SELECT k.new, path, source, size, mtime, sha256, status, reason"
            " FROM old.files f JOIN kept_files k ON k.old = f.row ORDER BY k.new"
        ).rowcount,
        texts.execute(
            "INSERT INTO main.documents SELECT k.new, f.new, source, title, text, sections, pages, sha256"
            " FROM old.documents d JOIN kept_documents k ON k.old = d.row JOIN kept_files f ON f.old = d.file"
            " ORDER BY k.new"
        ).rowcount,
        texts.execute(
            "INSERT INTO main.passages SELECT ? + row_number() OVER (ORDER BY p.row) - 1, k.new, id, start,"
            ' "end", heading, page, sentences, content, bare'
            " FROM old.passages p JOIN kept_documents k ON k.old = p.document ORDER BY p.row",
            (passages,),
        ).rowcount,
    ]
    texts.execute("COMMIT")
    texts.executescript("DROP TABLE dead; DROP TABLE kept_files; DROP TABLE kept_documents; DETACH old;")
    return files + added[0], documents + added[1], passages + added[2]


def _postings(segments: Sequence[Segment]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int32]]:
    """The vocabulary of what lives, in order of code points, and pointers and postings over it (lexical.py)."""
    kept = [_living_postings(segment) for segment in segments]
    frequencies: dict[str, int] = {}
    for segment, (counts, _) in zip(segments, kept, strict=True):
        for term, count in zip(segment.vocabulary(), counts.tolist(), strict=True):
            if count:
                frequencies[term] = frequencies.get(term, 0) + count
    vocabulary = sorted(frequencies)
    places: Mapping[str, int] = {term: place for place, term in enumerate(vocabulary)}
    pointers = np.zeros(len(vocabulary) + 1, dtype=np.int64)
    np.cumsum([frequencies[term] for term in vocabulary], out=pointers[1:])
    postings = np.empty((2, int(pointers[-1])), dtype=np.int32)
    filled, first = pointers[:-1].copy(), 0
    for segment, (counts, pairs) in zip(segments, kept, strict=True):
        terms = np.array([places.get(term, -1) for term in segment.vocabulary()], dtype=np.int64)[counts > 0]
        counts = counts[counts > 0]
        # Where in the whole each posting goes: behind those of its term that are there already.
        ends = np.cumsum(counts)
        target = np.repeat(filled[terms] - (ends - counts), counts) + np.arange(int(counts.sum()))
        postings[0, target] = pairs[0] + first
        postings[1, target] = pairs[1]
        filled[terms] += counts
        first += segment.passages
    return vocabulary, pointers, postings


def _living_postings(segment: Segment) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The number of living passages that each term of a segment is in, and their rows, numbered without the dead
    ones, beside the term's counts: (terms,) and (2, n).
    """
    old = segment.postings
    living = segment.alive[old.rows]
    before = np.concatenate([[0], np.cumsum(living)])
    counts = np.diff(before[old.pointers])
    numbers = (np.cumsum(segment.alive) - 1).astype(np.int32)
    return counts, np.stack([numbers[old.rows[living]], old.counts[living]])


def _living_sentences(segment: Segment) -> NDArray[np.int64]:
    """The rows of the living passages' sentences."""
    return np.flatnonzero(np.repeat(segment.alive, np.diff(segment.bounds)))


def _languages(segment: Segment, languages: Sequence[str]) -> NDArray[np.uint8]:
    """The languages of the living passages, by their rows in `languages`."""
    found = np.zeros(len(segment.alive), dtype=np.uint8)
    for code, living in segment.living.items():
        found[living] = languages.index(code)
    return found[segment.alive]


def _some_sentences(segments: Sequence[Segment], kept: Sequence[NDArray[np.int64]]) -> Vectors:
    """(m, dim): vectors of sentences from all over the segments."""
    return np.concatenate(list(_few(segments, kept)))


def _few(segments: Sequence[Segment], kept: Sequence[NDArray[np.int64]]) -> Iterator[Vectors]:
    total = sum(map(len, kept))
    for segment, rows in zip(segments, kept, strict=True):
        part = rows[:: max(1, total // _QUERIES)]
        yield segment.codes[part].astype(np.float32) * segment.scales[part][:, None]
