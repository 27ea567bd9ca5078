"""A cross-entropy for labels of which some are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.losses.base import LossFunctionWrapper, in_dtype_of_predictions
from pyml.losses.crossentropy import _float
from pyml.objects.registry import LOSSES
from pyml.objects.samples import Sample, draw, sample

__all__ = ["CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy"]


@LOSSES.function()
@in_dtype_of_predictions
def categorical_generalized_cross_entropy(y_true: TensorLike, y_pred: TensorLike, q: float) -> Tensor:
    """`(1 - p^q) / q`, where p is the probability of the right class.

    Args:
        y_true: Classes as integers `(batch, ...)`.
        y_pred: Probabilities `(batch, ..., classes)`.
        q: In `(0, 1)`: near 0 the cross-entropy, near 1 the absolute error.

    Returns:
        Tensor `(batch,)` in the dtype of the predictions.

    Source: Zhang and Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels".

    Example:
        >>> pyml.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5).numpy().tolist()
        [1.0]
    """
    y_pred = _float(y_pred)
    hot = ops.one_hot(ops.cast(ops.convert_to_tensor(y_true), "int32"), y_pred.shape[-1])
    return (1.0 - ops.power(ops.sum(y_pred * hot, axis=-1), q)) / q


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Cross-entropy that bears wrong labels; see `categorical_generalized_cross_entropy` for the arguments.

    Raises:
        ValueError: `q` lies outside `(0, 1)`.

    Source: Zhang and Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels".

    Example:
        >>> float(pyml.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
        1.0
    """

    def __init__(self, q: float = 0.5, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "categorical_generalized_cross_entropy", dtype: Any = None) -> None:
        if not 0 < q < 1:
            raise ValueError(f"CategoricalGeneralizedCrossEntropy: q must lie in (0, 1). Received: q={q}")
        super().__init__(categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q)
        self.q = q

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            return ((1 - p[np.arange(4), y.astype(int)] ** 0.7) / 0.7).mean()

        yield sample(cls(0.7), draw(4, low=0, high=3, dtype="int32"), draw(4, 3, low=0.1, high=0.9), like=like)
