"""Results as text for a person, or as the JSON of the contract."""

import hashlib
import json
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from index.contents import FileRecord
from index.documents import Document
from index.errors import UsageError
from index.index import Index
from index.languages import NAMES
from index.manifest import FORMAT
from index.updates import FileRow, Update
from rag.answers import Answer, Hit
from rag.checking import Checked
from rag.feedback import Feedback, Rating
from rag.tracing import Trace

# The reason of files whose names begin with a point: listed by --json, no news for a person.
HIDDEN = "hidden"
# Between the cells of a row of a table, as it is indexed.
CELL = " | "
# File rows that a terminal shows before "and n more".
_ROWS = 20
# What in a document must not reach a terminal: control characters, and what makes it show text in another order
# (https://trojansource.codes).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Report(Protocol):
    """What an evaluation gives."""

    def as_json(self, folder: str | Path | None = None) -> dict[str, object]: ...

    def table(self) -> str: ...


def line(values: dict[str, Any]) -> None:
    """One ASCII JSON object on a line of its own, at once."""
    print(json.dumps(values, ensure_ascii=True), flush=True)


def _say(text: str = "") -> None:
    """Text for a terminal: safe characters only, whatever the terminal's encoding is."""
    encoding = sys.stdout.encoding or "utf-8"
    print(_CONTROL.sub("\ufffd", text).encode(encoding, "replace").decode(encoding))


def _wrap(text: str, indent: str = "", first: str | None = None) -> str:
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    lines = textwrap.wrap(text, width, initial_indent=indent if first is None else first, subsequent_indent=indent)
    return "\n".join(lines)


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def answer_values(answer: Answer) -> dict[str, Any]:
    """The object of `ask --json` and of the endpoint /ask."""
    return {
        "question": answer.question,
        "searched": answer.searched,
        "text": answer.text,
        "abstained": answer.abstained,
        "confidence": round(answer.confidence, 4),
        "citations": [
            {
                "marker": one.marker,
                "source": one.source,
                "title": one.title,
                "page": one.page,
                "heading": one.heading,
                "start": one.start,
                "end": one.end,
                "quote": one.quote,
                "answer": one.quote[slice(*one.answer)] if one.answer else None,
                "score": round(one.score, 4),
                "passage_id": one.passage_id,
            }
            for one in answer.citations
        ],
        "hits": [_hit(hit) for hit in answer.hits],
        "unsupported": [asdict(span) for span in answer.unsupported],
        "weak": [asdict(span) for span in answer.weak],
        "generator": answer.generator or None,
        "left_out": list(answer.left_out),
        "notices": list(answer.notices),
        "generation": answer.generation,
        "timings": {name: round(seconds, 6) for name, seconds in asdict(answer.timings).items()},
    }


def _hit(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "passage_id": passage.id,
        "source": passage.source,
        "title": passage.title,
        "heading": passage.heading,
        "page": passage.page,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": round(hit.score, 6),
        "dense": None if hit.dense is None else round(hit.dense, 6),
        "lexical": None if hit.lexical is None else round(hit.lexical, 6),
    }


def place(source: str, title: str, page: int | None, heading: str, separator: str = ", ") -> str:
    """`report.pdf, page 3, Results > Costs`; the title, where it is the outermost heading, is left out."""
    inner = "" if heading == title else heading.removeprefix(f"{title} > ")
    return separator.join([source, *([f"page {page}"] if page else []), *([inner] if inner else [])])


def answer(answer: Answer, *, as_json: bool) -> None:
    for said in answer.notices:
        notice(said)
    if as_json:
        line(answer_values(answer))
        return
    if answer.searched != answer.question:
        _say(_wrap(f"Searched for: {answer.searched}"))
        _say()
    for part in _lines(answer):
        _say(_wrap(part))
    for grade, doubt in answer.doubts:
        said = textwrap.shorten(answer.text[doubt.start : doubt.end], 120, placeholder=" ...")
        _say(_wrap(f"“{said}”: {doubt.reason}", "    ", f"  ! {grade}: "))
    _say()
    for one in answer.citations:
        _say(_wrap(place(one.source, one.title, one.page, one.heading), "    ", f"[{one.marker}] "))
        _say(_wrap(f"“{one.quote}”", "    "))
    if answer.abstained:
        for hit in answer.hits[:3]:
            passage = hit.passage
            _say(
                _wrap(
                    f"{hit.score:.2f}  {place(passage.source, passage.title, passage.page, passage.heading)}", "      "
                )
            )
            _say(_wrap(textwrap.shorten(passage.text, 240, placeholder=" ..."), "      "))
    written = f", written by {answer.generator} and checked" if answer.generator else ""
    _say(f"\nconfidence {answer.confidence:.2f}{written}")


def _lines(answer: Answer) -> list[str]:
    """The text, with rows of tables on lines of their own."""
    rows = "|".join(re.escape(f"{one.quote} [{one.marker}]") for one in answer.citations if CELL in one.quote)
    parts = re.split(f"({rows})", answer.text) if rows else [answer.text]
    return [part.strip() for part in parts if part.strip()]


def hits_values(query: str, found: Sequence[Hit]) -> dict[str, Any]:
    """The object of `search --json`."""
    return {"query": query, "hits": [_hit(hit) for hit in found]}


def hits(query: str, found: Sequence[Hit], *, as_json: bool) -> None:
    if as_json:
        line(hits_values(query, found))
        return
    if not found:
        _say("no passage found")
    for number, hit in enumerate(found, 1):
        passage = hit.passage
        sides = [("dense", hit.dense), ("lexical", hit.lexical)]
        scores = ", ".join(f"{name} {score:.3f}" for name, score in sides if score is not None)
        _say(_wrap(f"{place(passage.source, passage.title, passage.page, passage.heading)}", "    ", f"{number:>2}. "))
        _say(f"    {hit.score:.3f} ({scores})")
        _say(_wrap(textwrap.shorten(passage.text, 320, placeholder=" ..."), "    "))


# How a stage went.
_MARKS = {True: "✓", False: "✗", None: "–"}


def trace(found: Trace, *, as_json: bool) -> None:
    if as_json:
        line(
            {
                "query": found.query,
                "phrase": found.phrase,
                "stages": [asdict(stage) for stage in found.stages],
                "lost": found.lost or None,
                "advice": found.advice,
            }
        )
        return
    for stage in found.stages:
        _say(_wrap(stage.detail, " " * 14, f"{_MARKS[stage.passed]} {stage.name:<12}"))
    _say(_wrap(found.advice))


def update_values(done: Update) -> dict[str, Any]:
    """The object of `index --json`."""
    return {
        "generation": done.generation,
        "documents": done.documents,
        "passages": done.passages,
        "embedded": done.embedded,
        "files": [asdict(row) for row in done.files],
        "seconds": round(done.seconds, 3),
    }


def update(done: Update, store: str, *, as_json: bool) -> None:
    if as_json:
        line(update_values(done))
        return
    for problem in done.damaged:
        _say(f"{problem}: went back to the last good generation; what was damaged is in {Path(store) / 'quarantine'}")
    left_out = [row for row in done.files if row.reason and row.reason != HIDDEN]
    for row in left_out[:_ROWS]:
        _say(f"{row.status:>8}  {row.path}: {row.reason}")
    if len(left_out) > _ROWS:
        _say(f"          and {len(left_out) - _ROWS} more (--json lists every file)")
    hidden = sum(row.reason == HIDDEN for row in done.files)
    counts = ", ".join(f"{count:,} {status}" for status, count in done.documents.items() if count)
    if hidden:
        counts = counts.replace(" skipped", f" skipped ({hidden:,} hidden)")
    embedded = f"{done.embedded:,} embedded in {done.seconds:.1f} s"
    _say(f"{counts or 'no files found'}; {done.passages:,} passages in {store}, {embedded}")


def changes(done: Update, news: Sequence[FileRow], *, as_json: bool) -> None:
    """What an update of followed files changed: a line for each of them, or the object of `index --json`."""
    if as_json:
        line(update_values(done))
        return
    now = time.strftime("%H:%M:%S")
    for row in news[:_ROWS]:
        _say(f"{now}  {row.status:>8}  {row.path}{row.reason and f': {row.reason}'}")
    if len(news) > _ROWS:
        _say(f"{now}            and {len(news) - _ROWS:,} more (--json lists every file)")
    sys.stdout.flush()


def notice(text: str) -> None:
    """A line on stderr beside what was asked for; nothing if there is nothing to say."""
    if text:
        print(f"footnoted: {_CONTROL.sub(chr(0xFFFD), text)}", file=sys.stderr)


def log(done: Update, folder: Path) -> None:
    """Append a line for every file to the file `log` of the index; it is outside what is checked."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S")
    with (folder / "log").open("a", encoding="utf-8", errors="backslashreplace") as file:
        for row in done.files:
            file.write(f"{at} generation {done.generation} {row.status} {row.path} {row.reason}".rstrip() + "\n")


# How a quote stands, for a person.
_STANDS = {
    "found": "as it was",
    "moved": "moved within the document",
    "changed": "the document no longer says this",
    "gone": "the document is gone",
}


def checked(quotes: Sequence[Checked], file: Path, *, as_json: bool) -> None:
    if as_json:
        rows = [{**asdict(one.quoted), "state": one.state, "now": one.start} for one in quotes]
        line({"file": str(file.absolute()), "quotes": rows, "found": all(one.state == "found" for one in quotes)})
        return
    for one in quotes:
        mark = "✓" if one.state == "found" else "✗"
        there = f" to character {one.start:,}" if one.state == "moved" else ""
        _say(_wrap(f"{one.quoted.source}: {_STANDS[one.state]}{there}", "    ", f"{mark} [{one.quoted.marker}] "))
        if one.state != "found":
            _say(_wrap(f"“{one.quoted.quote}”", "    "))
    found = sum(one.state == "found" for one in quotes)
    _say(f"{found} of {len(quotes)} quotes are as they were" if quotes else "it quotes nothing: nothing to check")


def removed(record: FileRecord, *, as_json: bool) -> None:
    if as_json:
        line({"removed": record.source, "path": record.path})
        return
    _say(f"removed {record.source}; footnoted index {record.path} brings it back")


def export(index: Index, file: Path | None, *, as_json: bool) -> None:
    """A JSON object a line for each document: the layout that `index` reads."""
    rows = (_exported(index.document(source)) for source, *_ in index.sources())
    if file is None:
        for row in rows:
            line(row)
        return
    try:
        with file.open("w", encoding="ascii") as out:
            number = sum(1 for row in rows if out.write(json.dumps(row, ensure_ascii=True) + "\n"))
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None
    if as_json:
        line({"file": str(file.absolute()), "documents": number})
        return
    _say(f"{number:,} documents in {file}")


def _exported(document: Document) -> dict[str, Any]:
    return {
        "_id": document.source,
        "title": document.title,
        "text": document.text,
        "pages": [asdict(page) for page in document.pages],
        "sha256": document.sha256,
    }


def report(report: Report, folder: Path, *, as_json: bool) -> None:
    if as_json:
        line(report.as_json(folder))
        return
    _say(report.table())
    _say(f"\n{folder / 'report.html'} shows it; rows and figures beside it")


def feedback(feedback: Feedback, *, as_json: bool) -> None:
    """What was said, question by question."""
    if as_json:
        line(
            {
                "ratings": [asdict(one) for one in feedback.ratings],
                "judgements": [asdict(one) for one in feedback.judgements],
                "unreadable_lines": list(feedback.unreadable),
            }
        )
        return
    said = {one.question: [_rated(one)] for one in feedback.ratings}
    for one in feedback.judgements:
        verdict = f"{'right' if one.relevant else 'wrong'} source {one.source}:{one.start}-{one.end}"
        quote = textwrap.shorten(one.quote, 160, placeholder=" ...")
        said.setdefault(one.question, []).append(f"{verdict} “{quote}”")
    if not said:
        _say("nothing is judged yet: footnoted chat has thumbs under every answer")
    for question, verdicts in said.items():
        _say(_wrap(question))
        for verdict in verdicts:
            _say(_wrap(verdict, "      ", "  "))


def _rated(rating: Rating) -> str:
    kind = "answer" if rating.cited else "refusal"
    return f"{'good' if rating.good else 'bad'} {kind}{rating.reason and f': {rating.reason}'}"


def written(files: Mapping[str, Path], *, as_json: bool) -> None:
    """What was written where."""
    if as_json:
        line({kind: str(file.absolute()) for kind, file in files.items()})
        return
    for kind, file in files.items():
        _say(f"{kind} in {file}")


def comparison(comparison: Report, folder: Path | None, *, as_json: bool) -> None:
    if as_json:
        line(comparison.as_json(folder))
        return
    _say(comparison.table())
    if folder:
        _say(f"\n{folder / 'report.html'} shows it")


def status(index: Index, *, as_json: bool) -> None:
    from index.verified import VerifiedEmbedder

    sources = index.sources()
    left_out = [record for record in index.files() if record.status != "added"]
    documents = index.document_languages()
    because = index.embedder.library_because if isinstance(index.embedder, VerifiedEmbedder) else ""
    spoken = {
        code: {
            "name": NAMES[code],
            "documents": documents.get(code, 0),
            "passages": passages,
            "meaning": None if index.embedder.languages is None else index.known(code),
        }
        for code, passages in index.languages.items()
    }
    values: dict[str, Any] = {
        "index": str(index.folder.absolute()),
        "store": index.store,
        "generation": index.generation,
        "created": index.manifest.created,
        "format": FORMAT,
        "model": index.manifest.model,
        "library_because": because,
        "dimension": index.manifest.dimension,
        "chunking": asdict(index.settings),
        "documents": len(sources),
        "passages": index.passages,
        "languages": spoken,
        "bytes": index.state.bytes,
        "scans": [{"passages": passages, **asdict(measured)} for passages, measured in index.scans],
        "roots": list(index.manifest.roots),
        "sources": [
            {"source": source, "title": title, "characters": characters, "passages": passages}
            for source, title, characters, passages in sources
        ],
        "left_out": [{"path": one.path, "status": one.status, "reason": one.reason} for one in left_out],
    }
    if as_json:
        line(values)
        return
    _say(f"{values['index']}: generation {index.generation} of {index.manifest.created}")
    size = index.state.bytes
    where = f"{size / 1e6:.1f} MB" if size is not None else f"in {index.store}"
    _say(f"{len(sources):,} documents, {index.passages:,} passages, {where}; {index.manifest.model}, "
         f"{index.settings.size} tokens a passage")  # fmt: skip
    if index.scans:
        scanned, least = sum(count for count, _ in index.scans), min(one.recall for _, one in index.scans)
        _say(f"{scanned:,} passages are found by 4-bit codes, of the ten nearest {least:.1%} when they were made")
    if because:
        way = "runs through sentence-transformers, which takes seconds to start"
        _say(_wrap(f"{index.manifest.model} {way}: {because}"))
    if spoken:
        _languages(spoken, index)
    for source, title, characters, passages in sources[:_ROWS]:
        _say(f"  {source}  “{title}”  {characters:,} characters, {passages} passages")
    if len(sources) > _ROWS:
        _say(f"  and {len(sources) - _ROWS:,} more (--json lists all)")
    for one in left_out[:_ROWS]:
        _say(f"  {one.status}: {one.path}: {one.reason}")


def _languages(spoken: dict[str, dict[str, Any]], index: Index) -> None:
    """In which languages the documents are, and which of them are found by little more than their words."""
    most = [f"{one['documents']:,} {one['name']}" for one in spoken.values() if one["documents"]]
    also = [one["name"] for one in spoken.values() if not one["documents"]]
    _say(_wrap(f"by language: {', '.join(most)}" + (f"; passages also in {', '.join(also)}" if also else "")))
    foreign = [one["name"] for one in spoken.values() if one["meaning"] is False]
    if foreign and index.embedder.languages:
        known = " and ".join(NAMES[code] for code in sorted(index.embedder.languages))
        way = "for meaning: footnoted index --rebuild --embedder MULTILINGUAL-MODEL PATH"
        _say(_wrap(f"{', '.join(foreign)}: mostly by words, for {index.embedder.name} reads {known}; {way}"))


def verified(folder: Path, store: str, problems: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        line({"index": str(folder.absolute()), "ok": not problems, "problems": list(problems)})
        return
    for problem in problems:
        _say(problem)
    if not problems:
        _say(f"{store}: every byte is as it was written")


def document_values(document: Document) -> dict[str, Any]:
    """The object of `show --json`."""
    return {
        "source": document.source,
        "title": document.title,
        "text": document.text,
        "pages": [asdict(page) for page in document.pages],
        "sha256": document.sha256,
    }


def document(document: Document, *, as_json: bool) -> None:
    if as_json:
        line(document_values(document))
        return
    _say(document.title)
    _say()
    for block in document.text.split("\n"):
        _say(_wrap(block))
