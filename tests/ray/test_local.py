"""`footnoted index --ray local`: the same index as without, whatever happens to workers and to the command itself."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index import Index

pytestmark = pytest.mark.model
GOES_ON = "the same command goes on from there"


def held(at: Path) -> dict[str, tuple[str, bytes, int]]:
    """Of each passage by its id: its text, its vector's bytes rounded, and how often it is there."""
    index = Index.open(at)
    found: dict[str, tuple[str, bytes, int]] = {}
    for row in [row for source, *_ in index.sources() for row in index.rows_of(source)]:
        passage = index.passage(row)
        assert index.document(passage.source).text[passage.start : passage.end] == passage.text
        vector = np.round(index.vectors([row])[0], 5).tobytes()
        found[passage.id] = (passage.text, vector, found.get(passage.id, ("", b"", 0))[2] + 1)
    return found


def rays() -> list[str]:
    """What is left of local clusters of ours."""
    return [str(path) for path in Path("/tmp").glob("footnoted-*")]


def files(out: str) -> dict[str, tuple[str, str]]:
    return {Path(row["path"]).name: (row["status"], row["reason"]) for row in json.loads(out)["files"]}


def test_a_local_run_gives_the_same_index_and_goes_on_after_a_kill(
    run: Callable, start: Callable, documents: Path, add: Callable, tmp_path: Path
) -> None:
    before = rays()
    gate, at = tmp_path / "gate", tmp_path / "at"
    gate.touch()
    add("90-slow.txt", "This text is SLOW.")
    add("91-broken.pdf", "%PDF-1.4 not really")

    # Killed after the first commit: what is committed stays, and nothing of Ray is left.
    process = start("--index", at, "--ray", "local", documents, batch=8, part_files=8, gate=gate)
    started = time.monotonic()
    while not (at / "CURRENT").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < started + 120
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = held(at)
    assert kept
    assert {times for _, _, times in kept.values()} == {1}
    while set(rays()) - set(before):
        assert time.monotonic() < started + 150
        time.sleep(0.1)

    # A deadline that is too short: a line, status 1, and what was committed stays.
    status, out, err = run("--index", at, "--ray", "local", "--deadline", "4", documents, gate=gate)
    counts = f"{len(kept)} of 26 files are done and kept, {26 - len(kept)} to go"
    assert (status, out) == (1, "")
    assert err == f"footnoted: the deadline of 4 s has come; {counts}: {GOES_ON}\n"
    assert held(at) == kept

    # And to its end, with a file that kills its worker.
    gate.unlink()
    add("92-poison.txt", "This text is POISON.")
    status, out, err = run("--index", at, "--ray", "local", documents, part_files=8)
    assert (status, err) == (3, "")
    told = files(out)
    assert told.pop("92-poison.txt") == ("failed", "its worker died each of 3 times")
    assert list(told) == sorted(told)
    assert sum(status == "unchanged" for status, _ in told.values()) == len(kept)
    assert json.loads(out)["embedded"] == 25 - len(kept)

    (documents / "92-poison.txt").unlink()
    status, plain, _ = run("--index", tmp_path / "plain", documents)
    assert status == 3
    assert told["91-broken.pdf"] == files(plain)["91-broken.pdf"]
    assert held(at) == held(tmp_path / "plain")

    # Nothing has changed: Ray is not asked for, nor anybody at that address.
    status, out, err = run("--index", at, "--ray", "127.0.0.1:1", documents)
    assert (status, err, json.loads(out)["embedded"]) == (3, "", 0)  # the broken file's row says so again
    assert not (tmp_path / "here" / "ran").exists()
    assert set(rays()) <= set(before)


def test_an_address_where_no_cluster_is_costs_no_time(run: Callable, documents: Path, tmp_path: Path) -> None:
    status, out, err = run("--index", tmp_path / "at", "--ray", "127.0.0.1:1", documents)
    assert (status, out) == (1, "")
    assert err == (
        "footnoted: no Ray cluster answers at 127.0.0.1:1 (connection refused); 0 of 24 files are done and kept, "
        f"24 to go: {GOES_ON}\n"
    )


@pytest.mark.parametrize("address", ["here", "host:", ":6379", "ray://host:10001", "host:0"])
def test_an_address_that_is_none_is_refused(address: str, run: Callable, documents: Path, tmp_path: Path) -> None:
    status, _, err = run("--index", tmp_path / "at", "--ray", address, documents)
    assert (status, err) == (
        2,
        f"footnoted: --ray takes local, or HOST:PORT of a cluster's head, got {address!r}\n",
    )


def test_what_workers_have_embedded_goes_into_milvus_too(run: Callable, documents: Path, tmp_path: Path) -> None:
    pytest.importorskip("milvus_lite")
    status, out, err = run("--index", tmp_path / "at", "--store", tmp_path / "lite.db", "--ray", "local", documents)
    assert (status, err) == (0, "")
    assert run("--index", tmp_path / "plain", documents)[0] == 0
    assert held(tmp_path / "at") == held(tmp_path / "plain")
    assert json.loads(out)["passages"] == len(held(tmp_path / "plain"))
