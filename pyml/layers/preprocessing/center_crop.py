"""CenterCrop: the middle of images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core.symbolic import KerasTensor
from pyml.errors import ShapeError
from pyml.layers.dense import positive_int
from pyml.layers.layer import Layer
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.layout import data_format_of
from pyml.utils.images import smart_resize

__all__ = ["CenterCrop"]


class CenterCrop(Layer):
    """The middle of images; one that is smaller is enlarged first, so that what is cut off is as little as possible.

    Args:
        height, width: The size of the middle.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.

    Input shape: `(batch, height, width, channels)`, or one image. Output shape: the same with the new size, as float32.

    Raises:
        ValueError: A size is no positive integer.

    Example:
        >>> pyml.layers.CenterCrop(1, 2)(np.arange(12.).reshape(3, 4, 1)).numpy()[:, :, 0]
        array([[5., 6.]], dtype=float32)
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height = positive_int(height, "height", "CenterCrop")
        self.width = positive_int(width, "width", "CenterCrop")
        self.data_format = data_format_of(data_format, "CenterCrop")
        self.built = True

    def _axis(self, rank: int) -> int:
        """The axis of the height; that of the width follows."""
        if rank not in (3, 4):
            raise ShapeError(f'Layer "{self.name}" crops images (height, width, channels) or batches of them. Received: {rank} axes')
        return rank - (2 if self.data_format == "channels_first" else 3)

    def call(self, inputs: Any) -> Any:
        axis = self._axis(len(inputs.shape))
        images = ops.cast(inputs, "float32")
        left = [(n - size) // 2 for n, size in zip(inputs.shape[axis : axis + 2], (self.height, self.width), strict=True)]
        if min(left) < 0:
            return smart_resize(images, (self.height, self.width), data_format=self.data_format)
        middle = (slice(None),) * axis
        return images[(*middle, *(slice(n, n + size) for n, size in zip(left, (self.height, self.width), strict=True)))]

    def compute_output_shape(self, input_shape: Any) -> Any:
        axis = self._axis(len(input_shape))
        return (*input_shape[:axis], self.height, self.width, *input_shape[axis + 2 :])

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 2), draw(2, 6, 5, 2), like=lambda x: x[:, 1:4, 1:3])
        yield sample(cls(2, 3, "channels_first"), draw(2, 2, 4, 5), like=lambda x: x[:, :, 1:3, 1:4])
        yield sample(cls(4, 2), draw(2, 2, 5, 3))
