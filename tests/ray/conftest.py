"""The command with real workers, the packaged model and small documents."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

HOOKS = Path(__file__).with_name("hooks")
FOOTNOTED = Path(sys.executable).with_name("footnoted")


@pytest.fixture(scope="session", autouse=True)
def _with_ray() -> None:
    if find_spec("ray") is None:
        pytest.skip("needs Ray: pip install 'footnoted[ray]'")


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen]:
    """Starts `footnoted index` in a folder that holds an index.py of the user's, which leaves a mark if it is run."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "index.py").write_text(f"open({str(here / 'ran')!r}, 'w')\n")

    def start(*arguments: str | Path, **asked: object) -> subprocess.Popen:
        hooks = {f"FOOTNOTED_TEST_{name.upper()}": str(value) for name, value in asked.items()}
        return subprocess.Popen(
            [FOOTNOTED, "index", "--json", *arguments],
            cwd=here,
            env={**os.environ, "PYTHONPATH": str(HOOKS), **hooks},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def run(start: Callable[..., subprocess.Popen]) -> Callable[..., tuple[int, str, str]]:
    """The same to its end: (exit status, output, errors)."""

    def run(*arguments: str | Path, **asked: object) -> tuple[int, str, str]:
        process = start(*arguments, **asked)
        out, err = process.communicate(timeout=180)
        return process.returncode, out, err

    return run


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """24 files of a passage each."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(24):
        (folder / f"{number:02}.txt").write_text(
            f"Bridge number {number} was built by Ada in {1900 + number}. It is {10 * number} metres long.\n"
        )
    return folder


@pytest.fixture
def add(documents: Path) -> Callable[[str, str], Path]:
    """Adds a file of that name and text to the documents."""

    def added(name: str, text: str) -> Path:
        (documents / name).write_text(text)
        return documents / name

    return added
