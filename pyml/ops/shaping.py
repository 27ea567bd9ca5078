"""Making, reshaping and joining tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, Shape, TensorLike
from ..dtypes import promote, standardize
from ..errors import ShapeError
from ..graph import prims
from .declare import op
from .logic import equal
from .reduce import standardize_axis

__all__ = [
    "arange", "broadcast_to", "concatenate", "expand_dims", "eye", "flip", "full", "full_like", "identity", "linspace",
    "moveaxis", "ones", "ones_like", "pad", "ravel", "repeat", "reshape", "split", "squeeze", "stack", "swapaxes",
    "take", "tile", "transpose", "zeros", "zeros_like",
]  # fmt: skip


@op(method="reshape")
def reshape(x: TensorLike, newshape: Shape) -> Tensor:
    """x with another shape of as many elements; one size may be -1."""
    node = as_node(x)
    new = [int(n) for n in (newshape if isinstance(newshape, (tuple, list)) else (newshape,))]
    if new.count(-1) > 1 or any(n < -1 for n in new):
        raise ShapeError(f"reshape: {tuple(new)} has sizes below -1 or more than one -1.")
    if -1 in new:
        rest = prod(n for n in new if n != -1)
        if rest == 0 or node.size % rest:
            raise ShapeError(f"reshape: shape {node.shape} with {node.size} elements does not fit {tuple(new)}.")
        new[new.index(-1)] = node.size // rest
    return Tensor(prims.reshape(node, new))


@op(method="transpose")
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """x with its axes in another order (reversed by default)."""
    node = as_node(x)
    order = tuple(reversed(range(node.ndim))) if axes is None else tuple(a % max(1, node.ndim) for a in axes)
    return Tensor(prims.permute(node, order))


@op()
def moveaxis(x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """x with axis `source` moved to position `destination`."""
    node = as_node(x)
    src = [s % node.ndim for s in (source if isinstance(source, (tuple, list)) else (source,))]
    dst = [d % node.ndim for d in (destination if isinstance(destination, (tuple, list)) else (destination,))]
    order = [i for i in range(node.ndim) if i not in src]
    for d, s in sorted(zip(dst, src, strict=True)):
        order.insert(d, s)
    return Tensor(prims.permute(node, order))


@op()
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """x with two axes exchanged."""
    node = as_node(x)
    order = list(range(node.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return Tensor(prims.permute(node, order))


@op()
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """x with a new axis of size 1."""
    node = as_node(x)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    total = node.ndim + len(axes)
    where = {a % total for a in axes}
    sizes = iter(node.shape)
    return Tensor(prims.reshape(node, [1 if i in where else next(sizes) for i in range(total)]))


@op(method="squeeze")
def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """x without its axes of size 1 (or without `axis`)."""
    node = as_node(x)
    if axis is None:
        return Tensor(prims.reshape(node, [n for n in node.shape if n != 1]))
    axes = standardize_axis(axis, node.ndim, "squeeze")
    if any(node.shape[a] != 1 for a in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {node.shape} is not of size 1.")
    return Tensor(prims.reshape(node, [n for i, n in enumerate(node.shape) if i not in axes]))


@op()
def broadcast_to(x: TensorLike, shape: Shape) -> Tensor:
    """x repeated to `shape` by numpy's rules; costs no memory."""
    return Tensor(prims.broadcast_to(as_node(x), shape))


@op()
def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """x reversed along `axis` (all by default)."""
    node = as_node(x)
    return Tensor(prims.flip(node, standardize_axis(axis, node.ndim, "flip")))


@op()
def pad(x: TensorLike, pad_width: int | Sequence[Any], mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """x with elements added at the ends of each axis.

    Args:
        pad_width: `(before, after)` per axis, one pair for all, or one number.
        mode: `"constant"`, `"reflect"` or `"symmetric"`.
        constant_values: The number to pad with, default 0; only for `"constant"`.
    """
    node = as_node(x)
    if isinstance(pad_width, int):
        widths = [(pad_width, pad_width)] * node.ndim
    elif len(pad_width) == 2 and all(isinstance(n, int) for n in pad_width):
        widths = [tuple(pad_width)] * node.ndim
    else:
        widths = [tuple(w) for w in pad_width]
        widths = widths * node.ndim if len(widths) == 1 else widths
    if mode == "constant":
        return Tensor(prims.pad(node, widths, constant_values or 0))
    if mode not in ("reflect", "symmetric"):
        raise ValueError(f"pad: mode {mode!r} is unknown; use 'constant', 'reflect' or 'symmetric'.")
    skip = 1 if mode == "reflect" else 0
    for axis, (lo, hi) in enumerate(widths):
        n = node.shape[axis]
        if max(lo, hi) > n - skip:
            raise ShapeError(f"pad: {mode} by {(lo, hi)} needs more than the {n} elements of axis {axis}.")
        full = [(0, m) for m in node.shape]
        parts = []
        for start, stop in ((skip, lo + skip), (n - skip - hi, n - skip)):
            span = [(start, stop) if i == axis else r for i, r in enumerate(full)]
            parts.append(prims.flip(prims.slice_(node, [a for a, _ in span], [b for _, b in span]), (axis,)))
        node = prims.concat([parts[0], node, parts[1]], axis)
    return Tensor(node)


@op()
def concatenate(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The tensors joined along `axis`."""
    nodes = [as_node(x) for x in xs]
    if not nodes:
        raise ValueError("concatenate: no tensors were given.")
    dtype = promote(*(n.dtype for n in nodes))
    nodes = [prims.cast(n, dtype=dtype) for n in nodes]
    ndim = nodes[0].ndim
    (a,) = standardize_axis(axis, ndim, "concatenate")
    for n in nodes[1:]:
        if n.ndim != ndim or any(p != q for i, (p, q) in enumerate(zip(nodes[0].shape, n.shape, strict=False)) if i != a):
            raise ShapeError(f"concatenate: shapes {nodes[0].shape} and {n.shape} differ outside axis {a}.")
    return Tensor(prims.concat(nodes, a))


@op()
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis."""
    nodes = [as_node(v) for v in x]
    if any(n.shape != nodes[0].shape for n in nodes):
        raise ShapeError(f"stack: shapes {', '.join(str(n.shape) for n in nodes)} differ.")
    return concatenate([expand_dims(Tensor(n), axis % (n.ndim + 1)) for n in nodes], axis % (nodes[0].ndim + 1))


@op()
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """x cut along `axis` into equal parts, or at the given positions; a list."""
    node = as_node(x)
    (a,) = standardize_axis(axis, node.ndim, "split")
    n = node.shape[a]
    if isinstance(indices_or_sections, int):
        if n % indices_or_sections:
            raise ShapeError(f"split: axis {axis} of size {n} does not divide into {indices_or_sections} equal parts.")
        step = n // indices_or_sections
        cuts = [i * step for i in range(1, indices_or_sections)]
    else:
        cuts = [min(n, max(0, int(c))) for c in indices_or_sections]
    out = []
    for lo, hi in zip([0, *cuts], [*cuts, n], strict=True):
        start = [lo if i == a else 0 for i in range(node.ndim)]
        stop = [max(lo, hi) if i == a else m for i, m in enumerate(node.shape)]
        out.append(Tensor(prims.slice_(node, start, stop)))
    return out


@op()
def repeat(x: TensorLike, repeats: int, axis: int | None = None) -> Tensor:
    """Each element of x `repeats` times along `axis` (of the flattened x by default)."""
    node = as_node(x)
    if axis is None:
        node, axis = prims.reshape(node, (node.size,)), 0
    (a,) = standardize_axis(axis, node.ndim, "repeat")
    wide = prims.broadcast_to(
        prims.reshape(node, (*node.shape[: a + 1], 1, *node.shape[a + 1 :])),
        (*node.shape[: a + 1], int(repeats), *node.shape[a + 1 :]),
    )
    return Tensor(prims.reshape(wide, (*node.shape[:a], node.shape[a] * int(repeats), *node.shape[a + 1 :])))


@op()
def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """x laid side by side `repeats` times per axis."""
    node = as_node(x)
    times = [int(r) for r in (repeats if isinstance(repeats, (tuple, list)) else (repeats,))]
    ndim = max(node.ndim, len(times))
    sizes = (1,) * (ndim - node.ndim) + node.shape
    times = [1] * (ndim - len(times)) + times
    inner = prims.reshape(node, [n for s in sizes for n in (1, s)])
    wide = prims.broadcast_to(inner, [n for t, s in zip(times, sizes, strict=True) for n in (t, s)])
    return Tensor(prims.reshape(wide, [t * s for t, s in zip(times, sizes, strict=True)]))


@op()
def full(shape: Shape, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """A tensor of one number; costs no memory."""
    node = as_node(fill_value, dtype)
    return Tensor(prims.broadcast_to(node, shape if isinstance(shape, (tuple, list)) else (shape,)))


@op()
def zeros(shape: Shape, dtype: str | None = None) -> Tensor:
    """Zeros, float32 by default."""
    return Tensor(prims.full(_tuple(shape), 0, standardize(dtype or "float32")))


@op()
def ones(shape: Shape, dtype: str | None = None) -> Tensor:
    """Ones, float32 by default."""
    return Tensor(prims.full(_tuple(shape), 1, standardize(dtype or "float32")))


@op()
def zeros_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """Zeros of the shape and dtype of x."""
    node = as_node(x)
    return zeros(node.shape, dtype or node.dtype)


@op()
def ones_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """Ones of the shape and dtype of x."""
    node = as_node(x)
    return ones(node.shape, dtype or node.dtype)


@op()
def full_like(x: TensorLike, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """One number in the shape and dtype of x."""
    node = as_node(x)
    return full(node.shape, fill_value, dtype or node.dtype)


@op()
def arange(start: float, stop: float | None = None, step: float = 1, dtype: str | None = None) -> Tensor:
    """`start, start + step, …` below `stop`, like numpy's."""
    if stop is None:
        start, stop = 0, start
    n = max(0, -int(-(stop - start) // step)) if step else 0
    if not step:
        raise ValueError("arange: step must not be 0.")
    kind = standardize(dtype) if dtype else ("float32" if any(isinstance(v, float) for v in (start, stop, step)) else "int32")
    count = prims.cast(prims.iota(n), dtype=kind)
    return Tensor(count * step + start)


@op()
def linspace(start: float, stop: float, num: int = 50, endpoint: bool = True, dtype: str | None = None) -> Tensor:
    """`num` evenly spaced numbers from `start` to `stop`."""
    step = (stop - start) / max(1, num - 1 if endpoint else num)
    out = Tensor(prims.cast(prims.iota(num), dtype="float32") * step + start)
    return out if dtype is None else out.astype(dtype)


@op()
def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """Ones on the k-th diagonal of an N x M matrix of zeros."""
    rows, cols = arange(N), arange(M if M is not None else N)
    return equal(expand_dims(rows, 1) + k, expand_dims(cols, 0)).astype(dtype or "float32")


@op()
def identity(n: int, dtype: str | None = None) -> Tensor:
    """The n x n identity matrix."""
    return eye(n, dtype=dtype)


@op()
def ravel(x: TensorLike) -> Tensor:
    """x as one axis."""
    return reshape(x, (-1,))


@op()
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """The elements of x at `indices` along `axis` (of the flattened x by default).

    Negative indices count from the end; indices out of range give zeros.
    """
    node, idx = as_node(x), as_node(indices)
    if axis is None:
        node, axis = prims.reshape(node, (node.size,)), 0
    (a,) = standardize_axis(axis, node.ndim, "take")
    idx = prims.cast(idx, dtype="int32")
    n = node.shape[a]
    zero = prims.full(idx.shape, 0, "int32")
    idx = prims.where(prims.less(idx, zero), idx + n, idx)
    rows = prims.permute(node, [a] + [i for i in range(node.ndim) if i != a])
    out = prims.gather(rows, idx)
    order = list(range(idx.ndim, idx.ndim + a)) + list(range(idx.ndim)) + list(range(idx.ndim + a, out.ndim))
    return Tensor(prims.permute(out, order))


def _tuple(shape: Shape) -> tuple[int, ...]:
    return tuple(int(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
