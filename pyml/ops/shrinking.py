"""Activations that move values towards 0, or cut off what is not above a number."""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from . import families
from .activation import as_number
from .apply import as_float
from .arithmetic import absolute
from .declare import draw, op, sample
from .elementary import tanh
from .logic import where

__all__ = ["hard_shrink", "soft_shrink", "tanh_shrink", "threshold"]


@op(like=lambda x, threshold=0.5: np.where(np.abs(x) > threshold, x, 0), samples=[sample(draw(2, 3)), sample(draw(2, 3), threshold=1.0)])
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """0 where `|x| <= threshold`, else `x`.

    Args:
        x: Tensor of any shape.
        threshold: A number of at least 0.

    Returns:
        float32, in the shape of `x`.

    Source: Donoho and Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage".

    Example:
        >>> pyml.ops.hard_shrink([-1., 0.3]).numpy()
        array([-1.,  0.], dtype=float32)
    """
    x = as_float(x)
    return where(absolute(x) <= threshold, 0.0, x)  # so that a NaN stays


@op(
    like=lambda x, threshold=0.5: np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
    samples=[sample(draw(2, 3)), sample(draw(2, 3), threshold=1.0)],
)
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`.

    Args:
        x: Tensor of any shape.
        threshold: A number of at least 0.

    Returns:
        float32, in the shape of `x`.

    Source: Donoho 1995, "De-noising by soft-thresholding".

    Example:
        >>> pyml.ops.soft_shrink([-1., 0.3]).numpy()
        array([-0.5,  0. ], dtype=float32)
    """
    x = as_float(x)
    return where(absolute(x) <= threshold, 0.0, where(x > 0.0, x - threshold, x + threshold))  # so that a NaN stays


@op(family=families.EACH_FLOAT, like=lambda x: x - np.tanh(x), samples=[sample(draw(2, 3))])
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`.

    Source: `keras.ops.tanh_shrink`.

    Example:
        >>> pyml.ops.tanh_shrink([0., 2.]).numpy().round(4)
        array([0.   , 1.036], dtype=float32)
    """
    x = as_float(x)
    return x - tanh(x)


@op(like=lambda x, threshold, default_value: np.where(x > threshold, x, default_value), samples=[sample(draw(2, 3), 0.5, -1.0)])
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`default_value` where `x <= threshold`, else `x`.

    Args:
        x: Tensor of any shape.
        threshold: The number.
        default_value: What stands for what is not above it.

    Returns:
        A tensor of the shape and dtype of `x`.

    Source: `keras.ops.threshold`.

    Example:
        >>> pyml.ops.threshold([-1., 2.], 0., 7.).numpy()
        array([7., 2.], dtype=float32)
    """
    x = as_number(x)
    return where(x <= threshold, default_value, x).astype(x.dtype)
