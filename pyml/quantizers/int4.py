"""Two numbers of 4 bits in a byte."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, convert_to_tensor
from pyml.core.types import TensorLike

_DTYPES = ("int8", "uint8")


def _known(dtype: str, what: str) -> None:
    if dtype not in _DTYPES:
        raise ValueError(f"{what}: dtype must be 'int8' or 'uint8'. Received: dtype={dtype!r}")


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Tensor, tuple[int, ...], int]:
    """Two neighbours along `axis` in one byte: the first in its low half, the second in its high half.

    Args:
        arr: Numbers from -8 to 7 of dtype int8, or uint8 up to 15.
        axis: Which axis becomes half as long; a last number without neighbour meets a 0.
        dtype: Dtype of `arr` and of the result.

    Returns:
        The bytes, their shape, and the size that the axis had.

    Raises:
        ValueError: `dtype` is neither int8 nor uint8.
        TypeError: `arr` is of another dtype.

    Example:
        >>> packed, shape, rows = pyml.quantizers.pack_int4(np.array([[-3, 7], [2, -8], [1, 0]], "int8"))
        >>> packed.numpy().tolist(), shape, rows
        ([[45, -121], [1, 0]], (2, 2), 3)
    """
    _known(dtype, "pack_int4")
    if str(arr.dtype) != dtype:
        raise TypeError(f"pack_int4: expected numbers of dtype {dtype}. Received: {arr.dtype}")
    numbers = np.moveaxis(np.asarray(arr), axis, 0)
    length = numbers.shape[0]
    whole = np.pad(np.ascontiguousarray(numbers).view(np.uint8), ((0, length % 2), *((0, 0),) * (numbers.ndim - 1)))
    halves = whole & np.uint8(15)
    packed = np.moveaxis((halves[::2] | halves[1::2] << 4).view(dtype), 0, axis)
    return convert_to_tensor(np.ascontiguousarray(packed), dtype), packed.shape, length


def unpack_int4(packed: TensorLike, orig_len: int, axis: int = 0, dtype: str = "int8") -> Tensor:
    """The numbers that `pack_int4` packed.

    Args:
        packed: Bytes, of dtype int8 or uint8.
        orig_len: The size that `axis` had.
        axis: Along which axis neighbours were packed.
        dtype: int8 for numbers from -8 to 7, uint8 for those from 0 to 15.

    Raises:
        ValueError: `dtype` is neither int8 nor uint8.
        TypeError: `packed` is of another dtype.

    Example:
        >>> pyml.quantizers.unpack_int4(np.array([[45, -121], [1, 0]], "int8"), 3).numpy().tolist()
        [[-3, 7], [2, -8], [1, 0]]
    """
    _known(dtype, "unpack_int4")
    given = str(getattr(packed, "dtype", type(packed).__name__))
    if given not in _DTYPES:
        raise TypeError(f"unpack_int4: expected bytes of dtype int8 or uint8. Received: {given}")
    numbers = ops.cast(packed, "int32")
    rank = len(numbers.shape)
    axis %= rank
    spread = ops.expand_dims(numbers, axis + 1)
    shifts = ops.reshape(ops.convert_to_tensor([28, 24]), (2, *(1,) * (rank - axis - 1)))
    # the half in question goes to the highest bits, from where a shift to the right brings its sign along
    spread = ops.right_shift(ops.left_shift(spread, shifts), 28)
    if dtype == "uint8":
        spread = ops.bitwise_and(spread, 15)
    shape = list(numbers.shape)
    shape[axis] *= 2
    wanted = [slice(None)] * axis + [slice(0, orig_len)]
    return ops.cast(ops.reshape(spread, shape)[tuple(wanted)], dtype)
