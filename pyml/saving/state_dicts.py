"""Weights of other frameworks by name, and their layout in Keras' terms."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from .files import ModelFileError, path_of
from .npz import read_npz
from .safetensors import load_safetensors
from .torch_files import load_torch

if TYPE_CHECKING:
    from ..core import Variable
    from ..layers.layer import Layer

_BATCH_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def load_state_dict(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """All arrays of a weights file by name, as numpy arrays.

    Args:
        path: A `.safetensors`, `.pt`, `.pth`, `.bin` (PyTorch) or `.npz` file.

    Raises:
        ModelFileError: The file is damaged or of another kind.

    Example:
        >>> pyml.saving.save_safetensors({"stem.weight": np.ones((2, 3), "float32")}, "w.safetensors")
        >>> pyml.saving.load_state_dict("w.safetensors")["stem.weight"].shape
        (2, 3)
    """
    ending = os.path.splitext(path_of(path, "load_state_dict"))[1]
    if ending == ".safetensors":
        return load_safetensors(path)
    if ending in (".pt", ".pth", ".bin"):
        return load_torch(path)
    if ending == ".npz":
        return read_npz(path)
    raise ModelFileError(f"load_state_dict: {path} ends in {ending!r}; expected .safetensors, .pt, .pth, .bin or .npz.")


def dense_kernel(weight: np.ndarray) -> np.ndarray:
    """`(out, in)` of a linear layer as `(in, out)`.

    Raises:
        ShapeError: The weight has not two axes.

    Example:
        >>> pyml.saving.dense_kernel(np.zeros((5, 3))).shape
        (3, 5)
    """
    return np.ascontiguousarray(_need(weight, 2, "dense_kernel").T)


def conv_kernel(weight: np.ndarray) -> np.ndarray:
    """`(out, in, height, width)` of a convolution as `(height, width, in, out)`; one spatial axis likewise.

    Raises:
        ShapeError: The weight has not three or four axes.

    Example:
        >>> pyml.saving.conv_kernel(np.zeros((8, 3, 5, 7))).shape
        (5, 7, 3, 8)
    """
    weight = _need(weight, (3, 4), "conv_kernel")
    return np.ascontiguousarray(np.transpose(weight, (*range(2, weight.ndim), 1, 0)))


def depthwise_kernel(weight: np.ndarray, channels: int | None = None) -> np.ndarray:
    """`(channels * multiplier, 1, height, width)` of a depthwise convolution as `(height, width, channels, multiplier)`.

    Args:
        weight: The weight.
        channels: Channels of the input; as many as there are kernels by default.

    Raises:
        ShapeError: It is no such weight.

    Example:
        >>> pyml.saving.depthwise_kernel(np.zeros((8, 1, 3, 3)), channels=4).shape
        (3, 3, 4, 2)
    """
    weight = _need(weight, (3, 4), "depthwise_kernel")
    channels = channels or weight.shape[0]
    if weight.shape[1] != 1 or weight.shape[0] % channels:
        raise ShapeError(f"depthwise_kernel: {weight.shape} is not a kernel of a depthwise convolution of {channels} channels.")
    spatial = weight.shape[2:]
    split = weight.reshape(channels, weight.shape[0] // channels, *spatial)
    return np.ascontiguousarray(np.transpose(split, (*range(2, split.ndim), 0, 1)))


def conv_transpose_kernel(weight: np.ndarray) -> np.ndarray:
    """`(in, out, height, width)` of a transposed convolution as `(height, width, out, in)`.

    Raises:
        ShapeError: The weight has not three or four axes.

    Example:
        >>> pyml.saving.conv_transpose_kernel(np.zeros((8, 3, 5, 7))).shape
        (5, 7, 3, 8)
    """
    return conv_kernel(weight)


def batch_norm_weights(arrays: Mapping[str, Any], prefix: str) -> list[np.ndarray]:
    """gamma, beta, moving mean and moving variance of the batch normalization named `prefix`.

    Args:
        arrays: The arrays of the file by name.
        prefix: What comes before `.weight`, `.bias`, `.running_mean` and `.running_var`.

    Raises:
        ModelFileError: An array is missing.

    Example:
        >>> names = ("weight", "bias", "running_mean", "running_var")
        >>> state = {f"bn.{name}": np.ones(4, "float32") for name in names}
        >>> len(pyml.saving.batch_norm_weights(state, "bn"))
        4
    """
    return [_take(arrays, f"{prefix}.{name}") for name in _BATCH_NORM.values()]


def from_torch(layer: Layer, arrays: Mapping[str, Any], prefix: str) -> None:
    """Gives a built layer the weights of the PyTorch module named `prefix`.

    Args:
        layer: Dense, Conv1D, Conv2D, DepthwiseConv2D, Conv2DTranspose, BatchNormalization, LayerNormalization or Embedding.
        arrays: What `load_state_dict` returned.
        prefix: The module's name, without the last dot.

    Raises:
        ModelFileError: An array is missing.
        ShapeError: Its shape does not fit the layer.
        ValueError: The layer has no weights yet.

    Example:
        >>> layer = pyml.layers.Dense(2)
        >>> layer.build((None, 3))
        >>> pyml.saving.from_torch(layer, {"fc.weight": np.ones((2, 3)), "fc.bias": np.zeros(2)}, "fc")
        >>> layer.kernel.shape
        (3, 2)
    """
    own = list(layer.weights)
    if not own:
        raise ValueError(f'from_torch: layer "{layer.name}" has no weights yet; build it or call the model first.')
    made = []
    for variable in own:
        name = _BATCH_NORM.get(variable.name, "bias" if variable.name in ("bias", "beta") else "weight")
        array = _take(arrays, f"{prefix}.{name}")
        made.append(_in_layout(type(layer).__name__, variable, array))
        if made[-1].shape != tuple(variable.shape):
            raise ShapeError(
                f'from_torch: {prefix}.{name} of shape {array.shape} gives {made[-1].shape}; '
                f'weight "{variable.name}" of layer "{layer.name}" is {tuple(variable.shape)}.'
            )
    for variable, array in zip(own, made, strict=True):
        variable.assign(array)


def _in_layout(kind: str, variable: Variable, array: np.ndarray) -> np.ndarray:
    if array.ndim < 2 or kind == "Embedding":
        return array
    if kind.startswith("Depthwise"):
        return depthwise_kernel(array, variable.shape[-2])
    return dense_kernel(array) if array.ndim == 2 else conv_kernel(array)


def _take(arrays: Mapping[str, Any], name: str) -> np.ndarray:
    if name not in arrays:
        near = [k for k in arrays if k.rpartition(".")[2] == name.rpartition(".")[2]][:3]
        raise ModelFileError(f"the weights have no {name!r}" + (f"; there are {', '.join(near)}, …" if near else "") + ".")
    return np.asarray(arrays[name], np.float32)


def _need(weight: Any, ndim: int | tuple[int, ...], what: str) -> np.ndarray:
    weight = np.asarray(weight)
    if weight.ndim not in (ndim if isinstance(ndim, tuple) else (ndim,)):
        raise ShapeError(f"{what}: a weight of shape {weight.shape} has {weight.ndim} axes; expected {ndim}.")
    return weight
