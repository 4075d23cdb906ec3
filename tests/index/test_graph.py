"""Which models the graph covers, and what it says of others."""

import json
from pathlib import Path

import numpy as np
import pytest

from index.architecture import NotCovered, read_architecture
from index.errors import ModelError
from index.graph import bert_session
from index.minilm import minilm_folder

BERT = {
    "model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "num_hidden_layers": 1,
    "num_attention_heads": 2, "hidden_size": 8, "layer_norm_eps": 1e-12, "max_position_embeddings": 514,
}  # fmt: skip
DISTILBERT = {
    "model_type": "distilbert", "activation": "gelu", "n_layers": 3, "n_heads": 2, "dim": 8,
    "max_position_embeddings": 512,
}  # fmt: skip
_HEADER = '{"bert.embeddings.word_embeddings.weight":{"dtype":"F16","shape":[1,1],"data_offsets":[0,2]}}'
HALF = f"{chr(len(_HEADER))}{chr(0) * 7}{_HEADER}xx"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model_type": "mpnet"}, "its architecture is mpnet"),
        ({"hidden_act": "relu"}, "its activation is relu"),
        ({"position_embedding_type": "relative_key"}, "its positions are relative_key"),
        ({"is_decoder": True}, "its config.json has is_decoder"),
        ({"quantization_config": {"bits": 4}}, "its config.json has quantization_config"),
        ({"auto_map": {"AutoModel": "modeling.Own"}}, "its config.json has auto_map"),
        ({"model_type": "roberta"}, "its config.json has no pad_token_id"),
        ({"model_type": "distilbert"}, "its config.json has no activation"),
    ],
)
def test_what_the_graph_does_not_cover(change: dict[str, object], why: str) -> None:
    with pytest.raises(NotCovered) as error:
        read_architecture({**BERT, **change})
    assert str(error.value) == why


def test_positions_are_counted_as_the_architecture_counts_them() -> None:
    ids = np.array([[5, 7, 1, 8], [5, 1, 1, 1]])
    assert read_architecture(BERT).positions(ids).tolist() == [[0, 1, 2, 3]]
    assert read_architecture(DISTILBERT).positions(ids).tolist() == [[0, 1, 2, 3]]
    for kind in ("roberta", "xlm-roberta", "camembert"):
        roberta = read_architecture({**BERT, "model_type": kind, "pad_token_id": 1})
        assert roberta.positions(ids).tolist() == [[2, 3, 1, 4], [2, 1, 1, 1]]
        assert roberta.longest == 512
    assert read_architecture(BERT).longest == 514
    assert read_architecture(DISTILBERT).layers == 3


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"cannot read the model in .*: .*No such file or directory"),
        ({"config.json": "{"}, r"cannot read the model in "),
        (
            {"config.json": '{"model_type": "gpt2"}'},
            r"^the model in .* is not one that the graph covers: its architecture is gpt2$",
        ),
        ({"config.json": json.dumps(BERT)}, r"cannot read the model in .*model\.safetensors"),
        ({"config.json": json.dumps(BERT), "model.safetensors": "\2\0\0\0\0\0\0\0{}"}, r"cannot read the model in "),
        ({"config.json": json.dumps(BERT), "model.safetensors": ""}, r"cannot read the model in "),
        ({"config.json": json.dumps(BERT), "model.safetensors": HALF}, r"word_embeddings.weight is F16, expected F32"),
    ],
)
def test_a_folder_that_holds_no_such_model(files: dict[str, str], message: str, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ModelError, match=message):
        bert_session(tmp_path)


@pytest.mark.model
def test_a_text_is_the_same_whatever_is_beside_it() -> None:
    session = bert_session(minilm_folder())
    ids = np.array([[101, 7592, 2088, 102], [101, 2208, 2058, 102], [101, 7592, 7592, 102]], dtype=np.int64)

    def states(given: np.ndarray) -> np.ndarray:
        (hidden,) = session.run(["hidden"], {"ids": given, "positions": np.arange(given.shape[1])[None]})
        return hidden

    together = states(ids)
    assert together.shape == (3, 4, 384)
    for row in range(3):
        assert np.abs(states(ids[row : row + 1])[0] - together[row]).max() < 1e-5
    assert np.abs(together[0] - together[2]).max() > 0.1
