"""The loss of sequences whose labels have no times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.errors import ShapeError
from pyml.losses.base import LossFunctionWrapper
from pyml.losses.crossentropy import _float
from pyml.objects.registry import LOSSES
from pyml.objects.samples import Sample, draw, sample

__all__ = ["CTC", "ctc"]

@LOSSES.function()
def ctc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Minus the logarithm of the chance that the steps of `y_pred` spell the labels `y_true`, with repeats and blanks between them.

    Args:
        y_true: Labels `(batch, labels)`, integers; 0 is the blank and fills up short rows.
        y_pred: Logits `(batch, steps, classes)`.

    Returns:
        Tensor `(batch,)`; infinite where there are too few steps for the labels.

    Raises:
        ShapeError: `y_true` is not of rank 2 or `y_pred` not of rank 3.

    Source: Graves et al. 2006, "Connectionist Temporal Classification".

    Example:
        >>> pyml.losses.ctc([[1]], [[[0.0, 0.0], [0.0, 0.0]]]).numpy().round(4).tolist()     # 3 of 4 ways spell 1
        [0.28769999742507935]
    """
    y_true, y_pred = ops.cast(ops.convert_to_tensor(y_true), "int32"), _float(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ShapeError(
            "ctc: expected labels (batch, labels) and logits (batch, steps, classes). "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    counts = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=1)
    steps = ops.full((y_pred.shape[0],), y_pred.shape[1], "int32")
    return ops.ctc_loss(y_true, y_pred, counts, steps)


class CTC(LossFunctionWrapper):
    """The loss of sequences whose labels have no times; see `ctc` for the arguments.

    Source: Graves et al. 2006, "Connectionist Temporal Classification".

    Example:
        >>> round(float(pyml.losses.CTC()([[1]], [[[0.0, 0.0], [0.0, 0.0]]])), 4)
        0.2877
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None) -> None:
        super().__init__(ctc, reduction=reduction, name=name, dtype=dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            p = np.exp(p) / np.exp(p).sum(-1, keepdims=True)
            spelt = [(1, 2, 2), (1, 1, 2), (0, 1, 2), (1, 0, 2), (1, 2, 0)]
            return -np.mean(np.log([sum(np.prod([row[t, c] for t, c in enumerate(way)]) for way in spelt) for row in p]))

        yield sample(cls(), np.array([[1, 2], [1, 2]]), draw(2, 3, 3), like=like)
        yield sample(cls(), np.array([[2, 2, 0], [1, 0, 0]]), draw(2, 5, 4))
