"""Activations of all numbers along an axis together."""

from __future__ import annotations

import weakref
from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.core.naming import innermost_caller
from pyml.core.types import Axis, TensorLike
from pyml.objects.registry import ACTIVATIONS
from pyml.tracebacks import warn

__all__ = ["log_softmax", "softmax", "sparsemax"]


@ACTIVATIONS.function()
def softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """`exp(x) / sum(exp(x))` along `axis`: each slice sums to 1. Warns of an axis of size 1, over which it is always 1.

    Args:
        axis: The axis, or axes, along which the results add up to 1.

    Source: Bridle 1990, "Probabilistic Interpretation of Feedforward Classification Network Outputs".

    Example:
        >>> pyml.activations.softmax([[0., 0.], [1., 0.]]).numpy().round(4)
        array([[0.5   , 0.5   ],
               [0.7311, 0.2689]], dtype=float32)
    """
    shape = getattr(x, "shape", ())
    if isinstance(axis, int) and -len(shape) <= axis < len(shape) and shape[axis] == 1 and _is_new(innermost_caller()):
        warn(f"You are using a softmax over axis {axis}, which has size 1, so that it is always 1. Did you mean to use a sigmoid instead?")
    return ops.softmax(x, axis=axis)


def _is_new(layer: Any) -> bool:
    """Whether a layer's softmax over one number was not told yet: `fit`, `evaluate` and `predict` trace the same layer again."""
    if layer is None:
        return True
    known = layer in _told
    _told.add(layer)
    return not known


_told: weakref.WeakSet[Any] = weakref.WeakSet()


@ACTIVATIONS.function()
def log_softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """The logarithm of `softmax`, without its loss of precision.

    Args:
        axis: The axis, or axes, along which the exponentials of the results add up to 1.

    Example:
        >>> pyml.activations.log_softmax([0., 0.]).numpy().round(4)
        array([-0.6931, -0.6931], dtype=float32)
    """
    return ops.log_softmax(x, axis=axis)


@ACTIVATIONS.function()
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The nearest point with numbers from 0 on that sum to 1 along `axis`. Source: Martins and Astudillo 2016.

    Args:
        axis: The axis whose numbers are taken together.

    Example:
        >>> pyml.activations.sparsemax([2., 1.5, -1.]).numpy()
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    return ops.sparsemax(x, axis=axis)
