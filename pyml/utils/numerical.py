"""Helpers on numpy arrays that prepare labels and features."""

import reprlib
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.core.symbolic import KerasTensor


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot rows for integer classes.

    Args:
        x: Integers in `[0, num_classes)`, any shape; a last axis of size 1 is dropped. An array, a list, a number, or a tensor, also
            in a step that is traced.
        num_classes: Number of classes; by default, and of 0, the largest value plus one, which a traced tensor has not.

    Returns:
        float64 array of shape `x.shape + (num_classes,)`, as in Keras; of a tensor a float32 tensor.

    Raises:
        ValueError: A class is negative, or no integer.
        IndexError: A class is not below `num_classes`. Of a tensor the rows of both are zeros.

    Example:
        >>> pyml.utils.to_categorical([0, 2], num_classes=3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    if isinstance(x, (Tensor, Variable, KerasTensor)):
        if not num_classes:
            num_classes = int(ops.max(x)) + 1
        column = len(x.shape) > 1 and x.shape[-1] == 1
        return ops.one_hot(ops.squeeze(x, axis=-1) if column else x, num_classes)
    try:
        x = np.asarray(x, dtype="int64")
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"to_categorical: classes must be integers in an array or a list. Received: x={reprlib.repr(x)}; "
                         "`np.unique(x, return_inverse=True)[1]` makes numbers of text.") from None  # fmt: skip
    shape = x.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    x = x.reshape(-1)
    if not num_classes:
        num_classes = int(x.max()) + 1 if x.size else 0
    if x.size and (x.min() < 0 or x.max() >= num_classes):
        raise (ValueError if x.min() < 0 else IndexError)(
            f"to_categorical: classes must lie in [0, {num_classes}). Received values from {x.min()} to {x.max()}."
        )
    result = np.zeros((x.size, num_classes))
    result[np.arange(x.size), x] = 1
    return result.reshape(shape + (num_classes,))


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """`x` divided by its norm of the given order along `axis`; rows of zeros stay zeros.

    Args:
        x: numpy array; or a tensor, also in a step that is traced, or a list, of which a tensor is made.
        axis: Axis of the norm.
        order: Order of the norm, for example 2.

    Returns:
        An array, or of tensors and lists a tensor, of the same shape.

    Example:
        >>> pyml.utils.normalize(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]])
    """
    if isinstance(x, (Tensor, Variable, KerasTensor, list, tuple)):
        return ops.normalize(x, axis=axis, order=order)
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)
