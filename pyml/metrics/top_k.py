"""How often the right class is among the best few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.metrics.reduction import MeanMetricWrapper
from pyml.objects.registry import METRICS
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import default_float

__all__ = ["SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy"]


@METRICS.function()
def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """1.0 where the class of the one-hot target is among the `k` largest scores, else 0.0; the last axis is dropped.

    Args:
        y_true: One-hot targets.
        y_pred: A score for each class.
        k: How many of the largest scores count.

    Example:
        >>> pyml.metrics.top_k_categorical_accuracy([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.0, 0.9]], k=2).numpy().tolist()
        [1.0, 0.0]
    """
    return sparse_top_k_categorical_accuracy(ops.argmax(ops.convert_to_tensor(y_true), axis=-1), y_pred, k)


@METRICS.function()
def sparse_top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False) -> Tensor:
    """1.0 where the class `y_true` is among the `k` largest scores, else 0.0.

    Args:
        y_true: Classes `(batch, ...)`.
        y_pred: Scores `(batch, ..., classes)`; or the classes themselves, best first.
        k: How many of the best.
        from_sorted_ids: True when `y_pred` holds classes.

    Example:
        >>> pyml.metrics.sparse_top_k_categorical_accuracy([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.0, 0.9]], k=2).numpy().tolist()
        [1.0, 0.0]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), "int32")
    shape = y_true.shape
    rows = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
    mine = ops.reshape(y_true, (-1, 1))
    if from_sorted_ids:
        found = ops.any(ops.equal(mine, rows[:, :k]), axis=1)
    else:
        own = ops.equal(mine, ops.convert_to_tensor(np.arange(rows.shape[-1], dtype=np.int32)[None]))
        score = ops.max(ops.where(own, rows, -np.inf), axis=1, keepdims=True)
        found = ops.sum(ops.cast(rows > score, "int32"), axis=1) < k
    return ops.reshape(ops.cast(found, default_float()), shape)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot label is among those of the `k` largest scores.

    Args:
        k: How many.
        name: Name in logs.
        dtype: Dtype of the state, float32.

    Example:
        >>> metric = pyml.metrics.TopKCategoricalAccuracy(k=1)
        >>> metric.update_state([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]])
        >>> float(metric.result())
        0.5
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k = k

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return (y.argmax(-1)[:, None] == np.argsort(-p, -1)[:, :2]).any(-1).mean()

        yield sample(cls(k=2), draw(6, 5), draw(6, 5), like=like)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label, an integer, is among the classes of the `k` largest scores.

    Args:
        k: How many.
        name: Name in logs.
        dtype: Dtype of the state, float32.
        from_sorted_ids: True when predictions are classes, best first.

    Example:
        >>> metric = pyml.metrics.SparseTopKCategoricalAccuracy(k=1)
        >>> metric.update_state([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]])
        >>> float(metric.result())
        0.5
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None,
                 from_sorted_ids: bool = False) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k = k
        self.from_sorted_ids = from_sorted_ids

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return (y[:, None] == np.argsort(-p, -1)[:, :2]).any(-1).mean()

        yield sample(cls(k=2), draw(6, low=0, high=5, dtype="int32"), draw(6, 5), like=like)
        yield sample(cls(k=2, from_sorted_ids=True), draw(6, low=0, high=5, dtype="int32"),
                     draw(6, 5, low=0, high=5, dtype="int32"), like=lambda y, p: (y[:, None] == p[:, :2]).any(-1).mean())
