"""The wheel, installed into an empty environment, away from the clone."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
pytestmark = [pytest.mark.package, pytest.mark.model]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a wheel built here, in an environment that has only the dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", str(folder), str(HERE)]
    subprocess.run(pip, check=True, capture_output=True)
    (wheel,) = folder.glob("footnoted-*.whl")
    home = folder / "venv"
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    target = ["--target", str(site), "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "install", *target], check=True, capture_output=True)
    # The dependencies of the environment that runs this test, without what a .pth of it adds (the clone).
    for place in (place for place in sys.path if place.endswith("site-packages")):
        (site / "dependencies.pth").write_text(place + "\n")
    command = home / "bin" / "footnoted"
    command.write_text(f"#!{home / 'bin' / 'python'}\nimport sys\nfrom ui.cli import main\nsys.exit(main())\n")
    command.chmod(0o755)
    return command


def run(command: Path, *arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([command, *arguments], cwd=at, env=environment, capture_output=True, text=True, timeout=300)


def test_the_wheel_holds_the_four_packages_and_their_files_only(installed: Path) -> None:
    (site,) = installed.parent.parent.glob("lib/python*/site-packages")
    (record,) = site.glob("footnoted-*.dist-info/RECORD")
    tops = {line.split("/")[0].split(",")[0] for line in record.read_text().splitlines()}
    assert {"index", "rag", "eval", "ui"} <= tops
    assert not {"tests", "docs", "benchmarks", "examples", "training"} & tops
    assert (site / "rag" / "reader.safetensors").is_file()
    for name in (path.name for kind in ("css", "js") for path in (HERE / "ui").glob(f"*.{kind}")):
        assert (site / "ui" / name).is_file()


def test_it_indexes_and_answers_outside_the_clone(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "lease.md").write_text("# Lease\n\nThe lease ends on 31 March 2030. The rent is 900 euros a month.\n")
    indexed = run(installed, "index", "lease.md", "--json", at=tmp_path)
    assert indexed.returncode == 0, indexed.stderr
    assert json.loads(indexed.stdout)["documents"]["added"] == 1
    answered = run(installed, "ask", "When does the lease end?", "--json", at=tmp_path)
    assert json.loads(answered.stdout)["citations"][0]["quote"] == "The lease ends on 31 March 2030."
    assert answered.stderr == ""  # the reader is there


def test_a_users_files_of_the_same_names_are_documents_and_never_run(installed: Path, tmp_path: Path) -> None:
    for name in ("index", "rag", "ui", "eval"):
        (tmp_path / f"{name}.py").write_text(
            "open('ran', 'w').close()\nraise SystemExit('a file of the user was run')\n"
        )
    (tmp_path / "note.txt").write_text("The garden gate is painted green every spring.\n")
    indexed = run(installed, "index", ".", "--json", at=tmp_path)
    assert indexed.returncode == 0, indexed.stderr
    asked = run(installed, "ask", "What colour is the garden gate?", at=tmp_path)
    assert "The garden gate is painted green every spring. [1]" in asked.stdout
    assert not (tmp_path / "ran").exists()


def test_another_package_called_index_is_named_in_one_line(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "__init__.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    asked = subprocess.run(
        [installed, "status"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert asked.returncode == 1
    assert asked.stderr.startswith("footnoted: the package 'index' is not Footnoted's but ")
    assert asked.stderr.count("\n") == 1
