"""How far predictions go along with targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.core.types import TensorLike
from pyml.errors import ShapeError
from pyml.losses.base import squeeze_or_expand_to_same_rank
from pyml.losses.regression import pair
from pyml.metrics.base import Metric
from pyml.metrics.reduction import MeanMetricWrapper
from pyml.objects.registry import METRICS
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import epsilon

__all__ = ["ConcordanceCorrelation", "PearsonCorrelation", "R2Score", "concordance_correlation", "pearson_correlation"]

_SUMS = ("squared_sum", "sum", "total_mse", "count")


@METRICS.function()
def pearson_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """The covariance of targets and predictions by their standard deviations, along `axis`: between -1 and 1.

    Args:
        axis: The axis along which they are compared.

    Returns:
        Tensor of the shape of the predictions without `axis`, float32.

    Source: Pearson 1895, "Note on Regression and Inheritance in the Case of Two Parents".

    Example:
        >>> pyml.metrics.pearson_correlation([[1.0, 1.0, 0.2]], [[1.0, 0.9, 0.2]]).numpy().round(4).tolist()
        [0.993399977684021]
    """
    y_true, y_pred = pair(y_true, y_pred)
    true = y_true - ops.mean(y_true, axis=axis, keepdims=True)
    said = y_pred - ops.mean(y_pred, axis=axis, keepdims=True)
    true = true / ops.std(true, axis=axis, keepdims=True)
    said = said / ops.std(said, axis=axis, keepdims=True)
    return ops.mean(true * said, axis=axis)


@METRICS.function()
def concordance_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """`2 * covariance / (variances + squared distance of the means)` along `axis`: 1 only where both are equal.

    Args:
        axis: The axis along which they are compared.

    Returns:
        Tensor of the shape of the predictions without `axis`, float32.

    Source: Lin 1989, "A concordance correlation coefficient to evaluate reproducibility".

    Example:
        >>> pyml.metrics.concordance_correlation([[1.0, 1.0, 0.2]], [[1.0, 0.9, 0.2]]).numpy().round(4).tolist()
        [0.9876999855041504]
    """
    y_true, y_pred = pair(y_true, y_pred)
    true, said = (ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    spread = ops.var(y_true, axis=axis, keepdims=True) + ops.var(y_pred, axis=axis, keepdims=True) + ops.square(true - said)
    return ops.mean(2.0 * (y_true - true) * (y_pred - said) / (spread + epsilon()), axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation` over samples.

    Args:
        name: Name in logs.
        dtype: Dtype of the state, float32.
        axis: Axis along which targets and predictions go together.

    Source: Pearson 1895, "Note on Regression and Inheritance in the Case of Two Parents".

    Example:
        >>> metric = pyml.metrics.PearsonCorrelation()
        >>> metric.update_state([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 5), draw(6, 5),
                     like=lambda y, p: np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(y, p, strict=True)]))


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation` over samples; arguments as for `PearsonCorrelation`.

    Source: Lin 1989, "A concordance correlation coefficient to evaluate reproducibility".

    Example:
        >>> metric = pyml.metrics.ConcordanceCorrelation()
        >>> metric.update_state([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]])
        >>> round(float(metric.result()), 4)
        0.9756
    """

    _direction = "up"

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            together = ((y - y.mean(-1, keepdims=True)) * (p - p.mean(-1, keepdims=True))).mean(-1)
            return (2 * together / (y.var(-1) + p.var(-1) + (y.mean(-1) - p.mean(-1)) ** 2)).mean()

        yield sample(cls(), draw(6, 5), draw(6, 5), like=like)


class R2Score(Metric):
    """The share of the targets' variance that the predictions explain: 1 at best, 0 for their mean.

    Args:
        class_aggregation: `"uniform_average"` over the outputs, `"variance_weighted_average"`, or None for one number each.
        num_regressors: How many features the predictions were made of, for the adjusted score; 0 for the plain one.
        name: Name in logs.
        dtype: Dtype of the state, float32.

    Targets and predictions are `(batch, outputs)`. With too few samples to adjust, the score is the plain one.

    Raises:
        ValueError: An argument is not one of those above.

    Example:
        >>> metric = pyml.metrics.R2Score()
        >>> metric.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
        >>> round(float(metric.result()), 4)
        0.5714
    """

    _direction = "up"

    squared_sum: Variable
    sum: Variable
    total_mse: Variable
    count: Variable

    def __init__(self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0, name: str | None = "r2_score",
                 dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(f"R2Score: class_aggregation must be one of {known}. Received: class_aggregation={class_aggregation!r}")
        if num_regressors < 0:
            raise ValueError(f"R2Score: num_regressors must not be negative. Received: num_regressors={num_regressors}")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, true: tuple[int, ...], said: tuple[int, ...]) -> None:
        if len(true) != 2 or len(said) != 2:
            raise ShapeError(f"R2Score: expected (batch, outputs). Received: y_true.shape={true}, y_pred.shape={said}")
        for name in _SUMS:
            setattr(self, name, self.add_variable((said[-1],), "zeros", name=name))
        self._built = True

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        y_true = ops.cast(ops.convert_to_tensor(y_true), self._computing_dtype)
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), self._computing_dtype)
        true, said = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if not self._built:
            self._build(true.shape, said.shape)
        weights = ops.convert_to_tensor(1.0 if sample_weight is None else sample_weight, dtype=self._computing_dtype)
        weights = ops.expand_dims(weights, 1) if len(weights.shape) == 1 else weights
        weights = ops.broadcast_to(weights, true.shape)
        parts = (true * true * weights, true * weights, ops.square(true - said) * weights, weights)
        for name, part in zip(_SUMS, parts, strict=True):
            getattr(self, name).assign_add(ops.sum(part, axis=0))
        self.num_samples.assign_add(float(np.prod(true.shape)))

    def result(self) -> Any:
        if not self._built:
            return ops.convert_to_tensor(0.0)
        total = self.squared_sum - self.sum * (self.sum / self.count)
        each = 1.0 - self.total_mse / total
        each = ops.where(ops.isinf(each), 0.0, each)
        score = each
        if self.class_aggregation == "uniform_average":
            score = ops.mean(each)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.sum(total * each) / ops.sum(total)
        if not self.num_regressors:
            return score
        left = self.num_samples - (self.num_regressors + 1.0)
        adjusted = 1.0 - (1.0 - score) * (self.num_samples - 1.0) / ops.maximum(left, 1.0)
        return ops.where(left > 0, adjusted, score)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def each(y: Any, p: Any) -> Any:
            return 1 - ((y - p) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)

        yield sample(cls(), draw(6, 3), draw(6, 3), like=lambda y, p: each(y, p).mean())
        yield sample(cls(None, num_regressors=2), draw(6, 3), draw(6, 3), like=lambda y, p: 1 - (1 - each(y, p)) * 17 / 15)
