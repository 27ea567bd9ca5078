"""Functions applied to weights after each update: `NonNeg`, `MaxNorm`, `UnitNorm`, `MinMaxNorm`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.types import TensorLike
from pyml.objects.common_part import CommonPart
from pyml.objects.configured import Configured
from pyml.objects.registry import CONSTRAINTS
from pyml.objects.samples import Sample, draw, sample
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object
from pyml.settings import epsilon


class Constraint(Configured, kind=CONSTRAINTS, abstract=True):
    """Base: write `__call__(w)` that returns the weight to keep.

    Source: `keras.constraints.Constraint`.

    Example:
        >>> class AtMostOne(pyml.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return pyml.ops.minimum(w, 1.0)
        >>> AtMostOne()(np.array([0.5, 3.0])).numpy()
        array([0.5, 1. ], dtype=float32)
    """

    _common_part = CommonPart(
        "keras.constraints",
        "Called with a weight it gives one of the same shape and dtype.",
        arguments={
            "min_value": "The least norm.",
            "max_value": "The largest norm.",
            "rate": "Share of the way into the range that a norm outside of it goes, from 0 to 1.",
            "axis": "Axis, or axes, along which norms are taken: 0 of a Dense kernel `(inputs, units)` gives each unit one,\n"
                    "        `(0, 1, 2)` of the kernel of a convolution each filter.",
        },
        errors={"axis": "AxisError: The weight has no such axis."})  # fmt: skip

    def __call__(self, w: Any) -> Any:  # a TensorLike; a subclass may say Tensor
        """The weight to keep for `w`."""
        return w


class NonNeg(Constraint):
    """Negative weights become 0.

    Example:
        >>> pyml.constraints.NonNeg()(np.array([[3.0], [-4.0]], "float32")).numpy().round(3).tolist()
        [[3.0], [0.0]]
    """

    def __call__(self, w: TensorLike) -> Any:
        return ops.maximum(w, 0.0)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(3, 4), like=lambda w: np.maximum(w, 0))


class MaxNorm(Constraint):
    """Norms along `axis` are at most `max_value`. Source: Srivastava et al. 2014.

    Example:
        >>> pyml.constraints.MaxNorm(2.5)(np.array([[3.0], [-4.0]], "float32")).numpy().round(3).tolist()
        [[1.5], [-2.0]]
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: TensorLike) -> Any:
        norms = ops.sqrt(ops.sum(ops.square(w), axis=self.axis, keepdims=True))
        return w * (ops.clip(norms, 0.0, self.max_value) / (epsilon() + norms))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(1.5), draw(3, 4), like=lambda w: w * np.minimum(1, 1.5 / np.linalg.norm(w, axis=0)))


class UnitNorm(Constraint):
    """Norms along `axis` are 1.

    Example:
        >>> pyml.constraints.UnitNorm()(np.array([[3.0], [-4.0]], "float32")).numpy().round(3).tolist()
        [[0.6000000238418579], [-0.800000011920929]]
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: TensorLike) -> Any:
        return w / (epsilon() + ops.sqrt(ops.sum(ops.square(w), axis=self.axis, keepdims=True)))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(axis=1), draw(3, 4), like=lambda w: w / np.linalg.norm(w, axis=1, keepdims=True))


class MinMaxNorm(Constraint):
    """Norms along `axis` move into `[min_value, max_value]` at the given `rate`.

    Example:
        >>> pyml.constraints.MinMaxNorm(1.0, 2.5)(np.array([[3.0], [-4.0]], "float32")).numpy().round(3).tolist()
        [[1.5], [-2.0]]
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: TensorLike) -> Any:
        norms = ops.sqrt(ops.sum(ops.square(w), axis=self.axis, keepdims=True))
        desired = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (epsilon() + norms))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any) -> Any:
            norms = np.linalg.norm(w, axis=0)
            return w * (0.5 * np.clip(norms, 1.0, 2.0) + 0.5 * norms) / norms

        yield sample(cls(1.0, 2.0, rate=0.5), draw(3, 4), like=like)


non_neg, max_norm, unit_norm, min_max_norm = NonNeg, MaxNorm, UnitNorm, MinMaxNorm


def serialize(constraint: Any) -> Any:
    """The config dict of a `constraint`, for `deserialize`.

    Example:
        >>> pyml.constraints.serialize(pyml.constraints.MaxNorm(2))["class_name"]
        'MaxNorm'
    """
    return serialize_keras_object(constraint)


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint of a `config`, a name or what `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.constraints.serialize(pyml.constraints.MaxNorm(2))
        >>> pyml.constraints.deserialize(config).max_value
        2
    """
    return deserialize_keras_object(config, custom_objects, kind=CONSTRAINTS)


def get(identifier: Any) -> Any:
    """A constraint from a name, a config dict, a class, an instance, a function or None.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> pyml.constraints.get("non_neg")(np.array([-1.0, 2.0])).numpy()
        array([0., 2.], dtype=float32)
    """
    return interpret(identifier, CONSTRAINTS)


__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
           "min_max_norm", "non_neg", "serialize", "unit_norm"]
