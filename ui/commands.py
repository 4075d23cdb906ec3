"""What each command does."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from index.caching import cache_folder
from index.chunking import ChunkSettings
from index.embedding import load_embedder
from index.errors import FootnotedError, UsageError
from index.files import discover
from index.index import Index, verify
from index.indexing import remove, update
from rag.system import System

from . import printing
from .exit_codes import DONE, FAILED, PARTLY
from .progress import Bar


def _index(options: argparse.Namespace) -> int:
    settings = None
    if options.chunk_size is not None or options.overlap is not None:
        default = ChunkSettings()
        size = default.size if options.chunk_size is None else options.chunk_size
        overlap = min(default.overlap, size - 1) if options.overlap is None else options.overlap
        settings = ChunkSettings(size, overlap)
    embedder = load_embedder(options.embedder) if options.embedder else None
    with Bar() as bar:
        done = update(
            options.index,
            options.paths,
            embedder=embedder,
            settings=settings,
            rebuild=options.rebuild,
            progress=bar.indexing,
        )
    if options.verbose:
        printing.log(done, options.index)
    printing.update(done, options.index, as_json=options.json)
    return PARTLY if done.documents["failed"] or done.partly else DONE


def _opened(folder: Path) -> System:
    """The system; if the index had to fall back to an older generation, a person is told."""
    system = System.open(folder)
    printing.notice(system.index.notice)
    return system


def _ask(options: argparse.Namespace) -> int:
    system = _opened(options.index)
    if options.question != "-":
        answer = system.answer(options.question, options.threshold)
        printing.answer(answer, as_json=options.json)
        return DONE
    status = DONE
    for line in sys.stdin.buffer:
        question = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        try:
            printing.answer(system.answer(question, options.threshold), as_json=True)
        except FootnotedError as error:
            printing.line({"question": question.encode(errors="replace").decode(), "error": str(error)})
            status = PARTLY
    return status


def _search(options: argparse.Namespace) -> int:
    hits = _opened(options.index).search(options.query, options.k, options.mode)
    printing.hits(options.query, hits, as_json=options.json)
    return DONE


def _chat(options: argparse.Namespace) -> int:
    if options.paths:
        list(discover([path.absolute() for path in options.paths]))  # a PATH that is not there ends it at once
        with Bar() as bar:
            printing.update(
                update(options.index, options.paths, progress=bar.indexing), options.index, as_json=options.json
            )
    from .server import serve  # gradio takes seconds to import

    serve(options.index, host=options.host, port=options.port, threshold=options.threshold, browser=options.open)
    return DONE


def _eval(options: argparse.Namespace) -> int:
    if (options.collection is None) == (options.questions is None):
        raise UsageError("give either a COLLECTION folder or --questions FILE")
    from eval.collections import load_collection
    from eval.evaluation import evaluate, evaluate_questions
    from eval.questions import load_questions

    if options.questions is not None:
        questions = load_questions(options.questions)
        system = _opened(options.index)
        with Bar() as bar:
            answered = evaluate_questions(
                questions,
                system,
                options.threshold,
                settings={"questions": options.questions.name, **_settings(system.index)},
                progress=bar.counting("questions"),
            )
        folder = options.out or cache_folder() / "eval" / options.questions.stem
        answered.write(folder)
        printing.report(answered, folder, as_json=options.json)
        return DONE
    collection = load_collection(options.collection)
    at = cache_folder() / "collections" / f"{collection.name}-{printing.short_hash(str(collection.corpus.resolve()))}"
    embedder = load_embedder(options.embedder)
    if options.embedder:
        at = at.with_name(f"{at.name}-{printing.short_hash(embedder.name)}")
    with Bar() as bar:
        update(at, [collection.corpus], embedder=embedder, progress=bar.indexing)
        searched = System.open(at, embedder=embedder)
        report = evaluate(
            collection, searched, options.mode, settings=_settings(searched.index), progress=bar.counting("queries")
        )
    folder = options.out or cache_folder() / "eval" / f"{collection.name}-{options.mode}"
    report.write(folder)
    printing.report(report, folder, as_json=options.json)
    return DONE


def _settings(index: Index) -> dict[str, object]:
    """What of the index and of the code can change a figure."""
    from eval.versions import versions

    return {
        "model": index.manifest.model,
        "chunking": asdict(index.settings),
        "passages": index.passages,
        "versions": versions(),
    }


def _compare(options: argparse.Namespace) -> int:
    from eval.comparison import compare

    found = compare(options.a, options.b)
    if options.out:
        found.write(options.out)
    printing.comparison(found, options.out, as_json=options.json)
    return DONE


def _status(options: argparse.Namespace) -> int:
    index = Index.open(options.index)
    printing.notice(index.notice)
    printing.status(index, as_json=options.json)
    return DONE


def _verify(options: argparse.Namespace) -> int:
    problems = verify(options.index)
    printing.verified(options.index, problems, as_json=options.json)
    return FAILED if problems else DONE


def _show(options: argparse.Namespace) -> int:
    printing.document(Index.open(options.index).document(options.source), as_json=options.json)
    return DONE


def _remove(options: argparse.Namespace) -> int:
    printing.removed(remove(options.index, options.source), as_json=options.json)
    return DONE


def _export(options: argparse.Namespace) -> int:
    printing.export(Index.open(options.index), options.file, as_json=options.json)
    return DONE


Command = Callable[[argparse.Namespace], int]

COMMANDS: dict[str, Command] = {
    "index": _index,
    "ask": _ask,
    "search": _search,
    "chat": _chat,
    "eval": _eval,
    "compare": _compare,
    "status": _status,
    "verify": _verify,
    "remove": _remove,
    "export": _export,
    "show": _show,
}
