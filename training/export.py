"""Weights to the file that is shipped."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from .model import Reader


def export(model: Reader, file: Path) -> None:
    """Matrices as int8 (`name`) with a float32 scale for each output (`name.scale`), the rest as float32.

    Symmetric, by the largest weight of each output: Jacob et al. 2018, https://arxiv.org/abs/1712.05877.
    """
    tensors: dict[str, np.ndarray] = {}
    for name, value in model.state().items():
        array = value.numpy()
        if array.ndim == 2 and name.startswith("encoder."):
            scale = np.abs(array).max(axis=1) / 127
            tensors[name] = np.rint(array / scale[:, None]).astype(np.int8)
            tensors[f"{name}.scale"] = scale.astype(np.float32)
        else:
            tensors[name] = array.astype(np.float32)
    save_file(tensors, file, metadata={"heads": json.dumps(["span", "answers", "supports"])})
