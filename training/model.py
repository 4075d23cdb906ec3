"""all-MiniLM-L6-v2 with three heads, in torch: what rag/reader.py computes from the shipped weights.

The heads: where an answer begins and ends (two numbers a piece, as Devlin et al. 2019,
https://arxiv.org/abs/1810.04805, do it for SQuAD), whether the window answers the question, and whether
it supports the claim (a number each, of the first piece).
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import embedding, gelu, layer_norm, linear

HEADS = {"span": 2, "answers": 1, "supports": 1}


class Reader(nn.Module):
    """The layers train; the embeddings stay as the base model has them, since the package ships them."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        config = json.loads((base / "config.json").read_text())
        self.heads: int = config["num_attention_heads"]
        self.layers: int = config["num_hidden_layers"]
        self.epsilon: float = config["layer_norm_eps"]
        self.width: int = config["hidden_size"]
        weights = load_file(base / "model.safetensors")
        # Set towards the end of training: compute as the shipped weights will be, in integers of 8 bits.
        self.quantising = False
        self.trained = nn.ParameterDict()
        for name, value in weights.items():
            if name.startswith("embeddings."):
                self.register_buffer(key(name), value)
            elif name.startswith("encoder."):
                self.trained[key(name)] = nn.Parameter(value)
        for name, size in HEADS.items():
            self.trained[key(f"{name}.weight")] = nn.Parameter(torch.randn(size, self.width) * 0.02)
            self.trained[key(f"{name}.bias")] = nn.Parameter(torch.zeros(size))

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """(batch, pieces) ids and bool mask to `span` (batch, pieces, 2), `answers` and `supports` (batch,)."""
        weights = self.trained

        def affine(state: Tensor, *names: str) -> Tensor:
            matrix = torch.cat([weights[key(f"{name}.weight")] for name in names])
            bias = torch.cat([weights[key(f"{name}.bias")] for name in names])
            if self.quantising and names[0] not in HEADS:
                state, matrix = _activations(state), _matrix(matrix)
            return linear(state, matrix.to(state.dtype), bias.to(state.dtype))

        def norm(state: Tensor, name: str) -> Tensor:
            gain, bias = weights[key(f"{name}.weight")], weights[key(f"{name}.bias")]
            return layer_norm(state, (self.width,), gain, bias, self.epsilon)

        state = self._embedded(ids).to(weights[key("encoder.layer.0.output.dense.weight")].dtype)
        rows, pieces = ids.shape
        away = torch.zeros(rows, 1, 1, pieces, dtype=state.dtype).masked_fill(~mask[:, None, None, :], -1e4)
        for layer in range(self.layers):
            prefix = f"encoder.layer.{layer}"
            parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
            split = affine(state, *parts).view(rows, pieces, 3, self.heads, self.width // self.heads)
            query, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
            # Written out: on a CPU the fused attention's backward pass takes half of a step.
            scores = query @ keys.transpose(-1, -2) * (self.width // self.heads) ** -0.5 + away
            attended = (scores.softmax(-1) @ values).transpose(1, 2).reshape(rows, pieces, self.width)
            middle = norm(affine(attended, f"{prefix}.attention.output.dense") + state,
                          f"{prefix}.attention.output.LayerNorm")  # fmt: skip
            wide = gelu(affine(middle, f"{prefix}.intermediate.dense"))
            state = norm(affine(wide, f"{prefix}.output.dense") + middle, f"{prefix}.output.LayerNorm")
        state = state.float()
        return {
            "span": affine(state, "span"),
            "answers": affine(state[:, 0], "answers")[:, 0],
            "supports": affine(state[:, 0], "supports")[:, 0],
        }

    def _embedded(self, ids: Tensor) -> Tensor:
        def table(name: str) -> Tensor:
            return self.get_buffer(key(f"embeddings.{name}"))

        places = table("position_embeddings.weight")[: ids.shape[1]] + table("token_type_embeddings.weight")[0]
        state = embedding(ids, table("word_embeddings.weight")) + places
        return layer_norm(state, (self.width,), table("LayerNorm.weight"), table("LayerNorm.bias"), self.epsilon)

    def state(self) -> dict[str, Tensor]:
        """What is trained, by the names of the base model's file."""
        return {name.replace("/", "."): value.detach().float() for name, value in self.trained.items()}


def key(name: str) -> str:
    """A name as torch lets parameters be called."""
    return name.replace(".", "/")


def _activations(state: Tensor) -> Tensor:
    """As quantised when they come, each window by its own range; the gradient passes as if they were not
    (Bengio et al. 2013, https://arxiv.org/abs/1308.3432).
    """
    with torch.no_grad():
        low = state.amin((1, 2), keepdim=True).clamp(max=0).float()
        high = state.amax((1, 2), keepdim=True).clamp(min=0).float()
        scale = ((high - low) / 255).clamp(min=1e-8)
        zero = (-low / scale).round()
        change = (((state / scale).round() + zero).clamp(0, 255) - zero) * scale - state
    return state + change.to(state.dtype)


def _matrix(matrix: Tensor) -> Tensor:
    """As shipped: 8 bits, a scale for each output."""
    with torch.no_grad():
        scale = matrix.abs().amax(1, keepdim=True).float() / 127
        change = (matrix / scale).round() * scale - matrix
    return matrix + change.to(matrix.dtype)
