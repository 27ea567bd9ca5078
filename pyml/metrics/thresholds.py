"""Counting right and wrong answers at thresholds: what precision, recall and the areas under curves are made of."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.core.types import TensorLike
from pyml.errors import ShapeError
from pyml.losses.base import squeeze_or_expand_to_same_rank
from pyml.metrics.base import Metric

__all__: list[str] = []

LOWEST = -1e10


def parse_thresholds(thresholds: Any, default: float, owner: str) -> list[float]:
    """The thresholds as a list: what was given, a number or a list, or else the default.

    Raises:
        ValueError: One is no number or lies outside `[0, 1]`.
    """
    if thresholds is None:
        return [default]
    found = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    if not all(isinstance(t, Real) and 0 <= float(t) <= 1 for t in found):
        raise ValueError(f"{owner}: thresholds must lie in [0, 1]. Received: thresholds={thresholds!r}")
    return found


def evenly(thresholds: Sequence[float]) -> bool:
    """Whether three thresholds or more lie evenly between 0 and 1: then their comparison is one of integers."""
    count = len(thresholds)
    return count > 2 and bool(np.allclose(thresholds, np.arange(count, dtype=np.float32) / (count - 1), atol=1e-7))


def of_top(x: Tensor, k: int) -> Tensor:
    """`x` where it is among the `k` largest of its row, else the lowest number; of equal ones the first."""
    n = x.shape[-1]
    mine, other = ops.expand_dims(x, -1), ops.expand_dims(x, -2)
    earlier = np.arange(n)[None] < np.arange(n)[:, None]
    before = ops.logical_or(other > mine, ops.logical_and(ops.equal(other, mine), ops.convert_to_tensor(earlier)))
    return ops.where(ops.sum(ops.cast(before, "int32"), axis=-1) < k, x, LOWEST)


class ThresholdMetric(Metric, abstract=True):
    """Base: counts of right and wrong answers at every threshold, in device memory.

    Attributes:
        true_positives, false_positives, true_negatives, false_negatives: Sums of sample weights, `(thresholds,)`, or
            `(thresholds, labels)`; only those that `_counts` names.
    """

    _counts: tuple[str, ...] = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    true_positives: Variable
    false_positives: Variable
    true_negatives: Variable
    false_negatives: Variable

    def _start(self, limits: Sequence[float], even: bool, labels: int | None = None) -> None:
        """Makes the counts; with `labels` one for each label."""
        self._limits = [float(limit) for limit in limits]
        self._even = even
        shape = (len(self._limits),) if labels is None else (len(self._limits), labels)
        for name in self._counts:
            setattr(self, name, self.add_variable(shape=shape, initializer="zeros", name=name))

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, in order."""
        return self._limits

    def _count(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None, top_k: int | None = None,
               class_id: int | None = None, label_weights: Any = None, by_label: bool = False) -> None:
        """Adds one batch to the counts; a prediction above the threshold says yes."""
        dtype = "float32"  # whatever the metric's is
        truth = ops.cast(ops.convert_to_tensor(y_true), dtype)
        said = ops.cast(ops.convert_to_tensor(y_pred), dtype)
        said, truth = squeeze_or_expand_to_same_rank(said, truth)
        if said.shape != truth.shape:
            raise ShapeError(f"{self.name}: targets of shape {tuple(truth.shape)} do not fit predictions of shape {tuple(said.shape)}; "
                             "class numbers become one-hot rows by utils.to_categorical.")  # fmt: skip
        weights: Any = None
        if sample_weight is not None:
            weights = ops.expand_dims(ops.cast(ops.convert_to_tensor(sample_weight), dtype), -1)
            _, weights = squeeze_or_expand_to_same_rank(truth, weights, expand_rank_1=False)
        if top_k is not None:
            said = of_top(said, top_k)
        if class_id is not None:
            if len(said.shape) == 1:
                raise ShapeError(f"{self.name}: class_id={class_id} needs predictions (samples, classes). Received: {said.shape}")
            truth, said = truth[..., class_id, None], said[..., class_id, None]
        if weights is not None:
            weights = ops.broadcast_to(weights, said.shape)
        if label_weights is not None:
            shares = ops.broadcast_to(ops.expand_dims(ops.convert_to_tensor(label_weights, dtype=dtype), 0), said.shape)
            weights = shares if weights is None else weights * shares
        yes = ops.cast(ops.not_equal(truth, 0.0), dtype)
        yes, no = (yes, 1.0 - yes) if weights is None else (yes * weights, (1.0 - yes) * weights)
        scores, limits = self._scores(said)
        row: Any = (1, *said.shape) if by_label else (1, -1)
        above = ops.reshape(scores, row) > ops.reshape(limits, (-1, 1, 1) if by_label else (-1, 1))
        totals = []
        for kind in (yes, no):
            totals.append(ops.sum(ops.where(above, ops.reshape(kind, row), 0.0), axis=1))
        every = [ops.sum(kind, axis=0) if by_label else ops.sum(kind) for kind in (yes, no)]
        found = {"true_positives": totals[0], "false_positives": totals[1],
                 "true_negatives": every[1] - totals[1], "false_negatives": every[0] - totals[0]}
        for name in self._counts:
            getattr(self, name).assign_add(found[name])

    def _scores(self, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions and what they are compared with."""
        if not self._even:
            return y_pred, ops.convert_to_tensor(np.array(self._limits, np.float32))
        count = len(self._limits)
        above = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * (count - 1.0))       # so many thresholds
        if self._limits[0] < 0:
            above = ops.maximum(above, 1.0)
        return above, ops.convert_to_tensor(np.arange(count, dtype=np.float32))
