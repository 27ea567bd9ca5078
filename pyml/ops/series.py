"""Numbers in a row and what is counted of them: differences, areas, averages, how two go together."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import count_of
from .apply import as_float
from .arithmetic import divide, multiply, subtract
from .axes import one_axis, standardize_axis
from .convolution import conv
from .declare import draw, op, sample
from .elementary import sqrt
from .logic import not_equal
from .products import matmul
from .reduce import max as _max
from .reduce import mean
from .reduce import min as _min
from .reduce import sum as _sum
from .shaping import broadcast_to, flip, pad, ravel, reshape, transpose

__all__ = [
    "average", "corrcoef", "correlate", "diff", "ptp", "trapezoid",
]  # fmt: skip


_WHOLE = sample(draw(5, low=-9, high=9, dtype="int32"))


@op(like="numpy.ptp", samples=[sample(draw(3, 4)), sample(draw(3, 4), axis=-1, keepdims=True), _WHOLE])
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest less the smallest element over `axis`, in the dtype of `x`.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.
        keepdims: Keep these axes with size 1.

    Returns:
        A tensor of the dtype of `x`, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range, or there are no elements.

    Example:
        >>> pyml.ops.ptp([1., 5., 3.]).item()
        4.0
    """
    return subtract(_max(x, axis, keepdims), _min(x, axis, keepdims))


def _between(x: Tensor, axis: int, first: int, less: int) -> Tensor:
    """`x` along `axis` from `first`, without the last `less` elements."""
    n = x.shape[axis]
    start = [min(first, n) if i == axis else 0 for i in range(x.ndim)]
    stop = [max(start[axis], n - less) if i == axis else m for i, m in enumerate(x.shape)]
    return Tensor(prims.slice_(x._node, start, stop))


@op(
    complex_parts="each",
    dtypes="first",
    like="numpy.diff",
    samples=[
        sample(draw(2, 5)), sample(draw(4, 2), n=2, axis=0), sample(draw(3), 0), sample(draw(2), n=3),
        sample(draw(5, low=-9, high=9, dtype="int32")), sample(draw(4, low=0, high=2, dtype="bool")),
    ],
)  # fmt: skip
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Each element less the one before it along `axis`, `n` times over; of booleans, whether they differ.

    Args:
        a: Tensor.
        n: How many times, 0 or more.
        axis: The axis.

    Returns:
        A tensor of the dtype of `a`, in its shape, shorter by `n` along `axis`.

    Raises:
        ShapeError: The axis is out of range, or `n` is negative.

    Example:
        >>> pyml.ops.diff([1, 4, 9]).numpy()
        array([3, 5], dtype=int32)
    """
    x = Tensor(as_node(a))
    along = one_axis(axis, x.ndim, "diff")
    for _ in range(count_of(n, "diff", "n")):
        x = (not_equal if x.dtype == "bool" else subtract)(_between(x, along, 1, 0), _between(x, along, 0, 1))
    return x


@op(
    like="numpy.trapezoid",
    samples=[sample(draw(2, 5)), sample(draw(2, 3), draw(3), axis=1), sample(draw(4, 2), dx=0.5, axis=0), sample(draw(3), draw(3)),
             sample(draw(3, 2), draw(3), axis=0), sample(draw(2, 3), draw(2, 3))],
)  # fmt: skip
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The area below a line through points, along `axis`, as float32.

    Args:
        y: Heights.
        x: Their places, a vector or a tensor like `y`.
        dx: The distance between two, where `x` is None.
        axis: The axis along which the points follow each other.

    Returns:
        float32, in the shape of `y` without `axis`.

    Raises:
        ShapeError: The axis is out of range, or `x` does not fit.

    Example:
        >>> pyml.ops.trapezoid([1., 2., 3.]).item()
        4.0
    """
    heights = as_float(y)
    a = one_axis(axis, heights.ndim, "trapezoid")
    width: Any = dx
    if x is not None:
        places = as_float(x)
        if places.ndim == 1:
            width = reshape(diff(places), [-1 if i == a else 1 for i in range(heights.ndim)])
        else:
            width = diff(places, axis=a)
    return _sum(multiply((_between(heights, a, 1, 0) + _between(heights, a, 0, 1)) * 0.5, width), axis=a)


@op(
    counted=True,
    like="numpy.average",
    samples=[sample(draw(3, 4)), sample(draw(3, 4), 1, draw(4, low=0.5)), sample(draw(3, 4), None, draw(3, 4, low=0.5)),
             sample(draw(3, 4), axis=(0, 1)), sample(draw(3, 2), 0, [1, 2, 3])],
)  # fmt: skip
def average(x: TensorLike, axis: Axis = None, weights: TensorLike | None = None) -> Tensor:
    """The mean over `axis` in which elements count by their weights, as float32.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.
        weights: In the shape of `x`, a number, or a vector along the one `axis`; all alike by default.

    Returns:
        float32, in the shape of `x` without `axis`.

    Raises:
        ShapeError: An axis is out of range, or the weights do not fit.

    Example:
        >>> pyml.ops.average([1., 4.], weights=[2., 1.]).item()
        2.0
    """
    if weights is None:
        return mean(x, axis)
    x, w = as_float(x), as_float(weights)
    if not w.ndim or not x.ndim:  # a number goes with any shape
        x, w = broadcast_to(x, x.shape or w.shape), broadcast_to(w, x.shape or w.shape)
    if w.shape != x.shape:
        axes = standardize_axis(axis, x.ndim, "average")
        if w.ndim != 1 or len(axes) != 1 or w.size != x.shape[axes[0]]:
            raise ShapeError(f"average: weights need the shape of x, {x.shape}, or the size of the one axis. Received: shape {w.shape}")
        w = broadcast_to(reshape(w, [-1 if i == axes[0] else 1 for i in range(x.ndim)]), x.shape)
    return divide(_sum(multiply(x, w), axis), _sum(w, axis))


@op(like="numpy.corrcoef", tolerance=1e-4, samples=[sample(draw(3, 5)), sample(draw(4))])
def corrcoef(x: TensorLike) -> Tensor:
    """How rows of `x` go together, from -1 to 1: float32 `(rows, rows)`; 1 of a single vector.

    Args:
        x: `(rows, observations)`, or a vector of observations.

    Returns:
        float32 `(rows, rows)`.

    Raises:
        ShapeError: `x` has more than two axes or none.

    Example:
        >>> pyml.ops.corrcoef([[1., 2., 3.], [3., 2., 1.]]).numpy().round(4)
        array([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    x = as_float(x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"corrcoef: x must have one axis or two. Received: shape {x.shape}")
    gap = x - mean(x, axis=-1, keepdims=True)
    length = sqrt(_sum(gap * gap, axis=-1, keepdims=True))
    gap = gap / length
    return matmul(gap, transpose(gap))


@op(
    like="numpy.correlate",
    samples=[sample(draw(5), draw(3)), sample(draw(5), draw(3), "full"), sample(draw(5), draw(2), mode="same"), sample(draw(2), draw(4)),
             sample(draw(2), draw(4), "same"), sample(draw(3), draw(4), "full")],
)  # fmt: skip
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """The sums of products of `x1` and `x2` laid over each other, for every shift, as float32, along one axis.

    Args:
        x1, x2: Vectors.
        mode: `"valid"`: where the shorter lies within the longer; `"same"`: as many as the longer has; `"full"`: where they touch.

    Returns:
        float32, with one axis: as long as `mode` says.

    Raises:
        ShapeError: An operand is not a vector or empty.
        ValueError: The mode is another.

    Example:
        >>> pyml.ops.correlate([1., 2., 3.], [0., 1., 0.5]).numpy()
        array([3.5], dtype=float32)
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: mode must be 'valid', 'same' or 'full'. Received: mode={mode!r}")
    a, b = as_float(x1), as_float(x2)
    if a.ndim != 1 or b.ndim != 1 or not a.size or not b.size:
        raise ShapeError(f"correlate: operands must be vectors with elements. Received: shapes {a.shape} and {b.shape}")
    if a.size < b.size:
        return flip(_slid(b, a, mode, ahead=a.size // 2))
    return _slid(a, b, mode, ahead=b.size // 2)


def _slid(a: Tensor, b: Tensor, mode: str, ahead: int) -> Tensor:
    """`b` moved along the longer `a`, which gets zeros around it."""
    k = b.size
    before, after = {"valid": (0, 0), "full": (k - 1, k - 1), "same": (ahead, k - 1 - ahead)}[mode]
    if before or after:
        a = pad(a, ((before, after),))
    return ravel(conv(reshape(a, (1, a.size, 1)), reshape(b, (k, 1, 1))))
