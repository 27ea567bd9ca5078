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
from .declare import draw, op, sample
from .logic import equal
from .reduce import standardize_axis

__all__ = [
    "arange", "broadcast_to", "concatenate", "expand_dims", "eye", "flip", "full", "full_like", "identity", "linspace",
    "moveaxis", "ones", "ones_like", "pad", "ravel", "repeat", "reshape", "split", "squeeze", "stack", "swapaxes",
    "take", "tile", "transpose", "zeros", "zeros_like",
]  # fmt: skip


@op(like="numpy.reshape", method="reshape", samples=[sample(draw(2, 6), (3, 4)), sample(draw(2, 6), (-1, 2))])
def reshape(x: TensorLike, newshape: Shape) -> Tensor:
    """`x` in another shape of as many elements, in the same order.

    Args:
        x: Tensor.
        newshape: The sizes; one may be -1, for what is left.

    Raises:
        ShapeError: The elements do not fit, or a size is below -1.

    Example:
        >>> pyml.ops.reshape([1, 2, 3, 4], (2, -1)).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
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


@op(like="numpy.transpose", method="transpose", samples=[sample(draw(2, 3)), sample(draw(2, 3, 4), (1, 0, 2))])
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """`x` with its axes in another order (reversed by default).

    Example:
        >>> pyml.ops.transpose(np.ones((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    node = as_node(x)
    order = tuple(reversed(range(node.ndim))) if axes is None else tuple(a % max(1, node.ndim) for a in axes)
    return Tensor(prims.permute(node, order))


@op(like="numpy.moveaxis", samples=[sample(draw(2, 3, 4), 0, -1), sample(draw(2, 3, 4), (0, 1), (-1, 0))])
def moveaxis(x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """`x` with axis `source` (or several) moved to position `destination`.

    Example:
        >>> pyml.ops.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    node = as_node(x)
    src = [s % node.ndim for s in (source if isinstance(source, (tuple, list)) else (source,))]
    dst = [d % node.ndim for d in (destination if isinstance(destination, (tuple, list)) else (destination,))]
    order = [i for i in range(node.ndim) if i not in src]
    for d, s in sorted(zip(dst, src, strict=True)):
        order.insert(d, s)
    return Tensor(prims.permute(node, order))


@op(like="numpy.swapaxes", samples=[sample(draw(2, 3, 4), 0, -1)])
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """`x` with two axes exchanged.

    Example:
        >>> pyml.ops.swapaxes(np.ones((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
    node = as_node(x)
    order = list(range(node.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return Tensor(prims.permute(node, order))


@op(like="numpy.expand_dims", samples=[sample(draw(2, 3), 1), sample(draw(2, 3), (0, -1))])
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """`x` with a new axis of size 1 at `axis`, or several.

    Example:
        >>> pyml.ops.expand_dims([1, 2, 3], 0).shape
        (1, 3)
    """
    node = as_node(x)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    total = node.ndim + len(axes)
    where = {a % total for a in axes}
    sizes = iter(node.shape)
    return Tensor(prims.reshape(node, [1 if i in where else next(sizes) for i in range(total)]))


@op(like="numpy.squeeze", method="squeeze", samples=[sample(draw(2, 1, 3)), sample(draw(1, 2, 1), axis=-1)])
def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """`x` without its axes of size 1, or without `axis`.

    Raises:
        ShapeError: `axis` is not of size 1.

    Example:
        >>> pyml.ops.squeeze(np.ones((1, 3, 1))).shape
        (3,)
    """
    node = as_node(x)
    if axis is None:
        return Tensor(prims.reshape(node, [n for n in node.shape if n != 1]))
    axes = standardize_axis(axis, node.ndim, "squeeze")
    if any(node.shape[a] != 1 for a in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {node.shape} is not of size 1.")
    return Tensor(prims.reshape(node, [n for i, n in enumerate(node.shape) if i not in axes]))


@op(like="numpy.broadcast_to", samples=[sample(draw(3), (2, 3)), sample(draw(2, 1), (2, 4))])
def broadcast_to(x: TensorLike, shape: Shape) -> Tensor:
    """`x` repeated to `shape` by numpy's rules; costs no memory.

    Raises:
        ShapeError: It does not fit.

    Example:
        >>> pyml.ops.broadcast_to([1, 2], (2, 2)).numpy()
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    return Tensor(prims.broadcast_to(as_node(x), shape))


@op(like="numpy.flip", samples=[sample(draw(2, 3)), sample(draw(2, 3), axis=1)])
def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """`x` reversed along `axis` (along all by default), in its shape.

    Raises:
        ShapeError: An axis is out of range or named twice.

    Example:
        >>> pyml.ops.flip([1, 2, 3]).numpy()
        array([3, 2, 1], dtype=int32)
    """
    node = as_node(x)
    return Tensor(prims.flip(node, standardize_axis(axis, node.ndim, "flip")))


@op(
    like="numpy.pad",
    samples=[
        sample(draw(2, 3), ((1, 0), (2, 1))),
        sample(draw(4), 2, constant_values=1.5),
        sample(draw(4, 3), 1, mode="reflect"),
        sample(draw(4), 2, mode="symmetric"),
    ],
)
def pad(x: TensorLike, pad_width: int | Sequence[Any], mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """`x` with elements added at the ends of each axis.

    Args:
        x: Tensor.
        pad_width: `(before, after)` per axis, one pair for all, or one number.
        mode: `"constant"`, `"reflect"` or `"symmetric"`.
        constant_values: The number to pad with, default 0; only for `"constant"`.

    Raises:
        ValueError: The mode is unknown.
        ShapeError: An axis has too few elements to reflect.

    Example:
        >>> pyml.ops.pad([1, 2], (1, 2)).numpy()
        array([0, 1, 2, 0, 0], dtype=int32)
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


@op(like="numpy.concatenate", samples=[sample([draw(2, 3), draw(1, 3)]), sample((draw(2, 1), draw(2, 2)), axis=-1)])
def concatenate(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The tensors joined along `axis`; their other sizes are equal, their dtype becomes the common one.

    Raises:
        ShapeError: Other sizes differ.
        ValueError: There are no tensors.

    Example:
        >>> pyml.ops.concatenate([[1, 2], [3]]).numpy()
        array([1, 2, 3], dtype=int32)
    """
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


@op(like="numpy.stack", samples=[sample([draw(2, 3), draw(2, 3)]), sample([draw(2), draw(2), draw(2)], axis=-1)])
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis.

    Raises:
        ShapeError: The shapes differ.

    Example:
        >>> pyml.ops.stack([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    nodes = [as_node(v) for v in x]
    if any(n.shape != nodes[0].shape for n in nodes):
        raise ShapeError(f"stack: shapes {', '.join(str(n.shape) for n in nodes)} differ.")
    return concatenate([expand_dims(Tensor(n), axis % (n.ndim + 1)) for n in nodes], axis % (nodes[0].ndim + 1))


@op(like="numpy.split", samples=[sample(draw(4, 3), 2), sample(draw(2, 5), [1, 3], axis=1)])
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """`x` cut along `axis`, a list of tensors.

    Args:
        x: Tensor.
        indices_or_sections: How many equal parts, or the positions of the cuts.
        axis: The axis.

    Raises:
        ShapeError: The size does not divide into so many parts.

    Example:
        >>> [part.tolist() for part in pyml.ops.split([1, 2, 3, 4], [1])]
        [[1], [2, 3, 4]]
    """
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


@op(like="numpy.repeat", samples=[sample(draw(2, 3), 2), sample(draw(2, 3), 3, axis=0)])
def repeat(x: TensorLike, repeats: int, axis: int | None = None) -> Tensor:
    """Each element of `x` `repeats` times along `axis` (of the flattened `x` by default).

    Example:
        >>> pyml.ops.repeat([1, 2], 2).numpy()
        array([1, 1, 2, 2], dtype=int32)
    """
    node = as_node(x)
    if axis is None:
        node, axis = prims.reshape(node, (node.size,)), 0
    (a,) = standardize_axis(axis, node.ndim, "repeat")
    wide = prims.broadcast_to(
        prims.reshape(node, (*node.shape[: a + 1], 1, *node.shape[a + 1 :])),
        (*node.shape[: a + 1], int(repeats), *node.shape[a + 1 :]),
    )
    return Tensor(prims.reshape(wide, (*node.shape[:a], node.shape[a] * int(repeats), *node.shape[a + 1 :])))


@op(like="numpy.tile", samples=[sample(draw(2, 3), 2), sample(draw(3), (2, 2))])
def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """`x` laid side by side `repeats` times per axis; missing leading axes count as 1.

    Example:
        >>> pyml.ops.tile([1, 2], 2).numpy()
        array([1, 2, 1, 2], dtype=int32)
    """
    node = as_node(x)
    times = [int(r) for r in (repeats if isinstance(repeats, (tuple, list)) else (repeats,))]
    ndim = max(node.ndim, len(times))
    sizes = (1,) * (ndim - node.ndim) + node.shape
    times = [1] * (ndim - len(times)) + times
    inner = prims.reshape(node, [n for s in sizes for n in (1, s)])
    wide = prims.broadcast_to(inner, [n for t, s in zip(times, sizes, strict=True) for n in (t, s)])
    return Tensor(prims.reshape(wide, [t * s for t, s in zip(times, sizes, strict=True)]))


@op(like="numpy.full", samples=[sample((2, 3), 1.5), sample(4, 2, dtype="int32")])
def full(shape: Shape, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """One number in a tensor of `shape`; costs no memory.

    Args:
        shape: The sizes.
        fill_value: The number.
        dtype: Name of the dtype.

    Example:
        >>> pyml.ops.full((2,), 7).numpy()
        array([7, 7], dtype=int32)
    """
    node = as_node(fill_value, dtype)
    return Tensor(prims.broadcast_to(node, shape if isinstance(shape, (tuple, list)) else (shape,)))


@op(like="numpy.zeros", samples=[sample((2, 3)), sample(4, dtype="int32")])
def zeros(shape: Shape, dtype: str | None = None) -> Tensor:
    """Zeros in `shape`, float32 by default; costs no memory.

    Example:
        >>> pyml.ops.zeros((2,)).numpy()
        array([0., 0.], dtype=float32)
    """
    return Tensor(prims.full(_tuple(shape), 0, standardize(dtype or "float32")))


@op(like="numpy.ones", samples=[sample((2, 3)), sample(4, dtype="int32")])
def ones(shape: Shape, dtype: str | None = None) -> Tensor:
    """Ones in `shape`, float32 by default; costs no memory.

    Example:
        >>> pyml.ops.ones((2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    return Tensor(prims.full(_tuple(shape), 1, standardize(dtype or "float32")))


@op(like="numpy.zeros_like", gradient=False, samples=[sample(draw(2, 3))])
def zeros_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """Zeros in the shape and dtype of `x`, or in `dtype`.

    Example:
        >>> pyml.ops.zeros_like([1, 2]).numpy()
        array([0, 0], dtype=int32)
    """
    node = as_node(x)
    return zeros(node.shape, dtype or node.dtype)


@op(like="numpy.ones_like", gradient=False, samples=[sample(draw(2, 3))])
def ones_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """Ones in the shape and dtype of `x`, or in `dtype`.

    Example:
        >>> pyml.ops.ones_like([3, 2]).numpy()
        array([1, 1], dtype=int32)
    """
    node = as_node(x)
    return ones(node.shape, dtype or node.dtype)


@op(like="numpy.full_like", gradient=False, samples=[sample(draw(2, 3), 1.5)])
def full_like(x: TensorLike, fill_value: TensorLike, dtype: str | None = None) -> Tensor:
    """One number in the shape and dtype of `x`, or in `dtype`.

    Example:
        >>> pyml.ops.full_like([3, 2], 7).numpy()
        array([7, 7], dtype=int32)
    """
    node = as_node(x)
    return full(node.shape, fill_value, dtype or node.dtype)


@op(like="numpy.arange", samples=[sample(5), sample(2, 11, 3), sample(1.0, 2.0, 0.25), sample(5, 0, -2)])
def arange(start: float, stop: float | None = None, step: float = 1, dtype: str | None = None) -> Tensor:
    """`start, start + step, …` below `stop`, like numpy's; with one number, from 0 to it.

    Args:
        start, stop, step: Numbers.
        dtype: By default int32 where all three are integers, else float32.

    Raises:
        ValueError: `step` is 0.

    Example:
        >>> pyml.ops.arange(2, 8, 2).numpy()
        array([2, 4, 6], dtype=int32)
    """
    if stop is None:
        start, stop = 0, start
    n = max(0, -int(-(stop - start) // step)) if step else 0
    if not step:
        raise ValueError("arange: step must not be 0.")
    kind = standardize(dtype) if dtype else ("float32" if any(isinstance(v, float) for v in (start, stop, step)) else "int32")
    count = prims.cast(prims.iota(n), dtype=kind)
    return Tensor(count * step + start)


@op(like="numpy.linspace", samples=[sample(0.0, 1.0, 5), sample(-1.0, 1.0, 4, endpoint=False)])
def linspace(start: float, stop: float, num: int = 50, endpoint: bool = True, dtype: str | None = None) -> Tensor:
    """`num` evenly spaced numbers from `start` to `stop`, float32 by default.

    Args:
        start, stop: The ends.
        num: How many.
        endpoint: Whether `stop` is the last of them.
        dtype: Name of the dtype.

    Example:
        >>> pyml.ops.linspace(0., 1., 5).numpy()
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    step = (stop - start) / max(1, num - 1 if endpoint else num)
    out = Tensor(prims.cast(prims.iota(num), dtype="float32") * step + start)
    return out if dtype is None else out.astype(dtype)


@op(like="numpy.eye", samples=[sample(3), sample(2, 4, k=1), sample(3, k=-1, dtype="int32")])
def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """Ones on the k-th diagonal of an `(N, M)` matrix of zeros, float32 by default.

    Example:
        >>> pyml.ops.eye(2, 3).numpy()
        array([[1., 0., 0.],
               [0., 1., 0.]], dtype=float32)
    """
    rows, cols = arange(N), arange(M if M is not None else N)
    return equal(expand_dims(rows, 1) + k, expand_dims(cols, 0)).astype(dtype or "float32")


@op(like="numpy.identity", samples=[sample(3)])
def identity(n: int, dtype: str | None = None) -> Tensor:
    """The `(n, n)` identity matrix, float32 by default.

    Example:
        >>> pyml.ops.identity(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


@op(like="numpy.ravel", samples=[sample(draw(2, 3))])
def ravel(x: TensorLike) -> Tensor:
    """`x` as one axis: `(x.size,)`.

    Example:
        >>> pyml.ops.ravel([[1, 2], [3, 4]]).numpy()
        array([1, 2, 3, 4], dtype=int32)
    """
    return reshape(x, (-1,))


@op(like="numpy.take", samples=[sample(draw(5, 3), [4, 0, -1], axis=0), sample(draw(5, 3), [[2, 1]], axis=1), sample(draw(4), 2)])
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """The elements of `x` at `indices` along `axis` (of the flattened `x` by default).

    Negative indices count from the end; indices out of range give zeros.

    Returns:
        The shape of `x` with that of `indices` in the place of `axis`.

    Example:
        >>> pyml.ops.take([10, 20, 30], [2, 0]).numpy()
        array([30, 10], dtype=int32)
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
