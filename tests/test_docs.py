"""README and help say what is so."""

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from index import Index
from ui.cli import main, parser

HERE = Path(__file__).parents[1]
README = (HERE / "README.md").read_text(encoding="utf-8")


def commands() -> dict[str, object]:
    (choices,) = [action.choices for action in parser()._actions if action.dest == "command"]
    return choices


def test_every_command_is_in_the_readme_and_every_command_there_exists() -> None:
    shown = set(re.findall(r"^(?:\$ )?footnoted ([\w-]+)", README, re.MULTILINE))
    assert shown == set(commands())


@pytest.mark.parametrize("name", commands())
def test_every_command_has_an_example_that_parses(name: str) -> None:
    import shlex

    epilog = commands()[name].epilog
    examples = re.findall(r"^  footnoted (.+?)(?: {2,}.*)?$", epilog, re.MULTILINE)
    assert examples
    for example in examples:
        assert parser().parse_args(shlex.split(example)).command == name


@pytest.mark.parametrize("name", commands())
def test_help_fits_a_terminal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    help = commands()[name].format_help()
    assert not [line for line in help.splitlines() if len(line) > 80]


def test_help_costs_no_import_of_ours() -> None:
    code = (
        "import sys\nfrom ui.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'index', 'rag', 'eval', 'numpy', 'faiss', 'gradio', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "footnoted index ~/papers" in done.stdout


@pytest.mark.model
def test_the_answer_of_the_readme_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    ((question, printed),) = re.findall(r'^\$ footnoted ask "([^"]+)"\n(.*?)^```', README, re.DOTALL | re.MULTILINE)
    Index.build([HERE / "examples"], tmp_path / ".footnoted")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["ask", question]) == 0
    assert capsys.readouterr().out.startswith(f"{printed}\nconfidence ")


@pytest.mark.model
def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    Index.build([HERE / "examples"], tmp_path / ".footnoted-examples")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    quote = "Petra fell on the tunnel stairs in the dark and broke her wrist."
    printed = capsys.readouterr().out
    assert printed.startswith(f"{quote} [1] ")
    assert printed.endswith(f" {quote} 03-diary-of-tomasz-brzeski.txt\n")


def test_the_figures_of_the_docs_are_those_of_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(HERE / "benchmarks")
    spec = spec_from_file_location("figures", HERE / "benchmarks" / "figures.py")
    figures = module_from_spec(spec)
    spec.loader.exec_module(figures)
    for file, parts in figures.contents().items():
        text = file.read_text(encoding="utf-8")
        for name, content in parts.items():
            assert figures.filled(text, name, content) == text, f"{file.name}: {name}"


def test_make_targets_named_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (HERE / "Makefile").read_text(), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"`make (\w+)|^make (\w+)", (HERE / name).read_text(), re.MULTILINE))
        assert {one or other for one, other in named} <= targets


def test_links_in_the_docs_lead_somewhere() -> None:
    for file in [HERE / "README.md", HERE / "CONTRIBUTING.md", *(HERE / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", file.read_text(encoding="utf-8")):
            assert (file.parent / target).exists(), f"{file.name}: {target}"
