"""Fourier transforms. Tensors are real, so a complex one is a pair of tensors: real and imaginary parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import DtypeError, ShapeError
from ..graph import prims
from ..graph.node import Node
from ..graph.prims.fft import FROM_PAIRS, PLANAR, TO_PAIRS, table
from ..graph.sizes import count_of
from .apply import as_float
from .axes import standardize_axis
from .declare import draw, op, sample

__all__ = [
    "fft", "fft2", "ifft2", "irfft", "rfft",
]  # fmt: skip

Pair = tuple[Tensor, Tensor]
_TURNS = 1024  # angles of a long real transform come from two tables, as those of the transform do


class PairError(ShapeError, DtypeError):
    """No pair of real and imaginary parts: a ValueError as in Keras, for shapes and dtypes alike."""


def complex_pair(x: Any, what: str) -> tuple[Node, Node]:
    """The parts of a complex tensor, float32 of the same shape.

    Raises:
        PairError: `x` is not a pair, its parts differ in shape, or are not floats.
    """
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise PairError(f"{what}: x must be a tuple of two tensors, the real and the imaginary parts. Received: x={x!r}")
    real, imaginary = (as_node(part) for part in x)
    if real.shape != imaginary.shape:
        raise PairError(f"{what}: the real and the imaginary parts must have the same shape. Received: {real.shape} and {imaginary.shape}")
    if real.dtype != "float32" or imaginary.dtype != "float32":
        raise PairError(f"{what}: the real and the imaginary parts must be floats; cast them. Received: {real.dtype} and {imaginary.dtype}")
    return real, imaginary


def _parts(z: Node) -> tuple[Node, Node]:
    """The halves of `(2, …)`."""
    real, imaginary = (prims.slice_(z, (k, *(0,) * (z.ndim - 1)), (k + 1, *z.shape[1:])) for k in (0, 1))
    return prims.reshape(real, z.shape[1:]), prims.reshape(imaginary, z.shape[1:])


def _planar(real: Node, imaginary: Node) -> Node:
    return prims.concat([prims.reshape(part, (1, *part.shape)) for part in (real, imaginary)], 0)


def _run(z: Node, n: int, inverse: bool, form: str = PLANAR) -> Node:
    if z.size == 0:
        return z
    return prims.fft(z, as_node(table(n)), inverse, form)


def _checked(n: int, what: str) -> int:
    if n < 1:
        raise ShapeError(f"{what}: there are no numbers to transform along the axis; expected at least one.")
    return n


def transform(real: Node, imaginary: Node, axes: Sequence[int], inverse: bool, what: str) -> tuple[Node, Node]:
    """The transform along each of `axes` (not negative); the inverse is divided by the lengths."""
    shape = real.shape
    for axis in axes:
        _checked(shape[axis], what)
    scale = 1.0 / prod(shape[a] for a in axes) if inverse else 1.0
    z = _planar(real, imaginary)
    for axis in sorted(axes, reverse=True):
        n = shape[axis]
        if n > 1:
            z = prims.reshape(_run(prims.reshape(z, (2, prod(shape[:axis]), n, prod(shape[axis + 1 :]))), n, inverse), (2, *shape))
    return _parts(z if scale == 1.0 else z * scale)


def fft_along(x: Any, axes: int | Sequence[int], inverse: bool, what: str) -> Pair:
    """`transform` of a pair as users give it; axes may be negative."""
    real, imaginary = complex_pair(x, what)
    out = transform(real, imaginary, standardize_axis(axes, real.ndim, what), inverse, what)
    return Tensor(out[0]), Tensor(out[1])


def ifft(x: Any) -> Pair:
    """The inverse of `fft`, along the last axis."""
    return fft_along(x, -1, True, "ifft")


def _fitted(x: Node, n: int) -> Node:
    """The last axis cut, or filled with zeros, to `n`."""
    size = x.shape[-1]
    if size > n:
        return prims.slice_(x, (0,) * x.ndim, (*x.shape[:-1], n))
    return prims.pad(x, ((0, 0),) * (x.ndim - 1) + ((0, n - size),))


@lru_cache(maxsize=32)
def _angles(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and negative sines of k / n turns, `(2, k)`: for k below `_TURNS`, and for its multiples up to n / 2."""
    found = []
    for k in (np.arange(_TURNS), np.arange(n // 2 // _TURNS + 1) * _TURNS):
        turns = k % n * (2 * np.pi / n)
        found.append(np.stack([np.cos(turns), -np.sin(turns)]).astype(np.float32))
    return found[0], found[1]


def _turns(n: int, count: int, rows: int) -> tuple[Node, Node]:
    """Real and imaginary parts of `exp(-2 pi i k / n)` for k < count, in each of some rows."""
    low, high = _angles(n)
    if count <= _TURNS:
        a = as_node(np.ascontiguousarray(low[:, :count]))
        real, imaginary = _parts(a)
    else:
        wide = (high.shape[1], _TURNS)
        (a, b), (c, d) = _parts(as_node(low)), _parts(as_node(high))
        a, b = (prims.broadcast_to(prims.reshape(v, (1, _TURNS)), wide) for v in (a, b))
        c, d = (prims.broadcast_to(prims.reshape(v, (wide[0], 1)), wide) for v in (c, d))
        real, imaginary = (prims.slice_(prims.reshape(v, (wide[0] * _TURNS,)), (0,), (count,)) for v in (a * c - b * d, a * d + b * c))
    return prims.broadcast_to(real, (rows, count)), prims.broadcast_to(imaginary, (rows, count))


def real_transform(x: Node, n: int, what: str) -> tuple[Node, Node]:
    """`rfft` of a float32 node along the last axis, cut or filled to `n`."""
    x = _fitted(x, _checked(n, what))
    batch, bins = x.shape[:-1], n // 2 + 1
    rows = prod(batch)
    if n % 2 or n == 2 or x.size == 0:
        real, imaginary = transform(x, prims.full(x.shape, 0.0, "float32"), [x.ndim - 1], False, what)
        return _fitted(real, bins), _fitted(imaginary, bins)
    # an even number of numbers as half as many complex ones: z = even + i odd; what they become is taken apart again
    half = n // 2
    real, imaginary = _parts(_run(prims.reshape(x, (rows, half, 1, 2)), half, False, FROM_PAIRS))
    a, b = (_around(prims.reshape(part, (rows, half)), half) for part in (real, imaginary))
    c, d = (prims.flip(part, (1,)) for part in (a, b))
    cos, sin = _turns(n, bins, rows)
    p, q = b + d, a - c  # the odd ones, times 2: p - i q
    real, imaginary = ((a + c) + (cos * p + sin * q)) * 0.5, ((b - d) + (sin * p - cos * q)) * 0.5
    return prims.reshape(real, (*batch, bins)), prims.reshape(imaginary, (*batch, bins))


def _around(x: Node, n: int) -> Node:
    """Rows with their first number once more at the end."""
    return prims.concat([x, prims.slice_(x, (0, 0), (x.shape[0], 1))], 1)


def real_inverse(real: Node, imaginary: Node, n: int, what: str) -> Node:
    """`irfft` of float32 nodes along the last axis, with `n` numbers as the result."""
    _checked(n, what)
    _checked(real.shape[-1], what)
    batch, bins = real.shape[:-1], n // 2 + 1
    rows = prod(batch)
    a, b = (prims.reshape(_fitted(part, bins), (rows, bins)) for part in (real, imaginary))
    # the first number, and the middle one of an even number, are real whatever is given
    b = prims.pad(prims.slice_(b, (0, min(1, bins)), (rows, bins - (n % 2 == 0))), ((0, 0), (1, int(n % 2 == 0)))) if n > 1 else b * 0.0
    if n % 2 or n == 2 or a.size == 0:
        rest = n - bins
        a, b = (prims.concat([v, s * prims.flip(prims.slice_(v, (0, 1), (rows, 1 + rest)), (1,))], 1) for v, s in ((a, 1.0), (b, -1.0)))
        return prims.reshape(transform(a, b, [1], True, what)[0], (*batch, n))
    half = n // 2
    c, d = (prims.flip(part, (1,)) for part in (a, b))
    cos, sin = _turns(n, bins, rows)
    p, q = a - c, b + d
    even_real, even_imaginary = a + c, b - d
    odd_real, odd_imaginary = cos * p + sin * q, cos * q - sin * p
    z = _planar(even_real - odd_imaginary, even_imaginary + odd_real)
    z = prims.reshape(prims.slice_(z, (0, 0, 0), (2, rows, half)), (2, rows, half, 1)) * (0.5 / half)
    return prims.reshape(_run(z, half, True, TO_PAIRS), (*batch, n))


# ---- in numpy, for the tests
def _of_pair(z: np.ndarray) -> list[np.ndarray]:
    return [z.real, z.imag]


def _numpy_fft(x: Any) -> list[np.ndarray]:
    return _of_pair(np.fft.fft(x[0] + 1j * x[1]))


def _numpy_fft2(x: Any) -> list[np.ndarray]:
    return _of_pair(np.fft.fft2(x[0] + 1j * x[1]))


def _numpy_ifft2(x: Any) -> list[np.ndarray]:
    return _of_pair(np.fft.ifft2(x[0] + 1j * x[1]))


def _numpy_irfft(x: Any, fft_length: int | None = None) -> np.ndarray:
    z = x[0] + 1j * x[1]
    return np.fft.irfft(z, fft_length)


def _numpy_rfft(x: np.ndarray, fft_length: int | None = None) -> list[np.ndarray]:
    return _of_pair(np.fft.rfft(x, fft_length))


@op(like=_numpy_fft, samples=[sample((draw(2, 12), draw(2, 12))), sample((draw(3, 64), draw(3, 64))), sample([draw(17), draw(17)])])
def fft(x: Sequence[TensorLike]) -> Pair:
    """The Fourier transform along the last axis, `y[k] = sum_j x[j] exp(-2 pi i j k / n)`.

    Any length; products of primes up to 13 are the fastest.

    Args:
        x: The real and the imaginary parts, float tensors `(..., n)` of the same shape.

    Returns:
        The real and the imaginary parts, float32, of the shape of the parts of `x`.

    Raises:
        ValueError: `x` is not a pair of float tensors of the same shape, or has no numbers to transform.

    The root of the mean square error is 4e-7 of the result's at 2^20 numbers, and 2e-7 at 1024, against float64.

    Source: Keras `ops.fft`, TensorFlow.js `tf.spectral.fft`; Stockham 1966, and Bluestein 1970 for other lengths.

    Example:
        >>> real, imaginary = pyml.ops.fft(([1., 2.], [0., 1.]))
        >>> real.tolist(), imaginary.tolist()
        ([3.0, -1.0], [1.0, -1.0])
    """
    return fft_along(x, -1, False, "fft")


def _matrices(x: Any, inverse: bool, what: str) -> Pair:
    real, _ = complex_pair(x, what)
    if real.ndim < 2:
        raise PairError(f"{what}: the parts of x need two axes or more. Received: the shape {real.shape}")
    return fft_along(x, (-2, -1), inverse, what)


@op(like=_numpy_fft2, samples=[sample((draw(2, 4, 6), draw(2, 4, 6))), sample((draw(5, 1), draw(5, 1)))])
def fft2(x: Sequence[TensorLike]) -> Pair:
    """The Fourier transform along the last two axes.

    Args:
        x: The real and the imaginary parts, float tensors `(..., height, width)` of the same shape.

    Returns:
        The real and the imaginary parts, float32, of the shape of the parts of `x`.

    Raises:
        ValueError: `x` is not a pair of float tensors of the same shape with two axes, or has no numbers to transform.

    Source: Keras `ops.fft2`.

    Example:
        >>> real, imaginary = pyml.ops.fft2((np.ones((2, 2)), np.zeros((2, 2))))
        >>> real.tolist()
        [[4.0, 0.0], [0.0, 0.0]]
    """
    return _matrices(x, False, "fft2")


@op(like=_numpy_ifft2, samples=[sample((draw(2, 4, 6), draw(2, 4, 6))), sample((draw(1, 7), draw(1, 7)))])
def ifft2(x: Sequence[TensorLike]) -> Pair:
    """The inverse of `fft2`: with the other sign, divided by `height * width`.

    Args:
        x: The real and the imaginary parts, float tensors `(..., height, width)` of the same shape.

    Returns:
        The real and the imaginary parts, float32, of the shape of the parts of `x`.

    Raises:
        ValueError: `x` is not a pair of float tensors of the same shape with two axes, or has no numbers to transform.

    Source: Keras `ops.ifft2`.

    Example:
        >>> real, imaginary = pyml.ops.ifft2(pyml.ops.fft2(([[1., 2.], [3., 4.]], np.zeros((2, 2)))))
        >>> real.tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    return _matrices(x, True, "ifft2")


@op(
    like=_numpy_rfft,
    samples=[sample(draw(2, 12)), sample(draw(9)), sample(draw(2, 8), 5), sample(draw(3, 5), 8), sample(draw(2, 1)), sample(draw(3, 2))],
)
def rfft(x: TensorLike, fft_length: int | None = None) -> Pair:
    """The Fourier transform of real numbers along the last axis: its `fft_length // 2 + 1` first terms, the others are their conjugates.

    Args:
        x: Numbers `(..., n)`.
        fft_length: `x` is cut, or filled with zeros at the end, to this length; by default n.

    Returns:
        The real and the imaginary parts, float32 `(..., fft_length // 2 + 1)`.

    Raises:
        ShapeError: `x` is a scalar, or there are no numbers to transform.

    Source: Keras `ops.rfft`, TensorFlow.js `tf.spectral.rfft`; an even length costs one complex transform of half of it.

    Example:
        >>> real, imaginary = pyml.ops.rfft([0., 1., 2., 3., 4.])
        >>> real.numpy().round(2), imaginary.numpy().round(2)
        (array([10. , -2.5, -2.5], dtype=float32), array([0.  , 3.44, 0.81], dtype=float32))
    """
    node = as_float(x)._node
    if not node.ndim:
        raise ShapeError("rfft: expected (..., n). Received a scalar.")
    n = node.shape[-1] if fft_length is None else count_of(fft_length, "rfft", "fft_length", least=1)
    real, imaginary = real_transform(node, n, "rfft")
    return Tensor(real), Tensor(imaginary)


@op(
    like=_numpy_irfft,
    samples=[sample((draw(2, 7), draw(2, 7))), sample((draw(5), draw(5)), 9), sample((draw(2, 5), draw(2, 5)), 6),
             sample((draw(3, 3), draw(3, 3)), 12), sample((draw(2, 2), draw(2, 2))), sample((draw(4), draw(4)), 1)],
)  # fmt: skip
def irfft(x: Sequence[TensorLike], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`: real numbers of the terms of the non-negative frequencies.

    Args:
        x: The real and the imaginary parts, float tensors `(..., terms)` of the same shape.
        fft_length: How many numbers; the terms are cut, or filled with zeros, to `fft_length // 2 + 1`.
            By default `2 * (terms - 1)`.

    Returns:
        float32 `(..., fft_length)`.

    Raises:
        ValueError: `x` is not a pair of float tensors of the same shape, or the length is not positive.

    Source: Keras `ops.irfft`, TensorFlow.js `tf.spectral.irfft`.

    Example:
        >>> pyml.ops.irfft(pyml.ops.rfft([1., 2., 3., 4., 5.]), 5).numpy().round(4)
        array([1., 2., 3., 4., 5.], dtype=float32)
    """
    real, imaginary = complex_pair(x, "irfft")
    if not real.ndim:
        raise PairError("irfft: expected parts (..., terms). Received scalars.")
    n = 2 * (real.shape[-1] - 1) if fft_length is None else count_of(fft_length, "irfft", "fft_length", least=1)
    return Tensor(real_inverse(real, imaginary, n, "irfft"))
