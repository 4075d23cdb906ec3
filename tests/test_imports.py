"""Imports go one way through the house, and nothing can run what it reads."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "index": {"index"},
    "rag": {"index", "rag"},
    "eval": {"index", "rag", "eval"},
    "ui": {"index", "rag", "eval", "ui"},
}
# What is not installed.
WORKSHOP = ("training", "benchmarks", "tests")
SOURCES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


def test_every_package_has_sources() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in SOURCES} == set(ALLOWED)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[0] for name in _imported(ast.parse(path.read_text()))} & {*ALLOWED, *WORKSHOP}
    assert ours <= ALLOWED[package]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_what_it_reads(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert "eval" not in _imported(tree)  # `from eval.metrics import ...`: the package would hide the function
    assert not {name.split(".")[0] for name in _imported(tree)} & {
        "pickle",
        "cPickle",
        "dill",
        "joblib",
        "marshal",
        "shelve",
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "compile", "__import__", "yaml.load", "torch.load"}
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert given.get("allow_pickle", "False") == "False"
            assert given.get("trust_remote_code", "False") == "False"
            if called in {"np.load", "np.save", "numpy.load", "numpy.save"}:
                assert "allow_pickle" in given


@pytest.mark.parametrize("package", ["eval", "index", "rag"])
def test_the_exported_names_are_sorted_and_there(package: str) -> None:
    module = import_module(package)
    assert module.__all__ == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
    modules = {path.stem for path in (ROOT / package).glob("*.py")}
    assert not modules & set(module.__all__)  # a function would hide the module of its name


_LOADED = """
import contextlib, io, json, sys
from ui.cli import main
out = io.StringIO()
with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(json.dumps({"out": out.getvalue(), "modules": sorted(sys.modules)}))
"""
HEAVY = {"gradio", "huggingface_hub", "pandas", "scipy", "sentence_transformers", "torch", "transformers"}
# What only a command that embeds, searches or reads documents needs.
FOR_WORK = {"faiss", "onnx", "onnxruntime", "py3langid", "sqlite3", "tiktoken", "tokenizers"}


def _run(*arguments: str | Path) -> tuple[str, set[str]]:
    """What a command prints, and every module that its process has loaded."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _LOADED, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return told["out"], set(told["modules"])


def test_help_loads_next_to_nothing() -> None:
    out, modules = _run("--help")
    assert "usage: footnoted" in out
    assert not modules & (HEAVY | FOR_WORK)
    assert len(modules) <= 160  # 142 on 2026-11-23, with Python 3.11


@pytest.mark.model
def test_a_question_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    (tmp_path / "bridge.txt").write_text("The old bridge was opened in 1974.")
    _run("index", tmp_path / "bridge.txt", "--index", tmp_path / "at")
    out, modules = _run("ask", "When was the old bridge opened?", "--index", tmp_path / "at")
    assert "The old bridge was opened in 1974. [1]" in out
    assert not modules & (HEAVY | {"tiktoken", "index.verified", "index.library_embedder"})
    assert len(modules) <= 500  # 467 on 2026-11-23, with Python 3.11
