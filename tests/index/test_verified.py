"""Small models with random weights: computed as sentence-transformers computes them, or by it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index.embedders import load_embedder
from index.embedding import Vectors, embed_with_sentences
from index.errors import ModelError
from index.graph_embedder import GraphEmbedder
from index.library_embedder import LibraryEmbedder
from index.verified import SAME, TEXTS, VerifiedEmbedder, compare

pytestmark = pytest.mark.model
PROMPTS = {"query": "query: ", "passage": "passage: "}
KINDS = {
    "bert": {},
    "first token": {"pooling": "cls"},
    "prompts": {"prompts": PROMPTS},
    "roberta": {"kind": "roberta"},
    "roberta, prompts": {"kind": "roberta", "prompts": PROMPTS},
    "distilbert": {"kind": "distilbert"},
}
STORY = "Ada built a bridge. She liked it."
STORY_SPANS = [(0, 19), (20, 33)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own, though these tests load models."""
    monkeypatch.setenv("FOOTNOTED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def folder(request: pytest.FixtureRequest, tiny_model: Callable[..., Path]) -> Path:
    return tiny_model(**request.param)


@pytest.fixture(scope="module")
def plain(tiny_model: Callable[..., Path]) -> Path:
    return tiny_model()


def verdicts(cache: Path) -> list[dict]:
    return [json.loads(file.read_text()) for file in sorted(cache.glob("verified/*.json"))]


def cosines(one: Vectors, other: Vectors) -> Vectors:
    return (one * other).sum(axis=1)


def test_the_graph_gives_what_the_library_gives(folder: Path) -> None:
    graph, library = GraphEmbedder("tiny", lambda: folder), LibraryEmbedder(str(folder), device="cpu")
    assert cosines(graph.embed_queries(TEXTS), library.embed_queries(TEXTS)).min() > 0.99999
    assert cosines(graph.embed_passages(TEXTS), library.embed_passages(TEXTS)).min() > 0.99999
    assert graph.count_pieces(TEXTS) == library.count_pieces(TEXTS)
    assert graph.dimension == library.dimension == 32
    assert graph.embed_passages([]).shape == (0, 32)
    # Texts that differ have other vectors, or the cosines above would say nothing.
    different = graph.embed_passages(["Ada built a bridge.", "bridge a built Ada.", "When does the lease end?"])
    assert (different @ different.T)[np.triu_indices(3, 1)].max() < 0.999


def test_what_the_model_sees_of_a_passage(tiny_model: Callable[..., Path], plain: Path) -> None:
    def window(folder: Path) -> int:
        return GraphEmbedder("tiny", lambda: folder).window

    assert window(plain) == 40 - 2
    prompted = tiny_model(prompts=PROMPTS)
    assert window(prompted) == 40 - 2 - 2  # "passage" and ":"
    roberta = tiny_model(kind="roberta")
    assert window(roberta) == LibraryEmbedder(str(roberta)).window == 40 - 2 - 1


@pytest.mark.parametrize(("kind", "prompt"), [("bert", ""), ("bert", "passage: "), ("roberta", "passage:")])
def test_a_sentence_vector_is_the_mean_of_its_tokens_in_the_passage(
    kind: str, prompt: str, tiny_model: Callable[..., Path]
) -> None:
    folder = tiny_model(kind=kind, prompts={"passage": prompt} if prompt else None)
    library = LibraryEmbedder(str(folder), device="cpu")
    states = library._model.encode(prompt + STORY, prompt="", output_value="token_embeddings").numpy()
    # <s>, the prompt, the first sentence, the second (whose first token may hold the space before it), </s>
    first, second = (library.count_pieces([prompt + part])[0] for part in (STORY[:19], STORY))
    ahead = library.count_pieces([prompt])[0]
    expected = [states[1 + ahead : 1 + first].mean(axis=0), states[1 + first : 1 + second].mean(axis=0)]
    whole, sentences = GraphEmbedder("tiny", lambda: folder).embed_with_sentences([STORY], [STORY_SPANS])
    assert cosines(whole, library.embed_passages([STORY])).min() > 0.99999
    assert cosines(sentences, np.stack([row / np.linalg.norm(row) for row in expected])).min() > 0.99999
    # Beside a longer text, and one without a sentence.
    texts, spans = [STORY * 3, STORY, "x"], [[(0, 19)], STORY_SPANS, []]
    by_library = library.embed_with_sentences(texts, spans)
    by_graph = GraphEmbedder("tiny", lambda: folder).embed_with_sentences(texts, spans)
    for one, other, rows in zip(by_library, by_graph, (3, 1 + len(STORY_SPANS)), strict=True):
        assert one.shape == other.shape == (rows, whole.shape[1])
        assert cosines(one, other).min() > 0.99999
    assert cosines(by_library[1][1:], sentences).min() > 0.99999


def test_sentences_of_a_model_that_pools_the_first_token_are_embedded_by_themselves(
    tiny_model: Callable[..., Path],
) -> None:
    folder = tiny_model(pooling="cls")
    graph = GraphEmbedder("tiny", lambda: folder)
    _, sentences = graph.embed_with_sentences([STORY], [STORY_SPANS])
    assert cosines(sentences, graph.embed_passages([STORY[:19], STORY[20:]])).min() > 0.99999


def test_what_is_found_once_is_kept_and_needs_no_torch_again(plain: Path, cache: Path) -> None:
    first = load_embedder(str(plain))
    assert first.name == str(plain)
    vectors, sentences = embed_with_sentences(first, [STORY], [STORY_SPANS])
    assert sentences.shape == (2, 32)
    (verdict,) = verdicts(cache)
    assert (verdict["same"], verdict["why"], verdict["model"]) == (True, "", str(plain))
    assert verdict["lowest"] > SAME
    code = (
        "import sys; from index.embedders import load_embedder\n"
        "print(load_embedder(sys.argv[1]).embed_passages([sys.argv[2]]).tolist())\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(plain), STORY],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    again, loaded = done.stdout.splitlines()
    assert cosines(np.array(json.loads(again)), vectors).min() > 0.99999
    assert loaded == "[]"


def test_a_changed_model_is_compared_again(tiny_model: Callable[..., Path], cache: Path) -> None:
    folder = tiny_model()
    VerifiedEmbedder(str(folder)).embed_queries(["Who?"])
    VerifiedEmbedder(str(folder)).embed_queries(["Who?"])
    assert len(verdicts(cache)) == 1
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text().replace('"mean"', '"cls"'))
    changed = VerifiedEmbedder(str(folder)).embed_queries(["Who?"])
    assert len(verdicts(cache)) == 2
    assert cosines(changed, LibraryEmbedder(str(folder)).embed_queries(["Who?"])).min() > 0.99999


def test_where_they_differ_it_is_the_library(plain: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embed = LibraryEmbedder.embed_passages

    def turned(self: LibraryEmbedder, texts: list[str]) -> Vectors:
        return np.roll(embed(self, texts), 1, axis=1)

    monkeypatch.setattr(LibraryEmbedder, "embed_passages", turned)
    embedder = VerifiedEmbedder(str(plain))
    assert embedder.library_because == ""  # nothing is known yet
    assert (embedder.embed_passages([STORY]) == LibraryEmbedder(str(plain)).embed_passages([STORY])).all()
    (verdict,) = verdicts(cache)
    assert verdict["same"] is False
    assert verdict["lowest"] < SAME
    monkeypatch.setattr("index.verified.compare", lambda *_: pytest.fail("compared a second time"))
    again = VerifiedEmbedder(str(plain))
    assert again.library_because == f"its graph gives other vectors (cosine {verdict['lowest']:.4f})"
    assert (again.embed_passages([STORY]) == embedder.embed_passages([STORY])).all()
    _, sentences = again.embed_with_sentences([STORY], [STORY_SPANS])
    assert (sentences == LibraryEmbedder(str(plain)).embed_with_sentences([STORY], [STORY_SPANS])[1]).all()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("dimension", property(lambda _: 16), "its graph gives 32 dimensions, not 16"),
        ("count_pieces", lambda _, texts: [1] * len(texts), "its graph cuts texts into other word pieces"),
        ("window", property(lambda _: 20), "its graph cuts texts into other word pieces"),
    ],
)
def test_dimension_and_word_pieces_are_compared_too(
    name: str, value: object, why: str, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LibraryEmbedder, name, value)
    verdict = compare(GraphEmbedder("tiny", lambda: plain), LibraryEmbedder(str(plain), device="cpu"))
    assert (verdict.same, verdict.why) == (False, why)


def test_a_part_that_the_graph_has_not_is_left_to_the_library(tiny_model: Callable[..., Path], cache: Path) -> None:
    folder = tiny_model(dense=True)
    embedder = VerifiedEmbedder(str(folder))
    assert embedder.library_because == "its parts are Transformer, Pooling, Dense, Normalize"
    assert embedder.dimension == 16
    assert embedder.embed_queries(["Who?"]).shape == (1, 16)
    assert verdicts(cache) == []


def test_a_graph_that_cannot_be_made_is_left_to_the_library(
    tiny_model: Callable[..., Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_model()
    with monkeypatch.context() as broken:
        broken.setattr("index.graph._PREFIXES", ("embeddings.",))
        vector = VerifiedEmbedder(str(folder)).embed_queries(["Who?"])
    assert (vector == LibraryEmbedder(str(folder)).embed_queries(["Who?"])).all()
    assert verdicts(cache)[0]["why"].startswith("its graph cannot be made: cannot read the model in ")


def test_a_model_that_neither_can_load_is_an_error(tiny_model: Callable[..., Path], cache: Path) -> None:
    folder = tiny_model()
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"^cannot load the embedding model .*: "):
        VerifiedEmbedder(str(folder)).embed_queries(["Who?"])
    assert verdicts(cache) == []


def test_the_hub_s_cache_is_a_folder_too(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    hub = tmp_path / "hub"
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(hub))
    embedder = VerifiedEmbedder("some/tiny")
    assert embedder.library_because == "its files are not here yet"
    snapshot = hub / "models--some--tiny" / "snapshots" / ("a" * 40)
    for file in (file for file in plain.rglob("*") if file.is_file()):
        place = snapshot / file.relative_to(plain)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(file)  # as the hub keeps them: elsewhere, and linked to
    (hub / "models--some--tiny" / "refs").mkdir()
    (hub / "models--some--tiny" / "refs" / "main").write_text("a" * 40)
    embedder = VerifiedEmbedder("some/tiny")
    assert embedder.name == "some/tiny"
    assert cosines(embedder.embed_queries(["Who?"]), LibraryEmbedder(str(plain)).embed_queries(["Who?"])) > 0.99999
    assert verdicts(cache)[0]["same"] is True


def test_a_gpu_is_the_library_s(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("index.verified._GPUS", (tmp_path / "nvidia0", tmp_path))
    monkeypatch.setattr("index.verified.importlib.metadata.version", lambda _: "2.13.0")
    assert VerifiedEmbedder(str(plain)).library_because == "there is a GPU"
    for unusable in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", unusable)
        assert VerifiedEmbedder(str(plain)).library_because == ""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("index.verified.importlib.metadata.version", lambda _: "2.13.0+cpu")
    assert VerifiedEmbedder(str(plain)).library_because == ""
