"""Layers that only change the shape: Flatten, Reshape, Permute, RepeatVector."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.errors import ShapeError
from pyml.layers.dense import positive_int
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import standard_data_format
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """All axes but the batch as one. Input shape: `(batch, ...)`. Output shape: `(batch, product)`.

    Args:
        data_format: `"channels_last"` (None); with `"channels_first"` the channels become the last axis before, so that
            weights after it fit both layouts.

    Example:
        >>> pyml.layers.Flatten()(np.ones((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standard_data_format(data_format, "Flatten")
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        return ops.reshape(inputs, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(2, 3, 4), like=lambda x: x.reshape(2, 12))
        yield sample(cls("channels_first"), draw(2, 3, 4), like=lambda x: x.swapaxes(1, 2).reshape(2, 12))


class Reshape(Layer):
    """Each sample in another shape.

    Args:
        target_shape: Sizes of a sample; one of them may be -1.

    Input shape: `(batch, ...)`. Output shape: `(batch, *target_shape)`.

    Raises:
        ShapeError: The number of values differs.
        ValueError: More than one size is -1.

    Example:
        >>> pyml.layers.Reshape((2, -1))(np.ones((5, 6, 4))).shape
        (5, 2, 12)
    """

    def __init__(self, target_shape: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"Reshape: only one size may be -1. Received: target_shape={self.target_shape}")
        if any(size < -1 for size in self.target_shape):
            raise ValueError(f"Reshape: sizes must be -1 or not negative. Received: target_shape={self.target_shape}")

    def call(self, inputs: Tensor) -> Tensor:
        return ops.reshape(inputs, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = tuple(input_shape[1:])
        if None in sizes:
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        total = math.prod(sizes)
        known = math.prod(size for size in self.target_shape if size != -1)
        fits = total == known if -1 not in self.target_shape else known > 0 and total % known == 0
        if not fits:
            raise ShapeError(
                f'Layer "{self.name}" cannot reshape samples of shape {sizes} ({total} values) '
                f"to {self.target_shape}."
            )
        return (input_shape[0], *(total // known if size == -1 else size for size in self.target_shape))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, -1)), draw(3, 4, 2), like=lambda x: x.reshape(3, 2, 4))


class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: The old positions in their new order; counted from 1, the batch is not among them.

    Input shape: any. Output shape: the same sizes in the order of `dims`.

    Raises:
        ValueError: `dims` is not an order of 1, 2, ...

    Example:
        >>> pyml.layers.Permute((2, 1))(np.ones((3, 4, 5))).shape
        (3, 5, 4)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute: dims must be an order of 1 to {len(self.dims)}. Received: dims={dims}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((3, 1, 2)), draw(2, 3, 4, 5), like=lambda x: x.transpose(0, 3, 1, 2))


class RepeatVector(Layer):
    """Each sample `n` times, as the steps of a sequence.

    Args:
        n: Number of steps.

    Input shape: `(batch, features)`. Output shape: `(batch, n, features)`.

    Example:
        >>> pyml.layers.RepeatVector(3)(np.ones((2, 4))).shape
        (2, 3, 4)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive_int(n, "n", "RepeatVector", TypeError)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.broadcast_to(ops.expand_dims(inputs, 1), self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.n, input_shape[1])

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3), draw(2, 4), like=lambda x: np.repeat(x[:, None], 3, axis=1))
