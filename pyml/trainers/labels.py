"""Class numbers in targets: their weights, and whether the model has outputs for them; indices in inputs likewise."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pyml.core import Tensor, known
from pyml.core.tree import flatten, is_nested

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
        hint = " For one output and labels 0 and 1 use binary_crossentropy." if classes == 1 else ""
        raise ValueError(
            f"The labels of output '{name}' must be class numbers from 0 to {classes - 1}, one for each of its {classes} "
            f"outputs. Received values from {low} to {high}.{hint}"
        )


class Indices:
    """What of the inputs is used as indices, as a look at the model's call found it.

    Args:
        inputs: The tensors that the model is about to be called with.
        rows: Samples in them.
    """

    def __init__(self, inputs: Any = None, rows: int | None = None):
        self.rows = rows
        self.bounds: list[list[known.Bound]] = []
        for leaf in flatten(inputs):
            self.bounds.append([])
            if isinstance(leaf, Tensor):
                known.watch(leaf, self.bounds[-1])

    def check(self, x: Any, names: Callable[[], Sequence[str]]) -> None:
        """Looks at such inputs on the host; `names` finds those of inputs that are not in a dict.

        Raises:
            IndexError: There is no such row.
        """
        if not any(self.bounds):
            return
        leaves = [x] if type(x) is np.ndarray else flatten(x)
        if len(leaves) != len(self.bounds):
            return

        def where(place: int) -> str:
            known_as = sorted(x) if isinstance(x, dict) else names()
            return f" for input '{known_as[place]}'" if len(known_as) == len(leaves) else ""

        for place, (array, bounds) in enumerate(zip(leaves, self.bounds, strict=True)):
            for bound in bounds if isinstance(array, np.ndarray) else ():
                bound.check(array, self.rows, functools.partial(where, place))
