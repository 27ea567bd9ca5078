"""Means of precision and recall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Variable
from pyml.core.types import TensorLike
from pyml.errors import ShapeError
from pyml.metrics.base import Metric
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import epsilon

__all__ = ["F1Score", "FBetaScore"]

_COUNTS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """`(1 + beta^2) * precision * recall / (beta^2 * precision + recall)`, of every class or their mean.

    Args:
        average: None for one number per class, `"micro"` over all answers, `"macro"` for the mean of the classes,
            `"weighted"` for their mean by how often they are there.
        beta: How many times as much recall counts as precision.
        threshold: Predictions above say yes; the largest of each row where None.
        name: Name in logs.
        dtype: Dtype of the state, float32.

    Targets and predictions are `(batch, classes)`.

    Raises:
        ValueError: An argument is not one of those above.

    Source: van Rijsbergen 1979, "Information Retrieval".

    Example:
        >>> metric = pyml.metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> metric.update_state([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
        >>> metric.result().numpy().round(4).tolist()
        [0.3846000134944916, 0.9090999960899353, 0.833299994468689]
    """

    _direction = "up"

    true_positives: Variable
    false_positives: Variable
    false_negatives: Variable
    intermediate_weights: Variable

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
                 name: str | None = "fbeta_score", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        owner = type(self).__name__
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{owner}: average must be None, 'micro', 'macro' or 'weighted'. Received: average={average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"{owner}: beta must be a float above 0. Received: beta={beta!r}")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(f"{owner}: threshold must be a float in (0, 1]. Received: threshold={threshold!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def _build(self, true: tuple[int, ...], said: tuple[int, ...]) -> None:
        if len(true) != 2 or len(said) != 2:
            raise ShapeError(f"{type(self).__name__}: expected (batch, classes). Received: y_true.shape={true}, y_pred.shape={said}")
        for name in _COUNTS:
            setattr(self, name, self.add_variable(() if self.average == "micro" else (said[-1],), "zeros", self.dtype, name=name))
        self._built = True

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        true = ops.cast(ops.convert_to_tensor(y_true), self._computing_dtype)
        said = ops.cast(ops.convert_to_tensor(y_pred), self._computing_dtype)
        if not self._built:
            self._build(true.shape, said.shape)
        if self.threshold is None:
            yes = ops.logical_and(said >= ops.max(said, axis=-1, keepdims=True), ops.abs(said) > 1e-9)
        else:
            yes = said > self.threshold
        said = ops.cast(yes, self._computing_dtype)
        weights: Any = 1.0
        if sample_weight is not None:
            weights = ops.expand_dims(ops.cast(ops.convert_to_tensor(sample_weight), self._computing_dtype), 1)
        parts = (said * true, said * (1.0 - true), (1.0 - said) * true, true)
        for name, part in zip(_COUNTS, parts, strict=True):
            getattr(self, name).assign_add(ops.sum(part * weights, axis=None if self.average == "micro" else 0))

    def result(self) -> Any:
        if not self._built:
            return ops.convert_to_tensor(0.0)
        precision = self.true_positives / (self.true_positives + self.false_positives + epsilon())
        recall = self.true_positives / (self.true_positives + self.false_negatives + epsilon())
        square = self.beta**2
        score = precision * recall / (square * precision + recall + epsilon()) * (1.0 + square)
        if self.average == "weighted":
            return ops.sum(score * (self.intermediate_weights / (ops.sum(self.intermediate_weights) + epsilon())))
        return score if self.average is None else ops.mean(score)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        bits, chances = draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3, low=0.0, high=1.0)
        yield sample(cls(beta=2.0, threshold=0.4), bits, chances, like=lambda y, p: _score(y, p > 0.4, 2.0, 0))
        yield sample(cls("micro", 0.5), bits, chances, like=lambda y, p: _score(y, p == p.max(-1, keepdims=True), 0.5, None))


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall; arguments as for `FBetaScore`, whose `beta` is 1.

    Source: van Rijsbergen 1979, "Information Retrieval".

    Example:
        >>> metric = pyml.metrics.F1Score(threshold=0.5)
        >>> metric.update_state([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
        >>> metric.result().numpy().round(4).tolist()
        [0.5, 0.800000011920929, 0.666700005531311]
    """

    def __init__(self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score",
                 dtype: Any = None) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        bits, chances = draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3, low=0.0, high=1.0)
        yield sample(cls("macro", 0.3), bits, chances, like=lambda y, p: _score(y, p > 0.3, 1.0, 0).mean())


def _score(y: Any, yes: Any, beta: float, axis: int | None) -> Any:
    both = (y * yes).sum(axis)
    return np.nan_to_num((1 + beta**2) * both / (beta**2 * y.sum(axis) + yes.sum(axis)))
