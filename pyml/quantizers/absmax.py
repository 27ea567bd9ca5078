"""Quantizers, and the functions that map floats to integers of at most 8 bits by their largest absolute value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, convert_to_tensor
from pyml.core.symbolic import KerasTensor
from pyml.core.types import TensorLike
from pyml.objects.configured import Configured
from pyml.objects.registry import QUANTIZERS

Axis = int | Sequence[int]


class Quantizer(Configured, kind=QUANTIZERS):
    """Base: write `__call__(x, axis)` that returns integers and the scale that made them: `numbers = x * scale`.

    Args:
        output_dtype: Dtype of the numbers.

    Example:
        >>> pyml.quantizers.Quantizer().output_dtype
        'int8'
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """`x` as it is."""
        return x


class AbsMaxQuantizer(Quantizer):
    """Numbers of `value_range`, scaled so that the largest absolute value along an axis becomes its upper end.

    Args:
        axis: Along which axis, or axes, one scale is common; an argument of the call comes first, the last axis is the default.
        value_range: The least and the largest number.
        epsilon: Added to the largest absolute value, against division by 0.
        output_dtype: Dtype of the numbers.

    Raises:
        ValueError: `value_range` has numbers that int8 has not.

    Example:
        >>> numbers, scale = pyml.quantizers.AbsMaxQuantizer()(np.array([[0.5, -1.0, 0.25]], "float32"))
        >>> numbers.numpy(), scale.numpy().round(2)
        (array([[  63, -127,   32]], dtype=int8), array([[127.]], dtype=float32))
    """

    def __init__(self, axis: Axis | None = None, value_range: Sequence[int] = (-127, 127), epsilon: float = 1e-07,
                 output_dtype: str = "int8") -> None:  # fmt: skip
        super().__init__(output_dtype=output_dtype)
        self.axis = None if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.value_range = tuple(value_range)
        self.epsilon = epsilon
        if output_dtype == "int8" and (value_range[0] < -128 or value_range[1] > 127):
            raise ValueError(f"AbsMaxQuantizer: output_dtype='int8' needs a value_range within [-128, 127]. Received: {value_range}")

    def __call__(self, x: Any, axis: Axis | None = None, to_numpy: bool = False) -> tuple[Tensor, Tensor]:
        """The numbers, and the scale with an axis of one element where values share it."""
        axis = axis if axis is not None else -1 if self.axis is None else self.axis
        return abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy)

    def get_config(self) -> dict[str, Any]:
        config = {"value_range": self.value_range, "epsilon": self.epsilon, "output_dtype": self.output_dtype}
        return config if self.axis is None else {**config, "axis": self.axis}


def abs_max_quantize(inputs: TensorLike, axis: Axis, value_range: Sequence[int] = (-127, 127), dtype: str = "int8", epsilon: float = 1e-07,
                     to_numpy: bool = False) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`inputs * scale`, rounded, with `scale = value_range[1] / (max |inputs| + epsilon)`.

    Args:
        inputs: Tensor of floats.
        axis: Along which axis, or axes, one scale is common.
        value_range: The least and the largest number.
        dtype: Dtype of the numbers.
        epsilon: Added to the largest absolute value.
        to_numpy: Compute on the host, where nothing is kept on the device beside the results.

    Returns:
        The numbers, of the shape of `inputs`, and the scale, with size 1 along `axis`.

    Example:
        >>> numbers, scale = pyml.quantizers.abs_max_quantize(np.array([[1.0, 2.0], [-4.0, 1.0]], "float32"), axis=0)
        >>> numbers.numpy().tolist(), scale.numpy().round(2).tolist()
        ([[32, 127], [-127, 64]], [[31.75, 63.5]])
    """
    low, high = value_range
    if to_numpy and not isinstance(inputs, KerasTensor):
        x = np.asarray(inputs)
        axes = axis if isinstance(axis, int) else tuple(axis)
        # in float32 throughout: products with a scale of 64 bits would round otherwise here and there
        largest = np.max(np.abs(x), axis=axes, keepdims=True) + np.float32(epsilon)
        factor = (np.float32(high) / largest).astype(np.float32)
        return convert_to_tensor(np.clip(np.round(x * factor), low, high), dtype), convert_to_tensor(factor)
    inputs = ops.convert_to_tensor(inputs)
    scale = ops.divide(float(high), ops.add(ops.max(ops.abs(inputs), axis=axis, keepdims=True), epsilon))
    numbers = ops.clip(ops.round(ops.multiply(inputs, scale)), low, high)
    return ops.cast(numbers, dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: TensorLike, block_size: int, value_range: Sequence[int] = (-8, 7), dtype: str = "int8", epsilon: float = 1e-07,
    to_numpy: bool = False
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Each block of rows of a matrix brought to `value_range` by a scale and a zero point of its own, column by column.

    Args:
        inputs: `(rows, columns)`, floats.
        block_size: Rows of a block; the last one may be shorter.
        value_range: The least and the largest number.
        dtype: Dtype of the numbers.
        epsilon: Added to the extent of a block, against division by 0.
        to_numpy: Compute on the host.

    Returns:
        The numbers, of the shape of `inputs`; the scale and the zero point, `(blocks, columns)`. The value of a number is
        `(number - zero) * scale`.

    Raises:
        ValueError: `inputs` is not a matrix.

    Example:
        >>> x = np.array([[0.0], [15.0], [-1.0], [0.5]], "float32")
        >>> numbers, scale, zero = pyml.quantizers.abs_max_quantize_grouped_with_zero_point(x, block_size=2)
        >>> numbers.numpy().ravel(), scale.numpy().ravel().round(2), zero.numpy().ravel()
        (array([-8,  7, -8,  7], dtype=int8), array([1. , 0.1], dtype=float32), array([-8,  2], dtype=int8))
    """
    if to_numpy:  # what the device computes, on the host: a kernel is quantized once
        inputs = np.asarray(inputs)
    x: Any = inputs if to_numpy else ops.convert_to_tensor(inputs)
    if len(x.shape) != 2:
        raise ValueError(f"abs_max_quantize_grouped_with_zero_point: inputs must be a matrix. Received: shape {tuple(x.shape)}")
    low, high = value_range
    rows, columns = x.shape
    blocks = -(-rows // block_size)
    if blocks == 1 and not to_numpy:
        block_size = rows  # Keras lets the zeros that fill up a block count on the host, and on a device where it is not the only one
    shape, missing = (blocks, block_size, columns), blocks * block_size - rows
    if to_numpy:
        padded = np.pad(x, ((0, missing), (0, 0))).reshape(shape)
        least, most = padded.min(axis=1, keepdims=True), padded.max(axis=1, keepdims=True)
        scale = (most - least + np.float32(epsilon)) / np.float32(high - low)
        zero = np.clip(np.round(-least / scale) + low, low, high)
        numbers = np.clip(np.round(padded / scale) + zero, low, high).reshape(-1, columns)[:rows]
        return convert_to_tensor(numbers, dtype), convert_to_tensor(scale[:, 0]), convert_to_tensor(zero[:, 0], "int8")
    x = ops.reshape(ops.pad(x, ((0, missing), (0, 0))), shape)
    least, most = ops.min(x, axis=1, keepdims=True), ops.max(x, axis=1, keepdims=True)
    same = ops.equal(least, most)  # all values of a block alike: an extent of 2 around them, as Keras has it on a device
    least, most = ops.where(same, least - 1.0, least), ops.where(same, most + 1.0, most)
    scale = ops.divide(ops.add(most - least, epsilon), float(high - low))
    zero = ops.clip(ops.round(ops.divide(ops.negative(least), scale)) + float(low), low, high)
    numbers = ops.clip(ops.round(ops.divide(x, scale)) + zero, low, high)
    numbers = ops.reshape(numbers, (blocks * block_size, columns))[:rows]
    return ops.cast(numbers, dtype), ops.squeeze(scale, 1), ops.cast(ops.squeeze(zero, 1), "int8")
