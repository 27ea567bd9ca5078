"""Joining, cutting, repeating and picking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import known
from ..core.nest import flatten
from ..core.probes import without_probe
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import promote
from ..errors import ShapeError, TraceError
from ..graph import prims
from ..graph.sizes import count_of, shape_of
from .axes import one_axis
from .declare import draw, op, sample
from .shaping import expand_dims

__all__ = [
    "concatenate", "repeat", "split", "stack", "take", "tile",
]  # fmt: skip


def check_in_range(indices: TensorLike, size: int, what: str, told: known.Told | None = None) -> None:
    """Looks at indices that the host has, also where they are in a tensor by now; nothing is read from a device.

    Args:
        told: The words of the error, in the place of those about an axis.

    Raises:
        IndexError: One of them is below `-size`, or not below `size`.
    """
    if without_probe(size) is None:
        return

    def of_axis(low: Any, high: Any, where: str) -> str:
        return f"{what}: an axis of size {size} has indices from {-size} to {size - 1}. Received indices from {low} to {high}{where}."

    if isinstance(indices, Tensor):
        known.foreseen(indices._node, size, told or of_axis)
        return
    if isinstance(indices, (list, tuple)) and all(isinstance(i, (int, np.integer)) for i in flatten(indices)):
        indices = np.array(indices)
    if isinstance(indices, (int, np.integer)) or (isinstance(indices, np.ndarray) and indices.dtype.kind in "iufb"):
        known.in_range(indices, size, told or of_axis)


def first_place(start: TensorLike, size: int, count: int) -> int | Tensor:
    """Where a block of `count` places begins on an axis of `size`: a number, or a tensor where a program computes it.

    Numbers are not checked; what is computed is moved so that the block lies on the axis, as in Keras on JAX.
    """
    try:
        first = int(start)  # type: ignore[arg-type]
        return first + size if first < 0 else first
    except TraceError:
        node = prims.reshape(prims.cast(as_node(start), dtype="int32"), ())
    bound = lambda n: prims.full((), n, "int32")
    node = prims.where(prims.less(node, bound(0)), prims.add(node, bound(size)), node)
    return Tensor(prims.minimum(prims.maximum(node, bound(0)), bound(max(size - count, 0))))


@op(
    complex_parts="of all", like="numpy.concatenate", text=True,
    samples=[sample([draw(2, 3), draw(1, 3)]), sample((draw(2, 1), draw(2, 2)), axis=-1)],
)  # fmt: skip
def concatenate(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The tensors joined along `axis`; their other sizes are equal, their dtype becomes the common one.

    Args:
        xs: List or tuple of tensors.
        axis: An axis that they have.

    Returns:
        A tensor of the common dtype; along `axis` it has the sizes of all together.

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
    a = one_axis(axis, ndim, "concatenate")
    for n in nodes[1:]:
        if n.ndim != ndim or any(p != q for i, (p, q) in enumerate(zip(nodes[0].shape, n.shape, strict=False)) if i != a):
            raise ShapeError(f"concatenate: shapes {nodes[0].shape} and {n.shape} differ outside axis {a}.")
    return Tensor(prims.concat(nodes, a))


@op(
    complex_parts="of all", like="numpy.stack", text=True,
    samples=[sample([draw(2, 3), draw(2, 3)]), sample([draw(2), draw(2), draw(2)], axis=-1)],
)  # fmt: skip
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of the same shape joined along a new axis, in the common dtype.

    Args:
        x: List or tuple of tensors.
        axis: Place of the new axis in the result.

    Returns:
        A tensor of the common dtype, with an axis more, as long as there are tensors.

    Raises:
        ShapeError: The shapes differ, or the axis is out of range.
        ValueError: There are no tensors.

    Example:
        >>> pyml.ops.stack([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    nodes = [as_node(v) for v in x]
    if not nodes:
        raise ValueError("stack: no tensors were given.")
    if any(n.shape != nodes[0].shape for n in nodes):
        raise ShapeError(f"stack: shapes {', '.join(str(n.shape) for n in nodes)} differ.")
    a = one_axis(axis, nodes[0].ndim + 1, "stack")
    return concatenate([expand_dims(Tensor(n), a) for n in nodes], a)


@op(complex_parts="each", dtypes="first", like="numpy.split", samples=[sample(draw(4, 3), 2), sample(draw(2, 5), [1, 3], axis=1)])
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """`x` cut along `axis`, a list of tensors of its dtype.

    Args:
        x: Tensor.
        indices_or_sections: How many equal parts, or the positions of the cuts.
        axis: The axis.

    Returns:
        A list of tensors of the dtype of `x`, in its shape but for the axis that is cut.

    Raises:
        ShapeError: The size does not divide into so many parts.
        ShapeError: `axis` is out of range, or `indices_or_sections` neither a positive integer nor a list.

    Example:
        >>> [part.tolist() for part in pyml.ops.split([1, 2, 3, 4], [1])]
        [[1], [2, 3, 4]]
    """
    node = as_node(x)
    a = one_axis(axis, node.ndim, "split")
    n = node.shape[a]
    if isinstance(indices_or_sections, int) or not hasattr(indices_or_sections, "__iter__"):
        indices_or_sections = count_of(indices_or_sections, "split", "indices_or_sections", least=1)
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


@op(
    complex_parts="each",
    dtypes="first",
    like="numpy.repeat", samples=[sample(draw(2, 3), 2), sample(draw(2, 3), 3, axis=0), sample(draw(2, 3), [2, 0, 1], axis=1)],
)
def repeat(x: TensorLike, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Each element of `x` `repeats` times along `axis` (of the flattened `x` by default), in the dtype of `x`.

    Args:
        x: Tensor.
        repeats: How many times, for all or for each place along the axis.
        axis: The axis.

    Returns:
        A tensor of the dtype of `x`, in its shape but for `axis`; without `axis` it has one.

    Raises:
        ShapeError: The axis is out of range, or there are not as many numbers as places.

    Example:
        >>> pyml.ops.repeat([1, 2], 2).numpy()
        array([1, 1, 2, 2], dtype=int32)
    """
    node = as_node(x)
    if axis is None:
        node, axis = prims.reshape(node, (node.size,)), 0
    a = one_axis(axis, node.ndim, "repeat")
    if not isinstance(repeats, int) and np.ndim(repeats) == 1 and len(repeats) != 1:
        times = shape_of(repeats, "repeat", "repeats")
        if len(times) != node.shape[a]:
            raise ShapeError(f"repeat: repeats need a number for each of the {node.shape[a]} places of axis {axis}. Received: {len(times)}")
        return take(Tensor(node), np.repeat(np.arange(node.shape[a], dtype=np.int32), times), a)
    repeats = count_of(repeats if isinstance(repeats, int) or np.ndim(repeats) == 0 else repeats[0], "repeat", "repeats")
    wide = prims.broadcast_to(
        prims.reshape(node, (*node.shape[: a + 1], 1, *node.shape[a + 1 :])),
        (*node.shape[: a + 1], repeats, *node.shape[a + 1 :]),
    )
    return Tensor(prims.reshape(wide, (*node.shape[:a], node.shape[a] * repeats, *node.shape[a + 1 :])))


@op(complex_parts="each", dtypes="first", like="numpy.tile", samples=[sample(draw(2, 3), 2), sample(draw(3), (2, 2))])
def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """`x` laid side by side `repeats` times per axis, in the dtype of `x`; missing leading axes count as 1.

    Args:
        x: Tensor of any shape.
        repeats: How often, for each axis; a number is for the last one.

    Returns:
        A tensor of the dtype of `x`, each axis as many times as long as `repeats` says.

    Raises:
        ShapeError: `repeats` holds something else than integers of at least 0.

    Example:
        >>> pyml.ops.tile([1, 2], 2).numpy()
        array([1, 2, 1, 2], dtype=int32)
    """
    node = as_node(x)
    times = [*shape_of(repeats, "tile", "repeats")]
    ndim = max(node.ndim, len(times))
    sizes = (1,) * (ndim - node.ndim) + node.shape
    times = [1] * (ndim - len(times)) + times
    inner = prims.reshape(node, [n for s in sizes for n in (1, s)])
    wide = prims.broadcast_to(inner, [n for t, s in zip(times, sizes, strict=True) for n in (t, s)])
    return Tensor(prims.reshape(wide, [t * s for t, s in zip(times, sizes, strict=True)]))


@op(
    complex_parts="each",
    dtypes="first",
    like="numpy.take", samples=[sample(draw(5, 3), [4, 0, -1], axis=0), sample(draw(5, 3), [[2, 1]], axis=1), sample(draw(4), 2)],
)
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """The elements of `x` at `indices` along `axis` (of the flattened `x` by default), in the dtype of `x`.

    Negative indices count from the end. Those that a device computed are not looked at: out of range they give zeros.

    Args:
        x: Tensor of any shape.
        indices: Integers.
        axis: The axis; None for the flattened `x`.

    Returns:
        The shape of `x` with that of `indices` in the place of `axis`.

    Raises:
        IndexError: A number, list or array of `indices` holds one that is out of range.
        ShapeError: `axis` is out of range.

    Example:
        >>> pyml.ops.take([10, 20, 30], [2, 0]).numpy()
        array([30, 10], dtype=int32)
    """
    node, idx = as_node(x), as_node(indices)
    if axis is None:
        node, axis = prims.reshape(node, (node.size,)), 0
    a = one_axis(axis, node.ndim, "take")
    idx = prims.cast(idx, dtype="int32")
    n = node.shape[a]
    check_in_range(indices, n, "take")
    zero = prims.full(idx.shape, 0, "int32")
    idx = prims.where(prims.less(idx, zero), idx + n, idx)
    rows = prims.permute(node, [a] + [i for i in range(node.ndim) if i != a])
    out = prims.gather(rows, idx)
    order = list(range(idx.ndim, idx.ndim + a)) + list(range(idx.ndim)) + list(range(idx.ndim + a, out.ndim))
    return Tensor(prims.permute(out, order))
