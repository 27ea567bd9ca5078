"""Losses between numbers. All return one value per sample: the mean over the last axis."""

from __future__ import annotations

import math

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.losses.base import in_dtype_of_predictions, squeeze_or_expand_to_same_rank
from pyml.objects.registry import LOSSES
from pyml.settings import epsilon

__all__ = [
    "categorical_hinge", "cosine_similarity", "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson", "squared_hinge",
]


def pair(y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Both as float32 tensors, of one rank."""
    return squeeze_or_expand_to_same_rank(*floats(y_true, y_pred))


def floats(y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Both as float32 tensors; `(n,)` and `(n, 1)` broadcast where this is all that a function does, as in Keras."""
    y_pred = ops.convert_to_tensor(y_pred)
    if y_pred.dtype != "float32":
        y_pred = ops.cast(y_pred, "float32")
    return ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype), y_pred


@LOSSES.function("mse", "MSE")
@in_dtype_of_predictions
def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`mean((y_true - y_pred)^2)` over the last axis.

    Example:
        >>> pyml.losses.mean_squared_error([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.125, 0.25]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@LOSSES.function("mae", "MAE")
@in_dtype_of_predictions
def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`mean(|y_true - y_pred|)` over the last axis.

    Example:
        >>> pyml.losses.mean_absolute_error([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.25, 0.5]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@LOSSES.function("mape", "MAPE")
@in_dtype_of_predictions
def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`100 * mean(|y_true - y_pred| / max(|y_true|, 1e-7))` over the last axis.

    Example:
        >>> pyml.losses.mean_absolute_percentage_error([[1.0, 2.0]], [[0.5, 2.0]]).numpy().round(4).tolist()
        [25.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return 100.0 * ops.mean(ops.abs(y_true - y_pred) / ops.maximum(ops.abs(y_true), epsilon()), axis=-1)


@LOSSES.function("msle", "MSLE")
def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`mean((log(y_true + 1) - log(y_pred + 1))^2)` over the last axis.

    Returns:
        Tensor `(batch, ...)` of float32.

    Example:
        >>> pyml.losses.mean_squared_logarithmic_error([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.0414000004529953, 0.12359999865293503]
    """
    y_true, y_pred = pair(y_true, y_pred)
    difference = ops.log(ops.maximum(y_true, epsilon()) + 1.0) - ops.log(ops.maximum(y_pred, epsilon()) + 1.0)
    return ops.mean(ops.square(difference), axis=-1)


@LOSSES.function()
@in_dtype_of_predictions
def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """Half the square of the error up to `delta`, linear beyond. Source: Huber 1964.

    Args:
        delta: Where the line begins.

    Example:
        >>> pyml.losses.huber([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.0625, 0.125]
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = ops.abs(y_true - y_pred)
    value = ops.where(error <= delta, 0.5 * ops.square(error), delta * error - 0.5 * delta * delta)
    return ops.mean(value, axis=-1)


@LOSSES.function("logcosh")
@in_dtype_of_predictions
def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`mean(log(cosh(y_pred - y_true)))`: squared near 0, linear far away.

    Example:
        >>> pyml.losses.log_cosh([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.060100000351667404, 0.1200999990105629]
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


@LOSSES.function("cosine")
@in_dtype_of_predictions
def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """The negated cosine of the angle between targets and predictions: -1 is best.

    Args:
        axis: The axis of the vectors.

    Returns:
        Tensor of the shape of the targets without `axis`.

    Example:
        >>> pyml.losses.cosine_similarity([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [-0.9487000107765198, -0.707099974155426]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return -ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


@LOSSES.function()
@in_dtype_of_predictions
def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`mean(y_pred - y_true * log(y_pred))` over the last axis.

    Example:
        >>> pyml.losses.poisson([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [1.09660005569458, 0.8465999960899353]
    """
    y_true, y_pred = floats(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


@LOSSES.function("kld", "KLD")
@in_dtype_of_predictions
def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`sum(y_true * log(y_true / y_pred))` over the last axis, both cut to `[1e-7, 1]`.

    Source: Kullback and Leibler 1951, "On Information and Sufficiency".

    Example:
        >>> pyml.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).numpy().round(4).tolist()
        [0.14380000531673431]
    """
    y_true, y_pred = floats(y_true, y_pred)
    y_true = ops.clip(y_true, epsilon(), 1.0)
    y_pred = ops.clip(y_pred, epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def _signs(y_true: Tensor) -> Tensor:
    """Targets of 0 and 1 as -1 and 1; targets that already hold -1 stay."""
    zeros_and_ones = ops.all(ops.logical_or(y_true == 0, y_true == 1))
    return ops.where(zeros_and_ones, 2.0 * y_true - 1.0, y_true)


@LOSSES.function()
@in_dtype_of_predictions
def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`mean(max(1 - y_true * y_pred, 0))` for targets -1 and 1 (or 0 and 1).

    Args:
        y_true: Targets `(batch, ..., n)`: -1 and 1, or 0 and 1.
        y_pred: Scores, of the shape of the targets.

    Source: Cortes and Vapnik 1995, "Support-Vector Networks".

    Example:
        >>> pyml.losses.hinge([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.25, 1.0]
    """
    y_true, y_pred = floats(y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


@LOSSES.function()
@in_dtype_of_predictions
def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`mean(max(1 - y_true * y_pred, 0)^2)` for targets -1 and 1 (or 0 and 1).

    Args:
        y_true: Targets `(batch, ..., n)`: -1 and 1, or 0 and 1.
        y_pred: Scores, of the shape of the targets.

    Source: Tang 2013, "Deep Learning using Linear Support Vector Machines".

    Example:
        >>> pyml.losses.squared_hinge([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.125, 1.25]
    """
    y_true, y_pred = floats(y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


@LOSSES.function()
@in_dtype_of_predictions
def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`max(0, 1 - positive + negative)`: the right score against the best wrong one.

    Args:
        y_true: One-hot targets.
        y_pred: A score for each class.

    Source: Crammer and Singer 2001, "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines".

    Example:
        >>> pyml.losses.categorical_hinge([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.0, 1.0]
    """
    y_true, y_pred = floats(y_true, y_pred)
    positive = ops.sum(y_true * y_pred, axis=-1)
    negative = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(negative - positive + 1.0, 0.0)
