"""The command `footnoted`: what can be typed, and how errors reach a person.

Nothing heavy is imported here; each command imports what it needs when it runs.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from .exit_codes import FAILED, STOPPED, USAGE
from .version import installed_version

_EPILOG = """examples:
  footnoted index ~/papers                 read a folder (again: only what changed)
  footnoted ask "When does the lease end?" one answer with footnotes
  footnoted chat                           the same in the browser

The index is the folder .footnoted here, unless --index DIR or FOOTNOTED_INDEX names another.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 done in part."""


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    top = argparse.ArgumentParser(
        prog="footnoted",
        description="Answers with footnotes, from your own documents.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"footnoted {installed_version()}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str, *examples: str) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog="\n  ".join([f"example{'s' if examples[1:] else ''}:", *examples]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.add_argument(
            "--index",
            type=Path,
            metavar="DIR",
            default=Path(os.environ.get("FOOTNOTED_INDEX") or ".footnoted"),
            help="index folder (default: .footnoted, or FOOTNOTED_INDEX)",
        )
        one.add_argument(
            "--store",
            metavar="ADDRESS",
            default=os.environ.get("FOOTNOTED_STORE") or None,
            help="the index is in Milvus: milvus://HOST:PORT/COLLECTION, or PATH.db (or FOOTNOTED_STORE)",
        )
        one.add_argument("--json", action="store_true", help="one JSON object a line instead of text")
        return one

    index = command(
        "index",
        "add and update documents, remove what is gone",
        "footnoted index ~/papers 'notes/*.md'",
        "footnoted index --watch ~/papers      and whatever changes there",
        "footnoted index --ray HOST:6379 /data  with the workers of a Ray cluster",
    )
    index.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="file, folder or glob; without one, refresh the known ones"
    )
    index.add_argument("--watch", action="store_true", help="go on: index what changes, until Ctrl-C")
    index.add_argument("--rebuild", action="store_true", help="start from nothing: after damage, or for other settings")
    index.add_argument("--verbose", action="store_true", help="append a line for each file to the log in the index")
    index.add_argument("--embedder", metavar="NAME|PATH", help="sentence-transformers model (default: packaged MiniLM)")
    index.add_argument("--chunk-size", type=int, metavar="TOKENS", help="passage size in tokens (default 200)")
    index.add_argument("--overlap", type=int, metavar="TOKENS", help="overlap in tokens, whole sentences (default 40)")

    index.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="read and embed with Ray's workers: HOST:PORT of a cluster's head, or local (this machine's processors)",
    )
    index.add_argument(
        "--deadline", type=_seconds, metavar="SECONDS", help="with --ray: give up then, and keep what is done"
    )

    ask = command("ask", "answer a question", 'footnoted ask "Who signed the contract?"')
    ask.add_argument("question", metavar="QUESTION", help='the question; "-" reads one a line and writes JSON lines')
    ask.add_argument(
        "--after",
        action="append",
        default=[],
        metavar="QUESTION",
        help="an earlier question that this one may lean on (repeat it, in order, for several)",
    )
    _sources(ask)
    _answering(ask)

    search = command("search", "list the passages nearest to a query", 'footnoted search "notice period" -k 5')
    search.add_argument("query", metavar="QUERY")
    search.add_argument("-k", type=int, default=10, metavar="N", help="number of passages (default 10)")
    search.add_argument("--why", metavar="PHRASE", help="tell at which stage the passage with these words was lost")
    _sources(search)
    _mode(search)
    _reader(search)

    chat = command(
        "chat",
        "open the chat page",
        "footnoted chat ~/papers --port 7911",
        "footnoted chat --llm-url http://127.0.0.1:11434/v1 --llm-model qwen3:4b",
    )
    chat.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files and folders to index first")
    chat.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default 127.0.0.1: this machine only; others need FOOTNOTED_PASSWORD)",
    )
    chat.add_argument("--port", type=int, default=7860, help="port (default 7860)")
    chat.add_argument("--watch", action="store_true", help="index what changes in these files while the page is open")
    chat.add_argument("--open", action="store_true", help="open the page in the browser")
    chat.add_argument(
        "--upload-limit", type=_count, default=200, metavar="MB", help="largest file that the page takes (default 200)"
    )
    chat.add_argument(
        "--library-limit", type=_count, default=4096, metavar="MB", help="all files that it takes (default 4096)"
    )
    _answering(chat)

    mcp = command(
        "mcp",
        "serve search, answers and sources to other programs (Model Context Protocol)",
        "footnoted mcp --index ~/papers/.footnoted",
    )
    _reader(mcp)

    evaluation = command(
        "eval",
        "measure search, answers and refusals on judged questions",
        "footnoted eval scifact --mode fused --out runs/fused  a collection",
        "footnoted eval --topics my.topics --qrels my.qrels    queries for the index",
        "footnoted eval --run other.run --qrels my.qrels       a run of any system",
        "footnoted eval --questions my.jsonl                   answers and refusals",
        "footnoted eval --from-feedback                        what you judged",
    )
    evaluation.add_argument(
        "collection",
        nargs="?",
        type=Path,
        metavar="COLLECTION",
        help="folder: corpus.jsonl, queries.jsonl, and qrels/test.tsv or spans.jsonl",
    )
    evaluation.add_argument(
        "--questions", type=Path, metavar="FILE", help="questions with their answers (JSON lines) for the index"
    )
    evaluation.add_argument(
        "--from-feedback", action="store_true", help="questions and sources judged on the chat page"
    )
    evaluation.add_argument(
        "--topics", type=Path, metavar="FILE", help="queries for the index: TREC topics, or lines of id, tab, text"
    )
    evaluation.add_argument(
        "--qrels", type=Path, metavar="FILE", help="judged documents, TREC or BEIR, named as status lists them"
    )
    evaluation.add_argument("--spans", type=Path, metavar="FILE", help="judged spans of documents (JSON lines)")
    evaluation.add_argument("--run", type=Path, metavar="FILE", help="TREC run to score by --qrels, without searching")
    evaluation.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for report.html, rows and run (default: the cache)"
    )
    evaluation.add_argument(
        "--embedder", metavar="NAME|PATH", help="sentence-transformers model (default: packaged MiniLM)"
    )
    _mode(evaluation)
    _answering(evaluation)

    compare = command(
        "compare",
        "compare two eval --out folders: what moved, and why",
        "footnoted compare runs/a runs/b --out runs/a-b",
    )
    compare.add_argument("a", type=Path, metavar="DIR_A")
    compare.add_argument("b", type=Path, metavar="DIR_B")
    compare.add_argument("--out", type=Path, metavar="DIR", help="folder for a page of it, report.html, and its JSON")

    feedback = command(
        "feedback",
        "list what was judged on the chat page, or write it for others",
        "footnoted feedback --qrels judged.qrels",
    )
    feedback.add_argument(
        "--qrels", type=Path, metavar="FILE", help="write documents as TREC qrels, topics beside them"
    )
    feedback.add_argument("--spans", type=Path, metavar="FILE", help="write excerpts judged right, topics beside them")

    command("status", "what the index holds", "footnoted status")
    command("verify", "check every byte of the index", "footnoted verify")
    answer = command(
        "verify-answer",
        "check the quotes of an answer or a conversation against the index",
        "footnoted verify-answer conversation.md",
    )
    answer.add_argument("file", type=Path, metavar="FILE", help="export of the page, or what ask --json printed")
    remove = command("remove", "take a document out, until it is named again", "footnoted remove old.pdf")
    remove.add_argument("source", metavar="SOURCE", help="as status and citations name it")
    export = command("export", "write the documents as JSON lines", "footnoted export all.jsonl")
    export.add_argument("file", nargs="?", type=Path, metavar="FILE", help="file to write (default: standard output)")
    show = command("show", "print a document as the index has it", "footnoted show report.pdf")
    show.add_argument("source", metavar="SOURCE", help="as status and citations name it")
    return top


def _sources(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--source",
        action="append",
        metavar="SOURCE",
        help="ask this document only; papers/ means the folder (repeat it for several)",
    )


def _answering(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--threshold", type=_fraction, metavar="P", help="refuse below this confidence (0 never refuses)"
    )
    _reader(command)
    command.add_argument(
        "--llm-url",
        metavar="URL",
        help="language model that writes the answers: an OpenAI-compatible server (or FOOTNOTED_LLM_URL)",
    )
    command.add_argument(
        "--llm-model",
        metavar="NAME",
        help="which of its models (or FOOTNOTED_LLM_MODEL); a key is read from FOOTNOTED_LLM_KEY alone",
    )


def _reader(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--reader",
        choices=["bundled", "none"],
        default="bundled",
        help="model that reads the first passages again (none: sentences are scored without one)",
    )


def _mode(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--mode", choices=["fused", "dense", "lexical"], default="fused", help="which scores rank (default fused)"
    )


def _count(text: str) -> int:
    if not (text.isdecimal() and 0 < len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return value


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, got {text!r}")
    return value


def _shadowed() -> str | None:
    """The packages have common names: a line if another `index`, `rag` or `eval` would be imported."""
    home = Path(__file__).resolve().parent.parent
    for name in ("index", "rag", "eval"):
        spec = find_spec(name)
        if spec is None or spec.origin is None or Path(spec.origin).resolve().parent.parent != home:
            found = spec.origin if spec else "nothing"
            return f"the package {name!r} is not Footnoted's but {found}: run elsewhere, or without PYTHONPATH"
    return None


def _drop_output() -> None:
    """What is still to be printed goes nowhere, so that the interpreter's last flush cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if sys.stdout is None:  # started with its output closed
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the life of the process
        return _run(parser().parse_args(arguments))
    except KeyboardInterrupt:
        return _stopped(arguments)
    except ImportError as error:  # a compiled module that is interrupted while it loads raises this instead
        if not _interrupted(error):
            raise
        return _stopped(arguments)
    except BrokenPipeError:  # the reader of our output has gone: nothing to say to it
        _drop_output()
        return FAILED
    except OSError as error:
        _drop_output()
        where = f": {error.filename}" if error.filename else ""
        print(f"footnoted: {error.strerror or 'input or output error'}{where}", file=sys.stderr)
        return FAILED


def _stopped(arguments: Sequence[str]) -> int:
    indexing = next(iter(arguments), "") == "index"
    kept = ": what was committed is kept, the same command goes on from there" if indexing else ""
    print(f"\nfootnoted: stopped{kept}", file=sys.stderr)
    return STOPPED


def _interrupted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _run(options: argparse.Namespace) -> int:
    if problem := _shadowed():
        print(f"footnoted: {problem}", file=sys.stderr)
        return FAILED
    from index.errors import FootnotedError, UsageError

    from . import commands, printing

    try:
        if options.store is not None and options.command != "compare":
            from index.stores import bind

            bind(options.index, options.store)
        return commands.COMMANDS[options.command](options)
    except UsageError as error:
        printing.notice(str(error))
        return USAGE
    except FootnotedError as error:
        printing.notice(str(error))
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
