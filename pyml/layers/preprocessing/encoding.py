"""Integers as vectors: what the layers of categories share, on the device and, for text, on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml import ops

MODES = ("int", "one_hot", "multi_hot", "count")


def checked_mode(mode: str, known: tuple[str, ...], owner: str) -> str:
    """`mode` under its name of today.

    Raises:
        ValueError: It is none of `known`.
    """
    mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(mode, mode)
    if mode not in known:
        raise ValueError(f"{owner}: unknown value of output_mode; expected one of {', '.join(map(repr, known))}. Received: {mode!r}")
    return mode


def check_dense(owner: str, **asked: bool) -> None:
    """Refuses sparse and ragged results.

    Raises:
        ValueError: One is asked for.
    """
    for name, value in asked.items():
        if value:
            raise ValueError(f"{owner}: `{name}=True` cannot be used, there are no {name} tensors; leave it False.")


def encoded(indices: Any, mode: str, depth: int, dtype: str, count_weights: Any = None) -> Any:
    """Integers encoded on the device; what is not in `0 <= index < depth` counts for nothing.

    Args:
        indices: Integers `(batch, sample, ...)`, or one sample; several of more axes are counted along the second, as in Keras.
        mode: One of `MODES`.
        depth: Number of classes.
        dtype: Dtype of the result.
        count_weights: What each index counts, for `"count"`.
    """
    if mode == "int":
        return ops.cast(indices, dtype)
    if len(indices.shape) == 0:
        indices = ops.expand_dims(indices, -1)
    if mode == "one_hot":
        if len(indices.shape) > 1 and indices.shape[-1] == 1:
            indices = ops.squeeze(indices, -1)
        return ops.one_hot(indices, depth, dtype=dtype)
    hot, along = ops.one_hot(indices, depth, dtype=dtype), 1 if len(indices.shape) > 1 else 0
    if mode == "multi_hot":
        return ops.max(hot, axis=along)
    if count_weights is not None:
        hot = hot * ops.expand_dims(count_weights, -1)
    return ops.sum(hot, axis=along)


def encoded_on_host(indices: np.ndarray, mode: str, depth: int) -> np.ndarray:
    """The same in numpy, float32, without the vector of every single index: for long texts and large vocabularies."""
    indices = indices.reshape(-1) if indices.ndim == 0 else indices
    if mode == "one_hot" and indices.ndim > 1 and indices.shape[-1] == 1:
        indices = indices[..., 0]
    counted = indices[..., None] if mode == "one_hot" else np.moveaxis(indices, 1, -1) if indices.ndim > 1 else indices
    rows = counted.reshape(-1, counted.shape[-1])
    known = (rows >= 0) & (rows < depth)
    at = (np.arange(len(rows))[:, None] * depth + rows)[known]
    counts = np.bincount(at.astype(np.intp), minlength=len(rows) * depth).reshape(*counted.shape[:-1], depth)
    return (counts if mode == "count" else counts > 0).astype("float32")


def encoded_shape(shape: Any, mode: str, depth: int | None) -> Any:
    """The shape that `encoded` gives."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)
