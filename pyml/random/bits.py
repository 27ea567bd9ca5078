"""Random bits of a key, and what numbers are made of: floats in [0, 1), normal numbers, high products."""

from __future__ import annotations

from math import prod
from typing import Any

from pyml import ops
from pyml.core.tensor import Tensor
from pyml.dtypes import FLOATS, INTEGERS, keras_name
from pyml.graph import prims
from pyml.graph.node import Node
from pyml.graph.prims.order import order_below
from pyml.random.seeds import Seed, draw_seed

_TAU = 6.283185307179586
_COMPARED = 4096  # terms of a sum in a chain


def random_words(shape: tuple[int, ...], seed: Seed | Node, stream: int = 0) -> Node:
    """uint32 bits of `shape`: Threefry of (seed, counter) and the element's number."""
    return prims.reshape(words_of(prims.iota(prod(shape), "uint32"), seed, stream), shape)


def words_of(numbers: Node, seed: Seed | Node, stream: int) -> Node:
    """The uint32 bits that `random_words` has at the elements of these numbers."""
    key = seed if isinstance(seed, Node) else draw_seed(seed)._node
    part = lambda i: prims.broadcast_to(prims.reshape(prims.slice_(key, (i,), (i + 1,)), (1,) * numbers.ndim), numbers.shape)
    return prims.random_bits(part(0), part(1), numbers, prims.full(numbers.shape, stream, "uint32"))


def unit_interval(bits: Node, digits: int = 24) -> Node:
    """Floats in [0, 1) of so many random bits each."""
    shifted = prims.right_shift(bits, prims.full(bits.shape, 32 - digits, "uint32"))
    return prims.cast(shifted, dtype="float32") * 0.5**digits


def float_dtype(dtype: Any, what: str) -> str:
    """The name of the float dtype that was asked for, float32 where none was.

    Raises:
        ValueError: It is none of floats.
    """
    name = keras_name(dtype)
    if name not in FLOATS:
        raise ValueError(f"{what}: dtype must be one of floats, such as 'float32'. Received: dtype={dtype}")
    return name


def number_dtype(dtype: Any, what: str) -> str:
    """The name of the dtype of numbers that was asked for, float32 where none was.

    Raises:
        ValueError: It is none of numbers.
    """
    name = keras_name(dtype)
    if name not in (*FLOATS, *INTEGERS):
        raise ValueError(f"{what}: dtype must be one of numbers, such as 'float32'. Received: dtype={dtype}")
    return name


def int_dtype(dtype: Any, what: str) -> str:
    """The name of the integer dtype that was asked for, int32 where none was.

    Raises:
        ValueError: It is none of integers.
    """
    name = keras_name("int32" if dtype is None else dtype)
    if name not in INTEGERS:
        raise ValueError(f"{what}: dtype must be one of integers, such as 'int32'. Received: dtype={dtype}")
    return name


def drawn(numbers: Node, dtype: str) -> Tensor:
    """What was drawn, in the dtype that was asked for."""
    return Tensor(numbers) if numbers.dtype == dtype else ops.cast(Tensor(numbers), dtype)


def normal_numbers(shape: tuple[int, ...], key: Node) -> Node:
    """Numbers of the standard normal distribution."""
    return normal_of(*(random_words(shape, key, stream) for stream in (0, 1)))


def normal_of(first: Node, second: Node) -> Node:
    """A number of the standard normal distribution of two words each, by the transform of Box and Muller."""
    u1 = prims.full(first.shape, 1.0, "float32") - unit_interval(first)  # (0, 1]: its logarithm is finite
    return prims.sqrt(prims.log(u1) * -2.0) * prims.cos(unit_interval(second) * _TAU)


def random_order(count: int, seed: Seed | Node) -> Tensor:
    """The numbers below `count` in random order, that of as many uniform floats: their 24 bits are sorted in fewer passes."""
    keys = prims.reshape(_order_keys(count, seed), (1, count))
    return Tensor(prims.reshape(order_below(keys, 2**24 - 1), (count,)))


def _order_keys(count: int, seed: Seed | Node) -> Node:
    return prims.right_shift(random_words((count,), seed), prims.full((count,), 8, "uint32"))


def order_beside(count: int, seed: Seed | Node) -> Tensor:
    """`random_order` for layers that draw more than it: where all can be compared with all in sums as small as a chain takes
    (`compile/chain.py`), they are no kernel of their own."""
    if count * count > _COMPARED:
        return random_order(count, seed)
    keys = Tensor(_order_keys(count, seed))
    own = ops.arange(count)
    rows = lambda v: ops.expand_dims(v, 1)
    before = ops.logical_or(keys < rows(keys), ops.logical_and(ops.equal(keys, rows(keys)), own < rows(own)))
    ranks = ops.sum(ops.cast(before, "int32"), axis=1)
    return ops.sum(ops.where(ops.equal(ranks, rows(own)), own, 0), axis=1)


def high_product(a: Node, b: Node) -> Node:
    """The upper 32 bits of the product of two uint32."""
    c16, mask = (prims.full(a.shape, v, "uint32") for v in (16, 0xFFFF))
    ah, al = prims.right_shift(a, c16), prims.bitwise_and(a, mask)
    bh, bl = prims.right_shift(b, c16), prims.bitwise_and(b, mask)
    mid = prims.add(prims.mul(ah, bl), prims.right_shift(prims.mul(al, bl), c16))
    mid2 = prims.add(prims.mul(al, bh), prims.bitwise_and(mid, mask))
    return prims.add(prims.add(prims.mul(ah, bh), prims.right_shift(mid, c16)), prims.right_shift(mid2, c16))
