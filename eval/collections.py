"""A test collection on disk, in the BEIR layout: documents, queries and judgements.

A folder with `corpus.jsonl` ({"_id", "title", "text"} lines), `queries.jsonl` ({"_id", "text"} lines)
and `qrels/test.tsv` (query id, document id, grade; tab-separated, first line a header).
Thakur et al., BEIR (NeurIPS 2021), https://arxiv.org/abs/2104.08663.
With or instead of the last, `spans.jsonl`: judgements on parts of the documents (see `spans`).
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from index.errors import UsageError

from .runs import Qrels, read_qrels
from .spans import Span, read_spans
from .topics import read_queries

LAYOUT = "a collection is a folder with corpus.jsonl, queries.jsonl, and qrels/test.tsv or spans.jsonl"


@dataclass(frozen=True, slots=True)
class Collection:
    """Queries and the graded judgements that they are scored by.

    `queries` maps a query id to its text and holds only judged queries, in the file's order; `qrels` maps
    such ids to {document id: grade}, 1 or more being relevant, and `spans` to what was judged within the
    documents, whose sources are those of the index.
    """

    name: str
    folder: Path
    queries: dict[str, str]
    qrels: Qrels
    spans: dict[str, tuple[Span, ...]] = field(default_factory=dict)

    @property
    def corpus(self) -> Path:
        """The file to index: its rows become documents named `corpus.jsonl#<_id>`."""
        return self.folder / "corpus.jsonl"


def load_collection(folder: str | Path, judgements: str = "test") -> Collection:
    """Read the collection in `folder`, judged by `qrels/<judgements>.tsv` and `spans.jsonl`, whichever is there.

    Queries without a judgement are left out (BEIR's queries.jsonl holds those of every split).
    Raises UsageError for a missing file, a bad line, or judgements of a query that is not there.
    """
    folder = Path(folder).expanduser().resolve()
    qrels_file, spans_file = folder / "qrels" / f"{judgements}.tsv", folder / "spans.jsonl"
    needed = [folder / "corpus.jsonl", folder / "queries.jsonl", *([] if spans_file.is_file() else [qrels_file])]
    for file in needed:
        if not file.is_file():
            raise UsageError(f"no such file: {file}; {LAYOUT}")
    qrels = read_qrels(qrels_file) if qrels_file.is_file() else {}
    spans = read_spans(spans_file) if spans_file.is_file() else {}
    queries = read_queries(folder / "queries.jsonl")
    for file, judged in ((qrels_file, list(qrels)), (spans_file, list(spans))):
        if unknown := [id for id in judged if id not in queries]:
            raise UsageError(
                f"{file} judges {len(unknown)} queries that are not in queries.jsonl, "
                f"the first is {unknown[0]!r}: use the two files of one collection"
            )
    return Collection(
        folder.name,
        folder,
        {id: text for id, text in queries.items() if id in qrels or id in spans},
        {id: qrels[id] for id in queries if id in qrels},
        {
            id: tuple(replace(span, source=f"corpus.jsonl#{span.source}") for span in spans[id])
            for id in queries
            if id in spans
        },
    )
