"""Binomially distributed integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml import ops
from pyml.core.gaps import without_gradient
from pyml.core.tensor import Tensor
from pyml.core.types import TensorLike
from pyml.graph.sizes import shape_of
from pyml.random.bits import number_dtype, random_words, unit_interval, words_of
from pyml.random.rejection import first_fit
from pyml.random.seeds import Seed, draw_seed

if TYPE_CHECKING:
    from pyml.graph.node import Node

_NUMBERS = (int, float, list, tuple, np.ndarray)


@without_gradient
def binomial(
    shape: int | Sequence[int], counts: TensorLike, probabilities: TensorLike, dtype: str | None = None, seed: Seed = None
) -> Tensor:
    """How many of `counts` trials succeed: binomially distributed integers.

    Args:
        shape: Shape of the result.
        counts: Numbers of trials, integers of at least 0, a number or a tensor that broadcasts to `shape`.
        probabilities: Of success, between 0 and 1, a number or a tensor that broadcasts to `shape`.
        dtype: A float or integer dtype; `pyml.config.floatx()` by default.
        seed: An integer, a SeedGenerator, or None.

    Exact up to the rounding of float32, which shows from some millions of trials on.

    Raises:
        ValueError: `counts` is negative, or a probability is not between 0 and 1.

    Source: Hormann 1993, "The generation of binomial random variates" (BTRS); waiting times where few are expected;
    `keras.random.binomial`.

    Example:
        >>> pyml.random.binomial((3,), 10, 1.0).tolist()
        [10.0, 10.0, 10.0]
    """
    sizes, name = shape_of(shape, "binomial"), number_dtype(dtype, "binomial")
    for value, what, high in ((counts, "counts", math.inf), (probabilities, "probabilities", 1.0)):
        if isinstance(value, _NUMBERS) and np.any((np.asarray(value) < 0) | (np.asarray(value) > high)):
            limits = "be from 0 to 1" if high == 1.0 else "not be negative"
            raise ValueError(f"binomial: {what} must {limits}. Received: {what}={value!r}")
    key = draw_seed(seed)._node
    few, many = True, True  # whether some have fewer than 10 successes to expect, or more
    if isinstance(counts, _NUMBERS) and isinstance(probabilities, _NUMBERS):
        expected = np.asarray(counts) * np.minimum(probabilities, 1 - np.asarray(probabilities))
        few, many = bool(np.any(expected < 10)), bool(np.any(expected >= 10))
    if isinstance(counts, (int, float)) and isinstance(probabilities, (int, float)):  # no kernel computes what is made of numbers alone
        trials, share = float(np.float32(counts)), min(float(probabilities), 1.0 - probabilities)
        found = (_counted if few else _rejected)(trials, share, sizes, key)
        return ops.cast(trials - found if probabilities > 0.5 else found, name)
    n = ops.broadcast_to(ops.cast(counts, "float32"), sizes)
    likely = ops.broadcast_to(ops.cast(probabilities, "float32"), sizes)
    turned = likely > 0.5  # failures are counted where they are the fewer
    p = ops.where(turned, 1.0 - likely, likely)
    k = _counted(n, p, sizes, key) if few else ops.zeros(sizes)
    if many:
        k = ops.where(n * p < 10.0, k, _rejected(n, p, sizes, key))
    return ops.cast(ops.where(turned, n - k, k), name)


def _counted(n: Any, p: Any, sizes: tuple[int, ...], key: Node) -> Tensor:
    """Binomial numbers of up to 10 expected successes, by the trials between one success and the next."""
    u = 1.0 - Tensor(unit_interval(random_words((48, *sizes), key, 0)))  # more than 48 where 10 are expected: once in 1e16
    fails = min(math.log1p(-p), -1e-30) if isinstance(p, float) else ops.minimum(ops.log1p(-p), -1e-30)
    waits = ops.floor(ops.log(u) / fails) + 1.0
    return ops.sum(ops.cast(ops.cumsum(ops.minimum(waits, 1e9), axis=0) <= n, "float32"), axis=0)


def _rejected(n: Any, p: Any, sizes: tuple[int, ...], key: Node) -> Tensor:
    """Binomial numbers of at least 10 expected successes, by transformed rejection."""
    of_numbers, of_tensors = (math.sqrt, math.floor, math.log, max), (ops.sqrt, ops.floor, ops.log, ops.maximum)
    sqrt, floor, log, maximum = of_numbers if isinstance(p, float) else of_tensors
    p = maximum(p, 1e-30)
    n = maximum(n, 10.0 / p)  # others are not taken from here
    q = 1.0 - p
    spread = sqrt(n * p * q)
    b = spread * 2.53 + 1.15
    a = b * 0.0248 + p * 0.01 - 0.0873
    m, r = floor((n + 1.0) * p), p / q
    middle = (m + 0.5) * log((m + 1.0) / (r * (n - m + 1.0))) + _stirling(m) + _stirling(n - m)

    def tried(numbers: Node) -> tuple[Tensor, Tensor]:
        u = Tensor(unit_interval(words_of(numbers, key, 1))) - 0.5
        v = 1.0 - Tensor(unit_interval(words_of(numbers, key, 2)))
        edge = ops.maximum(0.5 - ops.abs(u), 1e-7)
        k = ops.floor((2.0 * a / edge + b) * u + n * p + 0.5)
        x = ops.clip(k, 0.0, n)
        bound = middle + (n + 1.0) * ops.log1p((x - m) / (n - x + 1.0)) + (x + 0.5) * ops.log(r * (n - x + 1.0) / (x + 1.0))
        bound = bound - _stirling(x) - _stirling(n - x)
        quick = ops.logical_and(edge >= 0.07, v <= 0.92 - 4.2 / b)
        slow = ops.log(v * ((2.83 + 5.1 / b) * spread) / (a / (edge * edge) + b)) <= bound
        return ops.logical_and(ops.logical_and(k >= 0.0, k <= n), ops.logical_or(quick, slow)), x

    return first_fit(14, sizes, tried, m)  # 7 in 10 are accepted at least


def _stirling(k: Any) -> Any:
    """What `log(k!)` has beside Stirling's formula of `k + 1`, to 3e-4 at 0 and to float32 from 10 on."""
    x = 1.0 / (k + 1.0)
    return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 * x * x) * x * x) * x
