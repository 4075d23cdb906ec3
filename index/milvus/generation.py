"""A generation of an index in Milvus."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from threading import Lock
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from ..contents import FileRecord
from ..documents import Document, Passage
from ..embedding import Vectors
from ..errors import UnreachableStore
from ..lexical import norms, weight
from ..store import Candidate, Measured
from .catalogue import Catalogue
from .notes import read_notes
from .rows import FIELDS, Entry, Fetched, document_of, fetched, long_names, text_name
from .server import MOST, Row, Server, patiently, quoted
from .state import State
from .statistics import Terms, length, token

# Passages that are kept in memory once they were asked for.
_KEPT = 4096
# Seconds after which every copy of the server's data has what was committed before (Milvus: "Bounded" staleness is 5).
_SETTLED_S = 15.0
# Candidates of BM25 that are asked for beyond those wanted: the server counts what is dead, and each part of its data
# by itself; which are the best is told by our own count of the same words.
_SPARE = 2
# How many neighbours a search looks at for each that is wanted, if the vectors have a graph.
_LOOKED_AT = 2
_Notes = dict[str, bytes]


class MilvusGeneration:
    """As `Generation` in store.py. A row is the number of a file and the place of a passage in it; `terms` are those
    of its passages, counted.
    """

    notice = ""
    bytes: int | None = None

    def __init__(self, server: Server, name: str, notes: str, state: State, catalogue: Catalogue, terms: Terms) -> None:
        self.manifest = state.manifest
        self.terms = terms
        self.state = state
        self._server = server
        self._name = name
        self._notes = notes
        self._catalogue = catalogue
        self._filter = state.filter
        self._sources: frozenset[str] | None = None
        self._settled = monotonic() + _SETTLED_S
        self._fetched: OrderedDict[int, Fetched] = OrderedDict()
        self._lock = Lock()
        self.without = (
            ""
            if server.has_bm25
            else f"Milvus {server.version} at {server.address.server} has no BM25, which came with 2.5: passages are "
            "found by meaning alone"
        )

    def of(self, sources: Collection[str]) -> "MilvusGeneration":
        narrowed = copy(self)
        narrowed._sources = frozenset(sources)
        narrowed._filter = f"{self._filter} and source in [{', '.join(map(quoted, sorted(sources)))}]"
        return narrowed

    @property
    def _strong(self) -> bool:
        """Whether the server has to wait until it surely has all that was committed: it does while that is new."""
        return monotonic() < self._settled

    @property
    def passages(self) -> int:
        return self.state.passages

    @property
    def languages(self) -> Mapping[str, int]:
        return dict(self.state.languages)

    @property
    def scans(self) -> list[tuple[int, Measured]]:
        return []

    @cached_property
    def _entries(self) -> list[Entry]:
        return self._catalogue.of(self.state)

    def files(self) -> Iterator[FileRecord]:
        met = set()
        for entry in self._entries:
            if entry.record.path not in met:  # a long file is in several entries
                met.add(entry.record.path)
                yield entry.record

    def documents(self) -> list[tuple[str, str]]:
        return [(one.source, entry.record.source) for entry in self._entries for one in entry.documents]

    def sources(self) -> list[tuple[str, str, int, int]]:
        rows = [
            (one.source, one.title, one.characters, one.passages) for entry in self._entries for one in entry.documents
        ]
        return sorted(row for row in rows if self._sources is None or row[0] in self._sources)

    def document_languages(self) -> Counter[str]:
        return Counter(one.language for entry in self._entries for one in entry.documents if one.passages)

    def document(self, source: str) -> Document | None:
        found = self._query(f"source == {quoted(source)}", ["file", "document"], limit=1)
        place = (found[0]["file"], found[0]["document"]) if found else self._listed(source)
        if place is None:
            return None
        name = text_name(*place)
        return document_of(self._kept([name])[name])

    def _listed(self, source: str) -> tuple[int, int] | None:
        """Where a document without passages is."""
        for entry in self._entries:
            for number, one in enumerate(entry.documents):
                if one.source == source:
                    return entry.file, number
        return None

    def rows_of(self, source: str) -> list[int]:
        found = self._query(f"source == {quoted(source)}", ["row"], limit=None)
        return sorted(row["row"] for row in found)

    def _query(self, condition: str, fields: Sequence[str], limit: int | None) -> list[Row]:
        """Rows of living passages."""
        return self._server.query(
            self.state.collection, f"{condition} and {self.state.filter}", fields, strong=self._strong, limit=limit
        )

    def _rows(self, rows: Sequence[int]) -> list[Fetched]:
        """The passages at n rows, in their order."""
        with self._lock:
            known = {row: self._fetched[row] for row in rows if row in self._fetched}
        missing = [row for row in dict.fromkeys(rows) if row not in known]
        for at in range(0, len(missing), 500):
            asked = missing[at : at + 500]
            for _ in patiently():
                found = self._server.query(self.state.collection, f"row in {asked}", FIELDS, strong=self._strong)
                if len(found) == len(asked):
                    break
            else:
                raise self._gone()
            known |= {row["row"]: fetched(row) for row in self._whole(found)}
        with self._lock:
            self._fetched |= {row: known[row] for row in missing}
            while len(self._fetched) > _KEPT:
                self._fetched.popitem(last=False)
        return [known[row] for row in rows]

    def _whole(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows with what was too long for their fields."""
        names = {name: (row, field) for row in rows for field, name in long_names(row).items()}
        if names:
            kept = self._kept(list(names))
            for name, (row, field) in names.items():
                row[field] = kept[name].decode()
        return rows

    def _kept(self, names: Sequence[str]) -> _Notes:
        """Notes that must be there."""
        for _ in patiently():
            kept = read_notes(self._server, self._notes, names, strong=self._strong)
            if len(kept) == len(names):
                return kept
        raise self._gone()

    def _gone(self) -> UnreachableStore:
        return UnreachableStore(
            f"what was found in {self._name} was taken away or replaced while it was being read: ask again"
        )

    def passage(self, row: int) -> Passage:
        return self._rows([row])[0].passage

    def vectors(self, rows: Sequence[int]) -> Vectors:
        vectors = np.empty((len(rows), self.manifest.dimension), dtype=np.float32)
        for place, one in enumerate(self._rows(rows)):
            vectors[place] = one.vector
        return vectors

    def sentence_vectors(self, row: int) -> Vectors:
        (one,) = self._rows([row])
        return one.codes.astype(np.float32) * one.scales[:, None]

    def nearest_sentences(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        nearest = [((one.codes.astype(np.float32) @ vector) * one.scales).max() for one in self._rows(rows)]
        return np.array(nearest, dtype=np.float32)

    def containing(self, words: Sequence[str]) -> list[int]:
        return self.terms.containing(words)

    def spoken(self, rows: Sequence[int]) -> list[str]:
        return [one.passage.language for one in self._rows(rows)]

    def holds(self, rows: Sequence[int], words: Sequence[str]) -> NDArray[np.bool_]:
        stored = [token(word) for word in words]
        held = [[one in passage.tokens for one in stored] for passage in self._rows(rows)]
        return np.array(held, dtype=bool).reshape(len(rows), len(words))

    def dense(self, vector: Vectors, k: int) -> tuple[Candidate, ...]:
        """As exact as the server's index of vectors: Milvus Lite compares all of them."""
        k = min(k, self.passages, MOST - 1)
        if not k:
            return ()
        given = {"params": {"ef": min(_LOOKED_AT * k + 100, MOST)}}
        for _ in patiently():
            found = self._search("vector", [vector.tolist()], k + 1, ["row"], given)
            if self._sources is not None or len(found) >= k:
                break
        scored = sorted((-float(hit["distance"]), int(hit["row"])) for hit in found)
        return tuple(Candidate(row, -score) for score, row in scored[:k])

    def lexical(self, asked: Mapping[str, Mapping[str, float]], k: int) -> tuple[Candidate, ...]:
        """The server names candidates; they are scored by the counts of this generation, as those of a folder are."""
        if self.without:
            return ()
        scored: list[tuple[float, int]] = []
        for language, weights in asked.items():
            if weights:
                scored += self._lexical(language, weights, k)
        return tuple(Candidate(row, -score) for score, row in sorted(scored)[:k])

    def _lexical(self, language: str, weights: Mapping[str, float], k: int) -> list[tuple[float, int]]:
        """(-score, row) of the candidates among the passages of a language."""
        words = {token(word): weight for word, weight in weights.items()}
        spoken = f' and language == "{language}"' if len(self.state.languages) > 1 else ""
        depth = min(_SPARE * k, MOST)
        found = self._search("lexemes", [" ".join(words)], depth, ["row", "tokens"], {}, f"{self._filter}{spoken}")
        stored = [hit["tokens"] for hit in found]
        average = self.state.length / max(self.passages, 1)
        divisors = norms(np.array([length(one) for one in stored], dtype=np.int32), average)
        scores = np.zeros(len(stored), dtype=np.float32)
        for one, idf in words.items():
            counts = np.array([tokens.count(one) for tokens in stored], dtype=np.int32)
            scores += np.where(counts > 0, np.float32(idf) * weight(counts, divisors), np.float32(0))
        rows = [int(hit["row"]) for hit in found]
        return [(-score, row) for score, row in zip(scores.tolist(), rows, strict=True) if score > 0]

    def _search(
        self, field: str, data: Sequence[object], k: int, fields: Sequence[str], given: object, among: str = ""
    ) -> list[Row]:
        return list(
            self._server.call(
                "search",
                self.state.collection,
                data=data,
                anns_field=field,
                filter=among or self._filter,
                limit=k,
                output_fields=list(fields),
                search_params=given,
                consistency_level="Strong" if self._strong else "Bounded",
            )[0]
        )
