"""A BERT of two small layers, as a folder."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

CONFIG = {
    "model_type": "bert", "hidden_act": "gelu", "hidden_size": 32, "intermediate_size": 64, "layer_norm_eps": 1e-12,
    "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 512,
}  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    shuffle = np.random.default_rng(5)

    def made(*shape: int) -> np.ndarray:
        return (shuffle.normal(size=shape) * 0.3).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": made(30_522, 32),
        "embeddings.position_embeddings.weight": made(512, 32),
        "embeddings.token_type_embeddings.weight": made(2, 32),
        "embeddings.LayerNorm.weight": 1 + made(32),
        "embeddings.LayerNorm.bias": made(32),
    }
    for layer in range(2):
        square = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
        linears = dict.fromkeys(square, (32, 32)) | {"intermediate.dense": (64, 32), "output.dense": (32, 64)}
        for name, shape in linears.items():
            weights[f"encoder.layer.{layer}.{name}.weight"] = made(*shape)
            weights[f"encoder.layer.{layer}.{name}.bias"] = made(shape[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights[f"encoder.layer.{layer}.{name}.weight"] = 1 + made(32)
            weights[f"encoder.layer.{layer}.{name}.bias"] = made(32)
    folder = tmp_path / "tiny"
    folder.mkdir()
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder
