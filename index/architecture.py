"""Encoders of BERT's kind: what `config.json` says of one, and what its tensors are called.

BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805); RoBERTa, XLM-RoBERTa and CamemBERT, which
count positions otherwise (Liu et al. 2019, https://arxiv.org/abs/1907.11692); DistilBERT, which has other
names (Sanh et al. 2019, https://arxiv.org/abs/1910.01108).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class NotCovered(Exception):
    """Raised for a model that the graph does not compute; the text says what it has that the graph has not."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a layer's tensors are called; `layer` is what comes before the layer's number."""

    layer: str
    query: str
    key: str
    value: str
    attended: str
    attended_norm: str
    wide: str
    narrow: str
    norm: str


_BERT = Parts(
    layer="encoder.layer",
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    attended="attention.output.dense",
    attended_norm="attention.output.LayerNorm",
    wide="intermediate.dense",
    narrow="output.dense",
    norm="output.LayerNorm",
)
_DISTILBERT = Parts(
    layer="transformer.layer",
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attended="attention.out_lin",
    attended_norm="sa_layer_norm",
    wide="ffn.lin1",
    narrow="ffn.lin2",
    norm="output_layer_norm",
)
_ROBERTAS = ("roberta", "xlm-roberta", "camembert")


@dataclass(frozen=True, slots=True)
class Architecture:
    """`width` numbers a token, in `layers` of `heads`; `padding`: the id that RoBERTas do not count as a position."""

    parts: Parts
    layers: int
    heads: int
    width: int
    epsilon: float
    table: int
    padding: int | None = None

    @property
    def longest(self) -> int:
        """The tokens, special ones among them, that there are positions for."""
        return self.table if self.padding is None else self.table - self.padding - 1

    def positions(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the position table for token ids (batch, tokens): the same (1, tokens) for every text, or
        (batch, tokens) where padding is not counted.
        """
        if self.padding is None:
            return np.arange(ids.shape[1])[None]
        counted = ids != self.padding
        places: NDArray[np.int64] = np.cumsum(counted, axis=1) * counted + self.padding
        return places


def read_architecture(config: Mapping[str, Any]) -> Architecture:
    """Of a model with this `config.json`. Raises NotCovered."""
    kind = config.get("model_type")
    for refused in ("auto_map", "quantization_config", "is_decoder", "add_cross_attention"):
        if config.get(refused):
            raise NotCovered(f"its config.json has {refused}")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise NotCovered(f"its positions are {config['position_embedding_type']}")
    if kind != "bert" and kind != "distilbert" and kind not in _ROBERTAS:
        raise NotCovered(f"its architecture is {kind}")
    try:
        activation = config["activation" if kind == "distilbert" else "hidden_act"]
        if activation != "gelu":
            raise NotCovered(f"its activation is {activation}")
        return _distilbert(config) if kind == "distilbert" else _bert(config, counted=kind == "bert")
    except KeyError as missing:
        raise NotCovered(f"its config.json has no {missing.args[0]}") from None


def _bert(config: Mapping[str, Any], counted: bool) -> Architecture:
    """`counted`: padding has positions too."""
    return Architecture(
        _BERT,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        width=config["hidden_size"],
        epsilon=config["layer_norm_eps"],
        table=config["max_position_embeddings"],
        padding=None if counted else config["pad_token_id"],
    )


def _distilbert(config: Mapping[str, Any]) -> Architecture:
    return Architecture(
        _DISTILBERT,
        layers=config["n_layers"],
        heads=config["n_heads"],
        width=config["dim"],
        epsilon=1e-12,
        table=config["max_position_embeddings"],
    )
