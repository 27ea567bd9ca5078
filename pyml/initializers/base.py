"""The base of initializers and the fan sizes the scaled ones need."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from pyml import ops
from pyml.core import convert_to_tensor
from pyml.dtypes import keras_name, narrow, standardize
from pyml.errors import Undefined, returned
from pyml.objects.common_part import CommonPart
from pyml.objects.configured import Configured
from pyml.objects.registry import INITIALIZERS

__all__ = ["Initializer"]


class Initializer(Configured, kind=INITIALIZERS, abstract=True):
    """Makes the first value of a weight: write `host_value(shape, dtype)` or `__call__(shape, dtype)`.

    Values are drawn on the host, so the same seed gives the same weights on every device and no shader
    has to be compiled before training.

    Raises:
        Undefined: It is called, and the subclass defines neither.

    Source: `keras.initializers.Initializer`.

    Example:
        >>> class Halves(pyml.initializers.Initializer):
        ...     def host_value(self, shape, dtype):
        ...         return np.full(shape, 0.5, dtype)
        >>> Halves()((2,)).numpy()
        array([0.5, 0.5], dtype=float32)
    """

    _common_part = CommonPart(
        "keras.initializers",
        "Called with a shape and a dtype, `pyml.config.floatx()` by default, it gives a tensor of them.",
        arguments={
            "value": "A number, a list or an array.",
            "gain": "What all values are multiplied by.",
            "minval": "Values lie from here on.",
            "maxval": "They lie below this.",
            "seed": "An integer, which gives the same values each time, a `SeedGenerator`, which moves on, or None.",
            "input_axes": "Axes of the shape that count as inputs, instead of the last but one.",
            "output_axes": "Axes of the shape that count as outputs, instead of the last.",
        },
        errors={
            "seed": "ValueError: `seed` is none of these.",
            "": "ValueError: It is called with a dtype that does not exist.",
        })  # fmt: skip

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """A Tensor of the given shape. `dtype` defaults to float32."""
        name = keras_name(dtype)
        value = convert_to_tensor(self.host_value(tuple(shape), standardize(name)))
        return ops.cast(value, name) if narrow(name) else value  # numpy has no bfloat16

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        """The same value as a numpy array."""
        raise Undefined(f"{type(self).__name__} must define host_value(shape, dtype) or __call__(shape, dtype).")

    def clone(self) -> Self:
        """An independent copy with the same arguments."""
        return type(self).from_config(self.get_config())


def first_value(initializer: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """The first value of a variable: a numpy array where the initializer can make one, else a Tensor."""
    methods = (name for cls in type(initializer).__mro__ for name in ("__call__", "host_value") if name in vars(cls))
    if next(methods, None) == "host_value":
        return initializer.host_value(shape, np.dtype(standardize(dtype)))
    return returned(initializer(shape, dtype=dtype), f"the initializer {getattr(initializer, '__name__', type(initializer).__name__)}")


def compute_fans(shape: Any, input_axes: Any = None, output_axes: Any = None) -> tuple[float, float]:
    """`(fan_in, fan_out)` of a kernel: Dense `(in, out)`, convolution `(*window, in, out)`.

    Args:
        shape: Shape of the kernel.
        input_axes, output_axes: Axes that count as inputs and outputs, instead of these; both or none.
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window
