"""Layers that enlarge images and sequences by whole factors: UpSampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.layers.dense import positive_int
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import window_sizes
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.layout import data_format_of
from pyml.ops.resizing import check_interpolation, resize

__all__ = ["UpSampling1D", "UpSampling2D"]


def _height_axis(data_format: str) -> int:
    return 1 if data_format == "channels_last" else 2


class UpSampling1D(Layer):
    """Every step of a sequence several times.

    Args:
        size: How often.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, steps * size, channels)`.

    Example:
        >>> pyml.layers.UpSampling1D(2)(np.array([[[1.0], [3.0]]], "float32")).numpy()[0, :, 0].tolist()
        [1.0, 1.0, 3.0, 3.0]
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive_int(size, "size", "UpSampling1D", TypeError)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.repeat(inputs, self.size, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        steps = input_shape[1]
        return (input_shape[0], None if steps is None else steps * self.size, input_shape[2])

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3), draw(2, 4, 3), like=lambda x: np.repeat(x, 3, axis=1))


class UpSampling2D(Layer):
    """Images enlarged by whole factors.

    Args:
        size: One or two integers, the factors of height and width.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.
        interpolation: `"nearest"` repeats cells, `"bilinear"` goes smoothly from one to the next; or `"bicubic"`,
            `"lanczos3"`, `"lanczos5"`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, channels)`.

    Raises:
        ValueError: An argument is not supported.

    Example:
        >>> pyml.layers.UpSampling2D((1, 2))(np.array([[[[1.0], [3.0]]]], "float32")).numpy()[0, 0, :, 0].tolist()
        [1.0, 1.0, 3.0, 3.0]
    """

    def __init__(self, size: int | Sequence[int] = (2, 2), data_format: str | None = None, interpolation: str = "nearest",
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = window_sizes(size, 2, "size", "UpSampling2D")
        self.data_format = data_format_of(data_format, "UpSampling2D")
        self.interpolation = check_interpolation(interpolation, "UpSampling2D")
        if self.interpolation == "area":
            raise ValueError("UpSampling2D: interpolation 'area' is for smaller images; use 'nearest'.")
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        axis = _height_axis(self.data_format)
        sizes = [n * factor for n, factor in zip(inputs.shape[axis : axis + 2], self.size, strict=True)]
        return resize(inputs, sizes, self.interpolation, data_format=self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        axis = _height_axis(self.data_format)
        sizes = (None if n is None else n * factor for n, factor in zip(input_shape[axis : axis + 2], self.size, strict=True))
        return (*input_shape[:axis], *sizes, *input_shape[axis + 2 :])

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, 3)), draw(2, 3, 4, 2), like=lambda x: np.repeat(np.repeat(x, 2, axis=1), 3, axis=2))
        yield sample(cls(interpolation="bilinear"), draw(2, 3, 4, 2))
        yield sample(cls((2, 1), data_format="channels_first"), draw(2, 3, 4, 2), like=lambda x: np.repeat(x, 2, axis=2))
