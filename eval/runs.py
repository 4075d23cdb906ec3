"""Runs and judgements as values and as TREC files, the exchange format of retrieval evaluation.

A run line is `query Q0 document rank score tag`, a judgement line `query 0 document grade`
(https://github.com/usnistgov/trec_eval). Readers of these files sort by score and ignore the rank.
"""

import math
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np

from index.errors import UsageError

from .files import bad_line, lines, write_text
from .topics import is_id

JUDGEMENT = "a judgement is: query 0 document grade, or query, document and grade between tabs"

Run = dict[str, dict[str, float]]
"""Query id to {document id: score}, larger is better."""

Qrels = dict[str, dict[str, int]]
"""Query id to {document id: grade}; 1 or more is relevant."""


def rank(scores: dict[str, float]) -> list[str]:
    """Document ids, best first, exactly as trec_eval orders them.

    trec_eval holds a score as a 32-bit float and orders equal scores by document id, last id first
    (by bytes of UTF-8, which is the order of code points).
    """
    single = np.array(list(scores.values()), dtype=np.float32)
    return [id for _, id in sorted(zip(single.tolist(), scores, strict=True), reverse=True)]


def strictly_descending(scores: list[float]) -> list[float]:
    """`scores` lowered as little as makes them fall at every step as 32-bit floats.

    With them every program reads this one order from the run, whichever way it breaks ties.
    """
    fallen: list[float] = []
    ceiling = np.float32(np.inf)
    for score in np.array(scores, dtype=np.float32):
        if score >= ceiling:
            score = min(np.nextafter(ceiling, np.float32(-np.inf)), ceiling - np.float32(1e-9))
        fallen.append(float(score))
        ceiling = score
    return fallen


def read_run(file: str | Path) -> Run:
    """Read a TREC run file. Raises UsageError that names the first bad line."""
    file, run = Path(file), Run()
    for number, line in lines(file):
        fields = line.split()
        score = _number(fields[4]) if len(fields) == 6 else None
        if score is None:
            raise bad_line(file, number, "a run line is: query Q0 document rank score tag", line)
        ranking = run.setdefault(fields[0], {})
        if fields[2] in ranking:
            raise bad_line(file, number, "a document is retrieved once for a query", line)
        ranking[fields[2]] = score
    return run


def write_run(file: str | Path, run: Run, tag: str = "footnoted") -> None:
    """Write a TREC run file, ranks from 1; scores keep every digit, so reading it gives `run` again.

    Raises UsageError for an id with white space, which the format cannot hold.
    """
    _check_ids(run)
    write_text(
        Path(file),
        "".join(
            f"{query} Q0 {document} {position} {scores[document]!r} {tag}\n"
            for query, scores in run.items()
            for position, document in enumerate(rank(scores), start=1)
        ),
    )


def read_qrels(file: str | Path) -> Qrels:
    """Read judgements: TREC's four columns (query, anything, document, whole-number grade), or BEIR's three
    between tabs, whose first line may be a header. Raises UsageError that names the first bad line.
    """
    file, qrels = Path(file), Qrels()
    for number, line in lines(file):
        three = line.count("\t") == 2
        fields = [field.strip() for field in line.split("\t")] if three else line.split()
        if number == 1 and three and not _is_grade(fields[2]):
            continue  # the header
        if len(fields) != (3 if three else 4) or not all(map(is_id, fields)) or not _is_grade(fields[-1]):
            raise bad_line(file, number, JUDGEMENT, line)
        query, document, grade = fields[0], fields[-2], int(fields[-1])
        if qrels.setdefault(query, {}).setdefault(document, grade) != grade:
            raise bad_line(file, number, "a document is judged once for a query", line)
    if not qrels:
        raise UsageError(f"{file} holds no judgements; {JUDGEMENT}")
    return qrels


def write_qrels(file: str | Path, qrels: Qrels) -> None:
    """Write judgements in the TREC format: four columns, no header."""
    _check_ids(qrels)
    rows = [(query, *judged) for query, grades in qrels.items() for judged in grades.items()]
    write_text(Path(file), "".join(f"{query} 0 {document} {grade}\n" for query, document, grade in rows))


def check_id(id: str) -> str:
    """`id` itself; a UsageError if it is empty or holds white space."""
    if not is_id(id):
        raise UsageError(f"a TREC file cannot hold the id {id!r}: ids must not be empty or hold white space")
    return id


def trec_id(source: str) -> str:
    """A source as a TREC file can hold it: white space and "%" percent-encoded, as in a URL (RFC 3986)."""
    return re.sub(r"[\s%]", lambda found: quote(found[0], safe=""), source)


def _check_ids(table: Run | Qrels) -> None:
    for query, documents in table.items():
        for id in (query, *documents):
            check_id(id)


def _is_grade(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
