"""`associative_scan`: all partial results of an associative function, in a logarithmic number of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..core.nest import aligned, flatten, pack
from ..core.tensor import Tensor, convert_to_tensor, tensor_of
from ..dtypes import result_type, standardize
from ..errors import ShapeError
from ..graph.node import Node
from ..graph.prims import cast, concat, flip, pad, reshape, slice_
from .axes import one_axis
from .declare import draw, op, sample

__all__ = ["associative_scan"]

Result = TypeVar("Result")


def _numpy_associative_scan(f: Callable[..., Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    x = np.moveaxis(elems, axis, 0)[::-1] if reverse else np.moveaxis(elems, axis, 0)
    rows = [x[:1]]
    for i in range(1, len(x)):
        rows.append(f(rows[-1], x[i : i + 1]))
    found = np.concatenate(rows)
    return np.moveaxis(found[::-1] if reverse else found, 0, axis)


@op(complex_parts="inside", dtypes="own", like=_numpy_associative_scan, samples=[
    sample(lambda a, b: a + b, draw(5, 2)), sample(lambda a, b: a * b, draw(2, 6), axis=-1),
    sample(lambda a, b: a + b, draw(7), reverse=True),
])  # fmt: skip
def associative_scan(f: Callable[[Any, Any], Result], elems: Any, reverse: bool = False, axis: int = 0) -> Result:
    """All partial results of an associative function along an axis, in the dtypes of its results: `x0, f(x0, x1), f(f(x0, x1), x2), ...`

    In about `2 log2(n)` calls of `f`, each on many elements at once: `f` must work on whole tensors, whatever their size along
    `axis`. The order in which results are put together differs from a loop's.

    Args:
        f: `f(a, b)` of two structures like `elems`, associative: `f(a, f(b, c)) = f(f(a, b), c)`.
        elems: A tensor, or tensors in lists, tuples and dicts, all of the same size along `axis`.
        reverse: Whether to begin at the end.
        axis: The axis.

    Returns:
        The partial results, in the structure and shapes of `elems`.

    Raises:
        TypeError: `f` is not a function.
        ShapeError: The sizes along the axis differ, or the axis is out of range.

    Source: `keras.ops.associative_scan`, `jax.lax.associative_scan`; Blelloch 1990, "Prefix Sums and Their Applications".

    Example:
        >>> pyml.ops.associative_scan(lambda a, b: a + b, np.arange(5)).numpy()
        array([ 0,  1,  3,  6, 10], dtype=int32)
    """
    if not callable(f):
        raise TypeError(f"associative_scan: f must be a function of two parts. Received: f={f!r}")
    whole = [convert_to_tensor(x) for x in flatten(elems)]
    axes = [one_axis(axis, x.ndim, "associative_scan") for x in whole]
    sizes = {x.shape[a] for x, a in zip(whole, axes, strict=True)}
    if len(sizes) != 1:
        shapes = ", ".join(str(x.shape) for x in whole)
        raise ShapeError(f"associative_scan: the tensors must have the same size along axis {axis}. Received: shapes {shapes}")

    def combine(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        found = f(pack(elems, a), pack(elems, b))
        return [convert_to_tensor(x) for x in flatten(aligned(found, elems, "associative_scan"))]

    def partial(x: list[Tensor]) -> list[Tensor]:
        n = x[0].shape[axes[0]]
        if n < 2:
            return x
        odd = partial(combine(cut(x, 0, n - n % 2, 2), cut(x, 1, n, 2)))  # the results at 1, 3, 5, ...
        even = cut(x, 0, 1)
        if n > 2:
            later = combine(cut(odd, 0, (n - 1) // 2), cut(x, 2, n, 2))
            even = [_together(lambda *parts, a=a: concat(parts, a), first, rest) for first, rest, a in zip(even, later, axes, strict=True)]
        return [_together(lambda e, o, a=a: _interleaved(e, o, a), e, o) for e, o, a in zip(even, odd, axes, strict=True)]

    def cut(x: list[Tensor], start: int, stop: int, step: int = 1) -> list[Tensor]:
        return [tensor_of(_cut(part._node, a, start, stop, step), part.dtype) for part, a in zip(x, axes, strict=True)]

    def turned(x: list[Tensor]) -> list[Tensor]:
        return [tensor_of(flip(part._node, (a,)), part.dtype) if reverse else part for part, a in zip(x, axes, strict=True)]

    return pack(elems, turned(partial(turned(whole))))


def _together(joined: Callable[..., Node], *parts: Tensor) -> Tensor:
    """What is made of the nodes of parts, in the dtype that they have together."""
    dtype = result_type(*(x.dtype for x in parts))
    return tensor_of(joined(*(cast(x._node, dtype=standardize(dtype)) for x in parts)), dtype)


def _cut(x: Node, axis: int, start: int, stop: int, step: int) -> Node:
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], stops[axis], steps[axis] = start, stop, step
    return slice_(x, starts, stops, steps)


def _interleaved(even: Node, odd: Node, axis: int) -> Node:
    """`even[0], odd[0], even[1], ...`; there may be one more even one."""
    n, m = even.shape[axis], odd.shape[axis]
    if n > m:
        widths = [(0, 0)] * odd.ndim
        widths[axis] = (0, 1)
        odd = pad(odd, widths, 0)
    shape = [*even.shape[: axis + 1], 1, *even.shape[axis + 1 :]]
    both = concat([reshape(even, shape), reshape(odd, shape)], axis + 1)
    merged = reshape(both, (*even.shape[:axis], 2 * n, *even.shape[axis + 1 :]))
    return _cut(merged, axis, 0, n + m, 1)
