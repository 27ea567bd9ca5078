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
from .core.tensor import Tensor, as_node
from .core.variable import Variable
from .device.lock import LOCK
from .dtypes import standardize
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
        seed: A whole number; None takes one from the global seed (see `pyml.utils.set_random_seed`).

    Source: `keras.random.SeedGenerator`.

    Example:
        >>> gen = pyml.random.SeedGenerator(1)
        >>> pyml.random.uniform((2,), seed=gen)
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"SeedGenerator: seed must be a whole number from 0, or None. Received: {seed!r}")
        self._initial_seed = int(seed)
        self.name = name or "seed_generator"
        self.state = Variable(np.array([seed & 0xFFFFFFFF, 0], np.uint32), trainable=False, name="seed_generator_state")

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


def seed_everything(seed: int) -> None:
    """Restarts the global state; see `pyml.utils.set_random_seed`."""
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
    raise ValueError(f"seed must be a whole number, a SeedGenerator or None. Received: {seed!r}")


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
    """Numbers spread evenly over [minval, maxval)."""
    shape = shape_of(shape, "uniform")
    u = _unit_interval(_bits(shape, seed))
    out = u * float(maxval - minval) + float(minval)
    return Tensor(prims.cast(out, dtype=standardize(dtype or "float32")))


def normal(shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers (Box and Muller 1958)."""
    shape = shape_of(shape, "normal")
    key = draw_seed(seed)._node
    one = prims.full(shape, 1.0, "float32")
    u1 = one - _unit_interval(_bits(shape, key, 0))  # (0, 1]: its logarithm is finite
    u2 = _unit_interval(_bits(shape, key, 1))
    z = prims.sqrt(prims.log(u1) * -2.0) * prims.cos(u2 * _TAU)
    return Tensor(prims.cast(z * float(stddev) + float(mean), dtype=standardize(dtype or "float32")))


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
