"""Activations that are a straight line above a threshold."""

from __future__ import annotations

from typing import TypeVar

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.objects.registry import ACTIVATIONS

__all__ = ["celu", "elu", "leaky_relu", "linear", "relu", "relu6", "selu", "threshold"]

Anything = TypeVar("Anything")


@ACTIVATIONS.function()
def linear(x: Anything) -> Anything:
    """`x` itself.

    Returns:
        `x` itself.

    Example:
        >>> pyml.activations.linear(3.0)
        3.0
    """
    return x


@ACTIVATIONS.function()
def relu(x: TensorLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """`max(x, 0)`, or its general form.

    Args:
        negative_slope: Slope below `threshold`.
        max_value: Largest value, or None for no limit.
        threshold: Values up to it are damped.

    Returns:
        A tensor of the shape and dtype of `x`.

    Source: Nair and Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".

    Example:
        >>> pyml.activations.relu([-1., 2., 9.], max_value=6.).numpy().round(4)
        array([0., 2., 6.], dtype=float32)
    """
    if negative_slope and threshold == 0.0 and max_value is None:
        return ops.leaky_relu(x, negative_slope)
    y = ops.relu(x) if threshold == 0.0 else ops.where(ops.greater(x, threshold), x, 0.0)
    if max_value is not None:  # Keras takes relu6 where it can, which has no slope at 6; `clip` has one
        y = ops.relu6(x) if threshold == 0.0 and max_value == 6 else ops.clip(y, 0.0, max_value)
    return ops.subtract(y, ops.multiply(negative_slope, ops.relu(ops.subtract(threshold, x)))) if negative_slope else y


@ACTIVATIONS.function()
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` above 0, `negative_slope * x` below.

    Args:
        negative_slope: The slope below 0.

    Source: Maas et al. 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".

    Example:
        >>> pyml.activations.leaky_relu([-1., 2.]).numpy().round(4)
        array([-0.2,  2. ], dtype=float32)
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


@ACTIVATIONS.function()
def relu6(x: TensorLike) -> Tensor:
    """`min(max(x, 0), 6)`.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of booleans.

    Source: Krizhevsky 2010, "Convolutional Deep Belief Networks on CIFAR-10".

    Example:
        >>> pyml.activations.relu6([-1., 2., 9.]).numpy().round(4)
        array([0., 2., 6.], dtype=float32)
    """
    return ops.relu6(x)


@ACTIVATIONS.function()
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` above 0, `alpha * (exp(x) - 1)` below. Source: Clevert et al. 2015.

    Args:
        alpha: What the values below 0 approach, with its sign changed.

    Example:
        >>> pyml.activations.elu([-1., 2.]).numpy().round(4)
        array([-0.6321,  2.    ], dtype=float32)
    """
    return ops.elu(x, alpha=alpha)


@ACTIVATIONS.function()
def selu(x: TensorLike) -> Tensor:
    """`elu` scaled so that activations keep mean 0 and variance 1. Source: Klambauer et al. 2017.

    Example:
        >>> pyml.activations.selu([-1., 2.]).numpy().round(4)
        array([-1.1113,  2.1014], dtype=float32)
    """
    return ops.selu(x)


@ACTIVATIONS.function()
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`. Source: Barron 2017.

    Args:
        alpha: What the values below 0 approach, with its sign changed; not 0.

    Example:
        >>> pyml.activations.celu([-1., 2.], alpha=2.).numpy().round(4)
        array([-0.7869,  2.    ], dtype=float32)
    """
    return ops.celu(x, alpha=alpha)


@ACTIVATIONS.function()
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` above `threshold`, else `default_value`.

    Args:
        threshold: Values above it stay.
        default_value: What takes the place of other values.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of booleans.

    Example:
        >>> pyml.activations.threshold([-1., 2.], 0., 7.).numpy().round(4)
        array([7., 2.], dtype=float32)
    """
    return ops.threshold(x, threshold, default_value)
