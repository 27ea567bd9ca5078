"""Random numbers from counters: Keras's SeedGenerator and distributions.

The state of a SeedGenerator is a Variable on the device, so a replayed program draws new numbers each time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from . import ops
from .core import trace
from .core.drawing import draws_normal
from .core.tensor import Tensor, as_node
from .core.variable import Variable
from .device.lock import LOCK
from .dtypes import standardize
from .errors import ShapeError, did_you_mean
from .graph import prims
from .graph.sizes import shape_of
from .objects.configured import Configured
from .objects.registry import SEEDS

if TYPE_CHECKING:
    from .graph.node import Node

_TAU = 6.283185307179586
_global: SeedGenerator | None = None
_python = np.random.default_rng()


class SeedGenerator(Configured, kind=SEEDS):
    """State for random functions: `next()` gives a seed and moves on.

    Args:
        seed: An integer; None takes one from the global seed (see `pyml.utils.set_random_seed`).

    Source: `keras.random.SeedGenerator`.

    Example:
        >>> gen = pyml.random.SeedGenerator(1)
        >>> x = pyml.random.uniform((2,), seed=gen)
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if kwargs:
            hint = did_you_mean(next(iter(kwargs)), ("seed", "name"))
            raise ValueError(f"SeedGenerator: unrecognized keyword arguments: {kwargs}.{hint}")
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"SeedGenerator: seed must be an integer of at least 0, or None. Received: {seed!r}")
        self._initial_seed = int(seed)
        self.name = name or "seed_generator"
        self.state = Variable(np.array([seed & 0xFFFFFFFF, 0], np.uint32), trainable=False, name="seed_generator_state")
        self.state.path = f"{self.name}/seed_generator_state"

    def next(self, ordered: bool = True) -> Tensor:
        """The current state, uint32 `(2,)`; the counter advances."""
        with LOCK:  # no two threads draw the same numbers
            now = self.state.value
            self.state.assign(Tensor(prims.add(now._node, _unit())))
            return now

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._initial_seed, "name": self.name}


def _unit() -> Node:
    return prims.cast(prims.iota(2, "int32"), dtype="uint32")  # [0, 1]


def make_default_seed() -> int:
    """A fresh seed from the global random state."""
    return int(_python.integers(1, 2**31 - 1))


def seed_everything(seed: int | None) -> None:
    """Restarts the global state; see `pyml.utils.set_random_seed`. None seeds it as a new interpreter does."""
    global _python, _global
    _python = np.random.default_rng(seed)
    _global = None


def draw_seed(seed: Any) -> Tensor:
    """uint32 `(2,)` of an int, a SeedGenerator or None (the global generator)."""
    global _global
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        with LOCK:
            if _global is None:
                with trace.tracing(None):
                    _global = SeedGenerator()
            return _global.next()
    if isinstance(seed, Tensor):
        return seed
    if isinstance(seed, (int, np.integer)):
        return Tensor(prims.concat([prims.full((1,), int(seed) & 0xFFFFFFFF, "uint32"), prims.full((1,), 0, "uint32")], 0))
    raise ValueError(f"seed must be an integer, a SeedGenerator or None. Received: {seed!r}")


def _bits(shape: tuple[int, ...], seed: Any, stream: int = 0) -> Node:
    """uint32 bits of `shape`: Threefry of (seed, counter) and the element's number."""
    n = prod(shape)
    key = draw_seed(seed)._node if not hasattr(seed, "op") else seed
    part = lambda i: prims.broadcast_to(prims.slice_(key, (i,), (i + 1,)), (n,))
    counter = prims.iota(n, "uint32")
    bits = prims.random_bits(part(0), part(1), counter, prims.full((n,), stream, "uint32"))
    return prims.reshape(bits, shape)


def _unit_interval(bits: Node) -> Node:
    """Floats in [0, 1) of 24 random bits each."""
    shifted = prims.right_shift(bits, prims.full(bits.shape, 8, "uint32"))
    return prims.cast(shifted, dtype="float32") * (1.0 / 16777216.0)


def uniform(shape: int | Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers spread evenly over [minval, maxval).

    Args:
        shape: Shape of the result.
        minval, maxval: The ends; `maxval` itself is never drawn.
        dtype: A float dtype; float32 by default.
        seed: An integer, which gives the same numbers each time, a `SeedGenerator`, or None.

    Raises:
        ValueError: `seed` is none of these.

    Example:
        >>> x = pyml.random.uniform((2, 3), seed=1)
        >>> x.shape, bool((x.numpy() < 1).all())
        ((2, 3), True)
    """
    shape = shape_of(shape, "uniform")
    u = _unit_interval(_bits(shape, seed))
    out = u * float(maxval - minval) + float(minval)
    return Tensor(prims.cast(out, dtype=standardize(dtype or "float32")))


@draws_normal
def normal(shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers.

    Args:
        shape: Shape of the result.
        mean, stddev: Mean and standard deviation.
        dtype: A float dtype; float32 by default.
        seed: An integer, which gives the same numbers each time, a `SeedGenerator`, or None.

    Raises:
        ValueError: `seed` is none of these.

    Source: Box and Muller 1958, "A note on the generation of random normal deviates".

    Example:
        >>> pyml.random.normal((2, 3), seed=1).shape
        (2, 3)
    """
    z = _normal(shape_of(shape, "normal"), draw_seed(seed)._node)
    return Tensor(prims.cast(z * float(stddev) + float(mean), dtype=standardize(dtype or "float32")))


def _normal(shape: tuple[int, ...], key: Node) -> Node:
    one = prims.full(shape, 1.0, "float32")
    u1 = one - _unit_interval(_bits(shape, key, 0))  # (0, 1]: its logarithm is finite
    u2 = _unit_interval(_bits(shape, key, 1))
    return prims.sqrt(prims.log(u1) * -2.0) * prims.cos(u2 * _TAU)


def truncated_normal(
    shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal numbers within two standard deviations of the mean, by inverting the distribution function."""
    shape = shape_of(shape, "truncated_normal")
    low = math.erf(-2.0 / math.sqrt(2.0))
    u = _unit_interval(_bits(shape, seed)) * (-2.0 * low) + low
    z = prims.minimum(prims.maximum(_erfinv(u) * math.sqrt(2.0), prims.full(shape, -2.0, "float32")), prims.full(shape, 2.0, "float32"))
    return Tensor(prims.cast(z * float(stddev) + float(mean), dtype=standardize(dtype or "float32")))


def _erfinv(x: Node) -> Node:
    """Giles 2010, "Approximating the erfinv function", single precision; right for |x| < 0.9975."""
    w = -prims.log((1.0 - x) * (1.0 + x)) - 2.5
    p = prims.full(x.shape, 2.81022636e-08, "float32")
    for c in (3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
              -0.00417768164, 0.246640727, 1.50140941):  # fmt: skip
        p = p * w + c
    return p * x


def randint(shape: int | Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Whole numbers from minval up to, not including, maxval."""
    shape = shape_of(shape, "randint")
    if maxval <= minval:
        raise ValueError(f"randint: maxval must be above minval. Received: minval={minval}, maxval={maxval}")
    bits = _bits(shape, seed)
    span = prims.full(shape, int(maxval - minval), "uint32")
    # the high half of a 32 x 32 bit product spreads more evenly than the remainder of a division
    out = prims.cast(_mulhi(bits, span), dtype="int32") + int(minval)
    return Tensor(prims.cast(out, dtype=standardize(dtype)))


def _mulhi(a: Node, b: Node) -> Node:
    c16, mask = (prims.full(a.shape, v, "uint32") for v in (16, 0xFFFF))
    ah, al = prims.right_shift(a, c16), prims.bitwise_and(a, mask)
    bh, bl = prims.right_shift(b, c16), prims.bitwise_and(b, mask)
    mid = prims.add(prims.mul(ah, bl), prims.right_shift(prims.mul(al, bl), c16))
    mid2 = prims.add(prims.mul(al, bh), prims.bitwise_and(mid, mask))
    return prims.add(prims.add(prims.mul(ah, bh), prims.right_shift(mid, c16)), prims.right_shift(mid2, c16))


def bernoulli_mask(shape: int | Sequence[int], probability: float, seed: Any = None) -> Tensor:
    """Booleans that hold with `probability`; never stored when a program fuses them."""
    u = _unit_interval(_bits(shape_of(shape, "bernoulli_mask"), seed))
    return Tensor(prims.less(u, prims.full(u.shape, float(probability), "float32")))


def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None) -> Tensor:
    """`inputs` with a fraction `rate` of elements set to 0 and the rest scaled by 1 / (1 - rate)."""
    if not 0 <= rate <= 1:
        raise ValueError(f"dropout: rate must be from 0 to 1. Received: rate={rate}")
    x = Tensor(as_node(inputs))
    if rate == 0:
        return x
    if rate == 1:
        return ops.zeros_like(x)
    shape = x.shape if noise_shape is None else tuple(n if n is not None else s for n, s in zip(noise_shape, x.shape, strict=True))
    keep = bernoulli_mask(shape, 1 - rate, seed)
    return ops.where(keep, x * (1.0 / (1 - rate)), 0.0)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """x with its elements along `axis` in random order (drawn on the host)."""
    n = x.shape[axis]
    order = np.random.default_rng(seed if isinstance(seed, int) else _python.integers(2**31)).permutation(n)
    return ops.take(x, order.astype(np.int32), axis=axis)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Classes drawn by their logits: the largest of logits with Gumbel noise.

    Args:
        logits: `(batch, classes)`, log-probabilities up to a constant of each row.
        num_samples: Draws of each row, with replacement.
        dtype: Dtype of the class numbers.
        seed: An integer, a SeedGenerator, or None.

    Returns:
        `(batch, num_samples)`.

    Raises:
        ShapeError: `logits` has other than two axes, or no classes.

    Source: Gumbel 1954; `keras.random.categorical`.

    Example:
        >>> pyml.random.categorical([[0.0, -1e9], [-1e9, 0.0]], 3).tolist()
        [[0, 0, 0], [1, 1, 1]]
    """
    x = ops.cast(logits, "float32")
    if x.ndim != 2 or x.shape[1] == 0:
        raise ShapeError(f"categorical: logits must be (batch, classes) with at least one class. Received: shape={x.shape}")
    (count,) = shape_of(num_samples, "categorical")
    u = _unit_interval(_bits((x.shape[0], count, x.shape[1]), seed))
    open_ended = prims.maximum(u, prims.full(u.shape, 2.0**-25, "float32"))
    noise = Tensor(-prims.log(-prims.log(open_ended)))
    return ops.cast(ops.argmax(ops.expand_dims(x, 1) + noise, axis=-1), dtype)


_TRIES = 8  # of Marsaglia and Tsang, which accept more than 95 in 100: all of them refuse once in 1e10 draws


def _gamma(shape: tuple[int, ...], alpha: Any, key: Node) -> tuple[Tensor, Tensor]:
    """The logarithm and the value of gamma numbers of scale 1 and shape parameter `alpha`."""
    a = ops.broadcast_to(ops.cast(alpha, "float32"), shape)
    small = a < 1.0  # a gamma of a + 1, times u ** (1 / a)
    d = ops.where(small, a + 1.0, a) - 1.0 / 3.0
    c = 1.0 / ops.sqrt(d * 9.0)
    tries = (_TRIES, *shape)  # all at once: one small kernel, whatever their number
    x = Tensor(_normal(tries, key))
    u = 1.0 - Tensor(_unit_interval(_bits(tries, key, 2)))
    t = x * c + 1.0
    cubed = ops.maximum(t * t * t, 1e-30)
    fits = ops.logical_and(t > 0.0, ops.log(u) < x * x * 0.5 + d * (1.0 - cubed + ops.log(cubed)))
    v = _first(fits, cubed, 1.0)
    last = 1.0 - Tensor(_unit_interval(_bits(shape, key, 3)))
    log = ops.log(d * v) + ops.where(small, ops.log(last) / ops.where(small, a, 1.0), 0.0)
    return log, ops.exp(log)


def _first(fits: Tensor, values: Tensor, otherwise: Any) -> Tensor:
    """The first of `values` along axis 0 that fits, or `otherwise`."""
    place = ops.reshape(ops.arange(fits.shape[0]), (-1,) + (1,) * (fits.ndim - 1))
    chosen = ops.equal(place, ops.argmax(ops.cast(fits, "int32"), axis=0))
    return ops.where(ops.any(fits, axis=0), ops.sum(ops.where(chosen, values, 0.0), axis=0), otherwise)


def _parameter(value: Any, name: str, what: str) -> Any:
    if isinstance(value, (int, float, list, tuple, np.ndarray)) and np.any(np.asarray(value) <= 0):
        raise ValueError(f"{what}: {name} must be positive. Received: {name}={value!r}")
    return value


def gamma(shape: int | Sequence[int], alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Gamma distributed numbers of scale 1.

    Args:
        shape: Shape of the result.
        alpha: The shape parameter, a positive number or a tensor that broadcasts to `shape`.
        dtype: Dtype of the result, float32.
        seed: An integer, a SeedGenerator, or None.

    Raises:
        ValueError: `alpha` is not positive.

    Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; `keras.random.gamma`.

    Example:
        >>> pyml.random.gamma((2, 3), 0.5, seed=1).shape
        (2, 3)
    """
    sizes = shape_of(shape, "gamma")
    _, value = _gamma(sizes, _parameter(alpha, "alpha", "gamma"), draw_seed(seed)._node)
    return ops.cast(value, dtype or "float32")


def beta(shape: int | Sequence[int], alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Beta distributed numbers, between 0 and 1: the share of one gamma number in the sum of two.

    Args:
        shape: Shape of the result.
        alpha, beta: Positive numbers, or tensors that broadcast to `shape`.
        dtype: Dtype of the result, float32.
        seed: An integer, a SeedGenerator, or None.

    Raises:
        ValueError: `alpha` or `beta` is not positive.

    Source: `keras.random.beta`.

    Example:
        >>> float(ops.max(pyml.random.beta((100,), 2.0, 3.0, seed=1))) <= 1.0
        True
    """
    sizes = shape_of(shape, "beta")
    key = draw_seed(seed)
    other = ops.bitwise_xor(key, ops.full((2,), 0x5BD1E995, "uint32"))
    first, _ = _gamma(sizes, _parameter(alpha, "alpha", "beta"), key._node)
    second, _ = _gamma(sizes, _parameter(beta, "beta", "beta"), other._node)
    return ops.cast(ops.sigmoid(first - second), dtype or "float32")  # by logarithms: of two that are near 0 neither is lost


def binomial(shape: int | Sequence[int], counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """How many of `counts` trials succeed: binomially distributed integers.

    Args:
        shape: Shape of the result.
        counts: Numbers of trials, integers of at least 0, a number or a tensor that broadcasts to `shape`.
        probabilities: Of success, between 0 and 1, a number or a tensor that broadcasts to `shape`.
        dtype: Dtype of the result, float32.
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
    sizes = shape_of(shape, "binomial")
    for value, name, high in ((counts, "counts", math.inf), (probabilities, "probabilities", 1.0)):
        if isinstance(value, _NUMBERS) and np.any((np.asarray(value) < 0) | (np.asarray(value) > high)):
            limits = "be from 0 to 1" if high == 1.0 else "not be negative"
            raise ValueError(f"binomial: {name} must {limits}. Received: {name}={value!r}")
    n = ops.broadcast_to(ops.cast(counts, "float32"), sizes)
    likely = ops.broadcast_to(ops.cast(probabilities, "float32"), sizes)
    turned = likely > 0.5  # failures are counted where they are the fewer
    p = ops.where(turned, 1.0 - likely, likely)
    key = draw_seed(seed)._node
    few, many = True, True  # whether some have fewer than 10 successes to expect, or more
    if isinstance(counts, _NUMBERS) and isinstance(probabilities, _NUMBERS):
        expected = np.asarray(counts) * np.minimum(probabilities, 1 - np.asarray(probabilities))
        few, many = bool(np.any(expected < 10)), bool(np.any(expected >= 10))
    k = _counted(n, p, key) if few else ops.zeros(sizes)
    if many:
        k = ops.where(n * p < 10.0, k, _rejected(n, p, key))
    return ops.cast(ops.where(turned, n - k, k), dtype or "float32")


_NUMBERS = (int, float, list, tuple, np.ndarray)


def _counted(n: Tensor, p: Tensor, key: Node) -> Tensor:
    """Binomial numbers of up to 10 expected successes, by the trials between one success and the next."""
    u = 1.0 - Tensor(_unit_interval(_bits((48, *n.shape), key, 0)))  # more than 48 where 10 are expected: once in 1e16
    waits = ops.floor(ops.log(u) / ops.minimum(ops.log1p(-p), -1e-30)) + 1.0
    return ops.sum(ops.cast(ops.cumsum(ops.minimum(waits, 1e9), axis=0) <= n, "float32"), axis=0)


def _rejected(n: Tensor, p: Tensor, key: Node) -> Tensor:
    """Binomial numbers of at least 10 expected successes, by transformed rejection."""
    p = ops.maximum(p, 1e-30)
    n = ops.maximum(n, 10.0 / p)  # others are not taken from here
    q = 1.0 - p
    spread = ops.sqrt(n * p * q)
    b = spread * 2.53 + 1.15
    a = b * 0.0248 + p * 0.01 - 0.0873
    m, r = ops.floor((n + 1.0) * p), p / q
    tries = (14, *n.shape)  # 7 in 10 are accepted at least
    u = Tensor(_unit_interval(_bits(tries, key, 1))) - 0.5
    v = 1.0 - Tensor(_unit_interval(_bits(tries, key, 2)))
    edge = ops.maximum(0.5 - ops.abs(u), 1e-7)
    k = ops.floor((2.0 * a / edge + b) * u + n * p + 0.5)
    c = ops.clip(k, 0.0, n)
    bound = (m + 0.5) * ops.log((m + 1.0) / (r * (n - m + 1.0))) + _stirling(m) + _stirling(n - m)
    bound = bound + (n + 1.0) * ops.log1p((c - m) / (n - c + 1.0)) + (c + 0.5) * ops.log(r * (n - c + 1.0) / (c + 1.0))
    bound = bound - _stirling(c) - _stirling(n - c)
    quick = ops.logical_and(edge >= 0.07, v <= 0.92 - 4.2 / b)
    slow = ops.log(v * ((2.83 + 5.1 / b) * spread) / (a / (edge * edge) + b)) <= bound
    fits = ops.logical_and(ops.logical_and(k >= 0.0, k <= n), ops.logical_or(quick, slow))
    return _first(fits, c, m)


def _stirling(k: Tensor) -> Tensor:
    """What `log(k!)` has beside Stirling's formula of `k + 1`, to 3e-4 at 0 and to float32 from 10 on."""
    x = 1.0 / (k + 1.0)
    return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 * x * x) * x * x) * x
