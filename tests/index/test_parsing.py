"""`parsing`: what the child reads arrives as it was, and nothing that it does harms the parent."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import loading, parsing
from index.documents import Document, Page, Section
from index.errors import FailedFile, SkippedFile
from index.loading import Problem
from index.parsing import CRASHED, Parser
from index.worker import decode, encode, packed, unpacked

ROOT = Path(__file__).parents[2]

Write = Callable[[Mapping[str, str | bytes]], Path]

# The child imports this in place of a parser.
HOSTILE = {
    "hang": "import time\ndef read(data, source):\n    while True: time.sleep(1)\n    yield",
    "swallow": "def read(data, source):\n    yield ' ' * (3 << 30)",
    "crash": "import os, signal\ndef read(data, source):\n    os.kill(os.getpid(), signal.SIGSEGV)\n    yield",
    "leave": "import os\ndef read(data, source):\n    os._exit(0)\n    yield",
    "noise": 'import os\ndef read(data, source):\n    print(\'["end", "", false]\', flush=True)\n'
    "    os.write(1, b'noise\\n')\n    from index.documents import Document\n    yield Document(source, 'a', 'text')",
    "write": "def read(data, source):\n    with open('/tmp/footnoted-written', 'wb', 0) as file:\n"
    "        file.write(b'x')\n    yield",
    "forge": "from index.documents import Document\ndef read(data, source):\n    yield Document(source, 7, 'text')",
}


@pytest.fixture
def parser() -> Iterator[Parser]:
    with Parser(quiet=30) as parser:
        yield parser


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> Callable[..., Path]:
    """Makes the children's reader of .txt one of HOSTILE, for files whose text begins with its name."""

    def hostile(name: str) -> Path:
        patched = tmp_path / "patched"
        patched.mkdir()
        (patched / "hostile.py").write_text(HOSTILE[name])
        bootstrap = parsing._BOOTSTRAP.replace(
            "from index.worker",
            f"sys.path.append({str(patched)!r})\nimport hostile, index.formats.markdown\n"
            "index.formats.markdown.read = hostile.read\nfrom index.worker",
        )
        monkeypatch.setattr(parsing, "_BOOTSTRAP", bootstrap)
        return write({"bad.md": "words", "good.txt": "words"})

    return hostile


def test_the_same_as_in_this_process(parser: Parser, write: Write) -> None:
    folder = write(
        {"a.md": "# One\n\nTwo.\n", "b.jsonl": '{"_id": "x", "text": "y"}\nbad\n', "c.txt": "caf\xe9".encode("cp1252")}
    )
    for name in ("a.md", "b.jsonl", "c.txt"):
        assert list(parser.load(folder / name, name)) == list(loading.load(folder / name, name))
    first = parser.pid
    list(parser.load(folder / "a.md", "a.md"))
    assert parser.pid == first


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_every_string_arrives_as_it_was(text: str, heading: str) -> None:
    document = Document("a\ud800#b", heading, text, (Section(0, 3, 1, heading),), (Page(0, 7),), "00")
    for one in (document, Problem(text)):
        line = encode(packed(one))
        assert line.index(b"\n") == len(line) - 1
        assert unpacked(decode(line)) == one


@pytest.mark.parametrize("text", ["\ud83d\ude00", "a\0b", "\u2028\u2029\x85\x1c", "e\u0301\u200b\U000e0041", '"\\\n\r'])
def test_odd_characters_one_by_one(text: str) -> None:
    assert unpacked(decode(encode(packed(Problem(text))))) == Problem(text)


def test_rows_come_while_the_rest_is_read(parser: Parser, tmp_path: Path) -> None:
    pipe = tmp_path / "rows.jsonl"
    with pipe.open("w") as file:
        for row in range(200_000):
            file.write(f'{{"_id": "{row}", "text": "Row {row}."}}\n')
    rows = parser.load(pipe, "rows.jsonl")
    assert next(rows).source == "rows.jsonl#0"  # type: ignore[union-attr]
    pid = parser.pid
    rows.close()  # type: ignore[attr-defined]
    assert parser.pid is None
    assert pid is not None


def test_reasons_arrive(parser: Parser, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "bad.pdf").write_text("no")
    with pytest.raises(SkippedFile, match=r"^no text in it$"):
        list(parser.load(tmp_path / "empty.txt", "empty.txt"))
    with pytest.raises(FailedFile, match=r"^damaged, or not a PDF file$"):
        list(parser.load(tmp_path / "bad.pdf", "bad.pdf"))
    with pytest.raises(FailedFile, match=r"^cannot be read: no such file or directory$"):
        list(parser.load(tmp_path / "gone.txt", "gone.txt"))
    pid = parser.pid
    with pytest.raises(SkippedFile, match=r"^unknown format \.xyz$"):
        list(parser.load(tmp_path / "a.xyz", "a.xyz"))
    assert parser.pid == pid


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hang", "took too long to read (3 s): it may be damaged"),
        ("swallow", "needs too much memory to read: more than 1 GB, or far more than its size"),
        ("crash", CRASHED),
        ("leave", CRASHED),
        ("write", "cannot be read: file too large"),
        ("forge", CRASHED),
    ],
)
def test_what_a_parser_does_costs_its_file_only(hostile: Callable[[str], Path], name: str, reason: str) -> None:
    folder = hostile(name)
    written = Path("/tmp/footnoted-written")
    written.unlink(missing_ok=True)
    with Parser(quiet=3) as parser:
        with pytest.raises(FailedFile) as error:
            list(parser.load(folder / "bad.md", "bad.md"))
        assert str(error.value) == reason
        parser.quiet = 30  # the good file does not hang, however busy the machine is
        (document,) = parser.load(folder / "good.txt", "good.txt")
        assert isinstance(document, Document)
        assert document.text == "words"
    assert not written.exists() or not written.stat().st_size
    written.unlink(missing_ok=True)


def test_what_a_parser_prints_is_no_reply(hostile: Callable[[str], Path]) -> None:
    folder = hostile("noise")
    with Parser() as parser:
        (document,) = parser.load(folder / "bad.md", "bad.md")
        assert document == Document("bad.md", "a", "text", sha256=document.sha256)  # type: ignore[union-attr]


def test_the_whole_of_a_file_is_limited_too(hostile: Callable[[str], Path]) -> None:
    folder = hostile("hang")
    with Parser(quiet=30, total=0.3) as parser, pytest.raises(FailedFile, match=r"took too long to read \(0.3 s\)"):
        list(parser.load(folder / "bad.md", "bad.md"))


def test_a_child_that_was_lost_between_files_is_replaced(parser: Parser, write: Write) -> None:
    folder = write({"a.txt": "words"})
    list(parser.load(folder / "a.txt", "a.txt"))
    pid = parser.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it is gone, and nobody has taken note of it yet
    assert len(list(parser.load(folder / "a.txt", "a.txt"))) == 1
    assert parser.pid not in (None, pid)


def test_two_at_a_time_have_a_child_each(write: Write) -> None:
    folder = write({"a.jsonl": '{"text": "one"}\n{"text": "two"}\n', "b.txt": "words"})
    rows = parsing.load(folder / "a.jsonl", "a")
    first = next(rows)
    assert len(list(parsing.load(folder / "b.txt", "b"))) == 1
    assert [first.text, *(row.text for row in rows)] == ["one", "two"]  # type: ignore[union-attr]


def test_the_child_ends_with_its_parent(write: Write) -> None:
    folder = write({"a.txt": "words"})
    code = (
        "import os, signal, sys; from pathlib import Path; from index.parsing import Parser; parser = Parser();"
        f"list(parser.load(Path({str(folder / 'a.txt')!r}), 'a')); print(parser.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    pid = int(done.stdout)
    for _ in range(300):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.1)
    pytest.fail(f"the child {pid} is still there")


@pytest.mark.parametrize("options", [["-P"], []])
def test_a_users_own_modules_are_documents_and_never_run(write: Write, tmp_path: Path, options: list[str]) -> None:
    """Also where the parent has the working directory on its path, as `python -c` does."""
    names = ["index.py", "rag.py", "ui.py", "eval.py"]
    # These would be taken by the parent itself if it looked for modules where it stands.
    names += ["lxml.py", "json.py", "signal.py", "resource.py", "types.py"] if options else []
    marker = tmp_path / "ran"
    folder = write(dict.fromkeys(names, f"open({str(marker)!r}, 'a').write(__name__)\n") | {"a.html": "<p>Words.</p>"})
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
        "from pathlib import Path\nfrom conftest import WordEmbedder\nfrom index.indexing import update\n"
        "report = update(Path('.footnoted'), [Path('.')], embedder=WordEmbedder())\n"
        "print(sorted(Path(row.path).name for row in report.files if row.status == 'added'))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(sorted([*names, "a.html"]))
    assert not marker.exists()


def test_starting_loads_no_parser_and_no_model(write: Write, parser: Parser) -> None:
    folder = write({"a.txt": "words"})
    list(parser.load(folder / "a.txt", "a.txt"))
    if (stat := Path(f"/proc/{parser.pid}/stat")).exists():  # seconds of work: those of the clock are the machine's
        assert sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK") < 2
    if (maps := Path(f"/proc/{parser.pid}/maps")).exists():
        assert not [name for name in ("faiss", "numpy", "onnx", "lxml") if f"/{name}" in maps.read_text()]


def test_archives_go_through_the_same_door(parser: Parser, tmp_path: Path) -> None:
    packed_ = io.BytesIO()
    with zipfile.ZipFile(packed_, "w") as archive:
        archive.writestr("a/b.txt", "Words.")
    (tmp_path / "x.zip").write_bytes(packed_.getvalue())
    (document,) = parser.load(tmp_path / "x.zip", "x.zip")
    assert document.source == "x.zip/a/b.txt"  # type: ignore[union-attr]
