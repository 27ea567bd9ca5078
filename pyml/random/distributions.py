"""The everyday distributions: uniform, normal, integers, masks of dropout, classes, orders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml import ops
from pyml.core.gaps import without_gradient
from pyml.core.tensor import Tensor
from pyml.core.types import TensorLike
from pyml.dtypes import LIMITS, standardize
from pyml.errors import ShapeError
from pyml.graph import prims
from pyml.graph.sizes import shape_of
from pyml.ops.axes import one_axis
from pyml.random.bits import drawn, float_dtype, high_product, int_dtype, normal_numbers, random_words, unit_interval
from pyml.random.seeds import Seed, draw_seed, host_generator

if TYPE_CHECKING:
    from pyml.graph.node import Node

_DIGITS = {"float16": 11, "bfloat16": 8}  # binary digits that numbers below 1 have


def uniform(
    shape: int | Sequence[int], minval: TensorLike = 0.0, maxval: TensorLike = 1.0, dtype: str | None = None, seed: Seed = None
) -> Tensor:
    """Numbers spread evenly over [minval, maxval).

    Args:
        shape: Shape of the result.
        minval, maxval: The ends; `maxval` itself is never drawn. Numbers, or tensors that broadcast to `shape`, which have gradients.
        dtype: A float dtype; `pyml.config.floatx()` by default.
        seed: An integer, which gives the same numbers each time, a `SeedGenerator`, or None.

    Raises:
        ValueError: `dtype` or `seed` is none of these.

    Example:
        >>> x = pyml.random.uniform((2, 3), seed=1)
        >>> x.shape, bool((x.numpy() < 1).all())
        ((2, 3), True)
    """
    shape, name = shape_of(shape, "uniform"), float_dtype(dtype, "uniform")
    u = unit_interval(random_words(shape, seed), _DIGITS.get(name, 24))  # rounded to fewer digits it would reach `maxval`
    size: Any
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        size = maxval - minval
    else:
        size = ops.subtract(maxval, minval)
    return drawn(_spread(u, size, minval, "uniform"), name)


def _spread(numbers: Node, size: Any, first: Any, what: str) -> Node:
    """`numbers * size + first`, where tensors have gradients.

    Raises:
        ShapeError: One does not broadcast to the shape of the numbers.
    """
    if not hasattr(size, "_value_node") and not hasattr(first, "_value_node") and np.ndim(size) == np.ndim(first) == 0:
        return numbers * float(size) + float(first)
    found: Node = (Tensor(numbers) * size + first)._node
    if found.shape != numbers.shape:
        raise ShapeError(f"{what}: parameters must broadcast to the shape {numbers.shape}. Received: one that makes {found.shape} of it")
    return found


def normal(
    shape: int | Sequence[int], mean: TensorLike = 0.0, stddev: TensorLike = 1.0, dtype: str | None = None, seed: Seed = None
) -> Tensor:
    """Normally distributed numbers.

    Args:
        shape: Shape of the result.
        mean, stddev: Mean and standard deviation, numbers or tensors that broadcast to `shape`. Tensors have gradients.
        dtype: A float dtype; `pyml.config.floatx()` by default.
        seed: An integer, which gives the same numbers each time, a `SeedGenerator`, or None.

    Raises:
        ValueError: `dtype` or `seed` is none of these.

    Source: Box and Muller 1958, "A note on the generation of random normal deviates".

    Example:
        >>> pyml.random.normal((2, 3), seed=1).shape
        (2, 3)
    """
    name = float_dtype(dtype, "normal")
    z = normal_numbers(shape_of(shape, "normal"), draw_seed(seed)._node)
    return drawn(_spread(z, stddev, mean, "normal"), name)


def truncated_normal(
    shape: int | Sequence[int], mean: TensorLike = 0.0, stddev: TensorLike = 1.0, dtype: str | None = None, seed: Seed = None
) -> Tensor:
    """Normal numbers within two standard deviations of the mean, by inverting the distribution function.

    Args:
        shape: Shape of the result.
        mean, stddev: Mean and standard deviation of the normal distribution before it is cut off, as in `normal`.
        dtype: A float dtype; `pyml.config.floatx()` by default.
        seed: An integer, which gives the same numbers each time, a `SeedGenerator`, or None.

    Raises:
        ValueError: `dtype` or `seed` is none of these.

    Example:
        >>> x = pyml.random.truncated_normal((1000,), seed=1)
        >>> float(ops.max(ops.abs(x))) <= 2.0
        True
    """
    shape, name = shape_of(shape, "truncated_normal"), float_dtype(dtype, "truncated_normal")
    low = math.erf(-2.0 / math.sqrt(2.0))
    u = unit_interval(random_words(shape, seed)) * (-2.0 * low) + low
    z = prims.minimum(prims.maximum(_erfinv(u) * math.sqrt(2.0), prims.full(shape, -2.0, "float32")), prims.full(shape, 2.0, "float32"))
    return drawn(_spread(z, stddev, mean, "truncated_normal"), name)


def _erfinv(x: Node) -> Node:
    """Giles 2010, "Approximating the erfinv function", single precision; right for |x| < 0.9975."""
    w = -prims.log((1.0 - x) * (1.0 + x)) - 2.5
    p = prims.full(x.shape, 2.81022636e-08, "float32")
    for c in (3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
              -0.00417768164, 0.246640727, 1.50140941):  # fmt: skip
        p = p * w + c
    return p * x


def randint(shape: int | Sequence[int], minval: int, maxval: int, dtype: str = "int32", seed: Seed = None) -> Tensor:
    """Integers, all equally likely, from `minval` up to but not including `maxval`.

    Args:
        shape: Shape of the result.
        minval, maxval: The ends; `maxval` itself is never drawn.
        dtype: An integer dtype; int32 by default.
        seed: An integer, which gives the same numbers each time, a `SeedGenerator`, or None.

    Raises:
        ValueError: `maxval` is not above `minval`, `dtype` or `seed` is none of these, or `dtype` does not hold such numbers.

    Example:
        >>> x = pyml.random.randint((1000,), 1, 7, seed=1)
        >>> int(ops.min(x)), int(ops.max(x))
        (1, 6)
    """
    shape, name = shape_of(shape, "randint"), int_dtype(dtype, "randint")
    if maxval <= minval:
        raise ValueError(f"randint: maxval must be above minval. Received: minval={minval}, maxval={maxval}")
    held = name if name in LIMITS else standardize(name)  # of 64 bits: 32
    low, high = LIMITS[held]
    if minval < low or maxval - 1 > high:
        raise ValueError(f"randint: {held} holds numbers from {low} to {high}. Received: minval={minval}, maxval={maxval}")
    out, span = random_words(shape, seed), int(maxval) - int(minval)
    if span < 2**32:  # the high half of a 32 x 32 bit product spreads more evenly than the remainder of a division
        out = high_product(out, prims.full(shape, span, "uint32"))
    out = prims.add(out, prims.full(shape, int(minval) & 0xFFFFFFFF, "uint32"))  # in 32 bits that wrap, as those of int32 do
    return drawn(out if held == "uint32" else prims.cast(out, dtype="int32"), name)


@without_gradient
def bernoulli_mask(shape: int | Sequence[int], probability: float, seed: Seed = None) -> Tensor:
    """Booleans that are True with `probability`; a program that fuses them never stores them.

    Args:
        shape: Shape of the result.
        probability: Between 0 and 1.
        seed: An integer, which gives the same booleans each time, a `SeedGenerator`, or None.

    Example:
        >>> pyml.random.bernoulli_mask((3,), 1.0).tolist()
        [True, True, True]
    """
    u = unit_interval(random_words(shape_of(shape, "bernoulli_mask"), seed))
    return Tensor(prims.less(u, prims.full(u.shape, float(probability), "float32")))


def dropout(inputs: TensorLike, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None) -> Tensor:
    """`inputs` with a fraction `rate` of elements set to 0 and the rest scaled by `1 / (1 - rate)`.

    Args:
        inputs: Tensor.
        rate: The fraction, between 0 and 1.
        noise_shape: Shape of the mask, which broadcasts to that of `inputs`; None in it stands for the size of `inputs`.
        seed: An integer, which drops the same elements each time, a `SeedGenerator`, or None.

    Returns:
        The shape of `inputs`.

    Raises:
        ValueError: `rate` is not between 0 and 1.
        ShapeError: `noise_shape` does not broadcast to the shape of `inputs`.

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".

    Example:
        >>> pyml.random.dropout(np.ones((2, 2)), 1.0).tolist()
        [[0.0, 0.0], [0.0, 0.0]]
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"dropout: rate must be from 0 to 1. Received: rate={rate}")
    x = ops.convert_to_tensor(inputs)
    if rate == 0:
        return x
    if rate == 1:
        return ops.zeros_like(x)
    keep = bernoulli_mask(_noise_shape(noise_shape, x.shape), 1 - rate, seed)
    return ops.where(keep, x * (1.0 / (1 - rate)), 0.0)


def _noise_shape(given: Sequence[int | None] | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of dropout's mask: None stands for the size at the same place; fewer sizes are those of the last axes."""
    sizes = shape if given is None else tuple(s if n is None else n for n, s in zip_longest(given, shape[: len(given)], fillvalue=1))
    if len(sizes) > len(shape) or any(n not in (1, s) for n, s in zip(reversed(sizes), reversed(shape), strict=False)):
        raise ShapeError(f"dropout: noise_shape must broadcast to the shape of inputs, {shape}. Received: noise_shape={given!r}")
    return sizes


def shuffle(x: TensorLike, axis: int = 0, seed: Seed = None) -> Tensor:
    """`x` with its elements along `axis` in random order, which is drawn on the host.

    Args:
        x: Tensor or array.
        axis: The axis that is reordered.
        seed: An integer, which gives the same order each time; None takes one from the global seed.

    Returns:
        The shape and dtype of `x`.

    Raises:
        AxisError: `x` has no such axis.

    Example:
        >>> sorted(pyml.random.shuffle(np.arange(5), seed=1).tolist())
        [0, 1, 2, 3, 4]
    """
    x = ops.convert_to_tensor(x)
    axis = one_axis(axis, x.ndim, "shuffle")
    order = host_generator(seed).permutation(x.shape[axis])
    return ops.take(x, order.astype(np.int32), axis=axis)


@without_gradient
def categorical(logits: TensorLike, num_samples: int, dtype: str = "int32", seed: Seed = None) -> Tensor:
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
    u = unit_interval(random_words(shape_of((x.shape[0], count, x.shape[1]), "categorical"), seed))
    open_ended = prims.maximum(u, prims.full(u.shape, 2.0**-25, "float32"))
    noise = Tensor(-prims.log(-prims.log(open_ended)))
    return ops.cast(ops.argmax(ops.expand_dims(x, 1) + noise, axis=-1), dtype)
