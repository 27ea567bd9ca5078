"""Pooling to a size that is given: AdaptiveAveragePooling and AdaptiveMaxPooling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pyml import ops
from pyml.core import Tensor
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import channel_axis, laid_out, standard_data_format, window_sizes
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip


class _AdaptivePooling(Layer):
    """What the six share; subclasses name their op and number of axes."""

    _integers_give_float32 = True

    rank: ClassVar[int] = 2

    def __init__(self, output_size: int | Sequence[int], data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.output_size = window_sizes(output_size, self.rank, "output_size", owner)
        self.data_format = standard_data_format(data_format, owner)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return laid_out(input_shape[0], self.output_size, input_shape[channel_axis(self.data_format)], self.data_format)


class _AdaptiveAveragePooling(_AdaptivePooling):
    def call(self, inputs: Tensor) -> Tensor:
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class _AdaptiveMaxPooling(_AdaptivePooling):
    def call(self, inputs: Tensor) -> Tensor:
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The means of `output_size` windows that cover a sequence evenly, whatever its length.

    Args:
        output_size: How many.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, steps)`.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, output_size, channels)`.

    Example:
        >>> pyml.layers.AdaptiveAveragePooling1D(2)(np.arange(5.0).reshape(1, 5, 1)).numpy().tolist()
        [[[1.0], [3.0]]]
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2), draw(2, 6, 3), like=lambda x: x.reshape(2, 2, 3, 3).mean(2))


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The means of windows that cover an image evenly, whatever its size; see `ops.adaptive_average_pool`.

    Args:
        output_size: One or two integers: rows and columns of windows.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, *output_size, channels)`.

    Example:
        >>> pyml.layers.AdaptiveAveragePooling2D(7)(np.ones((2, 20, 16, 3))).shape
        (2, 7, 7, 3)
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, 3)), draw(2, 5, 4, 2))
        yield sample(cls(2, "channels_first"), draw(2, 3, 4, 2), like=lambda x: x.reshape(2, 3, 2, 2, 2).mean(3))


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """`AdaptiveAveragePooling2D` for volumes; arguments as of `AdaptiveAveragePooling2D`, with one or three integers.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: `(batch, *output_size, channels)`.

    Example:
        >>> pyml.layers.AdaptiveAveragePooling3D((2, 3, 4))(np.ones((1, 5, 5, 5, 2))).shape
        (1, 2, 3, 4, 2)
    """

    rank = 3

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(1, "channels_first"), draw(2, 2, 3, 2, 2), like=lambda x: x.mean((2, 3, 4), keepdims=True))


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """The largest values of `output_size` windows that cover a sequence evenly. Arguments as for `AdaptiveAveragePooling1D`.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, output_size, channels)`.

    Example:
        >>> pyml.layers.AdaptiveMaxPooling1D(2)(np.arange(5.0).reshape(1, 5, 1)).numpy().tolist()
        [[[2.0], [4.0]]]
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, "channels_first"), draw(2, 3, 6), like=lambda x: x.reshape(2, 3, 3, 2).max(3))


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """The largest values of windows that cover an image evenly. Arguments as for `AdaptiveAveragePooling2D`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, *output_size, channels)`.

    Example:
        >>> pyml.layers.AdaptiveMaxPooling2D(7)(np.ones((2, 20, 16, 3))).shape
        (2, 7, 7, 3)
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, 3)), draw(2, 5, 4, 2, low=-20, high=20))


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """`AdaptiveMaxPooling2D` for volumes; arguments as of `AdaptiveMaxPooling2D`, with one or three integers.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: `(batch, *output_size, channels)`.

    Example:
        >>> pyml.layers.AdaptiveMaxPooling3D((2, 3, 4))(np.ones((1, 5, 5, 5, 2))).shape
        (1, 2, 3, 4, 2)
    """

    rank = 3

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(1), draw(2, 2, 3, 2, 2), like=lambda x: x.max((1, 2, 3), keepdims=True))
