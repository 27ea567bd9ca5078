"""Losses of how far two masks overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import Axis, TensorLike
from pyml.losses.base import LossFunctionWrapper, in_dtype_of_predictions
from pyml.losses.crossentropy import _float
from pyml.objects.registry import LOSSES
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import epsilon

__all__ = ["Dice", "Tversky", "dice", "tversky"]


@LOSSES.function()
@in_dtype_of_predictions
def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axis = None) -> Tensor:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`, over all axes or `axis`.

    Args:
        y_true: Targets in `[0, 1]`.
        axis: Axes of the sums; None for all.

    Returns:
        Tensor of the axes that are left, a scalar for `axis=None`.

    Source: Milletari et al. 2016, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation".

    Example:
        >>> round(float(pyml.losses.dice([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """
    y_pred = _float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    both = ops.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * both / (ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + epsilon())


@LOSSES.function()
@in_dtype_of_predictions
def tversky(y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None) -> Tensor:
    """`1 - both / (both + alpha * sum(y_true * (1 - y_pred)) + beta * sum((1 - y_true) * y_pred))`.

    Args:
        y_true: Targets in `[0, 1]`.
        alpha: Weight of what the prediction misses.
        beta: Weight of what it adds; with both 0.5 this is `dice`.
        axis: Axes of the sums; None for all.

    Returns:
        Tensor `()`, or of the axes that `axis` does not name, in the dtype of the predictions.

    Source: Salehi et al. 2017, "Tversky loss function for image segmentation using 3D fully convolutional deep networks".

    Example:
        >>> round(float(pyml.losses.tversky([[1.0, 0.0]], [[0.5, 0.5]], alpha=0.2, beta=0.8)), 4)
        0.5
    """
    y_pred = _float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum((1.0 - y_pred) * y_true, axis=axis)
    added = ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + missed * alpha + added * beta + epsilon())


class Dice(LossFunctionWrapper):
    """How far two masks are from overlapping; see `dice` for the arguments.

    Source: Milletari et al. 2016, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation".

    Example:
        >>> round(float(pyml.losses.Dice()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "dice", axis: Axis = None,
                 dtype: Any = None) -> None:
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return (1 - 2 * (y * p).sum((1, 2)) / (y.sum((1, 2)) + p.sum((1, 2)))).mean()

        mask = draw(2, 3, 4, low=0, high=2, dtype="int32")
        yield sample(cls(axis=(1, 2)), mask, draw(2, 3, 4, low=0.1, high=0.9), like=like)
        yield sample(cls(), mask, draw(2, 3, 4, low=0.1, high=0.9), like=lambda y, p: 1 - 2 * (y * p).sum() / (y.sum() + p.sum()))


class Tversky(LossFunctionWrapper):
    """How far two masks are from overlapping, with weights for what is missed and added; see `tversky` for the arguments.

    Source: Salehi et al. 2017, "Tversky loss function for image segmentation using 3D fully convolutional deep networks".

    Example:
        >>> round(float(pyml.losses.Tversky(alpha=0.2, beta=0.8)([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "tversky", axis: Axis = None, dtype: Any = None) -> None:
        super().__init__(tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            both, missed, added = ((np.asarray(v)).sum() for v in (y * p, y * (1 - p), (1 - y) * p))
            return 1 - both / (both + 0.3 * missed + 0.7 * added)

        yield sample(cls(0.3, 0.7), draw(2, 3, 4, low=0, high=2, dtype="int32"), draw(2, 3, 4, low=0.1, high=0.9), like=like)
