"""Convolutions of each channel on its own: DepthwiseConv and SeparableConv."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyml import constraints, initializers, ops, regularizers
from pyml.core import Tensor
from pyml.layers.conv import Windowed
from pyml.layers.dense import positive_int
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.layers.windows import laid_out
from pyml.objects.samples import Sample, draw, sample

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D"]


class _DepthwiseConv(Windowed):
    """Each channel with `depth_multiplier` kernels of its own."""

    _takes_both = True

    def __init__(self, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
                 depth_multiplier: int = 1, data_format: str | None = None, dilation_rate: int | Sequence[int] = 1,
                 activation: ActivationLike = None, use_bias: bool = True, depthwise_initializer: InitializerLike = "glorot_uniform",
                 bias_initializer: InitializerLike = "zeros", depthwise_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 depthwise_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, **kwargs: Any) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
                         bias_regularizer, bias_constraint, activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = positive_int(depth_multiplier, "depth_multiplier", type(self).__name__)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = known_size(self, input_shape, self._channels)
        self.kernel = make_weight(self, "depthwise", (*self.kernel_size, channels, self.depth_multiplier), name="kernel")
        if self.use_bias:
            self.bias = make_weight(self, "bias", (channels * self.depth_multiplier,))
        self._note_built(channels)

    def call(self, inputs: Tensor) -> Tensor:
        self._sizes(inputs.shape)
        return self._finish(ops.depthwise_conv(inputs, self.kernel, **self._where()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        channels = known_size(self, input_shape, self._channels) * self.depth_multiplier
        return laid_out(input_shape[0], self._sizes(input_shape), channels, self.data_format)


class DepthwiseConv1D(_DepthwiseConv):
    """`DepthwiseConv2D` for sequences `(batch, steps, channels)`; arguments as of `DepthwiseConv2D`, sizes are single integers.

    Source: Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications".

    Example:
        >>> pyml.layers.DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 8, 4))).shape
        (2, 6, 8)
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, depth_multiplier=2), draw(2, 5, 3))


class DepthwiseConv2D(_DepthwiseConv):
    """Slides `depth_multiplier` kernels over each channel of images by itself.

    Args:
        kernel_size, strides, dilation_rate: One or two integers, height and width.
        padding: `"valid"` or `"same"`.
        depth_multiplier: Outputs per channel.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)` in and out.
        activation: Name or function.
        use_bias: Whether to add a bias.
        depthwise_initializer, bias_initializer: Names or objects.
        depthwise_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        depthwise_constraint, bias_constraint: Functions applied after each update.

    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, new_height, new_width, channels * depth_multiplier)`.

    Raises:
        ValueError: An argument is out of range.
        ShapeError: The window does not fit.

    Source: Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications".

    Example:
        >>> pyml.layers.DepthwiseConv2D(3, depth_multiplier=2)(np.ones((1, 8, 8, 4))).shape
        (1, 6, 6, 8)
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, 3), strides=2, padding="same", activation="tanh"), draw(2, 5, 6, 3))
        yield sample(cls(2, depth_multiplier=2, data_format="channels_first"), draw(2, 3, 4, 5))


class _SeparableConv(Windowed):
    """A depthwise convolution, then one of size 1 over all channels."""

    _takes_both = True

    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
                 data_format: str | None = None, dilation_rate: int | Sequence[int] = 1, depth_multiplier: int = 1,
                 activation: ActivationLike = None, use_bias: bool = True, depthwise_initializer: InitializerLike = "glorot_uniform",
                 pointwise_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 depthwise_regularizer: RegularizerLike = None, pointwise_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 depthwise_constraint: ConstraintLike = None, pointwise_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, **kwargs: Any) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
                         bias_regularizer, bias_constraint, activity_regularizer=activity_regularizer, **kwargs)
        owner = type(self).__name__
        self.filters = positive_int(filters, "filters", owner)
        self.depth_multiplier = positive_int(depth_multiplier, "depth_multiplier", owner)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = known_size(self, input_shape, self._channels)
        wide = channels * self.depth_multiplier
        self.depthwise_kernel = make_weight(
            self, "depthwise", (*self.kernel_size, channels, self.depth_multiplier), name="depthwise_kernel")
        self.pointwise_kernel = make_weight(
            self, "pointwise", (*(1,) * self.rank, wide, self.filters), name="pointwise_kernel")
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.filters,))
        self._note_built(channels)

    def call(self, inputs: Tensor) -> Tensor:
        self._sizes(inputs.shape)
        return self._finish(ops.separable_conv(inputs, self.depthwise_kernel, self.pointwise_kernel, **self._where()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return laid_out(input_shape[0], self._sizes(input_shape), self.filters, self.data_format)


class SeparableConv1D(_SeparableConv, aliases=("SeparableConvolution1D",)):
    """`SeparableConv2D` for sequences `(batch, steps, channels)`; arguments as of `SeparableConv2D`, sizes are single integers.

    Source: Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions".

    Example:
        >>> pyml.layers.SeparableConv1D(6, 3)(np.ones((2, 8, 4))).shape
        (2, 6, 6)
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 2), draw(2, 5, 4))


class SeparableConv2D(_SeparableConv, aliases=("SeparableConvolution2D",)):
    """A depthwise convolution of images followed by a pointwise one, which mixes the channels.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: One or two integers, height and width, of the depthwise part.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)` in and out.
        depth_multiplier: Outputs per channel of the depthwise part.
        activation: Name or function.
        use_bias: Whether to add a bias.
        depthwise_initializer, pointwise_initializer, bias_initializer: Names or objects.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: Penalties added to the loss.
        depthwise_constraint, pointwise_constraint, bias_constraint: Functions applied after each update.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range.
        ShapeError: The window does not fit.

    Example:
        >>> pyml.layers.SeparableConv2D(6, 3)(np.ones((1, 8, 8, 4))).shape
        (1, 6, 6, 6)

    Source: Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions".
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 2, depth_multiplier=2, padding="same"), draw(2, 4, 5, 3))
        yield sample(cls(3, 2, data_format="channels_first"), draw(2, 3, 4, 5))


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
