"""Triangles and diagonals of matrices."""

from __future__ import annotations

import numpy as np

from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import count_of
from .axes import ordered_axes
from .creation import arange
from .declare import draw, op, sample
from .logic import where
from .reduce import sum as _sum
from .shaping import expand_dims, ravel, transpose

__all__ = [
    "diag", "diagflat", "diagonal", "trace", "tri", "tril", "triu", "vander",
]  # fmt: skip


def _below(rows: int, columns: int, k: int) -> Tensor:
    """Where an element of a matrix is on the k-th diagonal or below."""
    return expand_dims(arange(rows), 1) + k >= expand_dims(arange(columns), 0)


@op(like="numpy.tri", samples=[sample(3), sample(2, 4, k=1), sample(3, k=-1, dtype="int32")])
def tri(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """Ones on and below the k-th diagonal of an `(N, M)` matrix of zeros, `pyml.config.floatx()` by default.

    Args:
        N: Rows.
        M: Columns; None for `N`.
        k: Which diagonal: 0 is the main one, positive ones are above it.
        dtype: The dtype of the result.

    Returns:
        `(N, M)`, of `dtype` or `pyml.config.floatx()`.

    Raises:
        ShapeError: `N` or `M` is not an integer of at least 0.
        DtypeError: There is no such dtype.

    Example:
        >>> pyml.ops.tri(2, 3).numpy()
        array([[1., 0., 0.],
               [1., 1., 0.]], dtype=float32)
    """
    rows = count_of(N, "tri", "N")
    return _below(rows, rows if M is None else count_of(M, "tri", "M"), k).astype(dtype or "float32")


def _matrices(x: TensorLike, what: str) -> Tensor:
    node = as_node(x)
    _has_matrices(node.shape, what)
    return Tensor(node)


def _has_matrices(shape: tuple[int | None, ...], what: str) -> None:
    if len(shape) < 2:
        raise ShapeError(f"{what}: x must have at least two axes, rows and columns. Received: shape {shape}")


@op(complex_parts="each", like="numpy.tril", samples=[sample(draw(3, 4)), sample(draw(2, 3, 3), k=-1), sample(draw(0, 3))])
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """`x` with zeros above the k-th diagonal of its last two axes.

    Args:
        x: Tensor with at least two axes.
        k: Which diagonal: 0 is the main one, positive ones are above it.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: `x` has fewer than two axes.

    Example:
        >>> pyml.ops.tril([[1, 2], [3, 4]]).numpy()
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    x = _matrices(x, "tril")
    return where(_below(x.shape[-2], x.shape[-1], k), x, Tensor(prims.zeros_like(x._node)))


@op(complex_parts="each", like="numpy.triu", samples=[sample(draw(3, 4)), sample(draw(2, 3, 3), k=-1), sample(draw(0, 3))])
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """`x` with zeros below the k-th diagonal of its last two axes.

    Args:
        x: Tensor with at least two axes.
        k: Which diagonal: 0 is the main one, positive ones are above it.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: `x` has fewer than two axes.

    Example:
        >>> pyml.ops.triu([[1, 2], [3, 4]]).numpy()
        array([[1, 2],
               [0, 4]], dtype=int32)
    """
    x = _matrices(x, "triu")
    return where(_below(x.shape[-2], x.shape[-1], k - 1), Tensor(prims.zeros_like(x._node)), x)


_DIAGONALS = [sample(draw(3, 4)), sample(draw(3, 4), 1), sample(draw(4, 3), -2), sample(draw(3, 2, 3), 0, -1, 0), sample(draw(2, 2), 5)]


def _diagonal_spec(x: KerasTensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> KerasTensor:
    """The symbolic diagonals: as long as the shorter axis, so unknown where one of the two is."""
    shape = x.shape
    _has_matrices(shape, "diagonal")
    a, b = ordered_axes((axis1, axis2), len(shape), "diagonal")
    rows, columns = shape[a], shape[b]
    n = None if rows is None or columns is None else max(0, min(rows - max(0, -offset), columns - max(0, offset)))
    return KerasTensor((*(size for axis, size in enumerate(shape) if axis not in (a, b)), n), dtype=x.dtype)


@op(complex_parts="each", like="numpy.diagonal", samples=_DIAGONALS, spec=_diagonal_spec)
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices that two axes of `x` span, in the dtype of `x`.

    Args:
        x: Tensor with at least two axes.
        offset: How far right of the main diagonal; negative is below it.
        axis1, axis2: The axes of rows and of columns.

    Returns:
        The other axes of `x`, then that of the diagonal.

    Raises:
        ShapeError: `x` has fewer than two axes, or an axis is out of range or named twice.

    Example:
        >>> pyml.ops.diagonal([[1, 2], [3, 4]]).numpy()
        array([1, 4], dtype=int32)
    """
    x = _matrices(x, "diagonal")
    a, b = ordered_axes((axis1, axis2), x.ndim, "diagonal")
    node = transpose(x, [*(i for i in range(x.ndim) if i not in (a, b)), a, b])._node
    *lead, rows, columns = node.shape
    first, left = max(0, -offset), max(0, offset)
    n = max(0, min(rows - first, columns - left))
    start = [*(0 for _ in lead), min(first, rows), min(left, columns)]
    node = prims.slice_(node, start, [*lead, start[-2] + n, start[-1] + n])
    # n rows of n elements, and one more between two of the diagonal: in rows of n + 1 they are the first column
    node = prims.pad(prims.reshape(node, (*lead, n * n)), [*((0, 0) for _ in lead), (0, n)])
    node = prims.slice_(prims.reshape(node, (*lead, n, n + 1)), [0] * (len(lead) + 2), [*lead, n, min(1, n + 1)])
    return Tensor(prims.reshape(node, (*lead, n)))


@op(complex_parts="each", dtypes="sum", like="numpy.trace", samples=[*_DIAGONALS, sample(draw(3, 3, low=-9, high=9, dtype="int32"))])
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of each diagonal of `x`, int32 of booleans, else in its dtype; arguments as for `diagonal`.

    Args:
        x: Tensor with at least two axes.
        offset: Which diagonal: 0 is the main one, positive ones are above it.
        axis1: The axis of the rows.
        axis2: The axis of the columns.

    Returns:
        A tensor of the dtype of `x` (int32 of booleans), in its shape without the two axes.

    Raises:
        ShapeError: `x` has fewer than two axes, or an axis is out of range or named twice.

    Example:
        >>> pyml.ops.trace([[1, 2], [3, 4]]).item()
        5
    """
    return _sum(diagonal(x, offset, axis1, axis2), axis=-1)


def _is_for_diag(shape: tuple[int | None, ...]) -> None:
    if len(shape) not in (1, 2):
        raise ShapeError(f"diag: x must have one axis or two. Received: shape {shape}")


def _diag_spec(x: KerasTensor, k: int = 0) -> KerasTensor:
    """The symbolic diagonal of a matrix, or matrix of a diagonal."""
    _is_for_diag(x.shape)
    if len(x.shape) == 2:
        return _diagonal_spec(x, k)
    n = None if x.shape[0] is None else x.shape[0] + abs(k)
    return KerasTensor((n, n), dtype=x.dtype)


@op(
    complex_parts="each", spec=_diag_spec,
    like="numpy.diag", samples=[sample(draw(3)), sample(draw(2), k=1), sample(draw(2), k=-2), sample(draw(3, 4)), sample(draw(0))],
)
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """The k-th diagonal of a matrix, or a square matrix of zeros with the vector `x` on its k-th diagonal, in the dtype of `x`.

    Args:
        x: A vector or a matrix.
        k: Which diagonal: 0 is the main one, positive ones are above it.

    Returns:
        A tensor of the dtype of `x`: a matrix of a vector, a vector of a matrix.

    Raises:
        ShapeError: `x` has neither one axis nor two.

    Example:
        >>> pyml.ops.diag([1, 2]).numpy()
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    node = as_node(x)
    _is_for_diag(node.shape)
    if node.ndim == 2:
        return diagonal(Tensor(node), k)
    n = node.size
    node = prims.pad(prims.reshape(node, (n, 1)), [(0, 0), (0, n)])
    node = prims.slice_(prims.reshape(node, (n * (n + 1),)), [0], [n * n])
    before, after = max(0, k), max(0, -k)
    return Tensor(prims.pad(prims.reshape(node, (n, n)), [(after, before), (before, after)]))


@op(complex_parts="each", like="numpy.diagflat", samples=[sample(draw(2, 2)), sample(draw(2), k=1), sample(3.0)])
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """A square matrix of zeros with the elements of `x` on its k-th diagonal, in the dtype of `x`.

    Args:
        x: Tensor of any shape.
        k: Which diagonal: 0 is the main one, positive ones are above it.

    Returns:
        A square matrix of the dtype of `x`.

    Example:
        >>> pyml.ops.diagflat([1, 2], k=1).numpy()
        array([[0, 1, 0],
               [0, 0, 2],
               [0, 0, 0]], dtype=int32)
    """
    return diag(ravel(x), k)


@op(
    like=np.vander,
    samples=[sample(draw(4)), sample(draw(3), 2, increasing=True), sample(draw(3, low=-3, high=4, dtype="int32"), 4), sample(draw(2), 0)],
)
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of a vector, a column each: from `x**(N - 1)` to `x**0`, or the other way round.

    Args:
        x: A vector.
        N: How many columns; as many as `x` has elements by default.
        increasing: Begin with `x**0`.

    Returns:
        A tensor of the dtype of `x`: `(len(x), N)`.

    Raises:
        ShapeError: `x` is not a vector, or `N` is negative.

    Source: `keras.ops.vander`.

    Example:
        >>> pyml.ops.vander([1, 2, 3], 3).numpy()
        array([[1, 1, 1],
               [4, 2, 1],
               [9, 3, 1]], dtype=int32)
    """
    node = as_node(x)
    if node.ndim != 1:
        raise ShapeError(f"vander: x must be a vector. Received: shape {node.shape}")
    columns = node.size if N is None else count_of(N, "vander", "N")
    powers = [prims.full(node.shape, 1, node.dtype)]
    for _ in range(columns - 1):
        powers.append(powers[-1] * node)
    powers = powers[:columns] if increasing else powers[:columns][::-1]
    if not columns:
        return Tensor(prims.full((node.size, 0), 0, node.dtype))
    return Tensor(prims.concat([prims.reshape(p, (node.size, 1)) for p in powers], 1))
