"""Counts of right and wrong answers, precision and recall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.types import TensorLike
from pyml.metrics.thresholds import LOWEST, ThresholdMetric, evenly, parse_thresholds
from pyml.objects.samples import Sample, draw, sample

__all__ = ["FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives"]

_BITS, _CHANCES = draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3, low=0.0, high=1.0)


class _Count(ThresholdMetric):
    """One of the four counts, at one threshold or several."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = self._thresholds = thresholds
        limits = parse_thresholds(thresholds, 0.5, type(self).__name__)
        self._start(limits, evenly(limits))

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        self._count(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        count = ops.convert_to_tensor(getattr(self, self._counts[0]))
        return count[0] if len(self._limits) == 1 else count

    @property
    def accumulator(self) -> Any:
        """The Variable of the count."""
        return getattr(self, self._counts[0])


class TruePositives(_Count):
    """How many samples are rightly called positive.

    Args:
        thresholds: A number in `[0, 1]` or several: predictions above say yes; 0.5 where None.
        name: Name in logs.
        dtype: Dtype of the state, float32.

    Example:
        >>> metric = pyml.metrics.TruePositives()
        >>> metric.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> float(metric.result())
        2.0
    """

    _counts = ("true_positives",)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), _BITS, _CHANCES, like=lambda y, p: ((y == 1) & (p > 0.5)).sum())
        yield sample(cls([0.2, 0.7]), _BITS, _CHANCES, like=lambda y, p: np.array([((y == 1) & (p > t)).sum() for t in (0.2, 0.7)]))


class FalsePositives(_Count):
    """How many samples are wrongly called positive; arguments as for `TruePositives`.

    Example:
        >>> metric = pyml.metrics.FalsePositives()
        >>> metric.update_state([0, 1, 0, 0], [0, 0, 1, 1])
        >>> float(metric.result())
        2.0
    """

    _counts = ("false_positives",)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3), _BITS, _CHANCES, like=lambda y, p: ((y == 0) & (p > 0.3)).sum())


class TrueNegatives(_Count):
    """How many samples are rightly called negative; arguments as for `TruePositives`.

    Example:
        >>> metric = pyml.metrics.TrueNegatives()
        >>> metric.update_state([0, 1, 0, 0], [1, 1, 0, 0])
        >>> float(metric.result())
        2.0
    """

    _counts = ("true_negatives",)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3), _BITS, _CHANCES, like=lambda y, p: ((y == 0) & (p <= 0.3)).sum())


class FalseNegatives(_Count):
    """How many samples are wrongly called negative; arguments as for `TruePositives`.

    Example:
        >>> metric = pyml.metrics.FalseNegatives()
        >>> metric.update_state([0, 1, 1, 1], [0, 1, 0, 0])
        >>> float(metric.result())
        2.0
    """

    _counts = ("false_negatives",)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3), _BITS, _CHANCES, like=lambda y, p: ((y == 1) & (p <= 0.3)).sum())


class _Share(ThresholdMetric):
    """True positives among those and another count."""

    _direction = "up"

    def __init__(self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = self._thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        limits = parse_thresholds(thresholds, 0.5 if top_k is None else LOWEST, type(self).__name__)
        self._start(limits, evenly(limits))

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        self._count(y_true, y_pred, sample_weight, self.top_k, self.class_id)

    def result(self) -> Any:
        share = ops.divide_no_nan(self.true_positives, self.true_positives + getattr(self, self._counts[1]))
        return share[0] if len(self._limits) == 1 else share


class Precision(_Share):
    """The share of those called positive that are so: true positives / (true and false positives).

    Args:
        thresholds: A number in `[0, 1]` or several: predictions above say yes; 0.5 where None.
        top_k: The k largest predictions of each row say yes.
        class_id: Count this class only.
        name: Name in logs.
        dtype: Dtype of the state, float32.

    Example:
        >>> metric = pyml.metrics.Precision()
        >>> metric.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(metric.result()), 4)
        0.6667
    """

    _counts = ("true_positives", "false_positives")

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def best_two(y: Any, p: Any) -> Any:
            best = np.argsort(-p, axis=-1)[:, :2]
            return np.take_along_axis(y, best, -1).mean()

        yield sample(cls(), _BITS, _CHANCES, like=lambda y, p: y[p > 0.5].mean())
        yield sample(cls(top_k=2), _BITS, _CHANCES, like=best_two)


class Recall(_Share):
    """The share of the positive ones that are found: true positives / (true positives and false negatives); arguments as for `Precision`.

    Example:
        >>> metric = pyml.metrics.Recall()
        >>> metric.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(metric.result()), 4)
        0.6667
    """

    _counts = ("true_positives", "false_negatives")

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls([0.3, 0.6]), _BITS, _CHANCES, like=lambda y, p: np.array([(p > t)[y == 1].mean() for t in (0.3, 0.6)]))
        yield sample(cls(class_id=1), _BITS, _CHANCES, like=lambda y, p: ((p > 0.5) & (y == 1))[:, 1].sum() / max(y[:, 1].sum(), 1))
