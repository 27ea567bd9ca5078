"""Cross-entropies that count what is predicted badly more than what is predicted well."""

from __future__ import annotations

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.losses.base import in_dtype_of_predictions
from pyml.losses.crossentropy import _float
from pyml.objects.registry import LOSSES
from pyml.settings import epsilon

__all__ = ["binary_focal_crossentropy", "categorical_focal_crossentropy"]


@LOSSES.function()
@in_dtype_of_predictions
def binary_focal_crossentropy(y_true: TensorLike, y_pred: TensorLike, apply_class_balancing: bool = False, alpha: float = 0.25,
                              gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """The binary cross-entropy times `(1 - p)^gamma`, where p is the probability given to the right answer; the mean along `axis`.

    Args:
        y_true: Targets 0 or 1, the shape of `y_pred`.
        y_pred: Probabilities, or logits.
        apply_class_balancing: Also weigh ones by `alpha` and zeros by `1 - alpha`.
        alpha: Weight of the ones.
        gamma: How much less an easy sample counts; 0 is the plain cross-entropy.
        label_smoothing: Moves targets towards 0.5.
        axis: Axis of the mean.

    Returns:
        Tensor of the shape of the predictions without `axis`, in their dtype.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".

    Example:
        >>> pyml.losses.binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4).tolist()
        [0.17329999804496765]
    """
    y_pred = _float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    value = ops.power(1.0 - right, gamma) * ops.binary_crossentropy(y_true, y_pred)
    if apply_class_balancing:
        value = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * value
    return ops.mean(value, axis=axis)


@LOSSES.function()
@in_dtype_of_predictions
def categorical_focal_crossentropy(y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.25, gamma: float = 2.0,
                                   from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """`-sum(alpha * (1 - y_pred)^gamma * y_true * log(y_pred))` along `axis`.

    Args:
        y_true: One-hot targets, the shape of `y_pred`.
        y_pred: Probabilities `(batch, ..., classes)`, or logits.
        alpha: Weight of all classes, or a list with one for each.
        gamma: How much less an easy sample counts.
        label_smoothing: Share of the target spread evenly over the classes.
        axis: Axis of the classes.

    Returns:
        Tensor of the shape of the predictions without `axis`, in their dtype.

    Raises:
        ValueError: `axis` is not an integer.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".

    Example:
        >>> pyml.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4).tolist()
        [0.043299999088048935]
    """
    if isinstance(axis, bool):
        raise ValueError(f"categorical_focal_crossentropy: axis must be an integer. Received: axis={axis!r}")
    y_pred = _float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    share = ops.clip(y_pred / ops.sum(y_pred, axis=axis, keepdims=True), epsilon(), 1.0 - epsilon())
    weight = ops.power(1.0 - share, gamma) * alpha
    return ops.sum(-weight * y_true * ops.log(share), axis=axis)
