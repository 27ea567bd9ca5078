"""Pooling of sequences and images: by windows, or over all positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pyml import ops
from pyml.core import Tensor
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import channel_axis, laid_out, output_sizes, spatial, standard_data_format, standard_padding, window_sizes
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AvgPool1D", "AvgPool2D", "MaxPool1D", "MaxPool2D", "MaxPooling1D", "MaxPooling2D",
]


class _Pooling(Layer):
    """What max and average pooling share; subclasses name their op and number of axes."""

    rank: ClassVar[int] = 2

    def __init__(self, pool_size: int | Sequence[int], strides: int | Sequence[int] | None = None, padding: str = "valid",
                 data_format: str | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        owner = type(self).__name__
        self.pool_size = window_sizes(pool_size, self.rank, "pool_size", owner)
        self.strides = self.pool_size if strides is None else window_sizes(strides, self.rank, "strides", owner)
        self.padding = standard_padding(padding, owner)
        self.data_format = standard_data_format(data_format, owner)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        self._sizes(inputs.shape)
        return self._pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def _pool(self, *args: Any) -> Any:
        """The op on inputs, window, strides, padding and layout; the two kinds write their own."""
        raise TypeError(f"{type(self).__name__} must define _pool(*args).")

    def _sizes(self, input_shape: Any) -> tuple[int | None, ...]:
        return output_sizes(spatial(input_shape, self.data_format), self.pool_size, self.strides, self.padding, (1,) * self.rank, self)

    def compute_output_shape(self, input_shape: Any) -> Any:
        channels = input_shape[channel_axis(self.data_format)]
        return laid_out(input_shape[0], self._sizes(input_shape), channels, self.data_format)


class _MaxPooling(_Pooling):
    def _pool(self, *args: Any) -> Any:
        return ops.max_pool(*args)


class _AveragePooling(_Pooling):
    def _pool(self, *args: Any) -> Any:
        return ops.average_pool(*args)


class MaxPooling1D(_MaxPooling, aliases=("MaxPool1D",)):
    """The largest value in each window of a sequence.

    Args:
        pool_size: Steps in a window.
        strides: Steps between windows; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, steps)` in and out.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, new_steps, channels)`.

    Example:
        >>> pyml.layers.MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]], "float32")).numpy().tolist()
        [[[3.0], [2.0]]]
    """

    rank = 1

    def __init__(self, pool_size: int | Sequence[int] = 2, strides: int | Sequence[int] | None = None, padding: str = "valid",
                 data_format: str | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2), draw(2, 6, 3), like=lambda x: x.reshape(2, 3, 2, 3).max(2))


class AveragePooling1D(_AveragePooling, aliases=("AvgPool1D",)):
    """The mean of each window of a sequence; cells outside it do not count. Arguments as for `MaxPooling1D`.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, new_steps, channels)`.

    Example:
        >>> pyml.layers.AveragePooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]], "float32")).numpy().tolist()
        [[[2.0], [1.0]]]
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2), draw(2, 6, 3), like=lambda x: x.reshape(2, 3, 2, 3).mean(2))
        yield sample(cls(3, 2, padding="same"), draw(2, 6, 3))


class MaxPooling2D(_MaxPooling, aliases=("MaxPool2D",)):
    """The largest value in each window.

    Args:
        pool_size: One or two integers, height and width of the window.
        strides: One or two integers; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)` in and out.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, channels)`.

    Example:
        >>> pyml.layers.MaxPooling2D()(np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)).numpy()[0, :, :, 0].tolist()
        [[5.0, 7.0], [13.0, 15.0]]
    """

    def __init__(self, pool_size: int | Sequence[int] = (2, 2), strides: int | Sequence[int] | None = None, padding: str = "valid",
                 data_format: str | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(2, 4, 6, 3), like=lambda x: x.reshape(2, 2, 2, 3, 2, 3).max((2, 4)))
        yield sample(cls(3, 2, padding="same"), draw(2, 5, 6, 3, low=-20, high=20))
        yield sample(cls(data_format="channels_first"), draw(2, 3, 4, 6), like=lambda x: x.reshape(2, 3, 2, 2, 3, 2).max((3, 5)))


class AveragePooling2D(_AveragePooling, aliases=("AvgPool2D",)):
    """The mean of each window; cells outside the image do not count.

    Args:
        pool_size: One or two integers, height and width of the window.
        strides: One or two integers; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)` in and out.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, channels)`.

    Example:
        >>> pyml.layers.AveragePooling2D(2)(np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)).numpy()[0, :, :, 0].tolist()
        [[2.5, 4.5], [10.5, 12.5]]
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, 3)), draw(2, 4, 6, 3), like=lambda x: x.reshape(2, 2, 2, 2, 3, 3).mean((2, 4)))
        yield sample(cls(2, data_format="channels_first"), draw(2, 3, 4, 6), like=lambda x: x.reshape(2, 3, 2, 2, 3, 2).mean((3, 5)))


MaxPool1D = MaxPooling1D
AvgPool1D = AveragePooling1D
MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
