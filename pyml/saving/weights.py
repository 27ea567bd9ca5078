"""Weights on disk, in numpy's `.npz` format: one array per weight under its position and path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.errors import ShapeError
from pyml.saving.files import ModelFileError, existing_file, path_of
from pyml.saving.npz import read_npz, write_npz

if TYPE_CHECKING:
    from pyml.layers.layer import Layer


def save_weights(
    model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Writes all weights of `model` into a `.npz` file; an old file of that name stays until the new one is whole.

    Args:
        model: A built model.
        filepath: Path that ends in `.npz`.
        overwrite: False refuses to replace an existing file.
        max_shard_size: Kept for Keras' signature; the weights are always one file.

    Raises:
        ValueError: The path does not end in `.npz`, or the model has no weights yet.
        FileExistsError: The file exists and `overwrite` is False.
        OSError: The file cannot be written; the old one is as it was.

    Source: keras.saving.save_weights.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> pyml.saving.save_weights(model, "weights.npz")
    """
    path = _checked(filepath, "save_weights")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_weights: {path} exists; pass overwrite=True to replace it.")
    if not model.built:
        raise ValueError(f"save_weights: model '{model.name}' has no weights yet; build it or call it first.")
    write_npz(path, {f"{i}:{v.path}": v.numpy() for i, v in enumerate(model.weights)})


def load_weights(model: Layer, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads weights that `save_weights` wrote into a model of the same structure; nothing changes unless all fit.

    Args:
        model: A built model.
        filepath: Path of the file.
        skip_mismatch: Leave weights alone whose shape differs, instead of raising.

    Raises:
        ValueError: The path does not end in `.npz`.
        ModelFileError: There is no such file (then it is a FileNotFoundError too), it is damaged, or `save_weights` did not write it.
        ShapeError: The file holds another number of weights, or other shapes.

    Source: keras.saving.load_weights.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> model.save_weights("weights.npz")
        >>> pyml.saving.load_weights(model, "weights.npz")
    """
    path = _checked(filepath, "load_weights")
    own = model.weights
    arrays = _in_order(read_npz(existing_file(path, "load_weights"), "load_weights"), path)
    if len(arrays) != len(own) and not skip_mismatch:
        raise ShapeError(
            f"load_weights: {path} holds {len(arrays)} weights, model '{model.name}' has {len(own)}; "
            "build the model first and use the structure the file was written with."
        )
    pairs = list(zip(own, arrays, strict=False))
    for variable, array in pairs:
        if tuple(variable.shape) != array.shape and not skip_mismatch:
            raise ShapeError(
                f"load_weights: weight {variable.path} has shape {tuple(variable.shape)}, "
                f"in {path} it has {array.shape}."
            )
    for variable, array in pairs:
        if tuple(variable.shape) == array.shape:
            variable.assign(array)


def _in_order(arrays: dict[str, np.ndarray], path: str) -> list[np.ndarray]:
    """The arrays by the position that begins their names, `0:dense/kernel`."""
    found: dict[int, np.ndarray] = {}
    for name, array in arrays.items():
        position = name.partition(":")[0]
        if not (position.isascii() and position.isdigit() and len(position) < 9) or array.dtype.kind not in "biuf":
            raise ModelFileError(f"load_weights: {path} holds {name[:80]!r} ({array.dtype}), which save_weights did not write.")
        found[int(position)] = array
    if sorted(found) != list(range(len(arrays))):
        raise ModelFileError(f"load_weights: {path} does not number its {len(arrays)} weights from 0; save_weights did not write it.")
    return [found[position] for position in range(len(arrays))]


def _checked(filepath: str | os.PathLike[str], what: str) -> str:
    path = path_of(filepath, what)
    if not path.endswith(".npz"):
        raise ValueError(f"{what}: weights are kept in numpy's format; use a path that ends in .npz. Received: {path}")
    return path
