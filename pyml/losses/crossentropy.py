"""Cross-entropy between class targets and predicted probabilities or logits, one value per sample."""

from __future__ import annotations

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.losses.base import in_dtype_of_predictions
from pyml.objects.registry import LOSSES
from pyml.tracebacks import warn

__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]


def _float(y_pred: TensorLike) -> Tensor:
    y_pred = ops.convert_to_tensor(y_pred)
    return y_pred if y_pred.dtype == "float32" else ops.cast(y_pred, "float32")


@LOSSES.function()
@in_dtype_of_predictions
def categorical_crossentropy(y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0,
                             axis: int = -1) -> Tensor:
    """`-sum(y_true * log(y_pred))` along `axis`.

    Args:
        y_true: One-hot targets, the shape of `y_pred`.
        y_pred: Probabilities `(batch, ..., classes)`, or logits.
        label_smoothing: Share of the target spread evenly over the classes.
        axis: Axis of the classes.

    Returns:
        Tensor of the shape of the predictions without `axis`, in their dtype.

    Example:
        >>> pyml.losses.categorical_crossentropy([[0.0, 1.0]], [[0.25, 0.75]]).numpy().round(4).tolist()
        [0.28769999742507935]
    """
    y_pred = _float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    if y_pred.shape[-1] == 1:
        warn(
            "categorical_crossentropy: predictions have a single class, so the loss is always 0. "
            f"Received: y_pred.shape={y_pred.shape}. Use 'binary_crossentropy' for two classes.",
            SyntaxWarning,
        )
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@LOSSES.function()
@in_dtype_of_predictions
def sparse_categorical_crossentropy(y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, ignore_class: int | None = None,
                                    axis: int = -1) -> Tensor:
    """`-log(y_pred[y_true])`.

    Args:
        y_true: Classes as integers `(batch, ...)`, or with a last axis of size 1.
        y_pred: Probabilities `(batch, ..., classes)`, or logits.
        ignore_class: A class whose samples give loss 0 and do not count in a mean, for example 255.
        axis: Axis of the classes.

    Returns:
        Tensor of the shape of the predictions without `axis`, in their dtype.

    Example:
        >>> pyml.losses.sparse_categorical_crossentropy([1, 0], [[0.25, 0.75], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.28769999742507935, 0.6930999755859375]
    """
    y_pred = _float(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis=axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = ops.not_equal(y_true, ignore_class)
    y_true = ops.where(valid, y_true, 0)
    y_pred = ops.where(ops.expand_dims(valid, axis), y_pred, 0.0)
    value = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    value = ops.where(valid, value, 0.0)
    value._keras_mask = valid                  # a mean is one over the samples that count
    return value


@LOSSES.function("bce", "BCE")
@in_dtype_of_predictions
def binary_crossentropy(y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0,
                        axis: int = -1) -> Tensor:
    """`-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))` along `axis`.

    Args:
        y_true: Targets 0 or 1, the shape of `y_pred`.
        y_pred: Probabilities, or logits.
        label_smoothing: Moves targets towards 0.5.
        axis: Axis of the mean.

    Returns:
        Tensor of the shape of the predictions without `axis`, in their dtype.

    Example:
        >>> pyml.losses.binary_crossentropy([[1.0, 1.0], [0.0, 1.0]], [[0.5, 1.0], [0.5, 0.5]]).numpy().round(4).tolist()
        [0.3465999960899353, 0.6930999755859375]
    """
    y_pred = _float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)
