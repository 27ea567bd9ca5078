"""Numbers evenly spaced between two ends, on a plain or a logarithmic scale."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np

from ..core.tensor import Tensor, elementwise_nodes
from ..core.types import TensorLike
from ..graph import prims
from ..graph.sizes import count_of
from . import complex_formulas
from .arithmetic import abs as _abs
from .arithmetic import power
from .axes import one_axis
from .declare import draw, op, sample
from .elementary import exp, log
from .logic import where
from .shaping import moveaxis

__all__ = [
    "geomspace", "linspace", "logspace",
]  # fmt: skip


@overload
def linspace(start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, retstep: Literal[False] = False,
             dtype: str | None = None, axis: int = 0) -> Tensor: ...  # fmt: skip


@overload
def linspace(start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, *, retstep: Literal[True],
             dtype: str | None = None, axis: int = 0) -> tuple[Tensor, Tensor]: ...  # fmt: skip


@op(
    complex_parts=complex_formulas.linspace,
    like=np.linspace,
    samples=[sample(0.0, 1.0, 5), sample(-1.0, 1.0, 4, endpoint=False), sample(draw(3), 2.0, 4, axis=-1),
             sample(draw(2, 1), draw(3), 3, axis=1), sample(0, 1, 5, retstep=True), sample(0, 1, 1), sample(0, 1, 0)],
)  # fmt: skip
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: str | None = None,
    axis: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    """`num` evenly spaced numbers from `start` to `stop`, `pyml.config.floatx()` by default.

    Args:
        start, stop: The ends: numbers, or tensors that broadcast.
        num: How many.
        endpoint: Whether `stop` is the last of them.
        retstep: Return the distance between two of them too.
        dtype: Name of the dtype.
        axis: The axis of the result along which they lie, where the ends are tensors.

    Returns:
        A tensor of `dtype` or `pyml.config.floatx()`, with an axis of `num` at `axis`; `linspace` with `retstep` gives it and the distance.

    Raises:
        ShapeError: `num` is negative, or `axis` is out of range.
        DtypeError: There is no such dtype.

    Source: `keras.ops.linspace`.

    Example:
        >>> pyml.ops.linspace(0., 1., 5).numpy()
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = count_of(num, "linspace", "num")
    first, last = (Tensor(n) for n in elementwise_nodes(start, stop, dtype="float32", what="linspace"))
    a = one_axis(axis, first.ndim + 1, "linspace")
    steps = num - 1 if endpoint else num
    step = (last - first) / steps if steps > 0 else (last - first) * float("nan")
    places = Tensor(prims.reshape(prims.cast(prims.iota(num), dtype="float32"), (num, *(1,) * first.ndim)))
    out = first + places * ((last - first) / max(1, steps))
    if endpoint and num > 1:
        out = where(places + 0.5 > steps, last, out)  # the end itself, whatever the steps rounded to
    out = moveaxis(out if dtype is None else out.astype(dtype), 0, a)
    return (out, step) if retstep else out


@op(
    like=np.logspace,
    samples=[sample(0.0, 2.0, 5), sample(-1, 1, 4, endpoint=False, base=2), sample(draw(3), 1.0, 3, axis=-1)],
)
def logspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, base: float = 10, dtype: str | None = None, axis: int = 0
) -> Tensor:
    """`base` to the powers of `num` evenly spaced numbers from `start` to `stop`; other arguments as for `linspace`.

    Args:
        start: The power of the first number.
        stop: The power of the last one, or of the first that is left out.
        num: How many.
        endpoint: Whether `stop` is the last one.
        base: What is raised to powers.
        dtype: The dtype of the result.
        axis: Where the axis of the numbers is, if the ends are tensors.

    Returns:
        A tensor of `dtype` or `pyml.config.floatx()`, with an axis of `num` at `axis`.

    Raises:
        ShapeError: `num` is negative, or `axis` is out of range.
        DtypeError: There is no such dtype.

    Source: `keras.ops.logspace`.

    Example:
        >>> pyml.ops.logspace(0., 2., 3).numpy().round(2)
        array([  1.,  10., 100.], dtype=float32)
    """
    out = power(float(base), linspace(start, stop, num, endpoint, axis=axis))
    return out if dtype is None else out.astype(dtype)


@op(
    like=np.geomspace,
    samples=[sample(1.0, 1000.0, 4), sample(-1.0, -8.0, 3), sample(draw(3, low=0.5), 4.0, 3, axis=-1), sample(1, 256, 8, endpoint=False)],
)
def geomspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, dtype: str | None = None, axis: int = 0
) -> Tensor:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before; other arguments as for `linspace`.

    Both ends are positive, or both negative; else the result is NaN.

    Args:
        start: The first number.
        stop: The last one, or the first that is left out.
        num: How many.
        endpoint: Whether `stop` is the last one.
        dtype: The dtype of the result.
        axis: Where the axis of the numbers is, if the ends are tensors.

    Returns:
        A tensor of `dtype` or `pyml.config.floatx()`, with an axis of `num` at `axis`.

    Raises:
        ShapeError: `num` is negative, or `axis` is out of range.
        DtypeError: There is no such dtype.

    Source: `keras.ops.geomspace`.

    Example:
        >>> pyml.ops.geomspace(1., 100., 3).numpy().round(2)
        array([  1.,  10., 100.], dtype=float32)
    """
    first, last = (Tensor(n) for n in elementwise_nodes(start, stop, dtype="float32", what="geomspace"))
    sign = where((first > 0.0) & (last > 0.0), 1.0, where((first < 0.0) & (last < 0.0), -1.0, float("nan")))
    a = one_axis(axis, first.ndim + 1, "geomspace")
    found = moveaxis(sign * exp(linspace(log(_abs(first)), log(_abs(last)), num, endpoint)), 0, a)
    return found if dtype is None else found.astype(dtype)
