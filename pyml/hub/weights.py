"""The weights of a network from the bytes of a `.safetensors` file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pyml.errors import ShapeError
from pyml.saving.safetensors import load_safetensors


def unpack(data: bytes, name: str) -> dict[str, np.ndarray]:
    """The arrays of a file as float32; kernels are stored half as long.

    Raises:
        ModelFileError: The file is damaged.
    """
    with tempfile.TemporaryDirectory() as folder:      # in a browser this is memory, and free again at once
        path = Path(folder, f"{name}.safetensors")
        path.write_bytes(data)
        return {key: array.astype(np.float32) for key, array in load_safetensors(path).items()}


def assign(model, arrays: Mapping[str, np.ndarray], name: str) -> None:
    """Gives every weight of `model` the array called `LAYER/WEIGHT`; nothing is changed unless all fit.

    Raises:
        ShapeError: A weight is missing, superfluous or of another shape.
    """
    own = {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}
    if own.keys() != arrays.keys():
        odd = sorted(own.keys() ^ arrays.keys())
        raise ShapeError(f"{name}: the weights in the file are not those of the model; they differ in {', '.join(odd[:4])}.")
    for path, variable in own.items():
        if tuple(variable.shape) != arrays[path].shape:
            raise ShapeError(f"{name}: {path} has shape {arrays[path].shape} in the file; expected {tuple(variable.shape)}.")
    for path, variable in own.items():
        variable.assign(arrays[path])
