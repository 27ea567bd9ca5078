"""Initializers without randomness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml.initializers.base import Initializer
from pyml.objects.samples import Sample, sample

__all__ = [
    "Constant", "Identity", "IdentityInitializer", "Ones", "Zeros", "constant", "identity", "ones", "zeros",
]


class Constant(Initializer):
    """Every element is `value`, a number or an array that broadcasts to the shape.

    Example:
        >>> pyml.initializers.Constant(2.0)((2, 2)).numpy().tolist()
        [[2.0, 2.0], [2.0, 2.0]]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.value, dtype), shape).copy()

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2.5), like=lambda shape: np.full(shape, 2.5))
        yield sample(cls([1.0, 2.0, 3.0]), like=lambda shape: np.broadcast_to([1.0, 2.0, 3.0], shape))


class Zeros(Initializer, aliases=("zero",)):
    """Every element is 0.

    Example:
        >>> pyml.initializers.Zeros()((2, 2)).numpy().tolist()
        [[0.0, 0.0], [0.0, 0.0]]
    """

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        return np.zeros(shape, dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), like=np.zeros)


class Ones(Initializer, aliases=("one",)):
    """Every element is 1.

    Example:
        >>> pyml.initializers.Ones()((2, 2)).numpy().tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        return np.ones(shape, dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), like=np.ones)


class Identity(Initializer, aliases=("IdentityInitializer",)):
    """A square matrix with `gain` on its diagonal.

    Raises:
        ValueError: The shape has not two axes.

    Example:
        >>> pyml.initializers.Identity()((2, 2)).numpy().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity initializer makes matrices only. Received: shape={shape}")
        return (self.gain * np.eye(*shape)).astype(dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2.0), like=lambda shape: 2 * np.eye(*shape))


IdentityInitializer = Identity
constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
