"""Losses as metrics: the mean over all samples seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import losses, ops
from pyml.core.types import TensorLike
from pyml.losses.base import squeeze_or_expand_to_same_rank
from pyml.metrics.reduction import Mean, MeanMetricWrapper
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "MeanAbsoluteError", "MeanSquaredError", "RootMeanSquaredError",
    "SparseCategoricalCrossentropy",
]


class MeanSquaredError(MeanMetricWrapper, aliases=("mse", "MSE")):
    """The mean of `(y_true - y_pred)^2`.

    Example:
        >>> metric = pyml.metrics.MeanSquaredError()
        >>> metric.update_state([[1.0], [2.0]], [[0.5], [2.0]])
        >>> round(float(metric.result()), 4)
        0.125
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3), draw(6, 3), like=lambda y, p: ((y - p) ** 2).mean())


class MeanAbsoluteError(MeanMetricWrapper, aliases=("mae", "MAE")):
    """The mean of `|y_true - y_pred|`.

    Example:
        >>> metric = pyml.metrics.MeanAbsoluteError()
        >>> metric.update_state([[1.0], [2.0]], [[0.5], [2.0]])
        >>> round(float(metric.result()), 4)
        0.25
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3), draw(6, 3), like=lambda y, p: abs(y - p).mean())


class RootMeanSquaredError(Mean, aliases=("rmse", "RMSE")):
    """The square root of the mean squared error over everything seen.

    Example:
        >>> metric = pyml.metrics.RootMeanSquaredError()
        >>> metric.update_state([[1.0], [2.0]], [[4.0], [6.0]])
        >>> round(float(metric.result()), 4)
        3.5355
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]  # a Mean of two arguments, as in Keras
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), self._computing_dtype)
        y_true = ops.cast(ops.convert_to_tensor(y_true), self._computing_dtype)
        true, predicted = squeeze_or_expand_to_same_rank(y_true, y_pred)
        super().update_state(ops.square(true - predicted), sample_weight=sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3), draw(6, 3), like=lambda y, p: np.sqrt(((y - p) ** 2).mean()))


class BinaryCrossentropy(MeanMetricWrapper, aliases=("bce", "BCE")):
    """The mean of `-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: Share, from 0 to 1, by which targets move towards an equal chance.

    Example:
        >>> metric = pyml.metrics.BinaryCrossentropy()
        >>> metric.update_state([[1.0], [0.0]], [[0.75], [0.25]])
        >>> round(float(metric.result()), 4)
        0.2877
    """

    _direction = "down"

    def __init__(self, name: str | None = "binary_crossentropy", dtype: Any = None, from_logits: bool = False,
                 label_smoothing: float = 0) -> None:
        super().__init__(losses.binary_crossentropy, name=name, dtype=dtype, from_logits=from_logits,
                         label_smoothing=label_smoothing)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return np.log1p(np.exp(np.where(y == 1, -p, p))).mean()

        yield sample(cls(from_logits=True), draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3), like=like)


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean over samples of `-sum(y_true * log(y_pred))`, for one-hot labels.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: Share, from 0 to 1, by which targets move towards an equal chance.
        axis: Axis of the classes.

    Example:
        >>> metric = pyml.metrics.CategoricalCrossentropy()
        >>> metric.update_state([[0, 1]], [[0.25, 0.75]])
        >>> round(float(metric.result()), 4)
        0.2877
    """

    _direction = "down"

    def __init__(self, name: str | None = "categorical_crossentropy", dtype: Any = None, from_logits: bool = False,
                 label_smoothing: float = 0, axis: int = -1) -> None:
        super().__init__(losses.categorical_crossentropy, name=name, dtype=dtype, from_logits=from_logits,
                         label_smoothing=label_smoothing, axis=axis)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return -(y * np.log(p / p.sum(-1, keepdims=True))).sum(-1).mean()

        yield sample(cls(), np.eye(6, 3, dtype="float32"), draw(6, 3, low=0.1, high=0.9), like=like)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean over samples of `-log(y_pred[y_true])`, for labels that are class numbers.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        ignore_class: A class of the targets that does not count.
        axis: Axis of the classes.

    Example:
        >>> metric = pyml.metrics.SparseCategoricalCrossentropy()
        >>> metric.update_state([1], [[0.25, 0.75]])
        >>> round(float(metric.result()), 4)
        0.2877
    """

    _direction = "down"

    def __init__(self, name: str | None = "sparse_categorical_crossentropy", dtype: Any = None, from_logits: bool = False,
                 ignore_class: int | None = None, axis: int = -1) -> None:
        super().__init__(losses.sparse_categorical_crossentropy, name=name, dtype=dtype, from_logits=from_logits,
                         ignore_class=ignore_class, axis=axis)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return (np.log(np.exp(p).sum(-1)) - p[np.arange(len(y)), y.astype(int)]).mean()

        yield sample(cls(from_logits=True), draw(6, low=0, high=3, dtype="int32"), draw(6, 3), like=like)
