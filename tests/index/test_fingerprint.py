"""A model is known by what it answers, not by its name."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from index import Embedder
from index.errors import OtherIndex
from index.fingerprint import check_probe, probe
from index.manifest import Manifest

Make = Callable[..., Embedder]


def manifest_of(embedder: Embedder) -> Manifest:
    return Manifest(1, embedder.name, embedder.dimension, probe(embedder), {})


def test_the_same_vectors_pass_under_any_name(make_embedder: Make) -> None:
    check_probe(make_embedder("other name"), manifest_of(make_embedder()))


def test_other_vectors_do_not_and_both_are_named(make_embedder: Make) -> None:
    with pytest.raises(OtherIndex) as error:
        check_probe(make_embedder("shifted", shift=1), manifest_of(make_embedder()))
    assert "the index was made with words, but shifted gives other vectors (cosine 0." in str(error.value)


def test_another_dimension_is_named_with_both(make_embedder: Make) -> None:
    with pytest.raises(OtherIndex) as error:
        check_probe(make_embedder("wide", dimension=32), manifest_of(make_embedder()))
    assert str(error.value) == (
        "the index was made with words (16 dimensions), the embedder is wide (32): give that model, or index --rebuild"
    )


def test_another_runtime_passes_and_eight_bit_weights_do_not(make_embedder: Make) -> None:
    embedder = make_embedder(dimension=384)
    manifest = manifest_of(embedder)

    def noisy(size: float) -> Embedder:
        other = make_embedder(dimension=384)
        embed = other.embed_passages

        def embed_passages(texts: list[str]) -> np.ndarray:
            rows = embed(texts) + np.random.default_rng(0).normal(size=(len(texts), 384)) * size / 384**0.5
            return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

        other.embed_passages = embed_passages  # type: ignore[method-assign]
        return other

    check_probe(noisy(0.001), manifest)
    with pytest.raises(OtherIndex, match=r"cosine 0\.99\d"):
        check_probe(noisy(0.1), manifest)


def test_a_probe_reads_the_same_whatever_the_name(make_embedder: Make) -> None:
    embedder = make_embedder()
    assert manifest_of(embedder) == replace(manifest_of(make_embedder("b")), model="words")
