"""A loss between embeddings of which the classes are known."""

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

__all__ = ["Circle", "circle"]

_NONE = -1e30       # the logarithm of nothing: minus infinity would have no gradient


@LOSSES.function()
@in_dtype_of_predictions
def circle(y_true: TensorLike, y_pred: TensorLike, ref_labels: TensorLike | None = None, ref_embeddings: TensorLike | None = None,
           remove_diagonal: bool = True, gamma: float = 80, margin: float = 0.4) -> Tensor:
    """Draws embeddings of one class together and those of different classes apart, the more the further they are from where they belong.

    Args:
        y_true: Classes `(batch,)`, integers.
        y_pred: Embeddings `(batch, n)` of length 1.
        ref_labels: Classes of the embeddings to compare with; `y_true` where None.
        ref_embeddings: Embeddings to compare with; `y_pred` where None.
        remove_diagonal: An embedding is not compared with itself.
        gamma: Scale of the distances.
        margin: How far apart the classes are to be.

    Returns:
        Tensor `(batch,)`; samples with loss 0 do not count in a mean.

    Source: Sun et al. 2020, "Circle Loss: A Unified Perspective of Pair Similarity Optimization".

    Example:
        >>> pyml.losses.circle([0, 0], [[1.0, 0.0], [1.0, 0.0]]).numpy().tolist()    # no other class
        [0.0, 0.0]
    """
    y_pred = _float(y_pred)
    labels = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), (-1, 1))
    others = y_pred if ref_embeddings is None else _float(ref_embeddings)
    other_labels = labels if ref_labels is None else ops.reshape(ops.cast(ops.convert_to_tensor(ref_labels), "int32"), (-1, 1))
    distances = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(others)), 0.0)
    same = ops.equal(labels, ops.transpose(other_labels))
    apart = ops.logical_not(same)
    if remove_diagonal:
        same = ops.logical_and(same, ops.equal(ops.eye(labels.shape[0], other_labels.shape[0]), 0.0))
    pull = -gamma * (margin + distances) * (margin - distances)
    push = gamma * ops.maximum(1.0 + margin - distances, 0.0) * (1.0 - margin - distances)
    pull = ops.logsumexp(ops.where(same, pull, _NONE), axis=1)
    push = ops.logsumexp(ops.where(apart, push, _NONE), axis=1)
    loss = ops.softplus(pull + push)
    loss._keras_mask = ops.greater(loss, 0.0)
    return loss


class Circle(LossFunctionWrapper):
    """Draws embeddings of one class together; see `circle` for the arguments.

    Source: Sun et al. 2020, "Circle Loss: A Unified Perspective of Pair Similarity Optimization".

    Example:
        >>> float(pyml.losses.Circle()([0, 0], [[1.0, 0.0], [1.0, 0.0]]))
        0.0
    """

    def __init__(self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "circle", dtype: Any = None) -> None:
        super().__init__(circle, reduction=reduction, name=name, dtype=dtype, gamma=gamma, margin=margin,
                         remove_diagonal=remove_diagonal)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(y: Any, p: Any) -> Any:
            d = np.maximum(1 - p @ p.T, 0)
            same = y[:, None] == y[None]
            pull = np.exp(-2 * (0.3 + d) * (0.3 - d))
            push = np.exp(2 * np.maximum(1.3 - d, 0) * (0.7 - d))
            pulled = (pull * (same & ~np.eye(len(y), dtype=bool))).sum(1)
            each = np.log1p(pulled * (push * ~same).sum(1))
            return each.sum() / max((each > 0).sum(), 1)

        yield sample(cls(2.0, 0.3), np.array([0, 1, 0, 1, 2]), draw(5, 3, low=-0.5, high=0.5), like=like)
