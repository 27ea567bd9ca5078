"""The losses as classes: a function per sample, reduced to a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.losses.base import LossFunctionWrapper
from pyml.losses.crossentropy import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from pyml.losses.regression import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    squared_hinge,
)
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge", "Huber", "KLDivergence",
    "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge",
]


class MeanSquaredError(LossFunctionWrapper):
    """`mean((y_true - y_pred)^2)` over the last axis.

    Example:
        >>> round(float(pyml.losses.MeanSquaredError()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        0.125
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3), draw(4, 3), like=lambda y, p: ((y - p) ** 2).mean())


class MeanAbsoluteError(LossFunctionWrapper):
    """`mean(|y_true - y_pred|)` over the last axis.

    Example:
        >>> round(float(pyml.losses.MeanAbsoluteError()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        0.25
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error",
                 dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(reduction="sum"), draw(4, 3), draw(4, 3), like=lambda y, p: abs(y - p).mean(-1).sum())


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """`100 * mean(|y_true - y_pred| / max(|y_true|, 1e-7))` over the last axis.

    Example:
        >>> round(float(pyml.losses.MeanAbsolutePercentageError()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        25.0
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_percentage_error",
                 dtype: Any = None) -> None:
        super().__init__(mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3, low=0.5), draw(4, 3), like=lambda y, p: 100 * (abs(y - p) / y).mean())


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """`mean((log(y_true + 1) - log(y_pred + 1))^2)` over the last axis.

    Example:
        >>> round(float(pyml.losses.MeanSquaredLogarithmicError()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        0.0414
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_logarithmic_error",
                 dtype: Any = None) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3, low=0.0), draw(4, 3, low=0.1), like=lambda y, p: ((np.log1p(y) - np.log1p(p)) ** 2).mean())


class LogCosh(LossFunctionWrapper):
    """`mean(log(cosh(y_pred - y_true)))`: squared near 0, linear far away.

    Example:
        >>> round(float(pyml.losses.LogCosh()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        0.0601
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3), draw(4, 3), like=lambda y, p: np.log(np.cosh(p - y)).mean())


class Poisson(LossFunctionWrapper):
    """`mean(y_pred - y_true * log(y_pred))` over the last axis.

    Example:
        >>> round(float(pyml.losses.Poisson()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        1.0966
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3, low=0.0), draw(4, 3, low=0.5), like=lambda y, p: (p - y * np.log(p)).mean())


class KLDivergence(LossFunctionWrapper):
    """`sum(y_true * log(y_true / y_pred))` over the last axis, both cut to `[1e-7, 1]`.

    Source: Kullback and Leibler 1951, "On Information and Sufficiency".

    Example:
        >>> round(float(pyml.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
        0.1438
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3, low=0.1, high=1.0), draw(4, 3, low=0.1, high=1.0),
                     like=lambda y, p: (y * np.log(y / p)).sum(-1).mean())


class Hinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0))` for targets -1 and 1 (or 0 and 1).

    Source: Cortes and Vapnik 1995, "Support-Vector Networks".

    Example:
        >>> round(float(pyml.losses.Hinge()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        0.25
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3, low=0, high=2, dtype="int32"), draw(4, 3),
                     like=lambda y, p: np.maximum(1 - (2 * y - 1) * p, 0).mean())


class SquaredHinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0)^2)` for targets -1 and 1 (or 0 and 1).

    Source: Tang 2013, "Deep Learning using Linear Support Vector Machines".

    Example:
        >>> round(float(pyml.losses.SquaredHinge()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        0.125
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(4, 3), draw(4, 3), like=lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean())


class CategoricalHinge(LossFunctionWrapper):
    """`max(0, 1 - positive + negative)`: the right score against the best wrong one.

    Source: Crammer and Singer 2001, "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines".

    Example:
        >>> round(float(pyml.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]])), 4)
        0.5
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return np.maximum((p * (1 - y)).max(-1) - (p * y).sum(-1) + 1, 0).mean()

        yield sample(cls(), np.eye(4, 3, dtype="float32"), draw(4, 3), like=like)


class Huber(LossFunctionWrapper):
    """Squared up to `delta`, linear beyond. Source: Huber 1964.

    Example:
        >>> round(float(pyml.losses.Huber(delta=1.0)([[0.0, 0.0]], [[0.5, 3.0]])), 4)
        1.3125
    """

    def __init__(self, delta: float = 1.0, reduction: str | None = "sum_over_batch_size", name: str | None = "huber_loss",
                 dtype: Any = None) -> None:
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            error = abs(y - p)
            return np.where(error <= 0.7, error**2 / 2, 0.7 * error - 0.7**2 / 2).mean()

        yield sample(cls(delta=0.7), draw(4, 3), draw(4, 3), like=like)


class CosineSimilarity(LossFunctionWrapper):
    """The negated cosine of the angle between targets and predictions.

    Example:
        >>> round(float(pyml.losses.CosineSimilarity()([[1.0, 1.0]], [[0.5, 1.0]])), 4)
        -0.9487
    """

    def __init__(self, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str | None = "cosine_similarity",
                 dtype: Any = None) -> None:
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return -((y * p).sum(0) / np.sqrt((y * y).sum(0) * (p * p).sum(0))).mean()

        yield sample(cls(axis=0), draw(4, 3), draw(4, 3), like=like)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of yes/no targets; see `binary_crossentropy` for the arguments.

    Example:
        >>> loss = pyml.losses.BinaryCrossentropy(from_logits=True)
        >>> round(float(loss([[0.0], [1.0]], [[0.0], [0.0]])), 4)
        0.6931
    """

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "binary_crossentropy", dtype: Any = None) -> None:
        super().__init__(binary_crossentropy, reduction=reduction, name=name, dtype=dtype,
                         from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return np.log1p(np.exp(np.where(y == 1, -p, p))).mean()

        yield sample(cls(from_logits=True), draw(4, 3, low=0, high=2, dtype="int32"), draw(4, 3), like=like)
        yield sample(cls(label_smoothing=0.2), draw(4, 3, low=0, high=2, dtype="int32"), draw(4, 3, low=0.1, high=0.9))


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of one-hot targets; see `categorical_crossentropy` for the arguments.

    Example:
        >>> round(float(pyml.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]])), 4)
        0.2877
    """

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_crossentropy", dtype: Any = None) -> None:
        super().__init__(categorical_crossentropy, reduction=reduction, name=name, dtype=dtype,
                         from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return -(y * np.log(p / p.sum(-1, keepdims=True))).sum(-1).mean()

        yield sample(cls(), np.eye(4, 3, dtype="float32"), draw(4, 3, low=0.1, high=0.9), like=like)
        yield sample(cls(from_logits=True, label_smoothing=0.1), np.eye(4, 3, dtype="float32"), draw(4, 3))


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of integer targets; see `sparse_categorical_crossentropy` for the arguments.

    Example:
        >>> round(float(pyml.losses.SparseCategoricalCrossentropy()([1], [[0.25, 0.75]])), 4)
        0.2877
    """

    def __init__(self, from_logits: bool = False, ignore_class: int | None = None, reduction: str | None = "sum_over_batch_size",
                 axis: int = -1, name: str | None = "sparse_categorical_crossentropy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_crossentropy, reduction=reduction, name=name, dtype=dtype,
                         from_logits=from_logits, ignore_class=ignore_class, axis=axis)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    @property
    def _class_axis(self) -> int | None:
        own = type(self).call is not SparseCategoricalCrossentropy.call  # which may number classes otherwise
        return None if own else self.axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(y_true.shape) == len(y_pred.shape) + 1 and y_true.shape[-1] == 1:
            y_true = ops.squeeze(y_true, axis=-1)     # predictions of one class keep their axis, which no other loss needs
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return (np.log(np.exp(p).sum(-1)) - p[np.arange(4), y.astype(int)]).mean()

        yield sample(cls(from_logits=True), draw(4, low=0, high=3, dtype="int32"), draw(4, 3), like=like)
        def along_axis_1(y: Any, p: Any) -> Any:
            at = np.moveaxis(np.log(p / p.sum(1, keepdims=True)), 1, -1)
            return -np.take_along_axis(at, y.astype(int)[..., None], -1)[..., 0][y != 1].mean()

        yield sample(cls(ignore_class=1), draw(4, low=0, high=3, dtype="int32"), draw(4, 3, low=0.1, high=0.9))
        yield sample(cls(ignore_class=1, axis=1), draw(4, 2, low=0, high=3, dtype="int32"), draw(4, 3, 2, low=0.1, high=0.9),
                     like=along_axis_1)
