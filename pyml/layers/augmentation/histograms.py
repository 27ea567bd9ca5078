"""Images whose values are spread evenly, by their histograms: Equalization, ContrastLimitedAdaptiveHistogramEqualization."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.dtypes import INTEGERS
from pyml.graph import prims
from pyml.layers.augmentation.base import ImageLayer, ranged, value_range_of
from pyml.layers.dense import positive_int
from pyml.objects.samples import Sample, draw, sample

__all__ = ["ContrastLimitedAdaptiveHistogramEqualization", "Equalization"]


def _counts(groups: Tensor, values: Tensor, number: int, bins: int) -> Tensor:
    """int32 `(number, bins)`: how often each of the `bins` values stands in each of the groups, in one pass over the pixels."""
    places = ops.reshape(groups * bins + values, (-1,))
    return ops.reshape(ops.segment_sum(ops.ones_like(places), places, num_segments=number * bins), (number, bins))


class Equalization(ImageLayer):
    """Spreads the values of each channel evenly over the range, while training.

    The histogram of a channel is that of the whole batch, as in Keras; give images one by one for histograms of their own.

    Args:
        value_range: Smallest and largest value of pixels.
        bins: Bars of the histogram.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; while not training in the dtype of the input.

    Example:
        >>> pyml.layers.Equalization()(np.array([[[10.], [11.], [12.]]])).numpy().ravel()
        array([  0., 128., 255.], dtype=float32)
    """

    _keeps_integers = True  # as far as symbolic tensors go

    def __init__(self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = positive_int(bins, "bins", "Equalization")
        self.value_range = value_range_of(value_range, "Equalization")

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        images = self.as_floats(images)
        if 0 in images.shape:
            return images
        axis = len(images.shape) - (3 if self.data_format == "channels_first" else 1)
        channels, top = images.shape[axis], self.bins - 1
        x = ranged(images, self.value_range, (0, 255))
        lines = ops.reshape(images, (-1, channels, prod(images.shape[axis + 1 :])))
        table = ops.reshape(Tensor(prims.equalizing(lines._node, self.bins, *self.value_range)), (-1,))
        own = ops.reshape(ops.arange(channels), tuple(-1 if i == axis else 1 for i in range(len(images.shape))))
        places = own * self.bins + ops.cast(ops.clip(x / 255.0 * top, 0, top), "int32")
        found = Tensor(prims.lookup(table._node, places._node))
        return ranged(ops.where(found < 0, x, found), (0, 255), self.value_range)       # as they are, where one bar has all

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Spreads values evenly within tiles of each image and channel, without making noise of flat tiles; training or not.

    Args:
        value_range: Smallest and largest value of pixels.
        clip_limit: How high a bar of a tile's histogram may be, in multiples of the mean; what is above it is spread over all
            bars. 0 sets no limit.
        tile_grid_size: Number of tiles along height and width.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same; integers stay integers.

    Source: Zuiderveld 1994, "Contrast Limited Adaptive Histogram Equalization".

    Example:
        >>> layer = pyml.layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(1, 1), clip_limit=0)
        >>> layer(np.array([[[10.], [11.], [12.], [13.]]])).numpy().ravel()
        array([ 63.75, 127.5 , 191.25, 255.  ], dtype=float32)
    """

    def __init__(self, value_range: Any = (0, 255), clip_limit: float = 4.0, tile_grid_size: Any = (8, 8), data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.clip_limit = clip_limit
        self.tile_grid_size = tile_grid_size

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        x = ranged(self.as_floats(images), self.value_range, (0, 255))
        first = self.data_format == "channels_first"
        x = ops.transpose(x, (0, 2, 3, 1)) if first else x
        x = self._equalized(x)
        found = ranged(ops.transpose(x, (0, 3, 1, 2)) if first else x, (0, 255), self.value_range)
        return ops.cast(found, images.dtype) if images.dtype in INTEGERS else found

    def _equalized(self, images: Any) -> Any:
        """Images of values from 0 to 255, equalized in tiles whose tables are interpolated at each pixel."""
        count, height, width, channels = images.shape
        down, across = (int(n) for n in self.tile_grid_size)
        tall, wide = -(-height // down), -(-width // across)
        x = ops.pad(images, ((0, 0), (0, tall * down - height), (0, wide * across - width), (0, 0)), mode="symmetric")
        x = ops.clip(x, 0, 255)
        values = ops.cast(x, "int32")
        y_tile = ops.reshape(ops.arange(down * tall) // tall, (1, -1, 1, 1))
        x_tile = ops.reshape(ops.arange(across * wide) // wide, (1, 1, -1, 1))
        picture = ops.reshape(ops.arange(count), (-1, 1, 1, 1))
        channel = ops.reshape(ops.arange(channels), (1, 1, 1, -1))
        groups = ((picture * down + y_tile) * across + x_tile) * channels + channel
        bars = ops.cast(_counts(groups, values, count * down * across * channels, 256), "float32")
        if self.clip_limit > 0:
            kept = ops.minimum(bars, self.clip_limit * (tall * wide) / 256.0)
            bars = kept + ops.sum(bars - kept, axis=1, keepdims=True) / 256.0
        below = ops.cumsum(bars, axis=1)
        least = ops.min(below, axis=1, keepdims=True)
        rest = tall * wide - least
        table = ops.clip((below - least) * 255.0 / ops.where(ops.equal(rest, 0.0), 1.0, rest), 0.0, 255.0)
        table = ops.reshape(table, (-1,))

        def near(size: int, tiles: int, axis: int) -> tuple[Any, Any, Any]:
            """The two tiles whose middles are around a pixel, and the share of the second."""
            place = (ops.arange(size * tiles, dtype="float32") - size / 2.0) / size
            place = ops.reshape(place, (-1, 1, 1) if axis == 1 else (1, -1, 1))
            low = ops.floor(place)
            inside = lambda tile: ops.clip(ops.cast(tile, "int32"), 0, tiles - 1)
            return inside(low), inside(low + 1.0), place - low

        def mapped(y: Any, x: Any) -> Any:
            return ops.take(table, (((picture * down + y) * across + x) * channels + channel) * 256 + values)

        (y0, y1, share_y), (x0, x1, share_x) = near(tall, down, 1), near(wide, across, 2)
        upper = mapped(y0, x0) * (1.0 - share_x) + mapped(y0, x1) * share_x
        lower = mapped(y1, x0) * (1.0 - share_x) + mapped(y1, x1) * share_x
        return (upper * (1.0 - share_y) + lower * share_y)[:, :height, :width]

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0, 1), tile_grid_size=(2, 2)), draw(2, 4, 5, 1), gradient=False)
