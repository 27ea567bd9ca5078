"""Class numbers in targets: their weights, and whether the model has outputs for them; indices in inputs likewise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyml.core.tree import is_nested
from pyml.layers.embedding import Embedding

_UNSIGNED = np.dtype(np.uint32)


def class_weights(y: Any, class_weight: Mapping[int, float]) -> np.ndarray:
    """One weight per sample from a dict of class to weight.

    Args:
        y: Class numbers `(n,)` or `(n, 1)`, or one-hot rows `(n, classes)`.
        class_weight: Classes that are missing get 1.

    Raises:
        ValueError: `y` is nested, or an entry is not a number.
    """
    if is_nested(y) or y is None:
        raise ValueError("fit: class_weight needs a model with a single output and its targets y.")
    if y.ndim >= 2 and y.shape[-1] != 1:
        classes = np.argmax(y, axis=-1)
    else:
        classes = np.round(y[..., 0] if y.ndim >= 2 else y).astype("int64")
    weights = np.ones(classes.shape, "float32")
    for value, weight in class_weight.items():
        try:
            number, factor = int(value), float(weight)
        except (TypeError, ValueError):
            raise ValueError(f"fit: class_weight maps class numbers to numbers. Received: {{{value!r}: {weight!r}}}") from None
        weights[classes == number] = factor
    return weights


def check_labels(y: Any, loss: Any, classes: int, name: str) -> None:
    """Class numbers for sparse cross-entropy, checked on the host.

    Raises:
        ValueError: A class is negative or not below the number of outputs.
    """
    if not isinstance(y, np.ndarray) or not y.size:
        return
    ignored = getattr(loss, "ignore_class", None)
    if y.dtype.char == "i" and int(np.maximum.reduce(y.view(_UNSIGNED), axis=None)) < classes:
        return  # one pass: as unsigned numbers the negative ones are huge
    low, high = y.min(), y.max()
    if not np.isfinite([float(low), float(high)]).all():
        raise ValueError(f"The labels of output '{name}' hold NaN or infinity; they must be class numbers.")
    outside = ((y < 0) | (y >= classes)) & (y != ignored if ignored is not None else True)
    if outside.any():
        raise ValueError(
            f"The labels of output '{name}' must be class numbers from 0 to {classes - 1}, one for each of its {classes} "
            f"outputs. Received values from {low} to {high}."
        )


def indexed(graph: Any) -> list[tuple[int, str, Any]]:
    """The inputs of a graph that an Embedding reads: place, name, the layer."""
    places = {id(tensor): i for i, tensor in enumerate(graph.inputs)}
    found = []
    for node in graph.steps:
        place = places.get(id(node.input_tensors[0])) if node.input_tensors else None
        if place is not None and isinstance(node.operation, Embedding):
            found.append((place, graph.input_names[place], node.operation))
    return found


def check_indices(x: Any, inputs: list[tuple[int, str, Any]]) -> None:
    """Indices for Embeddings, checked on the host; on a device, a row that does not exist is zeros.

    Raises:
        ValueError: An index is negative, or not below `input_dim`.
    """
    for place, name, layer in inputs:
        if isinstance(x, dict):
            array = x.get(name)
        elif isinstance(x, (list, tuple)):
            array = x[place] if place < len(x) else None
        else:
            array = x if len(inputs) == 1 else None
        if not isinstance(array, np.ndarray) or not array.size or array.dtype.kind not in "iuf":
            continue
        low, high = array.min(), array.max()
        if low <= -1 or high >= layer.input_dim:
            raise ValueError(
                f"Embedding '{layer.name}' has rows for indices from 0 to {layer.input_dim - 1} (input_dim={layer.input_dim}). "
                f"Received indices from {low} to {high} for input '{name}'; input_dim must be the largest index plus 1."
            )
