"""Layers of volumes, `(batch, depth, height, width, channels)`: those of images with one axis more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.layers.borders import _Cropping, _ZeroPadding
from pyml.layers.conv import _Conv
from pyml.layers.conv_transpose import _ConvTranspose
from pyml.layers.global_pooling import _GlobalMaxPooling, _GlobalPooling
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.pooling import _AveragePooling, _MaxPooling
from pyml.layers.regularization import Dropout
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.windows import channel_axis, laid_out, spatial, standard_data_format, window_sizes
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "AveragePooling3D", "AvgPool3D", "Conv3D", "Conv3DTranspose", "Convolution3D", "Convolution3DTranspose", "Cropping3D",
    "GlobalAveragePooling3D", "GlobalAvgPool3D", "GlobalMaxPool3D", "GlobalMaxPooling3D", "MaxPool3D", "MaxPooling3D",
    "SpatialDropout3D", "UpSampling3D", "ZeroPadding3D",
]  # fmt: skip


class Conv3D(_Conv, aliases=("Convolution3D",)):
    """Slides `filters` kernels over volumes: `activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: One or three integers: depth, height and width.
        Others: see `Conv2D`.

    Input shape: `(batch, depth, height, width, channels)`, or the channels first. Output shape: the same with `filters`.

    Raises:
        ValueError: An argument is out of range, or `groups` does not divide `filters`.
        ShapeError: `groups` does not divide the channels, or the window does not fit.

    Source: LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition".

    Example:
        >>> pyml.layers.Conv3D(4, 3, strides=2, padding="same")(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 3, 4, 4)
    """

    rank = 3

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, (2, 1, 2), padding="same", activation="tanh"), draw(1, 3, 2, 4, 2))
        yield sample(cls(2, 1, data_format="channels_first"), draw(2, 3, 2, 3, 2),
                     like=lambda x, kernel, bias: np.einsum("bcdhw,cf->bfdhw", x, kernel[0, 0, 0]) + bias[:, None, None, None])


class Conv3DTranspose(_ConvTranspose, aliases=("Convolution3DTranspose",)):
    """The way back of a convolution of volumes, which become larger by `strides`; see `Conv2DTranspose`.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: the same with `filters`.

    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

    Example:
        >>> pyml.layers.Conv3DTranspose(4, 3, strides=2, padding="same")(np.ones((1, 2, 3, 4, 3))).shape
        (1, 4, 6, 8, 4)
    """

    rank = 3

    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
                 data_format: str | None = None, output_padding: int | Sequence[int] | None = None,
                 dilation_rate: int | Sequence[int] = 1, activation: ActivationLike = None, use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
                         kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
                         kernel_constraint, bias_constraint, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 2, strides=(1, 2, 2), data_format="channels_first"), draw(1, 2, 2, 3, 2))


class MaxPooling3D(_MaxPooling, aliases=("MaxPool3D",)):
    """The largest value in each window of a volume. Arguments as for `MaxPooling2D`, with three sizes.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: the same with new sizes.

    Example:
        >>> pyml.layers.MaxPooling3D(2)(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 3, 4, 3)
    """

    rank = 3

    def __init__(self, pool_size: int | Sequence[int] = (2, 2, 2), strides: int | Sequence[int] | None = None, padding: str = "valid",
                 data_format: str | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(1, 4, 2, 2, 3, low=-20, high=20), like=lambda x: x.reshape(1, 2, 2, 1, 2, 1, 2, 3).max((2, 4, 6)))
        yield sample(cls(2, 1, "same", "channels_first"), draw(1, 2, 3, 2, 3, low=-20, high=20))


class AveragePooling3D(_AveragePooling, aliases=("AvgPool3D",)):
    """The mean of each window of a volume; cells outside it do not count. Arguments as for `AveragePooling2D`, with three sizes.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: the same with new sizes.

    Example:
        >>> pyml.layers.AveragePooling3D(2)(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 3, 4, 3)
    """

    rank = 3

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2), draw(1, 4, 2, 2, 3), like=lambda x: x.reshape(1, 2, 2, 1, 2, 1, 2, 3).mean((2, 4, 6)))


class GlobalAveragePooling3D(_GlobalPooling, aliases=("GlobalAvgPool3D",)):
    """The mean of each channel over the volume. Arguments as for `GlobalAveragePooling2D`.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: `(batch, channels)`.

    Source: Lin et al. 2013, "Network In Network".

    Example:
        >>> pyml.layers.GlobalAveragePooling3D()(np.ones((2, 5, 5, 4, 3))).shape
        (2, 3)
    """

    rank = 3

    def call(self, inputs: Tensor) -> Tensor:
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls("channels_first"), draw(2, 2, 3, 2, 2), like=lambda x: x.mean((2, 3, 4)))


class GlobalMaxPooling3D(_GlobalMaxPooling, aliases=("GlobalMaxPool3D",)):
    """The largest value of each channel over the volume. Arguments as for `GlobalAveragePooling2D`.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: `(batch, channels)`.

    Example:
        >>> pyml.layers.GlobalMaxPooling3D(keepdims=True)(np.ones((2, 5, 5, 4, 3))).shape
        (2, 1, 1, 1, 3)
    """

    rank = 3

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(keepdims=True), draw(2, 2, 3, 2, 2), like=lambda x: x.max((1, 2, 3), keepdims=True))


class Cropping3D(_Cropping):
    """Volumes without their borders.

    Args:
        cropping: One number; three; or three pairs: of depth, height and width.
        data_format: `"channels_last"` (None), or `"channels_first"`.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: the same with smaller sizes.

    Raises:
        ShapeError: Nothing would be left.

    Example:
        >>> pyml.layers.Cropping3D()(np.ones((1, 3, 4, 5, 2))).shape
        (1, 1, 2, 3, 2)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(((1, 0), (0, 1), (1, 1))), draw(1, 2, 3, 4, 2), like=lambda x: x[:, 1:, :-1, 1:-1])


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes.

    Args:
        padding: One number; three; or three pairs: of depth, height and width.
        data_format: `"channels_last"` (None), or `"channels_first"`.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: the same with larger sizes.

    Example:
        >>> pyml.layers.ZeroPadding3D(((1, 0), (0, 0), (2, 2)))(np.ones((1, 3, 3, 3, 1))).shape
        (1, 4, 3, 7, 1)
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(1, "channels_first"), draw(1, 2, 1, 2, 2), like=lambda x: np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1), (1, 1))))


class UpSampling3D(Layer):
    """Every cell of a volume several times.

    Args:
        size: One or three integers, the factors of depth, height and width.
        data_format: `"channels_last"` (None), or `"channels_first"`.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: the same with larger sizes.

    Example:
        >>> pyml.layers.UpSampling3D((1, 2, 3))(np.ones((1, 2, 2, 2, 1))).shape
        (1, 2, 4, 6, 1)
    """

    def __init__(self, size: int | Sequence[int] = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = window_sizes(size, 3, "size", "UpSampling3D")
        self.data_format = standard_data_format(data_format, "UpSampling3D")
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Tensor) -> Tensor:
        first = 1 if self.data_format == "channels_last" else 2
        for axis, factor in enumerate(self.size, first):
            inputs = ops.repeat(inputs, factor, axis=axis)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = spatial(input_shape, self.data_format)
        sizes = [None if n is None else n * factor for n, factor in zip(sizes, self.size, strict=True)]
        return laid_out(input_shape[0], sizes, input_shape[channel_axis(self.data_format)], self.data_format)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, 1, 3)), draw(1, 2, 2, 2, 2), like=lambda x: x.repeat(2, 1).repeat(3, 3))
        yield sample(cls(2, "channels_first"), draw(1, 2, 1, 2, 1), like=lambda x: x.repeat(2, 2).repeat(2, 3).repeat(2, 4))


class SpatialDropout3D(Dropout, not_in_config=("trainable",)):
    """Dropout of whole channels of volumes.

    Args:
        rate: Share that is dropped, in `[0, 1]`.
        data_format: `"channels_last"` (None), or `"channels_first"`.
        seed: Integer seed.

    Input shape: `(batch, depth, height, width, channels)`. Output shape: the same.

    Example:
        >>> x = pyml.layers.SpatialDropout3D(0.5, seed=1)(np.ones((1, 2, 3, 3, 8)), training=True).numpy()
        >>> bool((x == x[:, :1, :1, :1]).all())
        True

    Source: Tompson et al. 2014, "Efficient Object Localization Using Convolutional Networks".
    """

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, name: str | None = None, dtype: Any = None,
                 **kwargs: Any) -> None:
        data_format = standard_data_format(data_format, "SpatialDropout3D")
        noise_shape = laid_out(None, (1, 1, 1), None, data_format)
        super().__init__(rate, noise_shape=noise_shape, seed=seed, name=name, dtype=dtype, **kwargs)
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=5)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3, seed=1), draw(2, 2, 3, 2, 4), like=lambda x: x)


AvgPool3D = AveragePooling3D
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool3D = MaxPooling3D
