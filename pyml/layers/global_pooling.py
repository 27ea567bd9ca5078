"""Pooling over all positions: GlobalAveragePooling and GlobalMaxPooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pyml import ops
from pyml.core import Tensor
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import channel_axis, laid_out, spatial, standard_data_format
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D",
    "GlobalMaxPool2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
]


class _GlobalPooling(Layer):
    """What the four share; subclasses name their op and number of axes."""

    _integers_give_float32 = True

    rank: ClassVar[int] = 2

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standard_data_format(data_format, type(self).__name__)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _axes(self) -> Any:
        return spatial(range(self.rank + 2), self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        channels = input_shape[channel_axis(self.data_format)]
        return laid_out(input_shape[0], (1,) * self.rank if self.keepdims else (), channels, self.data_format)


class GlobalAveragePooling1D(_GlobalPooling, aliases=("GlobalAvgPool1D",)):
    """The mean of each channel over all steps; steps that a mask leaves out do not count.

    Args:
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, steps)`.
        keepdims: Keep the steps as an axis of size 1.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, channels)`.

    Source: Lin et al. 2013, "Network In Network".

    Example:
        >>> pyml.layers.GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]], "float32")).numpy().tolist()
        [[2.0]]
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        (axis,) = self._axes()
        if mask is None:
            return ops.mean(inputs, axis=axis, keepdims=self.keepdims)
        weight = ops.expand_dims(ops.cast(mask, "float32"), channel_axis(self.data_format))
        total = ops.sum(inputs * weight, axis=axis, keepdims=self.keepdims)
        return total / ops.sum(weight, axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: there are no steps left."""
        return None

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(2, 4, 3), like=lambda x: x.mean(1))
        yield sample(cls("channels_first", keepdims=True), draw(2, 4, 3), like=lambda x: x.mean(2, keepdims=True))


class GlobalAveragePooling2D(_GlobalPooling, aliases=("GlobalAvgPool2D",)):
    """The mean of each channel over the image.

    Args:
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.
        keepdims: Keep height and width as axes of size 1.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, channels)`.

    Source: Lin et al. 2013, "Network In Network".

    Example:
        >>> pyml.layers.GlobalAveragePooling2D()(np.ones((2, 5, 5, 3))).shape
        (2, 3)
    """

    def call(self, inputs: Tensor) -> Tensor:
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(keepdims=True), draw(2, 4, 3, 2), like=lambda x: x.mean((1, 2), keepdims=True))


class _GlobalMaxPooling(_GlobalPooling):
    def call(self, inputs: Tensor) -> Tensor:
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalMaxPooling, aliases=("GlobalMaxPool1D",)):
    """The largest value of each channel over all steps. Arguments as for `GlobalAveragePooling1D`.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, channels)`.

    Example:
        >>> pyml.layers.GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]], "float32")).numpy().tolist()
        [[3.0]]
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(keepdims=True), draw(2, 4, 3), like=lambda x: x.max(1, keepdims=True))


class GlobalMaxPooling2D(_GlobalMaxPooling, aliases=("GlobalMaxPool2D",)):
    """The largest value of each channel over the image. Arguments as for `GlobalAveragePooling2D`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, channels)`.

    Example:
        >>> pyml.layers.GlobalMaxPooling2D(keepdims=True)(np.ones((2, 5, 5, 3))).shape
        (2, 1, 1, 3)
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(2, 4, 3, 2), like=lambda x: x.max((1, 2)))
        yield sample(cls("channels_first"), draw(2, 4, 3, 2), like=lambda x: x.max((2, 3)))


GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
