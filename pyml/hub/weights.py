"""The weights of a network from the bytes of a `.safetensors` file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pyml.errors import ShapeError
from pyml.models import Model
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


def assign(model: Model, arrays: Mapping[str, np.ndarray], name: str) -> None:
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


def folded(arrays: Mapping[str, np.ndarray], epsilon: float = 1e-3) -> dict[str, np.ndarray]:
    """The weights without normalization: it is folded into the convolutions before it, which gain a bias.

    `conv` belongs to `conv_bn`, `block_conv` and `block_dwconv` to `block_bn`.
    """
    found = {key: array for key, array in arrays.items() if "_bn/" not in key}
    for key in [key for key in found if key.endswith("/kernel")]:
        name = key.removesuffix("/kernel")
        ends = (name, name.removesuffix("_conv"), name.removesuffix("_dwconv"))
        label = next((f"{end}_bn" for end in ends if f"{end}_bn/gamma" in arrays), None)
        if label is None:
            continue
        gamma, beta, mean, variance = (arrays[f"{label}/{w}"] for w in ("gamma", "beta", "moving_mean", "moving_variance"))
        scale = gamma / np.sqrt(variance + epsilon)
        kernel = found[key]
        depthwise = kernel.shape[-1] == 1 and kernel.shape[-2] == scale.size
        found[key] = kernel * (scale[:, None] if depthwise else scale)
        found[f"{name}/bias"] = beta - mean * scale
    return found
