"""Transposed convolution: each input cell adds a kernel to the output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyml import constraints, initializers, ops, regularizers
from pyml.core import Tensor
from pyml.layers.conv import Windowed
from pyml.layers.dense import positive_int
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.layers.windows import laid_out, spatial
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.spatial import transposed_sizes

__all__ = ["Conv1DTranspose", "Conv2DTranspose", "Convolution1DTranspose", "Convolution2DTranspose"]


class _ConvTranspose(Windowed):
    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
                 output_padding: int | Sequence[int] | None = None, data_format: str | None = None,
                 dilation_rate: int | Sequence[int] = 1, activation: ActivationLike = None, use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, **kwargs: Any) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
                         bias_regularizer, bias_constraint, activity_regularizer=activity_regularizer, **kwargs)
        owner = type(self).__name__
        self.filters = positive_int(filters, "filters", owner)
        self.output_padding: tuple[int, ...] | None = None
        if output_padding is not None:
            self.output_padding = (output_padding,) * self.rank if isinstance(output_padding, int) else tuple(output_padding)
            if len(self.output_padding) != self.rank or any(
                    not 0 <= p < s for p, s in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"{owner}: output_padding must be from 0 to below the strides along each axis. "
                    f"Received: output_padding={output_padding}, strides={self.strides}"
                )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Any) -> None:
        channels = known_size(self, input_shape, self._channels)
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, self.filters, channels))
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.filters,))
        self._note_built(channels)

    def call(self, inputs: Tensor) -> Tensor:
        return self._finish(ops.conv_transpose(
            inputs, self.kernel, strides=self.strides, padding=self.padding, output_padding=self.output_padding,
            data_format=self.data_format, dilation_rate=self.dilation_rate))

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = transposed_sizes(spatial(input_shape, self.data_format), self.kernel_size, self.strides, self.padding,
                                 self.output_padding, self.dilation_rate)
        return laid_out(input_shape[0], sizes, self.filters, self.data_format)


class Conv1DTranspose(_ConvTranspose, aliases=("Convolution1DTranspose",)):
    """`Conv2DTranspose` for sequences `(batch, steps, channels)`; arguments as of `Conv2DTranspose`, sizes are single integers.

    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

    Example:
        >>> pyml.layers.Conv1DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 5, 3))).shape
        (2, 10, 4)
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 3, strides=2, padding="same"), draw(2, 4, 2))


class Conv2DTranspose(_ConvTranspose, aliases=("Convolution2DTranspose",)):
    """The way back of a convolution: images become larger by `strides`.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: One or two integers, height and width.
        padding: `"same"` makes the output `strides` times as large, `"valid"` also keeps the borders of the kernels.
        output_padding: Rows and columns added to the smallest possible output, less than `strides`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)` in and out.
        activation: Name or function.
        use_bias: Whether to add a bias.
        Others: see `Dense`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, filters)`.
    Weights: kernel `(height, width, filters, channels)`, bias.

    Raises:
        ValueError: An argument is out of range.

    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

    Example:
        >>> pyml.layers.Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((1, 5, 5, 3))).shape
        (1, 10, 10, 4)
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, (3, 2), strides=2, output_padding=1), draw(2, 3, 4, 2))
        yield sample(cls(3, 3, strides=2, padding="same", data_format="channels_first"), draw(1, 2, 3, 4))


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
