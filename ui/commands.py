"""What each command does."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from index.caching import cache_folder
from index.chunking import ChunkSettings
from index.embedders import load_embedder
from index.embedding import Embedder
from index.errors import FootnotedError, NoIndex, UsageError
from index.files import discover
from index.index import Index, verify
from index.indexing import create_empty, remove, update
from index.library import Limits
from index.manifest import FORMAT
from index.stores import beside, bind, store_at
from index.updates import FileRow, Update
from rag.checking import check
from rag.feedback import FILE, Feedback, read_feedback
from rag.generator import OpenAICompatible, language_model
from rag.reader import READERS
from rag.system import System

from . import printing
from .exit_codes import DONE, FAILED, PARTLY
from .exporting import read_quotes
from .progress import Bar

if TYPE_CHECKING:
    from eval.question_reports import QuestionReport
    from eval.reports import Report

    from .shelf import Shelf


def _index(options: argparse.Namespace) -> int:
    settings = None
    if options.chunk_size is not None or options.overlap is not None:
        default = ChunkSettings()
        size = default.size if options.chunk_size is None else options.chunk_size
        overlap = min(default.overlap, size - 1) if options.overlap is None else options.overlap
        settings = ChunkSettings(size, overlap)
    if options.ray is None and options.deadline is not None:
        raise UsageError("--deadline is for the workers of --ray ADDRESS")
    if options.ray is not None and options.watch:
        raise UsageError("--ray is for one run over many files: leave --watch out")
    ray = None
    if options.ray is not None:
        from index.bulk.cluster import Ray

        ray = Ray(options.ray, options.deadline)
    embedder = load_embedder(options.embedder) if options.embedder else None
    with Bar() as bar:
        done = update(
            options.index,
            options.paths,
            embedder=embedder,
            settings=settings,
            rebuild=options.rebuild,
            progress=bar.indexing,
            ray=ray,
        )
    if options.verbose:
        printing.log(done, options.index)
    printing.update(done, store_at(options.index).name, as_json=options.json)
    if options.watch:
        return _follow(options, done, embedder)
    return PARTLY if done.documents["failed"] or done.partly else DONE


def _follow(options: argparse.Namespace, done: Update, embedder: Embedder | None) -> int:
    """Index what changes, until a person has enough of it."""
    last = [done]

    def told(done: Update, news: Sequence[FileRow]) -> None:
        last[0] = done
        printing.changes(done, news, as_json=options.json)

    sys.stdout.flush()
    printing.notice("following these files: Ctrl-C stops it")
    from index.watching import Watcher

    embedder = embedder or load_embedder(store_at(options.index).manifest().model)
    with suppress(KeyboardInterrupt):
        Watcher(options.index, options.paths, embedder=embedder, before=done, told=told, noticed=printing.notice).run()
    generation, passages = last[0].generation, last[0].passages
    printing.notice(f"stopped: generation {generation} of {options.index} is committed, {passages:,} passages")
    return DONE


def _opened(options: argparse.Namespace) -> System:
    """The system; if the index had to fall back to an older generation, or there is no reader, a person is told."""
    generator = _language_model(options) if "llm_url" in options else None
    system = System.open(options.index, reader=READERS[options.reader], generator=generator)
    for notice in system.notices:
        printing.notice(notice)
    return system


def _language_model(options: argparse.Namespace) -> OpenAICompatible | None:
    return language_model(options.llm_url, options.llm_model)


def _ask(options: argparse.Namespace) -> int:
    if options.question == "-" and options.after:
        raise UsageError('--after goes with one question: "-" reads single ones')
    system = _opened(options)
    if options.question != "-":
        answer = system.answer(options.question, options.threshold, history=options.after, sources=options.source)
        printing.answer(answer, as_json=options.json)
        return DONE
    status = DONE
    for line in sys.stdin.buffer:
        question = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        try:
            printing.answer(system.answer(question, options.threshold, sources=options.source), as_json=True)
        except FootnotedError as error:
            printing.line({"question": question.encode(errors="replace").decode(), "error": str(error)})
            status = PARTLY
    return status


def _search(options: argparse.Namespace) -> int:
    system = _opened(options)
    if options.why is not None:
        if options.source:
            raise UsageError("--why follows a phrase through the whole index: leave --source out")
        printing.trace(system.why(options.query, options.why), as_json=options.json)
        return DONE
    hits = system.search(options.query, options.k, options.mode, sources=options.source)
    printing.hits(options.query, hits, as_json=options.json)
    return DONE


def _chat(options: argparse.Namespace) -> int:
    generator = _language_model(options)
    if options.paths:
        list(discover([path.absolute() for path in options.paths]))  # a PATH that is not there ends it at once
        with Bar() as bar:
            printing.update(
                update(options.index, options.paths, progress=bar.indexing),
                store_at(options.index).name,
                as_json=options.json,
            )
    elif not store_at(options.index).exists():
        create_empty(options.index)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as beside:
        opening = beside.submit(System.open, options.index, reader=READERS[options.reader], generator=generator)
        from .libraries import Libraries
        from .server import serve  # gradio takes seconds to import, in which index and model are loaded

        def opened() -> Libraries:
            limits = Limits(options.upload_limit << 20, options.library_limit << 20)
            libraries = Libraries(opening.result(), limits)
            if options.watch:
                _watched(libraries.main, options)
            return libraries

        serve(
            opened,
            host=options.host,
            port=options.port,
            threshold=options.threshold,
            browser=options.open,
        )
    return DONE


def _watched(shelf: "Shelf", options: argparse.Namespace) -> None:
    """Follow the files from the start, and tell of changes on the terminal too."""
    shelf.following.narrow(options.paths, partial(printing.changes, as_json=options.json), printing.notice)
    try:
        shelf.follow(True)
    except UsageError as error:
        printing.notice(f"nothing is followed: {error}")


def _mcp(options: argparse.Namespace) -> int:
    if find_spec("mcp_types") is None:  # the first version of the SDK has no such package
        raise UsageError("footnoted mcp needs the MCP SDK: pip install 'footnoted[mcp]'")
    system = _opened(options)
    from .mcp_server import serve

    serve(system)
    return DONE


def _eval(options: argparse.Namespace) -> int:
    _check_eval(options)
    report: Report | QuestionReport
    if options.from_feedback:
        report, name = _eval_feedback(options)
    elif options.questions is not None:
        report, name = _eval_questions(options)
    elif options.run is not None:
        report, name = _eval_run(options)
    elif options.topics is not None:
        report, name = _eval_topics(options)
    else:
        report, name = _eval_collection(options)
    from eval.writing import write

    folder = options.out or cache_folder() / "eval" / name
    write(report, folder)
    printing.report(report, folder, as_json=options.json)
    return DONE


def _check_eval(options: argparse.Namespace) -> None:
    """Raises UsageError unless one thing is to be evaluated, and has what it is judged by."""
    searched = options.topics is not None or options.run is not None
    named = [options.collection is not None, options.questions is not None, options.from_feedback, searched]
    if sum(named) != 1:
        raise UsageError("give one of COLLECTION, --questions FILE, --topics FILE, --run FILE and --from-feedback")
    if not searched and (options.qrels or options.spans):
        raise UsageError("--qrels and --spans judge --topics FILE or --run FILE")
    if options.run is not None and options.spans is not None:
        raise UsageError("a run ranks documents, not spans: search with --topics FILE instead, or leave --spans out")
    if options.run is not None and options.qrels is None:
        raise UsageError("--run is scored by judgements: add --qrels FILE")
    if searched and options.qrels is None and options.spans is None:
        raise UsageError("--topics are scored by judgements: add --qrels FILE, --spans FILE or both")


def _eval_questions(options: argparse.Namespace) -> "tuple[Report | QuestionReport, str]":
    from eval.evaluation import evaluate_questions
    from eval.questions import load_questions

    questions = load_questions(options.questions)
    system = _opened(options)
    with Bar() as bar:
        report = evaluate_questions(
            questions,
            system,
            options.threshold,
            settings={"questions": options.questions.name, **_settings(system.index), **_written_by(options)},
            progress=bar.counting("questions"),
        )
    return report, options.questions.stem


def _eval_collection(options: argparse.Namespace) -> "tuple[Report | QuestionReport, str]":
    from eval.collections import load_collection
    from eval.evaluation import evaluate

    collection = load_collection(options.collection)
    # An index of another format is left alone: a cache is no place to ask a person to rebuild.
    which = printing.short_hash(f"{FORMAT} {collection.corpus.resolve()}")
    at = cache_folder() / "collections" / f"{collection.name}-{which}"
    embedder = load_embedder(options.embedder)
    if options.embedder:
        at = at.with_name(f"{at.name}-{printing.short_hash(embedder.name)}")
    if options.store is not None:  # a collection of its own beside the user's
        at = at.with_name(f"{at.name}-{printing.short_hash(options.store)}")
        bind(at, beside(options.store, at.name))
    with Bar() as bar:
        update(at, [collection.corpus], embedder=embedder, progress=bar.indexing)
        system = System.open(at, embedder=embedder, reader=READERS[options.reader])  # a search, no answers
        report = evaluate(
            collection, system, options.mode, settings=_settings(system.index), progress=bar.counting("queries")
        )
    return report, f"{collection.name}-{options.mode}"


def _eval_topics(options: argparse.Namespace) -> "tuple[Report | QuestionReport, str]":
    from eval.evaluation import evaluate_topics
    from eval.runs import read_qrels
    from eval.spans import read_spans
    from eval.topics import read_topics

    topics = read_topics(options.topics)
    qrels = read_qrels(options.qrels) if options.qrels else {}
    spans = read_spans(options.spans) if options.spans else {}
    system = _opened(options)
    with Bar() as bar:
        report = evaluate_topics(
            topics,
            qrels,
            spans,
            system,
            options.mode,
            name=options.topics.stem,
            settings=_settings(system.index),
            progress=bar.counting("queries"),
        )
    return report, f"{options.topics.stem}-{options.mode}"


def _eval_run(options: argparse.Namespace) -> "tuple[Report | QuestionReport, str]":
    from eval.evaluation import evaluate_run
    from eval.runs import read_qrels, read_run
    from eval.topics import read_topics

    topics = read_topics(options.topics) if options.topics else {}
    report = evaluate_run(read_run(options.run), read_qrels(options.qrels), topics, name=options.run.stem)
    return report, options.run.stem


def _eval_feedback(options: argparse.Namespace) -> "tuple[Report | QuestionReport, str]":
    from eval.feedback import evaluate_feedback, judged

    asked = judged(_said(options.index))
    system = _opened(options)
    with Bar() as bar:
        report = evaluate_feedback(
            asked,
            system,
            options.mode,
            options.threshold,
            settings=_settings(system.index),
            progress=bar.counting("questions"),
        )
    return report, f"feedback-{options.mode}"


def _said(folder: Path) -> Feedback:
    """The feedback in an index folder; lines of it that cannot be read are named."""
    if not (store := store_at(folder)).exists():
        raise NoIndex(f"no index at {store.name}: make one with  footnoted index PATH")
    feedback = read_feedback(folder)
    if feedback.unreadable:
        lines = ", ".join(map(str, feedback.unreadable))
        printing.notice(f"{folder / FILE}: no judgement can be read in line {lines}; the others count")
    return feedback


def _feedback(options: argparse.Namespace) -> int:
    from eval.feedback import export, judged

    feedback = _said(options.index)
    if options.qrels or options.spans:
        written = export(judged(feedback), qrels=options.qrels, spans=options.spans)
        printing.written(written, as_json=options.json)
    else:
        printing.feedback(feedback, as_json=options.json)
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


def _written_by(options: argparse.Namespace) -> dict[str, object]:
    generator = _language_model(options)
    return {"language model": generator.name} if generator else {}


def _compare(options: argparse.Namespace) -> int:
    from eval.comparison import compare
    from eval.writing import write

    found = compare(options.a, options.b)
    if options.out:
        write(found, options.out)
    printing.comparison(found, options.out, as_json=options.json)
    return DONE


def _status(options: argparse.Namespace) -> int:
    index = Index.open(options.index)
    printing.notice(index.notice)
    printing.status(index, as_json=options.json)
    return DONE


def _verify(options: argparse.Namespace) -> int:
    problems = verify(options.index)
    printing.verified(options.index, store_at(options.index).name, problems, as_json=options.json)
    return FAILED if problems else DONE


def _verify_answer(options: argparse.Namespace) -> int:
    quotes = read_quotes(options.file)
    index = Index.open(options.index)
    printing.notice(index.notice)
    checked = [check(index, one) for one in quotes]
    printing.checked(checked, options.file, as_json=options.json)
    return DONE if all(one.state == "found" for one in checked) else FAILED


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
    "mcp": _mcp,
    "eval": _eval,
    "compare": _compare,
    "feedback": _feedback,
    "status": _status,
    "verify": _verify,
    "verify-answer": _verify_answer,
    "remove": _remove,
    "export": _export,
    "show": _show,
}
