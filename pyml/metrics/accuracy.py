"""How often predictions are right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.losses.base import squeeze_or_expand_to_same_rank
from pyml.metrics.reduction import MeanMetricWrapper
from pyml.objects.registry import METRICS
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import default_float

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "binary_accuracy", "categorical_accuracy",
    "sparse_categorical_accuracy",
]


@METRICS.function()
def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """1.0 where the values are equal, else 0.0.

    Returns:
        float32 tensor of the shape of the targets.

    Source: `keras.metrics.Accuracy`.

    Example:
        >>> pyml.metrics.accuracy.accuracy([[1], [2]], [[1], [3]]).numpy().tolist()
        [[1.0], [0.0]]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), default_float())


@METRICS.function()
def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """1.0 where `y_pred > threshold` says what `y_true` says, else 0.0.

    Args:
        threshold: What a prediction must be above to mean 1.

    Returns:
        float32 tensor of the shape of the targets.

    Example:
        >>> pyml.metrics.binary_accuracy([[1.0], [0.0], [1.0]], [[0.9], [0.2], [0.4]]).numpy().tolist()
        [[1.0], [1.0], [0.0]]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    said = ops.cast(ops.greater(y_pred, threshold), "float32")
    return ops.cast(ops.equal(ops.cast(y_true, "float32"), said), default_float())


@METRICS.function()
def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1.0 where the largest score is at the one of the one-hot target, else 0.0; the last axis is dropped.

    Args:
        y_true: One-hot targets.
        y_pred: A score for each class.

    Example:
        >>> pyml.metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]]).numpy().tolist()
        [1.0, 0.0]
    """
    right, said = ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)
    if len(right.shape) == len(said.shape) + 1 and right.shape[-1] == 1:
        said = ops.expand_dims(said, axis=-1)
    return ops.cast(ops.equal(right, said), default_float())


@METRICS.function()
def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1.0 where the largest score is at the class `y_true`, else 0.0.

    Args:
        y_true: Classes `(batch, ...)`, or with a last axis of size 1.
        y_pred: Scores `(batch, ..., classes)`.

    Example:
        >>> pyml.metrics.sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.3, 0.7]]).numpy().tolist()
        [1.0, 0.0]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    return ops.cast(ops.equal(ops.cast(y_true, "int32"), ops.cast(ops.argmax(y_pred, axis=-1), "int32")), default_float())


class Accuracy(MeanMetricWrapper):
    """How often predictions equal labels.

    Example:
        >>> m = pyml.metrics.Accuracy()
        >>> m.update_state([[1], [2], [3], [4]], [[0], [2], [3], [4]])
        >>> float(m.result())
        0.75
    """

    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        labels = draw(6, low=0, high=3, dtype="int32")
        yield sample(cls(), labels, labels, like=lambda y, p: (y == p).mean())


class BinaryAccuracy(MeanMetricWrapper):
    """How often `y_pred > threshold` says what the label says; a threshold of 0 is the one for logits.

    Example:
        >>> metric = pyml.metrics.BinaryAccuracy()
        >>> metric.update_state([[1], [0], [1]], [[0.9], [0.2], [0.4]])
        >>> round(float(metric.result()), 4)
        0.6667
    """

    _direction = "up"

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return (y == (p > 0.4)).mean()

        yield sample(cls(threshold=0.4), draw(6, 2, low=0, high=2, dtype="int32"), draw(6, 2, low=0.0, high=1.0), like=like)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest score is at the one of the one-hot label.

    Example:
        >>> metric = pyml.metrics.CategoricalAccuracy()
        >>> metric.update_state([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]])
        >>> round(float(metric.result()), 4)
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), np.eye(6, 3, dtype="float32"), draw(6, 3), like=lambda y, p: (y.argmax(-1) == p.argmax(-1)).mean())


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest score is at the label, an integer.

    Example:
        >>> metric = pyml.metrics.SparseCategoricalAccuracy()
        >>> metric.update_state([1, 0], [[0.2, 0.8], [0.3, 0.7]])
        >>> round(float(metric.result()), 4)
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(6, low=0, high=3, dtype="int32"), draw(6, 3), like=lambda y, p: (y == p.argmax(-1)).mean())
