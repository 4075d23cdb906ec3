"""A scan over codes finds what comparing all vectors finds."""

from pathlib import Path

import faiss
import numpy as np
import pytest

import index.folder.scan
from index.folder.scan import CODES, Scan, write_scan


def clustered(rows: int, dimension: int = 32) -> np.ndarray:
    """Unit rows around forty centres."""
    draw = np.random.default_rng(5)
    centres = draw.normal(size=(40, dimension))
    vectors = centres[draw.integers(40, size=rows)] + 0.5 * draw.normal(size=(rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def flat(vectors: np.ndarray) -> faiss.IndexFlatIP:
    made = faiss.IndexFlatIP(vectors.shape[1])
    made.add(vectors)
    return made


def test_the_best_codes_hold_the_nearest(tmp_path: Path) -> None:
    vectors = clustered(6000)
    queries, others = vectors[:50] + 0.05, clustered(6200)[-100:]
    write_scan(tmp_path, flat(vectors), queries)
    scan = Scan(tmp_path)
    assert scan.measured.recall >= 0.995
    assert scan.measured.depth in (100, 200, 400, 800)
    found = []
    for query in others:
        nearest = np.argsort(-(vectors @ query), kind="stable")[:10]
        found.append(np.isin(nearest, scan.nearest(query, scan.measured.depth)).mean())
    assert np.mean(found) >= 0.98
    assert sorted(scan.nearest(others[0], 10_000).tolist()) == list(range(6000))


def test_few_vectors_are_compared_one_by_one(tmp_path: Path) -> None:
    vectors = clustered(4095)
    write_scan(tmp_path, flat(vectors), vectors[:5])
    assert list(tmp_path.iterdir()) == []
    write_scan(tmp_path, flat(clustered(4096)), vectors[:5])
    assert (tmp_path / CODES).is_file()


def test_of_more_vectors_more_codes_are_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.folder.scan, "_SHARE", 1 / 10)
    vectors = clustered(5000)
    write_scan(tmp_path, flat(vectors), vectors[:20])
    assert Scan(tmp_path).measured.depth == 500


def test_codes_that_find_too_little_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.folder.scan, "_LEAST", 10)
    monkeypatch.setattr(index.folder.scan, "_DOUBLED", 0)
    vectors = clustered(5000)
    write_scan(tmp_path, flat(vectors), vectors[:20] + 0.05)
    assert list(tmp_path.iterdir()) == []


def test_a_dimension_that_codes_do_not_divide_is_compared_one_by_one(tmp_path: Path) -> None:
    vectors = clustered(5000, 30)
    write_scan(tmp_path, flat(vectors), vectors[:20])
    assert list(tmp_path.iterdir()) == []
