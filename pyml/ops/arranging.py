"""Rows, columns and layers: joined, cut, turned and moved around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import count_of
from . import families
from .axes import one_axis, ordered_axes
from .declare import draw, op, sample
from .joining import concatenate, split
from .shaping import broadcast_to, flip, ravel, reshape, swapaxes

__all__ = [
    "append", "array_split", "dsplit", "dstack", "fliplr", "flipud", "hsplit", "hstack", "meshgrid", "roll", "rot90", "vsplit", "vstack",
]  # fmt: skip


@op(
    complex_parts="of all",
    counted=True,
    like="numpy.append", samples=[sample(draw(2, 3), draw(4)), sample(draw(2, 3), draw(1, 3), axis=0), sample(draw(2, 1), draw(2, 2), -1)],
)
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """`x2` after `x1` along `axis`, in the common dtype; both flattened by default.

    Args:
        x1: Tensor.
        x2: What comes after it.
        axis: The axis; None flattens both.

    Returns:
        A tensor of the common dtype; without `axis` it has one axis.

    Raises:
        ShapeError: Other sizes differ, or the axis is out of range.

    Example:
        >>> pyml.ops.append([1, 2], [[3], [4]]).numpy()
        array([1, 2, 3, 4], dtype=int32)
    """
    return concatenate([ravel(x1), ravel(x2)]) if axis is None else concatenate([x1, x2], axis)


def _with_axes(xs: Sequence[TensorLike], least: int) -> list[Tensor]:
    """Each of `xs` with so many axes: numpy's `atleast_1d`, `atleast_2d` and `atleast_3d`."""
    out = []
    for x in xs:
        node = as_node(x)
        missing = max(0, least - node.ndim)
        after = 1 if least == 3 and missing else 0
        out.append(Tensor(prims.reshape(node, ((1,) * (missing - after) + node.shape + (1,) * after))))
    return out


@op(
    family=families.STACKED,
    complex_parts="of all", like="numpy.hstack", samples=[sample([draw(2), draw(3)]), sample([draw(2, 1), draw(2, 3)]), sample([1.0, 2.0])],
)
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors side by side, in the common dtype: along axis 1, or along axis 0 where they have one axis.

    Example:
        >>> pyml.ops.hstack([[1, 2], [3]]).numpy()
        array([1, 2, 3], dtype=int32)
    """
    tensors = _with_axes(xs, 1)
    return concatenate(tensors, 0 if tensors and tensors[0].ndim == 1 else 1)


@op(
    family=families.STACKED,
    complex_parts="of all", like="numpy.vstack", samples=[sample([draw(3), draw(3)]), sample([draw(1, 2), draw(3, 2)])],
)
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors one below the other, along axis 0, in the common dtype; vectors are rows.

    Example:
        >>> pyml.ops.vstack([[1, 2], [3, 4]]).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return concatenate(_with_axes(xs, 2), 0)


@op(
    family=families.STACKED,
    complex_parts="of all",
    like="numpy.dstack", samples=[sample([draw(3), draw(3)]), sample([draw(2, 3), draw(2, 3)]), sample([draw(2, 3, 1), draw(2, 3, 2)])],
)
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors one behind the other, along axis 2, in the common dtype; a vector is one row, a matrix one layer.

    Example:
        >>> pyml.ops.dstack([[1, 2], [3, 4]]).numpy()
        array([[[1, 3],
                [2, 4]]], dtype=int32)
    """
    return concatenate(_with_axes(xs, 3), 2)


@op(
    complex_parts="each",
    dtypes="first",
    like="numpy.array_split", samples=[sample(draw(5), 3), sample(draw(2, 5), 2, axis=-1), sample(draw(2), 3), sample(draw(5), [1, 3])],
)
def array_split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """`x` cut along `axis`, in its dtype, into so many parts, the first ones longer by 1 where it does not divide; else as `split`.

    Args:
        x: Tensor of any shape.
        indices_or_sections: How many parts, or a list of the places before which it is cut.
        axis: The axis.

    Returns:
        A list of tensors of the dtype of `x`, in its shape but for the axis that is cut.

    Raises:
        ShapeError: The axis is out of range, or the number of parts is not positive.

    Example:
        >>> [part.tolist() for part in pyml.ops.array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    node = as_node(x)
    a = one_axis(axis, node.ndim, "array_split")
    parts = count_of(indices_or_sections, "array_split", "indices_or_sections", least=1)
    size, longer = divmod(node.shape[a], parts)
    return split(Tensor(node), [i * size + min(i, longer) for i in range(1, parts)], a)


def _cut(x: TensorLike, where: int | Sequence[int], axis: int, least: int, what: str) -> list[Tensor]:
    node = as_node(x)
    if node.ndim < least:
        raise ShapeError(f"{what}: x must have at least {least} axes. Received: shape {node.shape}")
    return split(Tensor(node), where, min(axis, node.ndim - 1))


@op(complex_parts="each", like="numpy.hsplit", samples=[sample(draw(2, 4), 2), sample(draw(4), 2), sample(draw(2, 5), [1, 3])])
def hsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`x` cut along axis 1 (a vector along axis 0), as `split` does, in its dtype.

    Args:
        x: Tensor of any shape.
        indices_or_sections: How many parts, or a list of the places before which it is cut.

    Returns:
        A list of tensors of the dtype of `x`, in its shape but for the axis that is cut.

    Raises:
        ShapeError: The size does not divide into so many parts, or `x` is a number.

    Example:
        >>> [part.tolist() for part in pyml.ops.hsplit([[1, 2], [3, 4]], 2)]
        [[[1], [3]], [[2], [4]]]
    """
    return _cut(x, indices_or_sections, 1, 1, "hsplit")


@op(complex_parts="each", like="numpy.vsplit", samples=[sample(draw(4, 2), 2), sample(draw(5, 2), [1, 3])])
def vsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`x` cut along axis 0, as `split` does, in its dtype.

    Args:
        x: Tensor of any shape.
        indices_or_sections: How many parts, or a list of the places before which it is cut.

    Returns:
        A list of tensors of the dtype of `x`, in its shape but for the axis that is cut.

    Raises:
        ShapeError: The size does not divide into so many parts, or `x` has fewer than two axes.

    Example:
        >>> [part.tolist() for part in pyml.ops.vsplit([[1, 2], [3, 4]], 2)]
        [[[1, 2]], [[3, 4]]]
    """
    return _cut(x, indices_or_sections, 0, 2, "vsplit")


@op(like="numpy.dsplit", samples=[sample(draw(1, 2, 4), 2), sample(draw(2, 1, 5), [1, 3])])
def dsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`x` cut along axis 2, as `split` does, in its dtype.

    Args:
        x: Tensor of any shape.
        indices_or_sections: How many parts, or a list of the places before which it is cut.

    Returns:
        A list of tensors of the dtype of `x`, in its shape but for the axis that is cut.

    Raises:
        ShapeError: The size does not divide into so many parts, or `x` has fewer than three axes.

    Example:
        >>> [part.tolist() for part in pyml.ops.dsplit([[[1, 2]]], 2)]
        [[[[1]]], [[[2]]]]
    """
    return _cut(x, indices_or_sections, 2, 3, "dsplit")


@op(complex_parts="each", like="numpy.fliplr", samples=[sample(draw(2, 3)), sample(draw(2, 3, 2))])
def fliplr(x: TensorLike) -> Tensor:
    """`x` reversed along axis 1.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: `x` has fewer than two axes.

    Example:
        >>> pyml.ops.fliplr([[1, 2], [3, 4]]).numpy()
        array([[2, 1],
               [4, 3]], dtype=int32)
    """
    return flip(x, 1)


@op(complex_parts="each", like="numpy.flipud", samples=[sample(draw(3)), sample(draw(2, 3))])
def flipud(x: TensorLike) -> Tensor:
    """`x` reversed along axis 0.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: `x` is a number.

    Example:
        >>> pyml.ops.flipud([[1, 2], [3, 4]]).numpy()
        array([[3, 4],
               [1, 2]], dtype=int32)
    """
    return flip(x, 0)


@op(
    complex_parts="each",
    dtypes="first",
    like="numpy.roll",
    samples=[sample(draw(2, 3), 2), sample(draw(2, 3), -1, axis=1), sample(draw(3, 4), (1, 2), axis=(0, -1)), sample(draw(0, 2), 1, 0)],
)
def roll(x: TensorLike, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """`x` moved on by `shift` places, in the dtype of `x`; what leaves at the end comes back at the front.

    Args:
        x: Tensor.
        shift: How many places, or a number for each axis; negative moves towards the front.
        axis: An axis, or several; None moves through the flattened tensor.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: An axis is out of range, or there are not as many shifts as axes.

    Example:
        >>> pyml.ops.roll([1, 2, 3], 1).numpy()
        array([3, 1, 2], dtype=int32)
    """
    node = as_node(x)
    shifts = np.asarray(shift).astype(int).reshape(-1).tolist()
    if axis is None:
        return reshape(roll(ravel(Tensor(node)), sum(shifts), 0), node.shape)
    named = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    if len(shifts) not in (1, len(named)) and len(named) != 1:
        raise ShapeError(f"roll: shift and axis must have the same number of values. Received: shift={shift}, axis={axis}")
    pairs = np.broadcast(shifts, named)
    for by, along in ((int(s), int(a)) for s, a in pairs):
        a = one_axis(along, node.ndim, "roll")
        n = node.shape[a]
        if n and by % n:
            cut = n - by % n
            stop = [cut if i == a else m for i, m in enumerate(node.shape)]
            start = [cut if i == a else 0 for i in range(node.ndim)]
            node = prims.concat([prims.slice_(node, start, node.shape), prims.slice_(node, [0] * node.ndim, stop)], a)
    return Tensor(node)


@op(
    complex_parts="each",
    dtypes="first",
    like="numpy.rot90", samples=[sample(draw(2, 3)), sample(draw(2, 3), 2), sample(draw(2, 3, 2), -1, axes=(0, 2)), sample(draw(2, 3), 4)],
)
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """`array` turned by `k` right angles, from the first of two axes towards the second, in the dtype of `array`.

    Args:
        array: Tensor with at least two axes.
        k: How many right angles.
        axes: The two axes.

    Returns:
        A tensor of the dtype of `array`, of its shape, the two axes exchanged for an odd `k`.

    Raises:
        ShapeError: An axis is out of range or named twice, or there are not two.

    Example:
        >>> pyml.ops.rot90([[1, 2], [3, 4]]).numpy()
        array([[2, 4],
               [1, 3]], dtype=int32)
    """
    x = Tensor(as_node(array))
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise ShapeError(f"rot90: axes must name two axes. Received: axes={axes}")
    first, second = ordered_axes(axes, x.ndim, "rot90")
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return flip(x, (first, second))
    return swapaxes(flip(x, second), first, second) if k % 4 == 1 else flip(swapaxes(x, first, second), second)


@op(
    complex_parts="of all",
    like="numpy.meshgrid",
    samples=[sample(draw(2), draw(3)), sample(draw(2), draw(3), draw(4), indexing="ij"), sample(draw(2))],
)
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """A grid of several vectors: for each a tensor of its dtype that says its value at every point.

    Args:
        *x: Vectors (or numbers).
        indexing: `"ij"`: axis `i` of the grid is that of vector `i`; `"xy"`: the first two are exchanged.

    Returns:
        A list with a tensor for each vector, of its dtype, all with an axis for each vector.

    Raises:
        ValueError: `indexing` is another.

    Example:
        >>> [grid.tolist() for grid in pyml.ops.meshgrid([1, 2], [3, 4])]
        [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij'. Received: indexing={indexing!r}")
    vectors = [ravel(v) for v in x]
    sizes = [v.shape[0] for v in vectors]
    grids = [
        broadcast_to(reshape(v, [n if j == i else 1 for j, n in enumerate(sizes)]), sizes) for i, v in enumerate(vectors)
    ]
    return [swapaxes(g, 0, 1) for g in grids] if indexing == "xy" and len(grids) > 1 else grids
