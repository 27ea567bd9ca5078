"""The focal cross-entropies as classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml.losses.base import LossFunctionWrapper
from pyml.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from pyml.objects.samples import Sample, draw, sample

__all__ = ["BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"]


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross-entropy that counts what is hard; see `binary_focal_crossentropy` for the arguments.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".

    Example:
        >>> round(float(pyml.losses.BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.1733
    """

    def __init__(self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
                 label_smoothing: float = 0.0, axis: int = -1, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "binary_focal_crossentropy", dtype: Any = None) -> None:
        super().__init__(binary_focal_crossentropy, reduction=reduction, name=name, dtype=dtype,
                         apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma, from_logits=from_logits,
                         label_smoothing=label_smoothing, axis=axis)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            right = np.where(y == 1, p, 1 - p)
            return -((1 - right) ** 2 * np.log(right)).mean()

        bits = draw(4, 3, low=0, high=2, dtype="int32")
        yield sample(cls(), bits, draw(4, 3, low=0.1, high=0.9), like=like)
        yield sample(cls(True, 0.3, 1.5, from_logits=True, label_smoothing=0.1), bits, draw(4, 3))


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross-entropy that counts what is hard; see `categorical_focal_crossentropy` for the arguments.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".

    Example:
        >>> round(float(pyml.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.0433
    """

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
                 axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_focal_crossentropy",
                 dtype: Any = None) -> None:
        super().__init__(categorical_focal_crossentropy, reduction=reduction, name=name, dtype=dtype, alpha=alpha, gamma=gamma,
                         from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            p = p / p.sum(-1, keepdims=True)
            return -(0.25 * (1 - p) ** 2 * y * np.log(p)).sum(-1).mean()

        hot = np.eye(4, 3, dtype="float32")
        yield sample(cls(), hot, draw(4, 3, low=0.1, high=0.9), like=like)
        yield sample(cls(0.4, 1.5, from_logits=True, label_smoothing=0.1), hot, draw(4, 3))
