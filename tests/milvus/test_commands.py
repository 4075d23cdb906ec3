"""One flag, and nothing else changes: the commands print what they print over a folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rag
from index import Index
from ui.cli import main

from .places import LITE, LITE_SERVER, Place, only

pytestmark = pytest.mark.model
Write = Callable[..., Path]

DOCS = {
    "lease.md": "# Lease\n\nThe lease of the mill ends on 31 March 2030. It was signed by Petra Sólheim in Akureyri.",
    "tea.txt": "Tea is a drink made from leaves. It is served hot. Salt is never added to it.",
    "accident.txt": "Petra Sólheim fell on the stairs to Tunnel B and broke her left wrist. Nobody else was hurt.",
}
ASKED = ("When does the lease of the mill end?", "Who fell on the stairs?", "What is the capital of France?")


def without_times(text: str) -> list[Any]:
    """Lines of JSON but for what is measured, and where the index is."""
    lines = [json.loads(line) for line in text.splitlines()]
    for one in lines:
        for name in ("timings", "timings_s", "seconds", "bytes", "index", "folder", "generation", "created", "out"):
            one.pop(name, None)
    return lines


@only(LITE, LITE_SERVER)
def test_commands_print_the_same(
    place: Place, write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(DOCS)
    shared = ["--json", "--index"]
    local, bound = [*shared, str(tmp_path / "local")], [*shared, str(tmp_path / "bound"), "--store", place.address]
    asked = write({"asked/questions.txt": "\n".join(ASKED)})
    corpus = [{"_id": name, "title": name, "text": text} for name, text in DOCS.items()]
    collection = tmp_path / "collection"
    (collection / "qrels").mkdir(parents=True)
    (collection / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (collection / "queries.jsonl").write_text(json.dumps({"_id": "1", "text": ASKED[0]}))
    (collection / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\tlease.md\t1\n")
    commands = [
        ["index", *(str(folder / name) for name in DOCS)],
        *(["ask", question] for question in ASKED),
        ["ask", "Where did she fall?", "--after", ASKED[1]],
        ["ask", ASKED[0], "--source", "tea.txt"],
        *(["search", "hot tea", "--mode", mode, "-k", "3"] for mode in ("fused", "dense", "lexical")),
        ["search", "the lease", "--why", "31 March 2030"],
        ["eval", str(collection)],
        ["remove", "tea.txt"],
        ["export", "lease.md"],
        ["verify"],
    ]
    for given in commands:
        printed = []
        for where in (local, bound):
            status = main([*given, *where])
            out = capsys.readouterr()
            try:
                printed.append((status, without_times(out.out), out.err))
            except json.JSONDecodeError:
                printed.append((status, [out.out], out.err))
        (status, mine, said), (other, theirs, told) = printed
        assert status == other == 0, (given, said, told)
        _same(given, theirs, mine)
    assert asked


def _same(given: list[str], one: Any, other: Any) -> None:
    """Equal but for the last digits of scores."""
    if isinstance(other, dict):
        assert one.keys() == other.keys(), given
        for name, value in other.items():
            _same([*given, name], one[name], value)
    elif isinstance(other, list):
        assert len(one) == len(other), given
        for mine, theirs in zip(one, other, strict=True):
            _same(given, mine, theirs)
    elif isinstance(other, float):
        assert one == pytest.approx(other, abs=1e-4), given
    else:
        assert one == other, given


@only(LITE)
def test_an_answer_in_python(place: Place, write: Write) -> None:
    folder = write(DOCS)
    Index.build([folder], place.address)
    found = rag.answer(ASKED[0], index=place.address)
    assert found.citations[0].quote == "The lease of the mill ends on 31 March 2030."
    assert rag.answer(ASKED[0], index=place.address).citations == found.citations
