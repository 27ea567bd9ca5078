"""More losses as metrics: the mean over all samples seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import losses
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.metrics.reduction import MeanMetricWrapper
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "CategoricalHinge", "CosineSimilarity", "Hinge", "KLDivergence", "LogCoshError", "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError", "Poisson", "SquaredHinge",
]


def _cosine(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    return -losses.cosine_similarity(y_true, y_pred, axis=axis)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of `max(0, 1 - positive + negative)`: the score of the right class against the best of the others.

    Source: Crammer and Singer 2001, "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines".

    Example:
        >>> metric = pyml.metrics.CategoricalHinge()
        >>> metric.update_state([[0.0, 1.0]], [[0.4, 0.6]])
        >>> round(float(metric.result()), 4)
        0.8
    """

    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), np.eye(6, 3, dtype="float32"), draw(6, 3),
                     like=lambda y, p: np.maximum(1 + ((1 - y) * p).max(-1) - (y * p).sum(-1), 0).mean())


class CosineSimilarity(MeanMetricWrapper):
    """The cosine of the angle between targets and predictions: 1 is best.

    Args:
        axis: The axis of the vectors.

    Example:
        >>> metric = pyml.metrics.CosineSimilarity()
        >>> metric.update_state([[0.0, 1.0]], [[0.0, 3.0]])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(_cosine, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3), draw(6, 3),
                     like=lambda y, p: ((y * p).sum(-1) / np.sqrt((y * y).sum(-1) * (p * p).sum(-1))).mean())


class Hinge(MeanMetricWrapper):
    """The mean of `max(0, 1 - y_true * y_pred)`, for labels -1 and 1; 0 counts as -1.

    Source: Cortes and Vapnik 1995, "Support-Vector Networks".

    Example:
        >>> metric = pyml.metrics.Hinge()
        >>> metric.update_state([[0.0, 1.0]], [[0.5, 0.5]])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3),
                     like=lambda y, p: np.maximum(1 - (2 * y - 1) * p, 0).mean())


class KLDivergence(MeanMetricWrapper):
    """The mean over samples of `sum(y_true * log(y_true / y_pred))`: how far predicted probabilities are from the true ones.

    Source: Kullback and Leibler 1951, "On Information and Sufficiency".

    Example:
        >>> metric = pyml.metrics.KLDivergence()
        >>> metric.update_state([[0.5, 0.5]], [[0.25, 0.75]])
        >>> round(float(metric.result()), 4)
        0.1438
    """

    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3, low=0.1, high=0.9), draw(6, 3, low=0.1, high=0.9),
                     like=lambda y, p: (y * np.log(y / p)).sum(-1).mean())


class LogCoshError(MeanMetricWrapper):
    """The mean of `log(cosh(error))`.

    Example:
        >>> metric = pyml.metrics.LogCoshError()
        >>> metric.update_state([[1.0, 1.0]], [[0.5, 1.0]])
        >>> round(float(metric.result()), 4)
        0.0601
    """

    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3), draw(6, 3),
                     like=lambda y, p: np.log(np.cosh(p - y)).mean())


class MeanAbsolutePercentageError(MeanMetricWrapper, aliases=("mape", "MAPE")):
    """The mean of `100 * |y_true - y_pred| / |y_true|`.

    Example:
        >>> metric = pyml.metrics.MeanAbsolutePercentageError()
        >>> metric.update_state([[1.0, 2.0]], [[0.5, 2.0]])
        >>> round(float(metric.result()), 4)
        25.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3, low=0.5), draw(6, 3),
                     like=lambda y, p: 100 * (abs(y - p) / y).mean())


class MeanSquaredLogarithmicError(MeanMetricWrapper, aliases=("msle", "MSLE")):
    """The mean of `(log(1 + y_true) - log(1 + y_pred))^2`.

    Example:
        >>> metric = pyml.metrics.MeanSquaredLogarithmicError()
        >>> metric.update_state([[1.0, 1.0]], [[0.5, 1.0]])
        >>> round(float(metric.result()), 4)
        0.0414
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3, low=0.1), draw(6, 3, low=0.1),
                     like=lambda y, p: ((np.log1p(y) - np.log1p(p)) ** 2).mean())


class Poisson(MeanMetricWrapper):
    """The mean of `y_pred - y_true * log(y_pred)`, for counts.

    Example:
        >>> metric = pyml.metrics.Poisson()
        >>> metric.update_state([[1.0, 1.0]], [[0.5, 1.0]])
        >>> round(float(metric.result()), 4)
        1.0966
    """

    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3, low=0.1), draw(6, 3, low=0.1),
                     like=lambda y, p: (p - y * np.log(p)).mean())


class SquaredHinge(MeanMetricWrapper):
    """The mean of `max(0, 1 - y_true * y_pred)^2`, for labels -1 and 1; 0 counts as -1.

    Source: Tang 2013, "Deep Learning using Linear Support Vector Machines".

    Example:
        >>> metric = pyml.metrics.SquaredHinge()
        >>> metric.update_state([[0.0, 1.0]], [[0.5, 0.5]])
        >>> round(float(metric.result()), 4)
        1.25
    """

    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3),
                     like=lambda y, p: (np.maximum(1 - (2 * y - 1) * p, 0) ** 2).mean())
