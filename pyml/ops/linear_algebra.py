"""Linear algebra: norms of vectors and matrices."""

from __future__ import annotations

from ..core.tensor import Tensor
from ..core.types import Axis, TensorLike
from . import complex_matrices
from .apply import as_float
from .arithmetic import absolute, power, square
from .axes import one_axis
from .declare import draw, op, sample
from .elementary import length_of
from .logic import equal, not_equal, where
from .reduce import max as _max
from .reduce import min as _min
from .reduce import sum as _sum
from .shaping import moveaxis, ravel, reshape
from .spectra import svd

__all__ = ["norm"]

_INFINITE = float("inf")


@op(
    complex_parts=complex_matrices.norm,
    like="numpy.linalg.norm",
    samples=[
        sample(draw(2, 3)),
        *(sample(draw(2, 3), ord, axis=1) for ord in (1, 2, 3, _INFINITE, -_INFINITE)),
        *(sample(draw(3, 4), ord, axis=(0, 1), keepdims=True) for ord in ("fro", 1, -1, _INFINITE, -_INFINITE)),
        *(sample(draw(3, 2, 4), ord, axis=(0, -1), keepdims=ord == 2) for ord in ("nuc", 2, -2)),
    ],
)
def norm(x: TensorLike, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices, as float32.

    Args:
        x: Tensor.
        ord: Vectors: any number, 2 by default, `inf` and `-inf` for the largest and smallest magnitude, 0 for how many are
            not 0. Matrices: `"fro"` by default, 1 and -1 for sums of columns, `inf` and `-inf` for sums of rows; 2, -2 and
            `"nuc"` for the largest singular value, the smallest, and the sum of all (see `svd`).
        axis: An axis of vectors, or the two axes of matrices; None takes all of `x` (with `ord=None` as one vector).
        keepdims: Keep these axes with size 1.

    Returns:
        float32, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ValueError: There is no such norm.

    Example:
        >>> pyml.ops.norm([3., 4.]).item()
        5.0
    """
    x = as_float(x)
    if axis is None and ord is None:
        found = length_of(_sum(square(ravel(x))))
        return reshape(found, (1,) * x.ndim) if keepdims else found
    axes: int | tuple[int, ...]
    if axis is None or isinstance(axis, (tuple, list)):
        axes = tuple(axis or range(x.ndim))
    else:
        axes = one_axis(axis, x.ndim, "norm")
    if isinstance(axes, int) or len(axes) == 1:
        return _of_vectors(x, ord, axes if isinstance(axes, int) else axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm: axis must name one axis or two. Received: axis={axis} for the shape {x.shape}")
    rows, columns = (one_axis(a, x.ndim, "norm") for a in axes)
    if ord is None or ord == "fro":
        return length_of(_sum(square(x), axis=(rows, columns), keepdims=keepdims))
    if ord in (2, -2, "nuc"):
        return _of_singular_values(x, ord, rows, columns, keepdims)
    if ord not in (1, -1, _INFINITE, -_INFINITE) or isinstance(ord, str):
        raise ValueError(f"norm: ord of matrices must be None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf. Received: ord={ord!r}")
    summed, kept = (rows, columns) if abs(ord) == 1 else (columns, rows)
    totals = _sum(absolute(x), axis=summed, keepdims=True)
    found = (_max if ord > 0 else _min)(totals, axis=kept, keepdims=True)
    return found if keepdims else reshape(found, [n for a, n in enumerate(x.shape) if a not in (rows, columns)])


def _of_singular_values(x: Tensor, ord: float | str, rows: int, columns: int, keepdims: bool) -> Tensor:
    if rows == columns:
        raise ValueError(f"norm: the two axes of matrices must differ. Received: axis={(rows, columns)}")
    values = svd(moveaxis(x, (rows, columns), (-2, -1)), compute_uv=False)
    assert isinstance(values, Tensor)
    found = _sum(values, axis=-1) if ord == "nuc" else (_max if ord == 2 else _min)(values, axis=-1)
    return reshape(found, [1 if a in (rows, columns) else n for a, n in enumerate(x.shape)]) if keepdims else found


def _of_vectors(x: Tensor, ord: float | str | None, axis: int, keepdims: bool) -> Tensor:
    if isinstance(ord, str):
        raise ValueError(f"norm: ord of vectors must be a number or None. Received: ord={ord!r}")
    if ord is None or ord == 2:
        return length_of(_sum(square(x), axis=axis, keepdims=keepdims))
    if abs(ord) == _INFINITE:
        return (_max if ord > 0 else _min)(absolute(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return _sum(not_equal(x, 0.0), axis=axis, keepdims=keepdims).astype("float32")
    return _power(_sum(_power(absolute(x), ord), axis=axis, keepdims=keepdims), 1.0 / ord)


def _power(x: Tensor, exponent: float) -> Tensor:
    """A power of what is not negative, whose slope at 0 is 0: that of a norm there, as in PyTorch."""
    zero = equal(x, 0.0)
    return where(zero, 0.0 if exponent > 0 else _INFINITE, power(where(zero, 1.0, x), exponent))
