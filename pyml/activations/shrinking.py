"""Activations that move values towards 0."""

from __future__ import annotations

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.objects.registry import ACTIVATIONS

__all__ = ["hard_shrink", "soft_shrink", "tanh_shrink"]


@ACTIVATIONS.function()
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """0 where `|x| <= threshold`, else `x`.

    Args:
        threshold: Up to this size values become 0.

    Source: Donoho and Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage".

    Example:
        >>> pyml.activations.hard_shrink([-1., 0.3]).numpy().round(4)
        array([-1.,  0.], dtype=float32)
    """
    return ops.hard_shrink(x, threshold=threshold)


@ACTIVATIONS.function()
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`.

    Args:
        threshold: How far values move towards 0.

    Source: Donoho 1995, "De-noising by soft-thresholding".

    Example:
        >>> pyml.activations.soft_shrink([-1., 0.3]).numpy().round(4)
        array([-0.5,  0. ], dtype=float32)
    """
    return ops.soft_shrink(x, threshold=threshold)


@ACTIVATIONS.function()
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`.

    Example:
        >>> pyml.activations.tanh_shrink([0., 2.]).numpy().round(4)
        array([0.   , 1.036], dtype=float32)
    """
    return ops.tanh_shrink(x)
