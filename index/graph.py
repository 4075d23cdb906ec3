"""A BERT encoder as an ONNX Runtime session, made straight from its safetensors file.

No export and no torch: the graph is eight nodes a layer, written out below with ONNX Runtime's
fused operators (Attention, SkipLayerNormalization, BiasGelu), and the weights are mapped from the
model's own file. Architecture: Devlin et al. 2019, https://arxiv.org/abs/1810.04805.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from .errors import ModelError


def supported(config: dict[str, Any]) -> bool:
    """Whether `bert_session` computes the model of this `config.json` exactly."""
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
    )


def bert_session(folder: Path) -> onnxruntime.InferenceSession:
    """A session from `ids` (batch, tokens) int64 and `mask` (batch, tokens) int32, 1 for a token and 0
    for padding, and `positions` (1, tokens) int64, to `hidden` (batch, tokens, dim) float32.

    One thread a call: callers run batches beside each other instead. Raises ModelError if the
    folder's files are missing or are not a BERT model that this graph covers.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
        if not supported(config):
            raise ModelError(f"{folder} is not a BERT model that the graph covers")
        weights = _Weights(folder / "model.safetensors")
        nodes = _layers(weights, config)
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(f"cannot read the model in {folder}: {error}") from None
    graph = helper.make_graph(
        nodes,
        "bert",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"]),
            helper.make_tensor_value_info("positions", TensorProto.INT64, [1, "tokens"]),
        ],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["batch", "tokens", config["hidden_size"]])],
        weights.initializers,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in weights.made.values()]
    options.add_external_initializers(list(weights.made), values)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class _Weights:
    """The tensors of a safetensors file (https://github.com/huggingface/safetensors: an 8-byte length, a
    JSON header, the bytes), and what of them the graph uses: as they lie in the file, or made anew.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        self.path = path
        self.begin = 8 + length
        self.header = {name.removeprefix("bert."): entry for name, entry in header.items()}
        self.initializers: list[onnx.TensorProto] = []
        self.made: dict[str, NDArray[np.float32]] = {}

    def read(self, name: str) -> NDArray[np.float32]:
        entry = self.header[name]
        if entry["dtype"] != "F32":
            raise ValueError(f"{name} is {entry['dtype']}, expected F32")
        shape, offset = tuple(entry["shape"]), self.begin + entry["data_offsets"][0]
        return np.memmap(self.path, np.float32, "r", offset, shape)

    def keep(self, name: str) -> str:
        """Use a tensor as it lies in the file: mapped by the runtime, not copied."""
        begin, end = self.header[name]["data_offsets"]
        self._declare(name, self.read(name).shape, self.path.name, offset=self.begin + begin, length=end - begin)
        return name

    def make(self, name: str, value: NDArray[np.float32]) -> str:
        """Use a tensor computed from others."""
        self.made[name] = np.ascontiguousarray(value, dtype=np.float32)
        self._declare(name, value.shape, "given at run time")
        return name

    def _declare(self, name: str, shape: tuple[int, ...], location: str, **span: int) -> None:
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **span}.items():
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)


def _layers(weights: _Weights, config: dict[str, Any]) -> list[onnx.NodeProto]:
    """The graph's nodes in order; the weights they name are kept or made in `weights`."""
    epsilon = config["layer_norm_eps"]
    nodes: list[onnx.NodeProto] = []

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        domain = "com.microsoft" if kind in {"Attention", "SkipLayerNormalization", "BiasGelu"} else ""
        nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def matmul(state: str, linear: str, output: str) -> str:
        """The weight is made transposed: torch stores (out, in), MatMul wants (in, out)."""
        weight = weights.make(f"{linear}.transposed", weights.read(f"{linear}.weight").T)
        return node("MatMul", [state, weight], output)

    def add_and_norm(branch: str, trunk: str, norm: str, output: str, bias: list[str]) -> str:
        gains = [weights.keep(f"{norm}.weight"), weights.keep(f"{norm}.bias")]
        return node("SkipLayerNormalization", [branch, trunk, *gains, *bias], output, epsilon=epsilon)

    words = node("Gather", [weights.keep("embeddings.word_embeddings.weight"), "ids"], "words")
    # Every token is of type 0 here, so the token type's row is folded into the positions.
    table = (
        weights.read("embeddings.position_embeddings.weight")
        + weights.read("embeddings.token_type_embeddings.weight")[0]
    )
    places = node("Gather", [weights.make("positions.table", table), "positions"], "places")
    state = add_and_norm(words, places, "embeddings.LayerNorm", "state", [])
    layers = config["num_hidden_layers"]
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}"
        parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        joined = np.concatenate([weights.read(f"{part}.weight").T for part in parts], axis=1)
        biases = np.concatenate([weights.read(f"{part}.bias") for part in parts])
        packed = [weights.make(f"{layer}.qkv", joined), weights.make(f"{layer}.qkv.bias", biases)]
        heads = config["num_attention_heads"]
        attended = node("Attention", [state, *packed, "mask"], f"{layer}.attended", num_heads=heads)

        linear = f"{prefix}.attention.output.dense"
        projected = matmul(attended, linear, f"{layer}.projected")
        bias = [weights.keep(f"{linear}.bias")]
        middle = add_and_norm(projected, state, f"{prefix}.attention.output.LayerNorm", f"{layer}.middle", bias)

        linear = f"{prefix}.intermediate.dense"
        wide = matmul(middle, linear, f"{layer}.wide")
        active = node("BiasGelu", [wide, weights.keep(f"{linear}.bias")], f"{layer}.active")

        linear = f"{prefix}.output.dense"
        narrow = matmul(active, linear, f"{layer}.narrow")
        bias = [weights.keep(f"{linear}.bias")]
        name = "hidden" if layer == layers - 1 else f"{layer}.state"
        state = add_and_norm(narrow, middle, f"{prefix}.output.LayerNorm", name, bias)
    return nodes
