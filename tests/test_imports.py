"""Imports go one way through the house, and nothing can run what it reads."""

import ast
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
