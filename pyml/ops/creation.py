"""Making tensors of numbers: zeros, ranges, the identity."""

from __future__ import annotations

from ..core.tensor import Tensor, as_node
from ..core.types import Shape, TensorLike
from ..dtypes import standardize
from ..graph import prims
from ..graph.sizes import count_of, shape_of
from . import complex_formulas, families
from .declare import draw, op, sample
from .logic import equal
from .shaping import expand_dims

__all__ = [
    "arange", "eye", "full", "full_like", "identity", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip


@op(complex_parts="each", dtypes="floatx", like="numpy.full", samples=[sample((2, 3), 1.5), sample(4, 2, dtype="int32")])
def full(shape: Shape, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """One number in a tensor of `shape`; costs no memory.

    Args:
        shape: The sizes.
        fill_value: The number.
        dtype: Name of the dtype; `pyml.config.floatx()` by default, whatever the number is, as in Keras.

    Returns:
        A tensor of shape `shape` and dtype `dtype`, `pyml.config.floatx()` by default.

    Raises:
        ShapeError: `shape` holds something else than integers of at least 0.
        DtypeError: There is no such dtype.

    Example:
        >>> pyml.ops.full((2,), 7).numpy()
        array([7., 7.], dtype=float32)
    """
    node = as_node(fill_value, dtype or "float32")
    return Tensor(prims.broadcast_to(node, shape_of(shape, "full")))


@op(family=families.FILLED, like="numpy.zeros", samples=[sample((2, 3)), sample(4, dtype="int32")])
def zeros(shape: Shape, dtype: str | None = None) -> Tensor:
    """Zeros in `shape`, `pyml.config.floatx()` by default; costs no memory.

    Example:
        >>> pyml.ops.zeros((2,)).numpy()
        array([0., 0.], dtype=float32)
    """
    return Tensor(prims.full(shape_of(shape, "zeros"), 0, standardize(dtype or "float32")))


@op(family=families.FILLED, like="numpy.ones", samples=[sample((2, 3)), sample(4, dtype="int32")])
def ones(shape: Shape, dtype: str | None = None) -> Tensor:
    """Ones in `shape`, `pyml.config.floatx()` by default; costs no memory.

    Example:
        >>> pyml.ops.ones((2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    return Tensor(prims.full(shape_of(shape, "ones"), 1, standardize(dtype or "float32")))


@op(
    family=families.FILLED_LIKE,
    complex_parts=complex_formulas.zeros_like, like="numpy.zeros_like", gradient=False, samples=[sample(draw(2, 3))],
)
def zeros_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """Zeros in the shape and dtype of `x`, or in `dtype`.

    Example:
        >>> pyml.ops.zeros_like([1, 2]).numpy()
        array([0, 0], dtype=int32)
    """
    node = as_node(x)
    return zeros(node.shape, dtype or node.dtype)


@op(
    family=families.FILLED_LIKE,
    complex_parts=complex_formulas.ones_like, like="numpy.ones_like", gradient=False, samples=[sample(draw(2, 3))],
)
def ones_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """Ones in the shape and dtype of `x`, or in `dtype`.

    Example:
        >>> pyml.ops.ones_like([3, 2]).numpy()
        array([1, 1], dtype=int32)
    """
    node = as_node(x)
    return ones(node.shape, dtype or node.dtype)


@op(complex_parts=complex_formulas.full_like, dtypes="first", like="numpy.full_like", gradient=False, samples=[sample(draw(2, 3), 1.5)])
def full_like(x: TensorLike, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """One number in the shape and dtype of `x`, or in `dtype`.

    Args:
        x: Tensor.
        fill_value: A number, or a tensor that broadcasts to the shape of `x`.
        dtype: Name of the result's dtype.

    Returns:
        A tensor in the shape of `x`, of `dtype` or its dtype.

    Raises:
        DtypeError: There is no such dtype.

    Example:
        >>> pyml.ops.full_like([3, 2], 7).numpy()
        array([7, 7], dtype=int32)
    """
    node = as_node(x)
    return full(node.shape, fill_value, dtype or node.dtype)


@op(like="numpy.arange", samples=[sample(5), sample(2, 11, 3), sample(1.0, 2.0, 0.25), sample(5, 0, -2)])
def arange(start: float, stop: float | None = None, step: float | None = None, dtype: str | None = None) -> Tensor:
    """`start, start + step, …` below `stop`, like numpy's, along one axis; with one number, from 0 to it.

    Args:
        start, stop: The ends.
        step: From a number to the next, 1 by default.
        dtype: By default int32 where all three are integers, else float32.

    Returns:
        A tensor with one axis, of `dtype`, or int32 of integers and `pyml.config.floatx()` of others.

    Raises:
        ValueError: `step` is 0.

    Example:
        >>> pyml.ops.arange(2, 8, 2).numpy()
        array([2, 4, 6], dtype=int32)
    """
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if any(isinstance(v, str) for v in (start, stop, step)):
        raise ValueError(f"arange: start, stop and step must be numbers. Received: {start!r}, {stop!r}, {step!r}")
    n = max(0, -int(-(stop - start) // step)) if step else 0
    if not step:
        raise ValueError("arange: step must not be 0.")
    kind = standardize(dtype) if dtype else ("float32" if any(isinstance(v, float) for v in (start, stop, step)) else "int32")
    count = prims.cast(prims.iota(n), dtype=kind)
    return Tensor(count * step + start)


@op(like="numpy.eye", samples=[sample(3), sample(2, 4, k=1), sample(3, k=-1, dtype="int32")])
def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """Ones on the k-th diagonal of an `(N, M)` matrix of zeros, `pyml.config.floatx()` by default.

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
        >>> pyml.ops.eye(2, 3).numpy()
        array([[1., 0., 0.],
               [0., 1., 0.]], dtype=float32)
    """
    rows = arange(count_of(N, "eye", "N"))
    cols = rows if M is None else arange(count_of(M, "eye", "M"))
    k = max(-rows.size, min(k, cols.size)) if isinstance(k, int) else k  # further away there is nothing either
    return equal(expand_dims(rows, 1) + k, expand_dims(cols, 0)).astype(dtype or "float32")


@op(like="numpy.identity", samples=[sample(3)])
def identity(n: int, dtype: str | None = None) -> Tensor:
    """The `(n, n)` identity matrix, `pyml.config.floatx()` by default.

    Args:
        n: Rows and columns.
        dtype: The dtype of the result.

    Returns:
        `(n, n)`, of `dtype` or `pyml.config.floatx()`.

    Raises:
        ShapeError: `n` is not an integer of at least 0.
        DtypeError: There is no such dtype.

    Example:
        >>> pyml.ops.identity(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(count_of(n, "identity", "n"), dtype=dtype)
