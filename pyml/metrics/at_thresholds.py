"""The best of one share where another is at least so large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.types import TensorLike
from pyml.metrics.thresholds import ThresholdMetric
from pyml.objects.samples import Sample, draw, sample

__all__ = ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]


class _At(ThresholdMetric):
    """The largest of one share over the thresholds at which another is at least `value`."""

    _direction = "up"

    def __init__(self, value: float, what: str, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"{type(self).__name__}: {what} must lie in [0, 1]. Received: {what}={value}")
        if num_thresholds <= 0:
            raise ValueError(f"{type(self).__name__}: num_thresholds must be positive. Received: num_thresholds={num_thresholds}")
        super().__init__(name=name, dtype=dtype)
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self._start([0.5] if num_thresholds == 1 else np.linspace(0, 1, num_thresholds).tolist(), num_thresholds > 1)

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        self._count(y_true, y_pred, sample_weight, class_id=self.class_id)

    def _best(self, held: Any, wanted: Any) -> Any:
        return ops.max(ops.where(ops.greater_equal(held, self.value), wanted, 0.0))

    @property
    def _recall(self) -> Any:
        return ops.divide_no_nan(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def _precision(self) -> Any:
        return ops.divide_no_nan(self.true_positives, self.true_positives + self.false_positives)

    @property
    def _specificity(self) -> Any:
        return ops.divide_no_nan(self.true_negatives, self.true_negatives + self.false_positives)


def _sample(made: Any, least: float, held: Any, wanted: Any) -> Sample:
    """A sample that is judged by two shares of truth, answer and threshold."""

    def like(y: Any, p: Any) -> Any:
        pairs = [(held(y, p > t), wanted(y, p > t)) for t in np.linspace(0, 1, 5)]
        return max([wanted for held, wanted in pairs if held >= least], default=0.0)

    return sample(made, draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3, low=0.0, high=1.0), like=like)


def _recall_of(y: Any, yes: Any) -> Any:
    return yes[y == 1].mean()


def _specificity_of(y: Any, yes: Any) -> Any:
    return 1 - yes[y == 0].mean()


def _precision_of(y: Any, yes: Any) -> Any:
    return y[yes].mean() if yes.any() else 0.0


class SensitivityAtSpecificity(_At):
    """The best sensitivity (recall) where the specificity is at least `specificity`.

    Args:
        specificity: In `[0, 1]`.
        num_thresholds: How many thresholds are tried, evenly from 0 to 1.
        class_id: Count this class only.
        name: Name in logs.
        dtype: Dtype of the state, float32.

    Raises:
        ValueError: `specificity` lies outside `[0, 1]`, or `num_thresholds` is not positive.

    Example:
        >>> metric = pyml.metrics.SensitivityAtSpecificity(0.5)
        >>> metric.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> float(metric.result())
        0.5
    """

    def __init__(self, specificity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(specificity, "specificity", num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Any:
        return self._best(self._specificity, self._recall)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield _sample(cls(0.4, num_thresholds=5), 0.4, _specificity_of, _recall_of)


class SpecificityAtSensitivity(_At):
    """The best specificity where the sensitivity (recall) is at least `sensitivity`; arguments as for `SensitivityAtSpecificity`.

    Example:
        >>> metric = pyml.metrics.SpecificityAtSensitivity(0.5)
        >>> metric.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> round(float(metric.result()), 4)
        0.6667
    """

    def __init__(self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(sensitivity, "sensitivity", num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        return self._best(self._recall, self._specificity)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield _sample(cls(0.4, num_thresholds=5), 0.4, _recall_of, _specificity_of)


class PrecisionAtRecall(_At):
    """The best precision where the recall is at least `recall`; arguments as for `SensitivityAtSpecificity`.

    Example:
        >>> metric = pyml.metrics.PrecisionAtRecall(0.5)
        >>> metric.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> float(metric.result())
        0.5
    """

    def __init__(self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(recall, "recall", num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Any:
        return self._best(self._recall, self._precision)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield _sample(cls(0.4, num_thresholds=5), 0.4, _recall_of, _precision_of)


class RecallAtPrecision(_At):
    """The best recall where the precision is at least `precision`; arguments as for `SensitivityAtSpecificity`.

    Example:
        >>> metric = pyml.metrics.RecallAtPrecision(0.8)
        >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> float(metric.result())
        0.5
    """

    def __init__(self, precision: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(precision, "precision", num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Any:
        return self._best(self._precision, self._recall)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield _sample(cls(0.4, num_thresholds=5), 0.4, _precision_of, _recall_of)
