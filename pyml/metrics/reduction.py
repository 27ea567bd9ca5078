"""Sums and means of values over batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.core.types import TensorLike
from pyml.dtypes import standardize
from pyml.errors import ShapeError, tell_misfit
from pyml.losses.base import apply_mask, squeeze_or_expand_to_same_rank
from pyml.losses.regression import mean_absolute_error
from pyml.metrics.base import Metric
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]


def reduce_to_samplewise_values(values: Any, sample_weight: Any, reduce_fn: Callable[..., Any], dtype: str) -> tuple[Any, Any]:
    """`values` with all axes but the first reduced, weighted; and the weights in the same shape, or None."""
    mask = getattr(values, "_keras_mask", None)
    values = ops.cast(ops.convert_to_tensor(values), dtype)
    if sample_weight is not None:
        sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
        if mask is not None:                           # a class that is ignored, say: without weights it counts as 0, as in Keras
            sample_weight = apply_mask(sample_weight, mask, dtype, "sum")
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        rank = len(sample_weight.shape)
        if len(values.shape) > rank:
            values = reduce_fn(values, axis=tuple(range(rank, len(values.shape))))
        sample_weight = ops.broadcast_to(sample_weight, values.shape)
        values = values * sample_weight
        if rank > 1:
            sample_weight = reduce_fn(sample_weight, axis=tuple(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce_fn(values, axis=tuple(range(1, len(values.shape))))
    return values, sample_weight


def size_of(values: Tensor) -> float:
    """Number of rows, as a Python number."""
    return float(values.shape[0]) if len(values.shape) else 1.0


class RunningTotal:
    """A Variable that many small numbers are added to, and what rounding has kept from it so far.

    float32 ends at 16,777,216 when ones are added, and 10 million tenths make 1,087,937; with the rest kept the total
    is right to its last place. Source: Kahan 1965, "Further remarks on reducing truncation errors".

    Args:
        total: The Variable; it starts at 0.
    """

    def __init__(self, total: Variable) -> None:
        self.total = total
        start = np.zeros(total.shape, standardize(total.dtype))
        self.excess = Variable(start, trainable=False, name=f"{total.name}_excess")

    def add(self, value: Any) -> None:
        """Adds `value`."""
        old = self.total.value
        step = value - self.excess.value
        new = old + step
        # the choice keeps compilers from seeing that (old + step) - old is step
        self.excess.assign((ops.where(ops.isfinite(new), new, old) - old) - step)
        self.total.assign(new)

    def reset(self) -> None:
        """Forgets the rest; the Variable itself belongs to its metric."""
        self.excess.assign(np.zeros(self.excess.shape, standardize(self.excess.dtype)))


class Sum(Metric):
    """The (weighted) sum of all values.

    Example:
        >>> m = pyml.metrics.Sum()
        >>> m.update_state([1, 3, 5, 7])
        >>> float(m.result())
        16.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="total")
        self._running_total = RunningTotal(self.total)

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        values, _ = reduce_to_samplewise_values(values, sample_weight, ops.sum, self._computing_dtype)
        self._running_total.add(ops.sum(values))

    def reset_state(self) -> None:
        super().reset_state()
        self._running_total.reset()

    def result(self) -> Any:
        return ops.convert_to_tensor(self.total)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3), like=np.sum)


class Mean(Metric):
    """The (weighted) mean of all values.

    Example:
        >>> m = pyml.metrics.Mean()
        >>> m.update_state([1, 3, 5, 7])
        >>> float(m.result())
        4.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="count")
        self._running_total = (RunningTotal(self.total), RunningTotal(self.count))

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        each, weights = reduce_to_samplewise_values(values, sample_weight, ops.mean, self._computing_dtype)
        total, count = self._running_total
        total.add(ops.sum(each))
        count.add(size_of(each) if weights is None else ops.sum(weights))

    def reset_state(self) -> None:
        super().reset_state()
        for running in self._running_total:
            running.reset()

    def result(self) -> Any:
        empty = ops.equal(self.count, 0.0)
        return ops.where(empty, 0.0, self.total / ops.where(empty, 1.0, self.count))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, 3), like=np.mean)


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, one value per sample.

    Example:
        >>> metric = pyml.metrics.MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")
        >>> metric.update_state(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        >>> float(metric.result())
        1.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]  # a Mean of two arguments, as in Keras
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        sample_weight = apply_mask(sample_weight, getattr(y_pred, "_keras_mask", None), self._computing_dtype, "sum")
        try:
            values = self._fn(y_true, y_pred, **self._fn_kwargs)
        except ShapeError as error:
            tell_misfit(error, self.name, y_true, y_pred)
            raise
        if values is None:
            raise TypeError(f"{self.name}: the metric returned None; end it with `return`.")
        super().update_state(values, sample_weight=sample_weight)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        if cls is MeanMetricWrapper:
            yield sample(cls(mean_absolute_error, name="distance"), draw(6, 3), draw(6, 3), like=lambda y, p: abs(y - p).mean())
