"""Conversions, shapes and blocks of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.complex_tensor import COMPLEX, ComplexTensor, as_complex, holds_complex
from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.tensor import convert_to_tensor as _convert
from ..core.types import TensorLike
from ..dtypes import LARGEST, standardize
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import shape_of
from . import complex_formulas
from .arithmetic import clip
from .axes import one_axis
from .declare import draw, op, sample
from .joining import first_place, split, take
from .later import later
from .shaping import squeeze
from .texts import holds_text

__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "is_tensor", "saturate_cast", "shape", "slice", "stop_gradient", "unstack",
]  # fmt: skip

__getattr__, __dir__ = later(__name__, "scattering", "loops", "branches", "while_loops", "partial_results", "further")

_NARROW = {name: (int(np.iinfo(name).min), int(np.iinfo(name).max)) for name in ("int8", "int16", "uint8", "uint16")}


@op(
    complex_parts=lambda m, x, dtype=None, sparse=None, ragged=None: x if dtype is None else m.cast(x, dtype),
    like="numpy.asarray", samples=[sample(draw(2, 3)), sample([1, 2, 3]), sample(2.5)],
)
def convert_to_tensor(x: TensorLike, dtype: str | None = None, sparse: bool | None = None, ragged: bool | None = None) -> Tensor:
    """`x` (a Tensor, Variable, numpy array, number or nested list) as a tensor of its shape.

    64-bit data becomes 32-bit.

    Args:
        x: Anything tensor-like.
        dtype: Name of the dtype; by default that of `x`.
        sparse, ragged: Only False or None.

    Returns:
        A tensor of the shape of `x`, of `dtype` or its own; 64 bits become 32.

    Raises:
        DtypeError: Integers do not fit into 32 bits.
        ValueError: A sparse or ragged tensor is asked for.

    Example:
        >>> pyml.ops.convert_to_tensor([1, 2]).dtype
        'int32'
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported; leave sparse and ragged out.")
    if dtype in COMPLEX:
        return as_complex(x)  # type: ignore[return-value]
    return _convert(x, dtype)


@op(like="numpy.asarray", record=False, gradient=False, samples=[sample(draw(2, 3))])
def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """`x` as a numpy array, of its shape and dtype; waits for the device.

    Args:
        x: A tensor, variable or what makes one.

    Returns:
        A numpy array of the shape and dtype of `x`.

    Raises:
        SyncReadError: This browser cannot wait here; write `await x.data()`.
        TraceError: Called while a program is traced.

    Example:
        >>> pyml.ops.convert_to_numpy(pyml.Variable([1., 2.]))
        array([1., 2.], dtype=float32)
    """
    return as_complex(x).numpy() if holds_complex((x,)) else _convert(x).numpy()


@op(
    complex_parts=complex_formulas.cast,
    like=lambda x, dtype: x.astype(dtype), method="astype", gradient=False, samples=[sample(draw(2, 3), "int32"), sample(draw(4), "bool")],
)
def cast(x: TensorLike, dtype: str) -> Tensor:
    """`x` converted to `dtype`, in its shape; floats to integers drop the fraction.

    Args:
        x: Tensor of any shape.
        dtype: The dtype of the result.

    Returns:
        A tensor of the shape of `x` and of `dtype`.

    Raises:
        DtypeError: There is no such dtype.

    Source: `keras.ops.cast`.

    Example:
        >>> pyml.ops.cast([1.7, -1.7], "int32").numpy()
        array([ 1, -1], dtype=int32)
    """
    if dtype in COMPLEX:
        return as_complex(x)  # type: ignore[return-value]
    if dtype == "string" and holds_text((x,), {}):
        return x  # type: ignore[return-value]
    return Tensor(prims.cast(as_node(x), dtype=standardize(dtype)))


def _saturated(x: np.ndarray, dtype: str) -> np.ndarray:
    """The same in numpy."""
    limits = np.iinfo(dtype)
    return np.clip(x, limits.min, limits.max).astype(dtype)


@op(
    like=_saturated,
    gradient=False,
    samples=[sample(draw(4, low=-400, high=400), "uint8"), sample(draw(4, low=-400, high=400, dtype="int32"), "int8")],
)
def saturate_cast(x: TensorLike, dtype: str) -> Tensor:
    """`x` converted to `dtype`, in its shape; what does not fit becomes the nearest number that does, of booleans 0 or 1.

    Args:
        x: Tensor of any shape.
        dtype: The dtype of the result.

    Returns:
        A tensor of the shape of `x` and of `dtype`.

    Raises:
        DtypeError: There is no such dtype.

    Source: `keras.ops.saturate_cast`.

    Example:
        >>> pyml.ops.saturate_cast([-7., 300.], "uint8").numpy()
        array([  0, 255], dtype=uint8)
    """
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    node = as_node(x)
    if name in _NARROW or (name == "uint32" and node.dtype == "int32"):
        low, high = _NARROW.get(name, (0, 2**31 - 1))
        node = clip(Tensor(node), low if node.dtype != "uint32" else 0, high)._node
    elif name == "bool" and node.dtype != "uint32":
        node = clip(Tensor(node), 0, 1)._node
    elif name in LARGEST:
        node = clip(Tensor(prims.cast(node, dtype="float32")), -LARGEST[name], LARGEST[name])._node
    return Tensor(prims.cast(node, dtype=standardize(name)))


@op(like=lambda x: isinstance(x, np.ndarray), record=False, gradient=False, samples=[sample(draw(2)), sample(3.0)])
def is_tensor(x: object) -> bool:
    """Whether `x` is a tensor of pyml's, of any shape and dtype: not a number, list, numpy array or variable.

    Args:
        x: Anything.

    Returns:
        True or False.

    Source: `keras.ops.is_tensor`.

    Example:
        >>> pyml.ops.is_tensor(pyml.ops.ones(2)), pyml.ops.is_tensor([1, 1])
        (True, False)
    """
    return isinstance(x, (Tensor, ComplexTensor))


@op(complex_parts="each", like="numpy.asarray", gradient=False, samples=[sample(draw(2, 3))])
def stop_gradient(variable: TensorLike) -> Tensor:
    """The same value, shape and dtype with a gradient of zero.

    Args:
        variable: A tensor, or a variable, whose value is taken.

    Returns:
        A tensor of the shape and dtype of `variable`.

    Example:
        >>> pyml.grad(lambda x: (x * pyml.ops.stop_gradient(x)).sum())(np.array([3., 4.])).numpy()
        array([3., 4.], dtype=float32)
    """
    return Tensor(prims.stop_gradient(as_node(variable)))


@op(like="numpy.shape", record=False, gradient=False, samples=[sample(draw(2, 3))])
def shape(x: TensorLike) -> tuple[Any, ...]:
    """The shape of `x` of any dtype, a tuple; sizes that a symbolic tensor does not know are None.

    Args:
        x: A tensor, symbolic or not, or what makes one.

    Returns:
        A tuple of integers, and of None for sizes that are not known.

    Example:
        >>> pyml.ops.shape(np.zeros((2, 3)))
        (2, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else as_node(x).shape


def _unstacked(x: KerasTensor, num: int | None = None, axis: int = 0) -> list[KerasTensor]:
    """The symbolic slices; along an axis of unknown size as many as `num` says."""
    shape = x.shape
    a = one_axis(axis, len(shape), "unstack")
    size = shape[a]
    count = size if num is None else num
    if count is None:
        raise ShapeError(f"unstack: the size of axis {axis} of {shape} is unknown; say with num how many slices there are.")
    if size not in (count, None):
        raise ShapeError(f"unstack: axis {axis} of {shape} has {size} slices. Received: num={num}")
    return [KerasTensor((*shape[:a], *shape[a + 1 :]), dtype=x.dtype) for _ in range(count)]


@op(
    spec=_unstacked,
    complex_parts="each",
    dtypes="first",
    like=lambda x, num=None, axis=0: [np.take(x, i, axis) for i in range(x.shape[axis])],
    samples=[sample(draw(2, 3)), sample(draw(2, 3), axis=1)],
)
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of `x` along `axis`, a list of tensors without it, of its dtype.

    Args:
        x: Tensor.
        num: How many there are; by default the size of the axis.
        axis: The axis that is taken apart.

    Returns:
        A list of tensors of the dtype of `x`, in its shape without `axis`.

    Raises:
        ShapeError: An axis is out of range or named twice, or has another size than `num`.

    Source: `keras.ops.unstack`.

    Example:
        >>> [row.tolist() for row in pyml.ops.unstack([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
    """
    node = as_node(x)
    a = one_axis(axis, node.ndim, "unstack")
    count = node.shape[a] if num is None else num
    if count != node.shape[a]:
        raise ShapeError(f"unstack: axis {axis} of {node.shape} has {node.shape[a]} slices. Received: num={num}")
    return [squeeze(part, a) for part in split(Tensor(node), count, a)] if count or node.shape[a] else []


_CUTS = [sample(draw(4, 5), (1, 0), (2, 3)), sample(draw(4, 5), (-3, 1), (2, 3))]


@op(
    complex_parts="each",
    dtypes="first", like=lambda x, start, shape: x[tuple(np.s_[a : a + n] for a, n in zip(start, shape))], samples=_CUTS,
)
def slice(inputs: TensorLike, start_indices: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The block of `shape` that begins at `start_indices`, one number per axis each, in its dtype; negative starts count from the end.

    A start that the program under way computes, such as the counter of a loop, is moved so that the block lies in `inputs`.

    Args:
        inputs: Tensor.
        start_indices: Where the block begins, a number for each axis.
        shape: Its sizes; -1 takes the rest of an axis, from a start that is a number.

    Returns:
        A tensor of the dtype of `inputs`, of shape `shape`.

    Raises:
        ShapeError: There are more or fewer numbers than axes, the block does not lie in `inputs`, or -1 stands where the start is computed.

    Source: `keras.ops.slice`.

    Example:
        >>> pyml.ops.slice(np.arange(12).reshape(3, 4), (1, 1), (2, 2)).numpy()
        array([[ 5,  6],
               [ 9, 10]], dtype=int32)
    """
    sizes = shape_of(shape, "slice", least=-1)
    node = as_node(inputs)
    if not len(start_indices) == len(sizes) == node.ndim:
        raise ShapeError(
            f"slice: start_indices and shape need a number for each of the {node.ndim} axes of {node.shape}. "
            f"Received: start_indices={tuple(start_indices)}, shape={sizes}"
        )
    starts = [first_place(a, n, count) for a, n, count in zip(start_indices, node.shape, sizes, strict=True)]
    if any(count == -1 and isinstance(a, Tensor) for a, count in zip(starts, sizes, strict=True)):
        raise ShapeError(f"slice: a size of -1 needs a start that is a number, not one that is computed. Received: shape={sizes}")
    sizes = shape_of([n - a if count == -1 else count for a, n, count in zip(starts, node.shape, sizes, strict=True)], "slice")
    known = [(0, n) if isinstance(a, Tensor) else (a, a + count) for a, n, count in zip(starts, node.shape, sizes, strict=True)]
    out = Tensor(prims.slice_(node, [a for a, _ in known], [b for _, b in known]))
    for axis, (start, count) in enumerate(zip(starts, sizes, strict=True)):
        if isinstance(start, Tensor):
            if count > node.shape[axis]:
                raise ShapeError(f"slice: {count} places do not fit axis {axis} of shape {node.shape}.")
            out = take(out, start + Tensor(prims.iota(count)), axis=axis)
    return out
