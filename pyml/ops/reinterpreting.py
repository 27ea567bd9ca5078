"""Bits taken for numbers of another dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.tensor import NarrowTensor, Tensor, as_node, wrapped
from ..core.tensor import convert_to_tensor as _tensor
from ..core.types import TensorLike
from ..dtypes import narrow, standardize
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .declare import draw, op, sample
from .logic import where

__all__ = [
    "view",
]  # fmt: skip

_BITS = {
    "bool": 8, "int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "float16": 16, "bfloat16": 16, "int32": 32, "uint32": 32, "float32": 32,
}  # fmt: skip


@op(
    dtypes="own", like=lambda x, dtype=None: x.view(dtype), gradient=False,
    samples=[sample(draw(4, low=0, high=99, dtype="int32"), "uint32"), sample(np.array([0.5, -1.0], np.float32), "int32"),
             sample(draw(2, 3, low=-9, high=9, dtype="int32"), "int8"), sample(np.array([[1.5, -2.0, 0.0, 6e-8]], np.float16), "uint32"),
             sample(np.arange(16, dtype=np.uint8).reshape(2, 8), "int16"), sample(np.array([1, 15360, 64512, 1025], np.uint16), "float16")],
)  # fmt: skip
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """The bits of `x` taken for numbers of another dtype; without `dtype` `x` itself.

    Args:
        x: Tensor.
        dtype: Name of a dtype. Of fewer bits, the last axis is as many times longer, the lowest bits first; of more, shorter.

    Returns:
        A tensor of `dtype`; its last axis is longer or shorter where that has other bytes.

    Raises:
        DtypeError: There is no such dtype.
        ShapeError: The last axis does not hold a whole number of them, or `x` is a scalar of another size.

    Source: `keras.ops.view`.

    Example:
        >>> pyml.ops.view([1., -0.], "int32").numpy()
        array([ 1065353216, -2147483648], dtype=int32)
        >>> pyml.ops.view(np.array([258, -1], "int16"), "uint8").numpy()
        array([  2,   1, 255, 255], dtype=uint8)
    """
    given = _tensor(x)
    if dtype is None:
        return given
    target = narrow(dtype) or standardize(dtype)
    if target == given.dtype:
        return given
    bits, wanted = _BITS[given.dtype], _BITS[target]
    *lead, last = given.shape or (1,)
    if bits != wanted and (not given.shape or last * bits % wanted):
        raise ShapeError(f"view: the last axis must hold a whole number of {target}. Received: {given.dtype} of shape {given.shape}")
    words = _bits_of(given)
    if bits > wanted:
        wide = (*lead, last, bits // wanted)
        shifted = prims.right_shift(prims.broadcast_to(prims.reshape(words, (*lead, last, 1)), wide), _shifts(wide, wanted))
        words = prims.bitwise_and(prims.reshape(shifted, (*lead, last * wide[-1])), _whole((*lead, last * wide[-1]), 2**wanted - 1))
    elif bits < wanted:
        wide = (*lead, last * bits // wanted, wanted // bits)
        words = prims.reduce_sum(prims.left_shift(prims.reshape(words, wide), _shifts(wide, bits)), (len(wide) - 1,))
    return _of_bits(words, target)


def _whole(shape: tuple[int, ...], value: int) -> Node:
    return prims.full(shape, value, "uint32")


def _shifts(shape: tuple[int, ...], bits: int) -> Node:
    """0, `bits`, 2 `bits`, … along the last axis."""
    places = prims.cast(prims.iota(shape[-1]), dtype="uint32")
    return prims.broadcast_to(prims.mul(places, _whole(places.shape, bits)), shape)


def _bits_of(x: Tensor) -> Node:
    """The bits of each number, in the lowest of a uint32."""
    node, dtype = as_node(x), x.dtype
    if dtype == "bool":
        return prims.cast(node, dtype="uint32")
    words = node if node.dtype == "uint32" else prims.BITCAST(node, dtype="uint32")
    if dtype == "bfloat16":
        return prims.right_shift(words, _whole(words.shape, 16))
    if dtype == "float16":
        return _half_bits(Tensor(node), Tensor(words))
    return words if _BITS[dtype] == 32 else prims.bitwise_and(words, _whole(words.shape, 2 ** _BITS[dtype] - 1))


def _half_bits(x: Tensor, words: Tensor) -> Node:
    """The bits that a number of float16 has there; `words` are those of the same number as float32."""
    sign, size = (words >> 16) & 0x8000, words & 0x7FFFFFFF
    tiny = (abs(x) * 2.0**24).astype("uint32")  # multiples of the smallest one, below 2^-14
    normal = (size >> 13) - (112 << 10)
    special = ((size >> 13) & 0x3FF) | 0x7C00  # infinity, NaN
    return (sign | where(size >= 0x7F800000, special, where(size < 0x38800000, tiny, normal)))._node


def _of_bits(words: Node, dtype: str) -> Tensor:
    if dtype == "bool":
        return Tensor(prims.cast(words, dtype="bool"))
    if dtype == "float16":
        return NarrowTensor(_from_half(Tensor(words)), dtype)
    if dtype == "bfloat16":
        return NarrowTensor(prims.BITCAST(prims.left_shift(words, _whole(words.shape, 16)), dtype="float32"), dtype)
    if dtype in ("float32", "int32"):
        return Tensor(prims.BITCAST(words, dtype=dtype))
    if dtype == "uint32":
        return Tensor(words)
    return NarrowTensor(wrapped(prims.cast(words, dtype="int32"), dtype), dtype)


def _from_half(words: Tensor) -> Node:
    """Bits of float16 as the numbers that they are."""
    sign, rest = (words & 0x8000) << 16, words & 0x7FFF
    normal = (rest << 13) + (112 << 23)
    special = (rest << 13) | 0x7F800000
    tiny = Tensor(prims.BITCAST((rest.astype("float32") * 2.0**-24)._node, dtype="uint32"))
    return prims.BITCAST((sign | where(rest >= 0x7C00, special, where(rest < 0x400, tiny, normal)))._node, dtype="float32")
