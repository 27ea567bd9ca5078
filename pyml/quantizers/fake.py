"""Quantization in training: floats that have only the values that numbers of few bits stand for."""

from __future__ import annotations

from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.core.custom import custom_gradient
from pyml.core.types import TensorLike


def _nudged(least: Any, most: Any, top: int, bottom: int) -> tuple[Any, Any, Any, Any]:
    """The range moved so that 0 is one of its values: its ends, the step between values, and how many of them 1 has."""
    extent = most - least
    step, per_one = extent / float(top - bottom), float(top - bottom) / extent
    zero = ops.round(ops.clip(float(bottom) - least / step, bottom, top))
    return (float(bottom) - zero) * step, (float(top) - zero) * step, step, per_one


def fake_quant_with_min_max_vars(inputs: TensorLike, min_vals: TensorLike, max_vals: TensorLike, num_bits: int = 8,
                                 narrow_range: bool = False, axis: int | None = None) -> Tensor:  # fmt: skip
    """`inputs` within `[min_vals, max_vals]`, rounded to one of the `2 ** num_bits` values there.

    The gradient passes where `inputs` lie within; where they were cut off it goes to the end that cut them.

    Args:
        inputs: Floats.
        min_vals, max_vals: The ends: numbers, or one for each channel.
        num_bits: Bits of the numbers.
        narrow_range: Leave the least number out.
        axis: The axis of the channels; without it the ends are common to all.

    Returns:
        Floats of the shape of `inputs`.

    Source: `tf.quantization.fake_quant_with_min_max_vars`.

    Example:
        >>> pyml.quantizers.fake_quant_with_min_max_vars(np.array([-1.0, 0.26, 2.0], "float32"), -0.5, 1.0, num_bits=2).numpy()
        array([-0.5,  0.5,  1. ], dtype=float32)
    """
    top, bottom = 2 ** int(num_bits) - 1, int(narrow_range)

    @custom_gradient
    def quantized(x: Any, least: Any, most: Any) -> Any:
        """The rounded values, and their gradients for `x` and both ends of the range."""
        place = None if axis is None else axis % len(x.shape)
        # ends of channels meet the axis of the channels
        aligned = [1] * len(x.shape)
        if place is not None:
            aligned[place] = -1
        meet = (lambda end: ops.reshape(end, aligned)) if place is not None and least.ndim == 1 else (lambda end: end)
        low, high, step, per_one = (meet(part) for part in _nudged(least, most, top, bottom))
        zero = ops.floor(0.5 - low * per_one)
        cut = ops.minimum(ops.maximum(x, low), high) - low
        result = ops.floor(cut * per_one - zero + 0.5) * step
        axes = None if place is None else [i for i in range(len(x.shape)) if i != place]

        def grad(upstream: Any) -> Any:
            def of(mask: Any) -> Any:
                return ops.where(mask, upstream, 0.0)

            inside = ops.logical_and(ops.greater_equal(x, low), ops.less_equal(x, high))
            ends = [ops.sum(of(mask), axis=axes) for mask in (ops.less_equal(x, low), ops.greater_equal(x, high))]
            return of(inside), *(ops.reshape(g, end.shape) for g, end in zip(ends, (least, most), strict=True))

        return result, grad

    least, most = (ops.convert_to_tensor(v, dtype="float32") for v in (min_vals, max_vals))
    return quantized(ops.convert_to_tensor(inputs), least, most)
