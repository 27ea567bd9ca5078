"""Activations that multiply by a share of what came in."""

from __future__ import annotations

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.objects.registry import ACTIVATIONS

__all__ = ["gelu", "glu", "hard_silu", "hard_swish", "mish", "silu", "swish"]


@ACTIVATIONS.function("swish")
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`. Source: Ramachandran et al. 2017.

    Example:
        >>> pyml.activations.silu([0., 2.]).numpy().round(4)
        array([0.    , 1.7616], dtype=float32)
    """
    return ops.silu(x)


@ACTIVATIONS.function("hard_swish")
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`. Source: Howard et al. 2019.

    Example:
        >>> pyml.activations.hard_silu([0., 1.5]).numpy().round(4)
        array([0.   , 1.125], dtype=float32)
    """
    return ops.hard_silu(x)


@ACTIVATIONS.function()
def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """`x * P(X <= x)` of a unit normal. Source: Hendrycks and Gimpel 2016.

    Args:
        approximate: True uses the tanh formula, False the error function.

    Example:
        >>> pyml.activations.gelu([-1., 2.]).numpy().round(4)
        array([-0.1587,  1.9545], dtype=float32)
    """
    return ops.gelu(x, approximate=approximate)


@ACTIVATIONS.function()
def mish(x: TensorLike) -> Tensor:
    """`x * tanh(softplus(x))`. Source: Misra 2019.

    Example:
        >>> pyml.activations.mish([0., 1.]).numpy().round(4)
        array([0.    , 0.8651], dtype=float32)
    """
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


@ACTIVATIONS.function()
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """The first half of `x` along `axis` times the sigmoid of the second. Source: Dauphin et al. 2016.

    Args:
        axis: The axis that is split into two halves, which has an even size.

    Returns:
        A tensor that has half as many elements along `axis`, in the dtype of `x`, float32 of integers.

    Example:
        >>> pyml.activations.glu([1., 2., 0., 0.]).numpy().round(4)
        array([0.5, 1. ], dtype=float32)
    """
    return ops.glu(x, axis=axis)


swish = silu
hard_swish = hard_silu
