"""`footnoted index --ray HOST:PORT`: two nodes, of which one is killed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from index import Index

pytestmark = pytest.mark.model
# On loopback, without a token in the home of whoever runs the tests, and without reports to its makers.
ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9/",
}


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[subprocess.Popen]:
    for name, value in {**ENVIRONMENT, "FOOTNOTED_TEST_DONE": str(tmp_path / "done")}.items():
        monkeypatch.setenv(name, value)
    hooks = Path(__file__).with_name("hooks")
    home = tmp_path / "home"
    home.mkdir()
    (home / "ray_bootstrap_config.yaml").touch()  # else the head asks the network which cloud it is in
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("two_nodes.py")],
        env={**os.environ, "PYTHONPATH": str(hooks), "HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    assert process.stdin is not None
    process.stdin.close()
    process.wait(60)


def vectors(at: Path) -> dict[str, np.ndarray]:
    index = Index.open(at)
    found = {index.passage(row).id: index.vectors([row])[0] for row in range(index.passages)}
    assert len(found) == index.passages
    return found


def test_of_two_nodes_one_is_killed_after_its_first_part(
    two_nodes: subprocess.Popen, start: Callable, run: Callable, documents: Path, tmp_path: Path
) -> None:
    assert two_nodes.stdin is not None
    assert two_nodes.stdout is not None
    address = two_nodes.stdout.readline().strip()
    process = start("--index", tmp_path / "at", "--ray", address, documents, part_files=2)
    done, started = tmp_path / "done", time.monotonic()
    while not (done.exists() and done.read_text().endswith("\n")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < started + 120
        time.sleep(0.05)
    two_nodes.stdin.write(done.read_text().split()[0] + "\n")
    two_nodes.stdin.flush()
    assert int(two_nodes.stdout.readline()) >= 2
    out, err = process.communicate(timeout=180)
    assert (process.returncode, err) == (0, "")
    assert len(set(done.read_text().split())) >= 2
    assert json.loads(out)["documents"]["added"] == 24
    run("--index", tmp_path / "plain", documents)
    ours, plain = vectors(tmp_path / "at"), vectors(tmp_path / "plain")
    assert set(ours) == set(plain)
    assert all(np.abs(ours[name] - plain[name]).max() < 1e-6 for name in plain)
