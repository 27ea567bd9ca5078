"""The base of losses: per-sample values, sample weights, reduction to a number."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from pyml import dtype_policies, ops
from pyml.core import Tensor
from pyml.core.naming import auto_name, get_object_name
from pyml.core.tree import flatten, is_nested, map_structure, pack_sequence_as
from pyml.core.types import TensorLike
from pyml.dtypes import LARGEST, narrow, standardize
from pyml.errors import Forgotten, ShapeError, Undefined, tell_misfit
from pyml.objects.common_part import CommonOfFunctions, CommonPart
from pyml.objects.configured import Configured
from pyml.objects.registry import LOSSES
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import floatx
from pyml.tracebacks import is_ours

__all__ = ["Loss", "LossFunctionWrapper", "reduce_weighted_values"]

LOSSES.common_of_functions = CommonOfFunctions(
    "keras.losses",
    arguments={
        "y_true": "Targets `(batch, ..., n)`.",
        "y_pred": "Predictions, of the shape of the targets.",
        "from_logits": "True when `y_pred` holds logits.",
    },
    returns="Tensor `(batch, ...)` in the dtype of the predictions.",
    errors={"": "ShapeError: The shapes do not fit each other."},
)
F = TypeVar("F", bound=Callable[..., Any])
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(Configured, Forgotten, kind=LOSSES, abstract=True):
    """Base: write `call(y_true, y_pred)` that returns one value per sample.

    Args:
        name: Name in logs.
        reduction: `"sum_over_batch_size"` (the mean over all values), `"mean"` (the same), `"sum"`,
            `"mean_with_sample_weight"` (the sum divided by the sum of weights) or `"none"`.
        dtype: Dtype of predictions and of the loss, float32; of `"float16"` and `"bfloat16"` it is computed in 32 bits and rounded.

    Raises:
        ValueError: `reduction` is none of these words.
        Undefined: A subclass does not define `call`.
        TypeError: `call` returned None.

    Source: `keras.losses.Loss`.

    Example:
        >>> class Largest(pyml.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return pyml.ops.max(abs(y_true - y_pred), axis=-1)
        >>> float(Largest()(np.array([[1.0, 3.0]]), np.array([[1.0, 1.0]])))
        2.0
    """

    _common_part = CommonPart(
        "keras.losses",
        "Called with targets `y_true`, predictions `y_pred` `(batch, ...)` and, where there are some, weights `sample_weight` `(batch,)`,\n"
        "it gives a number `()` of its dtype, or those of the samples with `reduction=None`.",
        arguments={
            "reduction": "How the losses of the samples become one: `\"sum_over_batch_size\"` or `\"mean\"`, `\"sum\"`, "
                         "`\"mean_with_sample_weight\"`, None.",
            "name": "What logs and configs call it.",
            "dtype": "Of predictions and of the result, `pyml.config.floatx()` by default.",
        },
        errors={
            "reduction": "ValueError: `reduction` is none of these.",
            "": "ShapeError: It is called with targets or weights that do not fit the predictions.",
        })  # fmt: skip

    _made_by = "_dtype"

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(f"{type(self).__name__}: reduction must be one of {REDUCTIONS}. Received: reduction={reduction!r}")
        if name and not isinstance(name, str):
            raise ValueError(f"{type(self).__name__}: name must be a string. Received: name={name!r}")
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        computed = floatx() if dtype is None else dtype_policies.get(dtype).compute_dtype
        self._dtype = narrow(computed) or standardize(computed)

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtype

    @property
    def _class_axis(self) -> int | None:
        """The axis of predictions along which classes lie whose numbers are the targets; None where targets are no such numbers."""
        return None

    @property
    def _takes_targets_as_they_are(self) -> bool:
        """Whether `call` takes targets of any dtype; users' get those of the loss, as in Keras."""
        return is_ours(type(self))

    def __call__(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: Targets, the shape of `y_pred` or one that the loss can align with it.
            y_pred: Predictions `(batch, ...)`.
            sample_weight: Weights `(batch,)` or of the shape of the unreduced loss.

        Steps that the mask of `y_pred` leaves out (see `layers.Masking`) do not count, nor those that the loss itself masks,
        as `ignore_class` does.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        if y_pred is None:
            raise ValueError(f"{self.name}: y_pred is None. Where a model computes it, end its call() with `return`.")
        y_pred = map_structure(lambda x: ops.convert_to_tensor(x, dtype=self.dtype), y_pred)
        dtype = None if self._takes_targets_as_they_are else self.dtype
        y_true = map_structure(lambda x: ops.convert_to_tensor(x, dtype=dtype), y_true)
        try:
            values = self.call(y_true, y_pred)
        except ShapeError as error:
            tell_misfit(error, self.name, y_true, y_pred)
            raise
        if values is None:
            raise TypeError(f"{self.name}: the loss returned None; end it with `return`.")
        counts = getattr(values, "_keras_mask", None)
        mask = counts if mask is None else mask if counts is None else ops.logical_and(mask, counts)
        sample_weight = apply_mask(sample_weight, mask, self.dtype, self.reduction)
        return reduce_weighted_values(values, sample_weight, self.reduction, self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One loss value per sample; every subclass writes its own."""
        raise Undefined(f"{type(self).__name__} must define call(y_true, y_pred).")

    def _base_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}


class LossFunctionWrapper(Loss):
    """A function `fn(y_true, y_pred, **kwargs)` as a Loss.

    Source: what Keras makes of functions, too, under this name.

    Example:
        >>> loss = pyml.losses.LossFunctionWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")
        >>> float(loss(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
        1.0
    """

    def __init__(self, fn: Callable[..., Any], reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None,
                 **kwargs: Any) -> None:
        super().__init__(name=name or get_object_name(fn), reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    @property
    def _takes_targets_as_they_are(self) -> bool:
        return super()._takes_targets_as_they_are and is_ours(self.fn)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        elif is_nested(y_true) and len(flatten(y_true)) == len(flatten(y_pred)):  # several outputs together
            pairs = [squeeze_or_expand_to_same_rank(true, pred) for true, pred in zip(flatten(y_true), flatten(y_pred), strict=True)]
            y_true, y_pred = (pack_sequence_as(y_pred, list(side)) for side in zip(*pairs, strict=True))
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        absolute = LOSSES.find_function("mean_absolute_error")
        if cls is LossFunctionWrapper and absolute is not None:
            yield sample(cls(absolute, name="distance"), draw(6, 3), draw(6, 3), like=lambda y, p: np.abs(y - p).mean())


def in_dtype_of_predictions(function: F) -> F:
    """A loss between predictions of float16 or bfloat16 is computed in 32 bits and rounded to their dtype."""

    @functools.wraps(function)
    def rounded(y_true: TensorLike, y_pred: TensorLike, *more: Any, **options: Any) -> Any:
        y_pred = ops.convert_to_tensor(y_pred)
        value = function(y_true, y_pred, *more, **options)
        if narrow(y_pred.dtype) not in LARGEST:
            return value
        out = ops.cast(value, y_pred.dtype)
        out._keras_mask = getattr(value, "_keras_mask", None)
        return out

    return rounded  # type: ignore[return-value]


def apply_mask(sample_weight: Any, mask: Any, dtype: Any, reduction: str | None) -> Any:
    """Sample weights that are 0 where `mask` is False; for means the others make up for it."""
    if mask is None:
        return sample_weight
    kept = ops.cast(mask, dtype)
    if reduction in ("sum_over_batch_size", "mean"):
        valid = ops.sum(kept)
        kept = kept * (math.prod(kept.shape) / ops.maximum(valid, 1.0))
    if sample_weight is None:
        return kept
    kept, sample_weight = squeeze_or_expand_to_same_rank(kept, ops.cast(ops.convert_to_tensor(sample_weight), dtype))
    return ops.reshape(sample_weight, weight_shape(sample_weight.shape, kept.shape)) * kept


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Drops or adds a last axis of size 1 where the ranks differ by exactly one."""
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        if rank2 == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, axis=-1)
        return ops.squeeze(x1, axis=-1), x2
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        if rank1 == 1 and expand_rank_1:
            return ops.expand_dims(x1, axis=-1), x2
        return x1, ops.squeeze(x2, axis=-1)
    return x1, x2


def reduce_weighted_values(values: Any, sample_weight: Any = None, reduction: str | None = "sum_over_batch_size",
                           dtype: str = "float32") -> Tensor:
    """`values * sample_weight`, reduced as a Loss does.

    Args:
        values: A tensor.
        sample_weight: Weights that broadcast to it.
        reduction: `"sum_over_batch_size"`, `"sum"`, `"mean"`, `"mean_with_sample_weight"`, or None or `"none"` for no
            reduction.
        dtype: The dtype that is computed in.

    Example:
        >>> float(pyml.losses.reduce_weighted_values([1.0, 3.0], [1.0, 0.5]))
        1.25
    """
    values = ops.convert_to_tensor(values, dtype=dtype)
    if sample_weight is not None:
        sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), values.dtype)
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        if values.shape:
            sample_weight = ops.reshape(sample_weight, weight_shape(sample_weight.shape, values.shape))
        values = values * sample_weight          # a loss that is one number for the batch is weighed by each, as in Keras
    if reduction in (None, "none") or len(values.shape) == 0:
        return values
    total = ops.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        weights = ops.sum(sample_weight)
        return ops.where(weights == 0, 0.0, total / ops.where(weights == 0, 1.0, weights))
    return total * (1.0 / max(1, math.prod(values.shape)))


def weight_shape(weights: Sequence[int], values: Sequence[int]) -> tuple[int, ...]:
    """The shape that makes `weights` broadcast over `values`: trailing axes of size 1 are added.

    Raises:
        ShapeError: The sizes do not fit.
    """
    padded = tuple(weights) + (1,) * (len(values) - len(weights))
    fits = len(weights) <= len(values) and all(w in (1, v) for w, v in zip(padded, values, strict=True))
    if not fits:
        raise ShapeError(
            f"sample_weight of shape {tuple(weights)} does not fit losses of shape {tuple(values)}; "
            "give one weight per sample."
        )
    return padded
