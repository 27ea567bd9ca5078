"""Activations that go from one bound to another, in a curve or a straight line, and the logarithm of one."""

from __future__ import annotations

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.objects.registry import ACTIVATIONS

__all__ = ["hard_sigmoid", "hard_tanh", "log_sigmoid", "sigmoid", "softsign", "sparse_sigmoid", "tanh"]


@ACTIVATIONS.function()
def sigmoid(x: TensorLike) -> Tensor:
    """`1 / (1 + exp(-x))`.

    Example:
        >>> pyml.activations.sigmoid([0., 2.]).numpy().round(4)
        array([0.5   , 0.8808], dtype=float32)
    """
    return ops.sigmoid(x)


@ACTIVATIONS.function()
def log_sigmoid(x: TensorLike) -> Tensor:
    """`log(sigmoid(x))`, stable for large negative `x`.

    Example:
        >>> pyml.activations.log_sigmoid([0., -100.]).numpy().round(4)
        array([  -0.6931, -100.    ], dtype=float32)
    """
    return ops.log_sigmoid(x)


@ACTIVATIONS.function()
def hard_sigmoid(x: TensorLike) -> Tensor:
    """`x / 6 + 0.5` cut to `[0, 1]`.

    Source: Howard et al. 2019, "Searching for MobileNetV3".

    Example:
        >>> pyml.activations.hard_sigmoid([-9., 0., 1.5]).numpy().round(4)
        array([0.  , 0.5 , 0.75], dtype=float32)
    """
    return ops.hard_sigmoid(x)


@ACTIVATIONS.function()
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 up to -1, 1 from 1 on, `(x + 1) / 2` between.

    Example:
        >>> pyml.activations.sparse_sigmoid([-2., 0., 1.5]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return ops.sparse_sigmoid(x)


@ACTIVATIONS.function()
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent.

    Example:
        >>> pyml.activations.tanh([0., 1.]).numpy().round(4)
        array([0.    , 0.7616], dtype=float32)
    """
    return ops.tanh(x)


@ACTIVATIONS.function()
def hard_tanh(x: TensorLike) -> Tensor:
    """`x` cut to `[-1, 1]`.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of booleans.

    Example:
        >>> pyml.activations.hard_tanh([-9., 0.5]).numpy().round(4)
        array([-1. ,  0.5], dtype=float32)
    """
    return ops.hard_tanh(x)


@ACTIVATIONS.function()
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`.

    Example:
        >>> pyml.activations.softsign([1., -3.]).numpy().round(4)
        array([ 0.5 , -0.75], dtype=float32)
    """
    return ops.softsign(x)
