"""How far classes of pixels overlap, gathered in one table of truth and answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.types import TensorLike
from pyml.graph.sizes import count_of
from pyml.metrics.base import Metric
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import epsilon

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """The mean over `target_class_ids` of `both / (truth + answer - both)`.

    Args:
        num_classes: Number of classes.
        target_class_ids: Classes that count.
        name: Name in logs.
        dtype: Dtype of the table, int32.
        ignore_class: A class of the truth whose pixels do not count, for example 255.
        sparse_y_true, sparse_y_pred: False where class numbers are given as scores along `axis`.
        axis: Axis of the scores.

    Classes that are neither in the truth nor in the answers do not count; neither do pixels with no such class.

    Raises:
        ValueError: A class of `target_class_ids` is not below `num_classes`, or that is no positive integer.

    Source: Jaccard 1912, "The Distribution of the Flora in the Alpine Zone".

    Example:
        >>> metric = pyml.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(metric.result()), 4)
        0.3333
    """

    _direction = "up"

    _reads_numbers = True

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
                 ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        count_of(num_classes, type(self).__name__, "num_classes", 1)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"{type(self).__name__}: every target class must be below num_classes={num_classes}. "
                f"Received: target_class_ids={list(target_class_ids)}"
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable((num_classes, num_classes), "zeros", self.dtype, name="total_confusion_matrix")

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        n = self.num_classes
        true = self._classes(y_true, self.sparse_y_true)
        said = self._classes(y_pred, self.sparse_y_pred)
        counts = ops.logical_and(ops.logical_and(true >= 0, true < n), ops.logical_and(said >= 0, said < n))
        if self.ignore_class is not None:
            counts = ops.logical_and(counts, ops.not_equal(true, self.ignore_class))
        weights: Any = 1.0
        if sample_weight is not None:
            weights = ops.cast(ops.cast(ops.convert_to_tensor(sample_weight), self._computing_dtype), "float32")
            weights = ops.broadcast_to(ops.reshape(weights, (-1,)), true.shape)
        weights = ops.where(counts, weights, 0.0)
        cell = ops.expand_dims(true * n + said, 0)
        cells = ops.convert_to_tensor(np.arange(n * n, dtype=np.int32)[:, None])
        table = ops.sum(ops.where(ops.equal(cell, cells), weights, 0.0), axis=1)
        self.total_cm.assign_add(ops.reshape(ops.cast(table, self._computing_dtype), (n, n)))

    def _classes(self, values: TensorLike, sparse: bool) -> Any:
        values = ops.convert_to_tensor(values)
        return ops.reshape(ops.cast(values if sparse else ops.argmax(values, axis=self.axis), "int32"), (-1,))

    def _state_dtype(self) -> None:
        """The result is float32 whatever the table is, as in Keras."""

    def result(self) -> Any:
        table = ops.cast(self.total_cm, "float32")
        both = ops.sum(table * ops.eye(self.num_classes), axis=0)
        either = ops.sum(table, axis=0) + ops.sum(table, axis=1) - both
        times = np.array([self.target_class_ids.count(i) for i in range(self.num_classes)], np.float32)
        there = ops.where(either > 0, times, 0.0)
        return ops.sum(there * both / (either + epsilon())) / (ops.sum(there) + epsilon())

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, [0, 2]), *_CLASSES, like=lambda y, p: _mean_iou(y, p, (0, 2)))
        yield sample(cls(3, [0, 1], ignore_class=2), *_CLASSES, like=lambda y, p: _mean_iou(y[y != 2], p[y != 2], (0, 1)))


class BinaryIoU(IoU):
    """`IoU` of two classes: predictions from `threshold` on are class 1.

    Args:
        target_class_ids: Classes that count, of 0 and 1.
        threshold: Least prediction of class 1.
        name: Name in logs.
        dtype: Dtype of the table, int32.

    Source: Jaccard 1912, "The Distribution of the Flora in the Alpine Zone".

    Example:
        >>> metric = pyml.metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
        >>> metric.update_state([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
        >>> round(float(metric.result()), 4)
        0.3333
    """

    def __init__(self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
        super().update_state(y_true, ops.cast(y_pred >= self.threshold, "int32"), sample_weight)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(threshold=0.4), draw(6, 4, low=0, high=2, dtype="int32"), draw(6, 4, low=0.0, high=1.0),
                     like=lambda y, p: _mean_iou(y, p >= 0.4, (0, 1)))


class MeanIoU(IoU):
    """`IoU` of all classes; arguments as there.

    Source: Jaccard 1912, "The Distribution of the Flora in the Alpine Zone".

    Example:
        >>> metric = pyml.metrics.MeanIoU(num_classes=2)
        >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(metric.result()), 4)
        0.3333
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
                 sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1) -> None:
        every = range(count_of(num_classes, type(self).__name__, "num_classes", 1))
        super().__init__(num_classes, every, name=name, dtype=dtype, ignore_class=ignore_class,
                         sparse_y_true=sparse_y_true, sparse_y_pred=sparse_y_pred, axis=axis)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(4), *_CLASSES, like=lambda y, p: _mean_iou(y, p, (0, 1, 2)))


class OneHotIoU(IoU):
    """`IoU` of a truth that is one-hot; arguments as there.

    Source: Jaccard 1912, "The Distribution of the Flora in the Alpine Zone".

    Example:
        >>> metric = pyml.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> metric.update_state([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])
        >>> float(metric.result().numpy().round(4))
        0.5
    """

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
                 ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1) -> None:
        super().__init__(num_classes, target_class_ids, name=name, dtype=dtype, ignore_class=ignore_class, sparse_y_true=False,
                         sparse_y_pred=sparse_y_pred, axis=axis)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, [0, 2]), draw(6, 3), draw(6, 3), like=lambda y, p: _mean_iou(y.argmax(-1), p.argmax(-1), (0, 2)))


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of a truth that is one-hot; arguments as for `IoU`.

    Source: Jaccard 1912, "The Distribution of the Flora in the Alpine Zone".

    Example:
        >>> metric = pyml.metrics.OneHotMeanIoU(num_classes=2)
        >>> metric.update_state([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])
        >>> float(metric.result().numpy().round(4))
        0.25
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
                 sparse_y_pred: bool = False, axis: int = -1) -> None:
        super().__init__(num_classes, name=name, dtype=dtype, ignore_class=ignore_class, sparse_y_true=False,
                         sparse_y_pred=sparse_y_pred, axis=axis)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3), draw(6, 3), draw(6, 3), like=lambda y, p: _mean_iou(y.argmax(-1), p.argmax(-1), (0, 1, 2)))


_CLASSES = draw(6, 4, low=0, high=3, dtype="int32"), draw(6, 4, low=0, high=3, dtype="int32")


def _mean_iou(true: Any, said: Any, classes: Sequence[int]) -> Any:
    pairs = [((true == c) & (said == c), (true == c) | (said == c)) for c in classes]
    return np.mean([both.sum() / either.sum() for both, either in pairs if either.any()])
