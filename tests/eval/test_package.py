"""What importing the package gives, and what it must not load."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

PACKAGE = import_module("eval")  # under another name: its own would hide the built-in function
FOLDER = Path(str(PACKAGE.__file__)).parent


def test_the_exported_names_are_sorted_and_there() -> None:
    assert PACKAGE.__all__ == sorted(PACKAGE.__all__) == ["Report", "evaluate", "evaluate_spans", "write"]
    assert all(hasattr(PACKAGE, name) for name in PACKAGE.__all__)


def test_no_module_is_named_like_an_export() -> None:
    assert not {path.stem for path in FOLDER.glob("*.py")} & set(PACKAGE.__all__)


def test_importing_it_loads_no_torch_and_no_page() -> None:
    code = (
        "import sys; from eval import evaluate; from eval.comparison import compare; "
        "print(sorted({'torch', 'gradio', 'sentence_transformers', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent)},
    )
    assert done.stdout.strip() == "[]"
