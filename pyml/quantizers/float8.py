"""Floats of 8 bits: scales from the largest values of the steps before, and rounding. Values stay in 32 bits."""

from __future__ import annotations

from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike

# Largest number, stored bits of the fraction, exponent of the least normal number (Micikevicius et al. 2022, "FP8 formats").
_FORMATS = {"float8_e4m3fn": (448.0, 3, -6), "float8_e5m2": (57344.0, 2, -14)}


def compute_float8_scale(amax: TensorLike, scale: TensorLike, dtype_max: TensorLike, margin: int = 0) -> Tensor:
    """The scale that brings `amax` to `dtype_max`; the old one where `amax` is 0 or not finite.

    Args:
        amax: Largest absolute value of some steps.
        scale: The scale until now; quantized values are divided by it.
        dtype_max: Largest number of the dtype.
        margin: Powers of two to spare.

    Source: the delayed scaling of NVIDIA's Transformer Engine.

    Example:
        >>> pyml.quantizers.compute_float8_scale(896.0, 1.0, 448.0).item()
        2.0
    """
    amax = ops.convert_to_tensor(amax, dtype="float32")
    before = ops.divide(1.0, scale)
    factor = ops.divide(ops.divide(dtype_max, amax), float(2**margin))
    factor = ops.where(ops.logical_and(ops.greater(amax, 0.0), ops.isfinite(amax)), factor, before)
    return ops.divide(1.0, factor)


def compute_float8_amax_history(x: TensorLike, amax_history: TensorLike) -> Tensor:
    """The history with the largest absolute value of `x` as its first entry; the others move back, the oldest leaves.

    Args:
        x: Tensor.
        amax_history: Vector of the largest absolute values so far, the newest first.

    Example:
        >>> pyml.quantizers.compute_float8_amax_history(np.array([-5.0, 2.0]), np.array([1.0, 2.0, 3.0])).numpy()
        array([5., 3., 1.], dtype=float32)
    """
    history: Any = ops.roll(ops.convert_to_tensor(amax_history, dtype="float32"), -1)
    newest = ops.reshape(ops.max(ops.abs(x)), (1,))
    return ops.concatenate([newest, history[1:]], axis=0)


def quantize_and_dequantize(inputs: TensorLike, scale: TensorLike, quantized_dtype: str, compute_dtype: str) -> Tensor:
    """What is left of `inputs` after a way through floats of 8 bits.

    Args:
        inputs: Floats.
        scale: They are divided by it before, and multiplied after.
        quantized_dtype: `"float8_e4m3fn"` or `"float8_e5m2"`.
        compute_dtype: Dtype of the result.

    Raises:
        ValueError: There is no such float of 8 bits.

    Example:
        >>> pyml.quantizers.quantize_and_dequantize(np.array([1.1, 500.0]), 1.0, "float8_e4m3fn", "float32").numpy()
        array([  1.125, 448.   ], dtype=float32)
    """
    if quantized_dtype not in _FORMATS:
        raise ValueError(f"quantize_and_dequantize: quantized_dtype must be one of {', '.join(_FORMATS)}. Received: {quantized_dtype!r}")
    most, fraction, least = _FORMATS[quantized_dtype]
    scale = ops.cast(scale, compute_dtype)
    x = ops.cast(ops.clip(ops.divide(inputs, scale), -most, most), "float32")
    # the distance of neighbours is a power of two that the exponent of x gives: read from its bits, not by a rounded logarithm
    exponent = ops.subtract(ops.bitwise_and(ops.right_shift(ops.view(x, "int32"), 23), 255), 127)
    step = ops.view(ops.left_shift(ops.add(ops.maximum(exponent, least), 127 - fraction), 23), "float32")
    return ops.multiply(ops.cast(ops.multiply(ops.round(ops.divide(x, step)), step), compute_dtype), scale)
