"""Seeded fuzzing of the manifest's reader, the chunker, the loader and answer().

python -m benchmarks.reliability.fuzz --runs 4000

Only our own errors may come out, of one line each; what comes back keeps its promises: a passage and a
quote are exact parts of their text. `--runs` is divided among the four.
"""

import json
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.reliability.faults import (
    Bar,
    Child,
    WordEmbedder,
    bring_up,
    current_manifest,
    document,
    measured,
    put_manifest,
)
from index.chunking import ChunkSettings, chunk
from index.documents import Document, Page, Section
from index.errors import FootnotedError
from index.index import Index
from index.loading import load
from index.manifest import CURRENT
from rag.system import System

EXAMPLES = Path(__file__).parents[2] / "examples"
# A loader that takes longer with a small file hangs, as far as a person can tell.
_SECONDS = 30

_PARTS = (
    *"abc XYZ ,.;:!?()[]{}<>|&#*_`~^%$@\\/\"'",
    *(" ", "\n", "\n\n", "\t", "\r\n", "\0", "\x0b", "\x1b[31m", "\u2028", "\u00a0", "\u00ad", "\u200b", "\u202e"),
    *(
        "é",
        "e\u0301",
        "ﬁ",
        "ß",
        "İ",
        "ſ",
        "中文。",
        "ไทย",
        "עברית",
        "😀",
        "👩‍👩‍👧",
        "\U000e0001",
        "\ud800",
        "\udfff",
        "\ufffe",
    ),
    *(
        "<|endoftext|>",
        "[1]",
        "[99999999999999999999]",
        "Dr. ",
        "e.g. ",
        "| a | b |",
        "- ",
        "12. ",
        "# ",
        "<b>",
        "&amp;",
    ),
    *(
        "1" * 400,
        "x" * 3000,
        "word " * 300,
        "9999-99-99",
        "-1e999",
        "nan",
        "%s%n",
        "' OR 1=1 --",
        "what is this about?",
    ),
    *("list the documents", "summarise ", "who ", "when ", "how many ", "own3", "version", "generation"),
)


def text(chance: random.Random, most: int = 60) -> str:
    return "".join(chance.choice(_PARTS) for _ in range(chance.randint(0, most)))


def value(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: chance.choice((True, False)),
        lambda: chance.choice((0, -1, 1, 2**31, 2**63, 10**400, 1.5, float("nan"))),
        lambda: text(chance, 3),
        lambda: chance.choice(("", "..", "../../etc", "/etc/passwd", "a/b", "\0", "AAAA")),
    ]
    if depth < 2:
        kinds += [
            lambda: [value(chance, depth + 1) for _ in range(chance.randint(0, 3))],
            lambda: {text(chance, 2): value(chance, depth + 1) for _ in range(chance.randint(0, 3))},
        ]
    return chance.choice(kinds)()


def spoil_json(tree: Any, chance: random.Random) -> Any:
    """The tree with one of its nodes replaced, removed, renamed or doubled."""
    if not isinstance(tree, (dict, list)) or not tree or chance.random() < 0.15:
        return value(chance)
    tree = dict(tree) if isinstance(tree, dict) else list(tree)
    key = chance.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
    way = chance.random()
    if way < 0.2:
        del tree[key]
    elif way < 0.3 and isinstance(tree, dict):
        tree[text(chance, 2)] = tree.pop(key)
    elif way < 0.4 and isinstance(tree, list):
        tree.append(tree[key])
    else:
        tree[key] = spoil_json(tree[key], chance)
    return tree


def spoil_bytes(content: bytes, chance: random.Random) -> bytes:
    """The bytes with a few flips, cuts, doublings and insertions."""
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(content) + 1)
        other = chance.randrange(len(content) + 1)
        way = chance.randrange(6)
        if way == 0 and content:
            place %= len(content)
            content = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
        elif way == 1:
            content = content[:place]
        elif way == 2:
            content = content[: min(place, other)] + content[max(place, other) :]
        elif way == 3:
            content = content[:place] + content[min(place, other) : max(place, other)][:20_000] + content[place:]
        elif way == 4:
            content = content[:place] + text(chance, 5).encode("utf-8", "surrogatepass") + content[place:]
        else:
            content = content[:place] + chance.randbytes(chance.randint(1, 64)) + content[place:]
    return content


Case = Callable[[random.Random], None]


def manifests(folder: Path) -> Case:
    """Manifests that say something else, with sums that are right; and pointers to them."""
    docs, at = folder / "docs", folder / "index"
    docs.mkdir(parents=True)
    for number in range(3):
        (docs / f"d{number}.txt").write_text(document(number, 1))
    bring_up(at, docs)
    sound = current_manifest(at).read_bytes()

    def case(chance: random.Random) -> None:
        if chance.random() < 0.8:
            content = json.dumps(spoil_json(json.loads(sound), chance)).encode()
        else:
            content = spoil_bytes(sound, chance)
        current_manifest(at).unlink(missing_ok=True)
        spoilt = put_manifest(at, content)
        if chance.random() < 0.2:
            (at / CURRENT).write_bytes(spoil_bytes(spoilt, chance))
        system = System.open(at, embedder=WordEmbedder())
        system.answer("Which version is own1 in?")

    return case


def chunks(_: Path) -> Case:
    embedder = WordEmbedder()

    def case(chance: random.Random) -> None:
        # Half characters and NUL never reach the chunker: indexing replaces them.
        body = text(chance, 200).replace("\r\n", "\n").replace("\0", "").encode("utf-8", "replace").decode()
        starts = sorted(chance.sample(range(len(body)), min(len(body), chance.randint(0, 4))))
        sections = tuple(
            Section(start, end, chance.randint(1, 6), body[start:end])
            for start, limit in zip(starts, [*starts, len(body)][1:], strict=True)
            for end in [chance.randint(start, limit)]
        )
        pages = tuple(Page(start, number) for number, start in enumerate(starts, 1))
        size = chance.randint(16, 300)
        settings = ChunkSettings(size, chance.randrange(size))
        made = Document("source", text(chance, 5).encode("utf-8", "replace").decode(), body, sections, pages)
        for passage in chunk(made, settings, embedder.count_pieces, embedder.window):
            assert body[passage.start : passage.end] == passage.text
            assert all(passage.start <= start < end <= passage.end for start, end in passage.sentences)

    return case


def files(folder: Path) -> Case:
    """The examples, spoilt."""
    folder.mkdir(parents=True)
    sound = [(path.suffix, path.read_bytes()) for path in sorted(EXAMPLES.iterdir()) if path.is_file()]
    rows = [{"_id": str(number), "title": f"Row {number}", "text": document(number, 1)} for number in range(5)]
    sound.append((".jsonl", "\n".join(map(json.dumps, rows)).encode()))

    def case(chance: random.Random) -> None:
        suffix, content = chance.choice(sound)
        path = folder / f"spoilt{suffix}"
        path.write_bytes(spoil_bytes(content, chance))
        started = time.perf_counter()
        for one in load(path, "spoilt"):
            if isinstance(one, Document):
                assert all(0 <= s.start <= s.end <= len(one.text) for s in one.sections)
                assert all(0 <= page.start <= len(one.text) for page in one.pages)
            else:
                assert "\n" not in one.reason
        assert time.perf_counter() - started < _SECONDS, "too slow"

    return case


def questions(folder: Path) -> Case:
    docs, at = folder / "docs", folder / "index"
    docs.mkdir(parents=True)
    chance = random.Random(0)
    for number in range(20):
        hostile = text(chance, 40).encode("utf-8", "replace").decode()
        (docs / f"d{number}.txt").write_text(document(number, 3) + hostile)
    bring_up(at, docs)
    system = System(Index.open(at, embedder=WordEmbedder()))

    def case(chance: random.Random) -> None:
        threshold = chance.choice((None, 0.0, 1.0))
        answer = system.answer(text(chance, 20), threshold, citations=chance.randint(1, 5))
        for cited in answer.citations:
            assert system.index.document(cited.source).text[cited.start : cited.end] == cited.quote
            assert f"[{cited.marker}]" in answer.text

    return case


TARGETS: dict[str, Callable[[Path], Case]] = {
    "manifest": manifests,
    "chunker": chunks,
    "loader": files,
    "answer": questions,
}


def attempt(case: Case, seed: int) -> str:
    """Empty, or what came out that should not."""
    try:
        case(random.Random(seed))
    except FootnotedError as error:
        return "" if "\n" not in str(error) and str(error).strip() else f"not one line: {error!r}"
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(place.filename).name}: {place.name}: {ascii(str(error))[:120]}"
    return ""


def fuzz(target: str, folder: Path, runs: int, seed: int, bar: Bar) -> None:
    """In a process of its own: what dies of a seed is a find too, and the next process goes on behind it."""
    case = TARGETS[target](folder)
    finds, first, done = Counter[str](), dict[str, int](), 0

    def work(say: Callable[[str], None]) -> None:
        for number in range(done, runs):
            say(f"try {number}")
            if said := attempt(case, seed * 1_000_003 + number):
                say(json.dumps([number, said]))

    while done < runs:
        status, lines = Child(work).wait()
        tried = [int(line[4:]) for line in lines if line.startswith("try ")]
        said = [json.loads(line) for line in lines if not line.startswith("try ")]
        done = tried[-1] + 1 if tried else runs
        if status:
            said.append([done - 1, f"died with {status}"])
        for number, line in said:
            kind = ": ".join(line.split(": ")[:2])
            finds[kind] += 1
            first.setdefault(f"{kind} (seed {seed}, run {number}): {line}", number)
    bar.note(f"{target}: runs", runs)
    bar.check(f"{target}: kinds of exception", len(finds), 0)
    if finds:
        bar.note(f"{target}: finds", dict(finds))
        bar.note(f"{target}: first of each", list({line.split(" (seed")[0]: line for line in first}.values()))


def main() -> None:
    with measured("fuzz", 4000, __doc__) as (options, folder, bar):
        for target in TARGETS:
            fuzz(target, folder / target, options.runs // len(TARGETS), options.seed, bar)


if __name__ == "__main__":
    main()
