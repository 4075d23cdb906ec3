"""A test collection on disk, in the BEIR layout: documents, queries and judgements.

A folder with `corpus.jsonl` ({"_id", "title", "text"} lines), `queries.jsonl` ({"_id", "text"} lines)
and `qrels/test.tsv` (query id, document id, grade; tab-separated, first line a header).
Thakur et al., BEIR (NeurIPS 2021), https://arxiv.org/abs/2104.08663.
With or instead of the last, `spans.jsonl`: judgements on parts of the documents (see `spans`).
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from index.errors import UsageError

from .files import bad_line, lines, read_rows
from .runs import Qrels
from .spans import Span, read_spans

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
    queries = _read_queries(folder / "queries.jsonl")
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


def read_qrels(file: Path) -> Qrels:
    """Judgements from tab-separated lines: query id, document id, whole-number grade."""
    qrels: Qrels = {}
    for number, line in lines(file):
        fields = line.split("\t")
        if number == 1 and len(fields) == 3 and not _is_grade(fields[2]):
            continue  # the header
        if len(fields) != 3 or not _is_grade(fields[2]) or not _is_id(fields[0]) or not _is_id(fields[1]):
            wanted = "a judgement is query id, document id and whole-number grade between tabs"
            raise bad_line(file, number, wanted, line)
        query, document, grade = fields
        if qrels.setdefault(query, {}).setdefault(document, int(grade)) != int(grade):
            raise bad_line(file, number, "a document is judged once for a query", line)
    if not qrels:
        raise UsageError(f"{file} holds no judgements; {LAYOUT}")
    return qrels


def _read_queries(file: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for number, row in read_rows(file):
        id, text = row.get("_id"), row.get("text")
        if isinstance(id, int):
            id = str(id)
        if not isinstance(id, str) or not _is_id(id):
            raise bad_line(file, number, 'a query needs an "_id" without white space', row)
        if not isinstance(text, str) or not text.strip():
            raise bad_line(file, number, 'a query needs a "text"', row)
        if id in queries:
            raise bad_line(file, number, "query ids must differ", row)
        queries[id] = text
    return queries


def _is_id(text: str) -> bool:
    """White space inside an id would break the columns of a TREC run file."""
    return text.split() == [text]


def _is_grade(text: str) -> bool:
    text = text.strip()
    return text.removeprefix("-").isdecimal() and text.isascii()
