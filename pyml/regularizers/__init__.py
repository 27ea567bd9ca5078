"""Penalties on weights that are added to the loss: `L1`, `L2`, `L1L2`, `OrthogonalRegularizer`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.types import TensorLike
from pyml.objects.common_part import CommonPart
from pyml.objects.configured import Configured
from pyml.objects.registry import REGULARIZERS
from pyml.objects.samples import Sample, draw, sample
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object


class Regularizer(Configured, kind=REGULARIZERS, abstract=True):
    """Base: write `__call__(x)` that returns a scalar tensor.

    Source: `keras.regularizers.Regularizer`.

    Example:
        >>> class Small(pyml.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * pyml.ops.max(abs(x))
        >>> round(float(Small()(np.array([1.0, -3.0]))), 4)
        0.3
    """

    _common_part = CommonPart(
        "keras.regularizers",
        "Called with a weight of any shape it gives a number `()` in the dtype of the weight.",
        arguments={
            "l1": "What the sum of absolute values is multiplied by.",
            "l2": "What the sum of squares is multiplied by.",
        },
        errors={name: f"ValueError: `{name}` is negative, infinite or no number." for name in ("l1", "l2")})  # fmt: skip

    def __call__(self, x: Any) -> Any:  # a TensorLike; a subclass may say Tensor
        """The penalty of weight `x`."""
        return ops.sum(ops.zeros_like(x))


class L1L2(Regularizer, aliases=("l1_l2",)):
    """`l1 * sum(|x|) + l2 * sum(x^2)`.

    Example:
        >>> round(float(pyml.regularizers.L1L2(0.1, 0.1)(np.array([1.0, -3.0], "float32"))), 4)
        1.4
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = checked(0.0 if l1 is None else l1, "L1L2: l1")
        self.l2 = checked(0.0 if l2 is None else l2, "L1L2: l2")

    def __call__(self, x: TensorLike) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty if self.l1 or self.l2 else super().__call__(x)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1, 0.2), draw(3, 4), like=lambda x: 0.1 * abs(x).sum() + 0.2 * (x * x).sum())


class L1(Regularizer):
    """`l1 * sum(|x|)`.

    Source: Tibshirani 1996, "Regression Shrinkage and Selection via the Lasso".

    Example:
        >>> round(float(pyml.regularizers.L1(0.1)(np.array([1.0, -3.0], "float32"))), 4)
        0.4
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = checked(0.01 if l1 is None else l1, "L1: l1")

    def __call__(self, x: TensorLike) -> Any:
        return self.l1 * ops.sum(ops.abs(x))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1), draw(3, 4), like=lambda x: 0.1 * abs(x).sum())


class L2(Regularizer):
    """`l2 * sum(x^2)`.

    Source: Krogh and Hertz 1992, "A Simple Weight Decay Can Improve Generalization".

    Example:
        >>> round(float(pyml.regularizers.L2(0.1)(np.array([1.0, -3.0], "float32"))), 4)
        1.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = checked(0.01 if l2 is None else l2, "L2: l2")

    def __call__(self, x: TensorLike) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1), draw(3, 4), like=lambda x: 0.1 * (x * x).sum())


class OrthogonalRegularizer(Regularizer, aliases=("orthogonal_regularizer",)):
    """`factor` times the mean of the absolute products of every two rows, or columns, brought to length 1.

    Args:
        factor: A finite number of at least 0.
        mode: `"rows"` or `"columns"`.

    Raises:
        ValueError: An argument is not one of these, or what is penalised is not a matrix.

    Source: Keras; `|w w^T - I|` of normalised rows.

    Example:
        >>> penalty = pyml.regularizers.OrthogonalRegularizer(0.1)
        >>> round(float(penalty(np.array([[1.0, 0.0], [3.0, 4.0]], "float32"))), 4)
        0.06
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = checked(factor, "OrthogonalRegularizer: factor")
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: mode must be 'rows' or 'columns'. Received: mode={mode!r}")
        self.mode = mode

    def __call__(self, x: TensorLike) -> Any:
        x = ops.convert_to_tensor(x)
        if len(x.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix. Received: the shape {x.shape}")
        rows = x if self.mode == "rows" else ops.transpose(x)
        size = rows.shape[0]
        rows = ops.normalize(rows, axis=1)
        products = ops.abs(ops.matmul(rows, ops.transpose(rows))) * (1.0 - ops.eye(size))
        # Keras' mean: each pair counts twice in the sum, and is halved; of one row there is no pair and no number
        return self.factor * 0.5 * ops.sum(products) / (size * (size - 1.0) / 2.0)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(x: Any) -> Any:
            unit = x / np.sqrt((x * x).sum(1, keepdims=True))
            return 0.5 * np.mean([abs(unit[i] @ unit[j]) for i in range(len(x)) for j in range(i)])

        yield sample(cls(0.5), draw(3, 4), like=like)
        yield sample(cls(0.5, mode="columns"), draw(3, 4), like=lambda x: like(x.T))


def checked(factor: Any, what: str) -> float:
    """`factor`, which must be a finite number of at least 0."""
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not math.isfinite(factor) or factor < 0:
        raise ValueError(f"{what} must be a finite number >= 0. Received: {factor!r}")
    return float(factor)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer


def serialize(regularizer: Any) -> Any:
    """The config dict of a `regularizer`, for `deserialize`.

    Example:
        >>> pyml.regularizers.serialize(pyml.regularizers.L2(0.01))["class_name"]
        'L2'
    """
    return serialize_keras_object(regularizer)


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer of a `config`, a name or what `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.regularizers.serialize(pyml.regularizers.L2(0.01))
        >>> pyml.regularizers.deserialize(config).l2
        0.01
    """
    return deserialize_keras_object(config, custom_objects, kind=REGULARIZERS)


def get(identifier: Any) -> Any:
    """A regularizer from a name, a config dict, a class, an instance, a function or None.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> round(float(pyml.regularizers.get("l2")(np.ones(3))), 4)
        0.03
    """
    return interpret(identifier, REGULARIZERS)


__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2", "orthogonal_regularizer",
    "serialize",
]  # fmt: skip
