"""Gamma and beta distributed numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml import ops
from pyml.core.tensor import Tensor
from pyml.core.types import TensorLike
from pyml.graph.sizes import shape_of
from pyml.random.bits import float_dtype, normal_of, random_words, unit_interval, words_of
from pyml.random.rejection import first_fit
from pyml.random.seeds import Seed, draw_seed

if TYPE_CHECKING:
    from pyml.graph.node import Node

_TRIES = 8  # of Marsaglia and Tsang, which accept more than 95 in 100: all of them refuse once in 1e10 draws


def _gamma(shape: tuple[int, ...], alpha: Any, key: Node) -> tuple[Tensor, Tensor]:
    """The logarithm and the value of gamma numbers of scale 1 and shape parameter `alpha`."""
    a: Any = ops.cast(alpha, "float32") if isinstance(alpha, Tensor) or np.ndim(alpha) else float(alpha)
    xp: Any = np if isinstance(a, float) else ops  # what is made of numbers alone is made here, or once, not for every element
    a = a if np.ndim(a) == 0 else ops.broadcast_to(a, shape)
    small = a < 1.0  # a gamma of a + 1, times u ** (1 / a)
    d = xp.where(small, a + 1.0, a) - 1.0 / 3.0
    c = 1.0 / xp.sqrt(d * 9.0)

    def tried(numbers: Node) -> tuple[Tensor, Tensor]:
        x = Tensor(normal_of(words_of(numbers, key, 0), words_of(numbers, key, 1)))
        u = 1.0 - Tensor(unit_interval(words_of(numbers, key, 2)))
        t = x * c + 1.0
        cubed = ops.maximum(t * t * t, 1e-30)
        return ops.logical_and(t > 0.0, ops.log(u) < x * x * 0.5 + (1.0 - cubed + ops.log(cubed)) * d), cubed

    v = first_fit(_TRIES, shape, tried, 1.0)
    last = 1.0 - Tensor(unit_interval(random_words(shape, key, 3)))
    log = ops.log(v * d) + ops.where(small, ops.log(last) / xp.where(small, a, 1.0), 0.0)
    return log, ops.exp(log)


def _parameter(value: Any, name: str, what: str) -> Any:
    if isinstance(value, (int, float, list, tuple, np.ndarray)) and np.any(np.asarray(value) <= 0):
        raise ValueError(f"{what}: {name} must be positive. Received: {name}={value!r}")
    return value


def gamma(shape: int | Sequence[int], alpha: TensorLike, dtype: str | None = None, seed: Seed = None) -> Tensor:
    """Gamma distributed numbers of scale 1.

    Args:
        shape: Shape of the result.
        alpha: The shape parameter, a positive number or a tensor that broadcasts to `shape`.
        dtype: A float dtype; `pyml.config.floatx()` by default.
        seed: An integer, a SeedGenerator, or None.

    Raises:
        ValueError: `alpha` is not positive.

    Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; `keras.random.gamma`.

    Example:
        >>> pyml.random.gamma((2, 3), 0.5, seed=1).shape
        (2, 3)
    """
    sizes, name = shape_of(shape, "gamma"), float_dtype(dtype, "gamma")
    _, value = _gamma(sizes, _parameter(alpha, "alpha", "gamma"), draw_seed(seed)._node)
    return ops.cast(value, name)


def beta(shape: int | Sequence[int], alpha: TensorLike, beta: TensorLike, dtype: str | None = None, seed: Seed = None) -> Tensor:
    """Beta distributed numbers, between 0 and 1: the share of one gamma number in the sum of two.

    Args:
        shape: Shape of the result.
        alpha, beta: Positive numbers, or tensors that broadcast to `shape`.
        dtype: A float dtype; `pyml.config.floatx()` by default.
        seed: An integer, a SeedGenerator, or None.

    Raises:
        ValueError: `alpha` or `beta` is not positive.

    Source: `keras.random.beta`.

    Example:
        >>> float(ops.max(pyml.random.beta((100,), 2.0, 3.0, seed=1))) <= 1.0
        True
    """
    sizes, name = shape_of(shape, "beta"), float_dtype(dtype, "beta")
    key = draw_seed(seed)
    other = ops.bitwise_xor(key, ops.full((2,), 0x5BD1E995, "uint32"))
    first, _ = _gamma(sizes, _parameter(alpha, "alpha", "beta"), key._node)
    second, _ = _gamma(sizes, _parameter(beta, "beta", "beta"), other._node)
    return ops.cast(ops.sigmoid(first - second), name)  # by logarithms: of two that are near 0 neither is lost
