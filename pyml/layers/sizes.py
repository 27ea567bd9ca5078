"""Layers that change the size of images and sequences: UpSampling and Resizing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.dtypes import INTEGERS
from pyml.errors import ShapeError
from pyml.layers.dense import positive_int
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import window_sizes
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.layout import data_format_of
from pyml.ops.resizing import check_aspect, check_interpolation, resize

__all__ = ["Resizing", "UpSampling1D", "UpSampling2D"]


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
        self.size = positive_int(size, "size", "UpSampling1D")
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


class Resizing(Layer):
    """Images in another size, in their own dtype: integers are rounded.

    Args:
        height, width: The new size.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"`, `"lanczos5"` or `"area"`, as for `ops.image.resize`.
        crop_to_aspect_ratio: Take only the middle of the images, so that nothing is distorted.
        pad_to_aspect_ratio: Add borders of `fill_value` instead.
        fill_mode, fill_value: Only `"constant"`; the value of the borders.
        antialias: Widen the filter where images become smaller.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.

    Input shape: `(batch, height, width, channels)`, or one image. Output shape: the same with the new size.

    Raises:
        ValueError: An argument is not supported.

    Example:
        >>> pyml.layers.Resizing(2, 6)(np.ones((1, 4, 4, 3))).shape
        (1, 2, 6, 3)
    """

    def __init__(self, height: int, width: int, interpolation: str = "bilinear", crop_to_aspect_ratio: bool = False,
                 pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0, antialias: bool = False,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height = positive_int(height, "height", "Resizing")
        self.width = positive_int(width, "width", "Resizing")
        self.interpolation = check_interpolation(interpolation, "Resizing")
        self.data_format = data_format_of(data_format, "Resizing")
        check_aspect(crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode, "Resizing")
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = antialias
        self.autocast = False                          # bytes come in as bytes, and go out as such

    def call(self, inputs: Tensor) -> Tensor:
        found = resize(ops.cast(inputs, "float32"), (self.height, self.width), self.interpolation, self.antialias,
                       self.crop_to_aspect_ratio, self.pad_to_aspect_ratio, self.fill_mode, self.fill_value, self.data_format)
        return ops.saturate_cast(ops.round(found), inputs.dtype) if inputs.dtype in INTEGERS else found

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) not in (3, 4):
            raise ShapeError(f'Layer "{self.name}" resizes images. Received inputs of shape {tuple(input_shape)}')
        if self.data_format == "channels_first":
            return (*input_shape[:-2], self.height, self.width)
        return (*input_shape[:-3], self.height, self.width, input_shape[-1])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        dtype = args[0].dtype
        return KerasTensor(self.compute_output_shape(args[0].shape), dtype=dtype if dtype in INTEGERS else "float32")

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(5, 7), draw(2, 3, 4, 2))
        yield sample(cls(2, 3, "bicubic", antialias=True, data_format="channels_first"), draw(2, 3, 5, 4))
        yield sample(cls(2, 2, interpolation="nearest"), draw(2, 4, 4, 3), like=lambda x: x[:, 1::2, 1::2])
