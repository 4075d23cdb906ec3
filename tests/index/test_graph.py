"""Which models the graph covers, and what it says of others."""

import json
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from index.graph import bert_session, supported
from index.minilm import minilm_folder

BERT = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({}, True),
        ({"model_type": "roberta"}, False),
        ({"hidden_act": "relu"}, False),
        ({"position_embedding_type": "relative_key"}, False),
        ({"is_decoder": True}, False),
    ],
)
def test_what_the_graph_covers(change: dict[str, object], covered: bool) -> None:
    assert supported({**BERT, **change}) is covered


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"cannot read the model in .*: .*No such file or directory"),
        ({"config.json": "{"}, r"cannot read the model in "),
        ({"config.json": '{"model_type": "gpt2"}'}, r"is not a BERT model that the graph covers"),
        ({"config.json": json.dumps(BERT)}, r"cannot read the model in .*model\.safetensors"),
        ({"config.json": json.dumps(BERT), "model.safetensors": "\2\0\0\0\0\0\0\0{}"}, r"cannot read the model in "),
        ({"config.json": json.dumps(BERT), "model.safetensors": ""}, r"cannot read the model in "),
    ],
)
def test_a_folder_that_holds_no_such_model(files: dict[str, str], message: str, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ModelError, match=message):
        bert_session(tmp_path)


@pytest.mark.model
def test_padding_changes_nothing() -> None:
    session = bert_session(minilm_folder())
    ids = np.array([[101, 7592, 2088, 102]], dtype=np.int64)
    padded = np.pad(ids, ((0, 0), (0, 5)))

    def states(given: np.ndarray) -> np.ndarray:
        feed = {"ids": given, "mask": (given > 0).astype(np.int32), "positions": np.arange(given.shape[1])[None]}
        (hidden,) = session.run(["hidden"], feed)
        return hidden

    assert states(ids).shape == (1, 4, 384)
    assert np.abs(states(padded)[:, :4] - states(ids)).max() < 1e-5
