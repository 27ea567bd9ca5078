"""Weights on disk, in numpy's `.npz` format: one array per weight under its position and path."""

import os

import numpy as np

from pyml.errors import ShapeError


def save_weights(model, filepath, overwrite=True, max_shard_size=None, **kwargs):
    """Writes all weights of `model` into a `.npz` file.

    Args:
        model: A built model.
        filepath: Path that ends in `.npz`.
        overwrite: False refuses to replace an existing file.

    Raises:
        ValueError: The path does not end in `.npz`, or the model has no weights yet.
        FileExistsError: The file exists and `overwrite` is False.
    """
    path = _checked(filepath)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_weights: {path} exists; pass overwrite=True to replace it.")
    if not model.built:
        raise ValueError(f"save_weights: model '{model.name}' has no weights yet; build it or call it first.")
    arrays = {f"{i}:{v.path}": v.numpy() for i, v in enumerate(model.weights)}
    np.savez(path, **arrays)


def load_weights(model, filepath, skip_mismatch=False, **kwargs):
    """Reads weights that `save_weights` wrote into a model of the same structure.

    Args:
        model: A built model.
        filepath: Path of the file.
        skip_mismatch: Leave weights alone whose shape differs, instead of raising.

    Raises:
        ShapeError: The file holds another number of weights, or other shapes.
    """
    path = _checked(filepath)
    own = model.weights
    with np.load(path) as stored:
        arrays = [stored[name] for name in sorted(stored.files, key=lambda name: int(name.partition(":")[0]))]
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


def _checked(filepath):
    path = os.fspath(filepath)
    if not path.endswith(".npz"):
        raise ValueError(f"Weights are kept in numpy's format; use a path that ends in .npz. Received: {path}")
    return path
