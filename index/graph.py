"""An encoder of BERT's kind as an ONNX Runtime session, made straight from its safetensors file.

No export and no torch: the nodes are written out below, and the weights are mapped from the model's
own file. Nothing is masked: the texts of a batch have the same length. Which encoders:
architecture.py. Layers whose matrices are int8 are multiplied as integers, activations quantised as
they come (Jacob et al. 2018, https://arxiv.org/abs/1712.05877).
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

# ONNX Runtime would note what is run, in a file under ~/.cache, and send it to its makers: it looks when it is imported
# (https://github.com/microsoft/onnxruntime/pull/27379).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from .architecture import Architecture, NotCovered, read_architecture
from .errors import ModelError

# Halves are left out: the library multiplies them as halves, which gives other vectors (cosine .9998 and .998).
_TYPES: dict[str, type[Any]] = {"F32": np.float32, "I8": np.int8}
# What the tensors' names begin with where the file is of more than the encoder.
_PREFIXES = ("bert.", "roberta.", "distilbert.")
_TOKEN_TYPES = "embeddings.token_type_embeddings.weight"
# ONNX Runtime's own operators.
_FUSED = {"Attention", "BiasGelu", "DynamicQuantizeMatMul", "MultiHeadAttention"}


def bert_session(folder: Path, layers: "Weights | None" = None) -> onnxruntime.InferenceSession:
    """A session from `ids` (batch, tokens) int64 and `positions` (1 or batch, tokens) int64 to `hidden`
    (batch, tokens, dim) float32. There is no padding: every token is attended to.

    `layers` are other weights of the layers above the embeddings of `folder`; int8 matrices among them are
    multiplied as integers where the processor does that exactly, else as the float32 that they stand for.

    One thread a call: callers run batches beside each other instead. Raises ModelError if the
    folder's files are missing or are not a model that this graph covers.
    """
    try:
        architecture = read_architecture(json.loads((folder / "config.json").read_text()))
        base = Weights(folder / "model.safetensors")
        graph = _Graph(architecture, integers=layers is not None and layers.quantised and exact_integers())
        graph.encode(base, layers or base)
    except NotCovered as reason:
        raise ModelError(f"the model in {folder} is not one that the graph covers: {reason}") from None
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(f"cannot read the model in {folder}: {error}") from None
    return graph.session(base.path.parent)


class Weights:
    """The tensors of a safetensors file (https://github.com/huggingface/safetensors: an 8-byte length, a
    JSON header, the bytes), mapped. Raises OSError, ValueError or KeyError for one that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        self.path = path.resolve()  # the hub's cache links to it; the runtime follows no link out of a folder
        self._begin = 8 + length
        self._header = {_bare(name): entry for name, entry in header.items() if name != "__metadata__"}

    def __contains__(self, name: str) -> bool:
        return name in self._header

    @property
    def quantised(self) -> bool:
        """Whether any matrix is int8."""
        return any(entry["dtype"] == "I8" for entry in self._header.values())

    def place(self, name: str) -> tuple[int, int]:
        """Where in the file a tensor begins, and its length, in bytes."""
        begin, end = self._header[name]["data_offsets"]
        return self._begin + begin, end - begin

    def stored(self, name: str) -> NDArray[Any]:
        """A tensor as it lies in the file."""
        entry = self._header[name]
        if entry["dtype"] not in _TYPES:
            raise ValueError(f"{name} is {entry['dtype']}, expected {' or '.join(_TYPES)}")
        return np.memmap(self.path, _TYPES[entry["dtype"]], "r", self.place(name)[0], tuple(entry["shape"]))

    def read(self, name: str) -> NDArray[np.float32]:
        """A tensor as float32, an int8 one times its scales."""
        values = self.stored(name)
        scaled: NDArray[np.float32] = (
            values if values.dtype == np.float32 else values * self.stored(f"{name}.scale")[:, None]
        )
        return scaled


def _bare(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)


class _Graph:
    """Nodes in order, and the weights that they name: as they lie in a file, or made anew."""

    def __init__(self, architecture: Architecture, integers: bool) -> None:
        self.architecture = architecture
        self.integers = integers
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.made: dict[str, NDArray[Any]] = {}

    def encode(self, base: Weights, layers: Weights) -> None:
        """Embeddings of `base`, the layers above them of `layers`."""
        words = self._node("Gather", [self._keep(base, "embeddings.word_embeddings.weight"), "ids"], "words")
        table = base.read("embeddings.position_embeddings.weight")
        if _TOKEN_TYPES in base:
            # Every token is of type 0 here, so the token type's row is folded into the positions.
            table = table + base.read(_TOKEN_TYPES)[0]
        places = self._node("Gather", [self._make("positions.table", table), "positions"], "places")
        state = self._add_and_norm(base, words, places, "embeddings.LayerNorm", "state")
        for layer in range(self.architecture.layers):
            state = self._layer(layers, layer, state)

    def _layer(self, weights: Weights, layer: int, state: str) -> str:
        parts = self.architecture.parts
        prefix = f"{parts.layer}.{layer}"
        last = layer == self.architecture.layers - 1
        attended = self._attention(weights, layer, prefix, state)

        linear, norm = f"{prefix}.{parts.attended}", f"{prefix}.{parts.attended_norm}"
        projected = self._linear(attended, linear, weights, f"{layer}.projected")
        middle = self._add_and_norm(weights, projected, state, norm, f"{layer}.middle")

        linear = f"{prefix}.{parts.wide}"
        wide = self._multiply(middle, [linear], weights, f"{layer}.wide")
        active = self._node("BiasGelu", [wide, self._vector(weights, f"{linear}.bias")], f"{layer}.active")

        narrow = self._linear(active, f"{prefix}.{parts.narrow}", weights, f"{layer}.narrow")
        norm = f"{prefix}.{parts.norm}"
        return self._add_and_norm(weights, narrow, middle, norm, "hidden" if last else f"{layer}.state")

    def _attention(self, weights: Weights, layer: int, prefix: str, state: str) -> str:
        names = self.architecture.parts
        parts = [f"{prefix}.{part}" for part in (names.query, names.key, names.value)]
        heads = self.architecture.heads
        bias = self._make(f"{layer}.qkv.bias", np.concatenate([weights.read(f"{part}.bias") for part in parts]))
        output = f"{layer}.attended"
        if not self.integers:
            joined = np.concatenate([weights.read(f"{part}.weight").T for part in parts], axis=1)
            packed = [self._make(f"{layer}.qkv", joined), bias]
            return self._node("Attention", [state, *packed], output, num_heads=heads)
        joined_output = self._multiply(state, parts, weights, f"{layer}.qkv")
        split = [f"{layer}.{part}" for part in ("query", "key", "value")]
        self.nodes.append(helper.make_node("Split", [joined_output], split, axis=2))
        return self._node("MultiHeadAttention", [*split, bias], output, num_heads=heads)

    def _multiply(self, state: str, linears: list[str], weights: Weights, output: str) -> str:
        """By the weights of one or more linear maps side by side, without their biases. They are made
        transposed: torch stores (out, in), the operators want (in, out).
        """
        names = [f"{linear}.weight" for linear in linears]
        if not self.integers:
            joined = np.concatenate([weights.read(name).T for name in names], axis=1)
            return self._node("MatMul", [state, self._make(f"{output}.weight", joined)], output)
        joined = np.concatenate([weights.stored(name).T for name in names], axis=1)
        scales = np.concatenate([weights.stored(f"{name}.scale") for name in names])
        inputs = [state, self._make(f"{output}.weight", joined), self._make(f"{output}.scale", scales)]
        return self._node("DynamicQuantizeMatMul", inputs, output)

    def _linear(self, state: str, linear: str, weights: Weights, output: str) -> str:
        product = self._multiply(state, [linear], weights, f"{output}.product")
        return self._node("Add", [product, self._vector(weights, f"{linear}.bias")], output)

    def _add_and_norm(self, weights: Weights, branch: str, trunk: str, norm: str, output: str) -> str:
        """LayerNorm of the sum (Ba et al. 2016, https://arxiv.org/abs/1607.06450): its mean taken away, then
        the norm by root mean square: four plain kernels that together cost less than LayerNormalization's.
        """
        total = self._node("Add", [branch, trunk], f"{output}.sum")
        mean = self._node("ReduceMean", [total], f"{output}.mean", axes=[-1])
        centred = self._node("Sub", [total, mean], f"{output}.centred")
        gain, bias = (self._vector(weights, f"{norm}.{part}") for part in ("weight", "bias"))
        epsilon = self.architecture.epsilon
        scaled = self._node("SimplifiedLayerNormalization", [centred, gain], f"{output}.scaled", epsilon=epsilon)
        return self._node("Add", [scaled, bias], output)

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        domain = "com.microsoft" if kind in _FUSED else ""
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def _vector(self, weights: Weights, name: str) -> str:
        return self._make(name, weights.read(name))

    def _keep(self, weights: Weights, name: str) -> str:
        """Use a tensor as it lies in the file: mapped by the runtime, not copied."""
        offset, length = weights.place(name)
        self._declare(name, weights.read(name), weights.path.name, offset=offset, length=length)
        return name

    def _make(self, name: str, value: NDArray[Any]) -> str:
        """Use a tensor computed from others."""
        self.made[name] = np.ascontiguousarray(value)
        self._declare(name, value, "given at run time")
        return name

    def _declare(self, name: str, value: NDArray[Any], location: str, **span: int) -> None:
        kind = TensorProto.INT8 if value.dtype == np.int8 else TensorProto.FLOAT
        tensor = TensorProto(name=name, data_type=kind, dims=value.shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, entry in {"location": location, **span}.items():
            tensor.external_data.add(key=key, value=str(entry))
        self.initializers.append(tensor)

    def session(self, folder: Path) -> onnxruntime.InferenceSession:
        """The files that are mapped lie in `folder`."""
        inputs = [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("positions", TensorProto.INT64, ["rows", "tokens"]),
        ]
        shape: list[str | int | None] = ["batch", "tokens", self.architecture.width]
        output = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, shape)
        options = _options()
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in self.made.values()]
        options.add_external_initializers(list(self.made), values)
        graph = helper.make_graph(self.nodes, "bert", inputs, [output], self.initializers)
        return _run(graph, options)


@cache
def exact_integers() -> bool:
    """Whether this processor multiplies 8-bit integers without overflow: older ones add pairs of products in
    16 bits (ONNX Runtime, "Quantize ONNX models", on U8S8).
    """
    weight = np.full((64, 16), 127, dtype=np.int8)
    inputs = [
        helper.make_tensor("weight", TensorProto.INT8, weight.shape, weight.tobytes(), raw=True),
        helper.make_tensor("scale", TensorProto.FLOAT, [1], [1.0]),
    ]
    node = helper.make_node("DynamicQuantizeMatMul", ["state", "weight", "scale"], ["product"], domain="com.microsoft")
    state = helper.make_tensor_value_info("state", TensorProto.FLOAT, [16, 64])
    product = helper.make_tensor_value_info("product", TensorProto.FLOAT, [16, 16])
    session = _run(helper.make_graph([node], "integers", [state], [product], inputs), _options())
    (found,) = session.run(None, {"state": np.ones((16, 64), dtype=np.float32)})
    return bool(np.allclose(found, 64 * 127, rtol=1e-3))


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return options


def _run(graph: onnx.GraphProto, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
