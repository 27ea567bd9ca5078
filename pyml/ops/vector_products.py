"""Products of vectors, and of blocks: inner, cross and Kronecker's."""

from __future__ import annotations

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from . import complex_formulas
from .arithmetic import multiply, subtract
from .axes import one_axis
from .declare import draw, op, sample
from .joining import stack
from .products import dot, tensordot
from .shaping import moveaxis, ravel, reshape

__all__ = [
    "cross", "inner", "kron", "vdot",
]  # fmt: skip


@op(
    complex_parts="crosswise",
    counted=True, like="numpy.inner", samples=[sample(draw(3), draw(3)), sample(draw(2, 3), draw(4, 3)), sample(2.0, draw(3))],
)
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sums of products over the last axes of both, in the common dtype: the other axes of `x1`, then those of `x2`.

    Args:
        x1, x2: Tensors, or numbers.

    Returns:
        A tensor of the common dtype: the other axes of `x1`, then those of `x2`.

    Raises:
        ShapeError: The last sizes differ.

    Example:
        >>> pyml.ops.inner([1, 2], [3, 4]).item()
        11
    """
    a, b = as_node(x1), as_node(x2)
    return tensordot(x1, x2, axes=([a.ndim - 1], [b.ndim - 1])) if a.ndim and b.ndim else multiply(x1, x2)


@op(complex_parts=complex_formulas.vdot, like="numpy.vdot", samples=[sample(draw(3), draw(3)), sample(draw(2, 3), draw(3, 2))])
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of products of all elements, in their order: one number of the common dtype.

    Args:
        x1, x2: Tensors of as many elements; of complex ones the first is conjugated.

    Returns:
        A tensor of the common dtype without axes.

    Raises:
        ShapeError: There are not as many elements in both.

    Example:
        >>> pyml.ops.vdot([[1, 2], [3, 4]], [[1, 1], [1, 1]]).item()
        10
    """
    return dot(ravel(x1), ravel(x2))


@op(
    complex_parts="crosswise",
    counted=True,
    like="numpy.kron",
    samples=[sample(draw(2, 3), draw(3, 2)), sample(draw(2), draw(2, 2)), sample(draw(2, 1, 2), draw(3)), sample(2.0, draw(3))],
)
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Kronecker's product, in the common dtype: a block `x1[i] * x2` for every element of `x1`; missing leading axes have size 1.

    Args:
        x1, x2: Tensors, or numbers.

    Returns:
        A tensor of the common dtype, each axis as long as those of both multiplied.

    Example:
        >>> pyml.ops.kron([1, 10], [1, 2]).numpy()
        array([ 1,  2, 10, 20], dtype=int32)
    """
    a, b = as_node(x1), as_node(x2)
    ndim = max(a.ndim, b.ndim)
    left, right = (1,) * (ndim - a.ndim) + a.shape, (1,) * (ndim - b.ndim) + b.shape
    wide = reshape(Tensor(a), [n for m in left for n in (m, 1)])
    blocks = multiply(wide, reshape(Tensor(b), [n for m in right for n in (1, m)]))
    return reshape(blocks, [m * n for m, n in zip(left, right, strict=True)])


@op(
    complex_parts="crosswise",
    like="numpy.cross",
    samples=[sample(draw(3), draw(3)), sample(draw(2, 3), draw(3)), sample(draw(3, 4), draw(3, 4), axis=0),
             sample(draw(3, 2), draw(2, 3), axisa=0, axisc=0)],
)  # fmt: skip
def cross(x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector product of vectors of 2 or 3 numbers, in the common dtype; the other axes broadcast.

    Args:
        x1, x2: Tensors.
        axisa, axisb: The axes of their vectors.
        axisc: The axis of the result's vectors; there is none where both are of 2 numbers.
        axis: All three at once.

    Returns:
        A tensor of the common dtype: vectors of 3 numbers, or a number for each pair of vectors of 2.

    Raises:
        ShapeError: A vector has neither 2 numbers nor 3, or the shapes do not broadcast.

    Example:
        >>> pyml.ops.cross([1, 0, 0], [0, 1, 0]).numpy()
        array([0, 0, 1], dtype=int32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    parts = []
    for x, along in ((x1, axisa), (x2, axisb)):
        node = as_node(x)
        at = one_axis(along, node.ndim, "cross")
        if node.shape[at] not in (2, 3):
            raise ShapeError(f"cross: vectors must have 2 or 3 numbers. Received: {node.shape[at]} along axis {along} of {node.shape}")
        moved = moveaxis(Tensor(node), at, -1)
        parts.append([moved[..., i] for i in range(node.shape[at])])
    a, b = parts
    last = subtract(multiply(a[0], b[1]), multiply(a[1], b[0]))
    if len(a) == len(b) == 2:
        return last
    third = [v[2] if len(v) == 3 else Tensor(prims.zeros_like(v[0]._node)) for v in (a, b)]
    first = subtract(multiply(a[1], third[1]), multiply(third[0], b[1]))
    second = subtract(multiply(third[0], b[0]), multiply(a[0], third[1]))
    return moveaxis(stack([first, second, last], axis=-1), -1, axisc)
