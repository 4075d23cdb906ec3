"""Hostile and odd input through the public door: everything accounted for, everything good found, nothing harmed."""

import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from index import Embedder, Index
from index.errors import UsageError
from index.files import discover
from index.formats.blocks import clean_in_place
from index.indexing import update
from index.loading import load
from index.normalising import searchable
from index.updates import Progress
from rag.system import System

EXAMPLES = Path(__file__).parents[1] / "examples"
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def good_files(folder: Path) -> dict[str, str]:
    """Write 50 files that a person may have, each with a word of its own; the word by file."""
    folder.mkdir(parents=True)
    words = {}
    for number in range(50):
        word = f"quokka{NUMBERS[number // 10]}{NUMBERS[number % 10]}"
        sentence = f"The storehouse of {word} opens on Tuesday."
        suffix, content = [
            ("txt", sentence),
            ("md", f"# Store\n\n{sentence}\n"),
            ("html", f"<p>{sentence}</p>"),
            ("csv", f"note,day\n{sentence},Tuesday\n"),
            ("jsonl", json.dumps({"_id": "1", "text": sentence})),
            ("py", f"# {sentence}\nx = 1\n"),
            ("ipynb", json.dumps({"cells": [{"cell_type": "markdown", "source": sentence}]})),
            ("txt", f"\ufeff{sentence}"),
            ("json", json.dumps({"note": sentence})),
            ("tsv", f"note\tday\n{sentence}\tTuesday\n"),
        ][number % 10]
        name = f"good_{number:02}.{suffix}"
        (folder / name).write_text(content, encoding="utf-16" if number % 10 == 7 else "utf-8")
        words[name] = word
    return words


class Watch:
    """The largest memory of any child of this process, in bytes, looked at every 10 ms."""

    def __enter__(self) -> "Watch":
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            for task in Path("/proc/self/task").glob("*/children"):
                try:
                    for pid in task.read_text().split():
                        status = Path(f"/proc/{pid}/status").read_text()
                        if found := re.search(r"VmHWM:\s+(\d+)", status):
                            self.peak = max(self.peak, int(found[1]) * 1024)
                except OSError:
                    continue


def waiting() -> dict[str, float]:
    """Seconds that each thread was ready to run while the machine did other things: they are not what a file takes."""
    waits = {"": 0.0}
    for task in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # the thread has ended
            waits[task.parent.name] = int(task.read_text().split()[1]) / 1e9
    return waits


@pytest.mark.shared
def test_a_folder_of_hostile_and_good_files(
    shared: Callable[[str], Path], tmp_path: Path, make_embedder: Callable[..., Embedder]
) -> None:
    """R11 and R12."""
    folder = tmp_path / "files"
    words = good_files(folder / "good")
    bad = folder / "bad"
    command = [sys.executable, str(shared("badinput/make_generated.py")), str(bad)]
    subprocess.run(command, check=True, capture_output=True)
    for path in shared("badinput").glob("pdf_*/*.pdf"):
        (bad / path.name).write_bytes(path.read_bytes())
    times: list[tuple[float, dict[str, float], str]] = []

    def tell(progress: Progress) -> None:
        times.append((time.monotonic(), waiting(), progress.path))

    at = tmp_path / "index"
    with Watch() as watch:
        report = update(at, [folder], embedder=make_embedder(dimension=64), progress=tell)
    rows = {os.path.relpath(row.path, folder): row for row in report.files}
    files = {os.path.relpath(Path(top) / name, folder) for top, _, names in os.walk(folder) for name in names}
    assert files - {os.path.relpath(found.path, folder) for found in discover([folder])} == set()
    assert len(rows) >= len(files)
    for row in report.files:
        assert row.status == "added" or row.reason, row
        assert row.reason.isprintable()
    assert {name: rows[f"good/{name}"].status for name in words} == dict.fromkeys(words, "added")
    index = Index.open(at, embedder=make_embedder(dimension=64))
    for name, word in words.items():
        first = index.lexical(f"Where is {word}?", 1)[0]
        assert index.passage(first.row).source.split("#")[0] == f"good/{name}"
    expected = json.loads((bad / "EXPECTED.json").read_text())
    for name, outcome in expected.items():
        if f"bad/{name}" in rows and (said := re.match(r"(skip|error|index)\b(?!-or| or)", outcome)):
            known = {"skip": ("skipped",), "error": ("failed", "skipped"), "index": ("added",)}[said[1]]
            if " or " not in outcome and "chmod" not in outcome and name != "empty.json":
                assert rows[f"bad/{name}"].status in known, (name, outcome, rows[f"bad/{name}"])
    slowest = max(
        (after - before - max(now - waits.get(thread, 0.0) for thread, now in later.items()), path)
        for (before, waits, path), (after, later, _) in pairwise(times)
    )
    assert slowest[0] < 30, slowest
    assert watch.peak < 1.1 * (1 << 30)
    assert not Path("/tmp/zipslip_pwned.txt").exists()
    everything = "".join(index.document(name).text for name, *_ in index.sources() if "xxe" in name)
    assert "root:" not in everything


@pytest.mark.parametrize("name", ["bomb_flate_512mb.pdf", "bomb_512mb_text.docx", "billion_laughs.docx"])
@pytest.mark.shared
def test_a_bomb_takes_little(shared: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    command = [sys.executable, str(shared("badinput/make_generated.py")), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    from index.parsing import Parser

    with Watch() as watch, Parser() as parser:
        (tmp_path / "first.txt").write_text("words")
        list(parser.load(tmp_path / "first.txt", "first.txt"))
        started = time.monotonic()
        with pytest.raises(Exception, match=r"too large|damaged|memory|crashed"):
            list(parser.load(tmp_path / name, name))
        assert time.monotonic() - started < 20
    assert watch.peak < 330 << 20


@pytest.fixture
def naughty(shared: Callable[[str], Path]) -> list[str]:
    return json.loads(shared("badinput/blns/blns.json").read_text(encoding="utf-8"))


@pytest.mark.shared
def test_naughty_strings_as_content_and_as_questions(
    naughty: list[str], tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13: what is stored is what was written, and every citation is a piece of it."""
    path = tmp_path / "naughty.jsonl"
    rows = {str(number): text for number, text in enumerate(naughty)}
    path.write_text("".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in rows.items()))
    report = update(tmp_path / "index", [path], embedder=embedder)
    assert report.documents["added"] == 1
    system = System.open(tmp_path / "index", embedder=embedder)
    stored = {source.partition("#")[2]: system.index.document(source) for source, *_ in system.index.sources()}
    for name, text in rows.items():
        if clean_in_place(text).strip():
            assert stored[name].text == clean_in_place(text)
    cited = 0
    for question in naughty:
        if not searchable(question).strip():
            with pytest.raises(UsageError, match=r"^the question is empty"):
                system.answer(question)
            continue
        for answer in system.stream(question, threshold=0):
            for one in answer.citations:
                assert system.index.document(one.source).text[one.start : one.end] == one.quote
                cited += 1
            for hit in answer.hits:
                passage = hit.passage
                assert system.index.document(passage.source).text[passage.start : passage.end] == passage.text
    assert cited > 400


@pytest.mark.shared
def test_naughty_strings_as_names(naughty: list[str], tmp_path: Path, embedder: Embedder) -> None:
    """R13: every file that the file system takes is indexed or has its reason, and is found by its source."""
    folder = tmp_path / "files"
    folder.mkdir()
    made = {}
    for number, text in enumerate(naughty):
        try:
            path = folder / f"{text}.txt"
            if path.parent == folder and not path.exists():
                path.write_text(f"The content of number {number} is here.")
                made[str(path)] = f"The content of number {number} is here."
        except (OSError, ValueError):
            continue
    assert len(made) > 300
    report = update(tmp_path / "index", [folder], embedder=embedder)
    assert {row.path for row in report.files} == set(made)
    index = Index.open(tmp_path / "index", embedder=embedder)
    known = {record.path: record for record in index.files()}
    for row in report.files:
        if row.status == "skipped":
            assert row.reason == "hidden"
            continue
        assert row.status == "added"
        assert known[row.path].source.isprintable()
        assert index.document(known[row.path].source).text == made[row.path]


def _between(mark: str) -> Callable[[str], str]:
    return lambda text: re.sub(r"(\w{2})(?=\w{2})", rf"\1{mark}", text)


VARIANTS: dict[str, Callable[[str], str]] = {
    "zero-width space": _between("\u200b"),
    "zero-width joiner": _between("\u200d"),
    "soft hyphen": _between("\u00ad"),
    "byte order mark": lambda text: f"\ufeff{text}\u2060",
    "full width": lambda text: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    "ligatures": lambda text: text.replace("fi", "ﬁ").replace("fl", "ﬂ").replace("st", "ﬆ"),
    "mathematical": lambda text: "".join(chr(0x1D41A + ord(one) - 97) if "a" <= one <= "z" else one for one in text),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
}


def test_variants_of_a_query_find_the_same(tmp_path: Path, make_embedder: Callable[..., Embedder]) -> None:
    """R15, over 100 sentences of the examples."""
    embedder = make_embedder(dimension=64)
    update(tmp_path / "index", [EXAMPLES], embedder=embedder)
    examples = System.open(tmp_path / "index", embedder=embedder)
    passages = [examples.index.passage(row) for row in range(examples.index.passages)]
    sentences = [one.quote(place) for one in passages for place in range(len(one.sentences))]
    queries = random.Random(7).sample([one for one in sentences if 30 < len(one) < 200], 100)
    plain = [examples.search(query, 1)[0].passage.id for query in queries]
    for name, variant in VARIANTS.items():
        changed = [examples.search(variant(query), 1)[0].passage.id for query in queries]
        same = sum(one == other for one, other in zip(plain, changed, strict=True))
        assert same >= 95, f"{name}: {same} of 100"


def test_what_is_no_file_is_passed_by_within_a_second(tmp_path: Path, embedder: Embedder) -> None:
    """R16."""
    folder, outside = tmp_path / "files", tmp_path / "outside"
    (folder / "a").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (folder / "good.txt").write_text("The good words.")
    (folder / "a/up").symlink_to("..")
    (folder / "self.txt").symlink_to("self.txt")
    (folder / "ping.txt").symlink_to("pong.txt")
    (folder / "pong.txt").symlink_to("ping.txt")
    (folder / "out.txt").symlink_to(outside / "secret.txt")
    (folder / "outdir").symlink_to(outside)
    (folder / "zero.txt").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.txt")
    with (folder / "sparse.txt").open("wb") as file:
        file.truncate(8 << 30)
    try:
        os.mknod(folder / "device.txt", 0o20666, os.makedev(1, 5))
    except PermissionError:
        (folder / "device.txt").symlink_to("/dev/null")
    started = time.process_time()
    report = update(tmp_path / "index", [folder], embedder=embedder)
    assert time.process_time() - started < 1  # of work: none of it is read
    rows = {os.path.relpath(row.path, folder): (row.status, row.reason) for row in report.files}
    assert rows.pop("good.txt") == ("added", "")
    assert sorted(rows) == sorted(
        [
            "a/up",
            "self.txt",
            "ping.txt",
            "pong.txt",
            "out.txt",
            "outdir",
            "zero.txt",
            "fifo.txt",
            "sparse.txt",
            "device.txt",
        ]
    )
    assert all(status == "skipped" and reason for status, reason in rows.values()), rows


def test_a_sparse_table_is_no_trap(tmp_path: Path) -> None:
    """Rows may fill a file of any size; a hole is no rows."""
    for name in ("a.csv", "a.jsonl"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(8 << 30)
        started = time.process_time()
        with pytest.raises(Exception, match="binary content, not text"):
            list(load(tmp_path / name, name))
        assert time.process_time() - started < 1
    reasons = [(found.status, found.reason) for found in discover([tmp_path])]
    assert reasons == [("skipped", "made of holes: it takes far less of the disk than its size")] * 2
