"""Convolution of sequences and images."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from pyml import activations, constraints, initializers, ops, regularizers
from pyml.core import Tensor, Variable
from pyml.errors import ShapeError
from pyml.layers.dense import positive_int
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.low_rank import LowRank
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.layers.windows import channel_axis, laid_out, output_sizes, spatial, standard_data_format, standard_padding, window_sizes
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Conv1D", "Conv2D", "Convolution1D", "Convolution2D"]


class Windowed(Layer, abstract=True):
    """What all convolutions share: a window over `rank` axes, an activation, a bias.

    A subclass with a `rank` of its own shows the defaults of sizes as Keras does: 1, or a pair for images.
    """

    _always_says_penalty = True
    rank: ClassVar[int] = 2
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")
    _takes_both: ClassVar[bool] = False                # strides and dilation_rate above 1; Keras refuses both in others

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        sizes = 1 if cls.rank == 1 else (1,) * cls.rank
        shown = [p.replace(default=sizes) if p.name in ("strides", "dilation_rate") and p.default == 1 else p
                 for p in list(inspect.signature(cls.__init__).parameters.values())[1:]]
        cls.__signature__ = inspect.Signature(shown)       # type: ignore[attr-defined]

    def __init__(self, kernel_size: int | Sequence[int], strides: int | Sequence[int], padding: str, data_format: str | None,
                 dilation_rate: int | Sequence[int], activation: ActivationLike, use_bias: bool,
                 bias_initializer: InitializerLike, bias_regularizer: RegularizerLike, bias_constraint: ConstraintLike,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.kernel_size = window_sizes(kernel_size, self.rank, "kernel_size", owner)
        self.strides = window_sizes(strides, self.rank, "strides", owner)
        self.dilation_rate = window_sizes(dilation_rate, self.rank, "dilation_rate", owner)
        self.padding = standard_padding(padding, owner, self.paddings)
        self.data_format = standard_data_format(data_format, owner)
        self._channels = channel_axis(self.data_format)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1 and not self._takes_both:
            raise ValueError(
                f"{owner}: strides and dilation_rate cannot both be above 1. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias: Variable | None = None
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _note_built(self, channels: int) -> None:
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channels: channels})
        self.built = True

    def _sizes(self, input_shape: Any) -> tuple[int | None, ...]:
        return output_sizes(spatial(input_shape, self.data_format), self.kernel_size, self.strides, self.padding, self.dilation_rate, self)

    def _where(self) -> dict[str, Any]:
        """The window as arguments of `ops.conv`."""
        return {"strides": self.strides, "padding": self.padding, "data_format": self.data_format, "dilation_rate": self.dilation_rate}

    def _finish(self, x: Any) -> Any:
        if self.bias is not None:
            bias = self.bias if self._channels == -1 else ops.reshape(self.bias, (-1,) + (1,) * self.rank)
            x = x + bias
        return x if self.activation is None else self.activation(x)


class _Conv(LowRank, Windowed, not_in_config=("lora_rank", "lora_alpha")):
    """A convolution over all channels. `lora_rank` and `lora_alpha` give it an adapter, see `enable_lora`."""

    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
                 data_format: str | None = None, dilation_rate: int | Sequence[int] = 1, groups: int = 1,
                 activation: ActivationLike = None, use_bias: bool = True, kernel_initializer: InitializerLike = "glorot_uniform",
                 bias_initializer: InitializerLike = "zeros", kernel_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, **kwargs: Any) -> None:
        lora = kwargs.pop("lora_rank", None), kwargs.pop("lora_alpha", None)
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
                         bias_regularizer, bias_constraint, activity_regularizer=activity_regularizer, **kwargs)
        self._init_lora(*lora)
        owner = type(self).__name__
        self.filters = positive_int(filters, "filters", owner)
        self.groups = positive_int(groups, "groups", owner)
        if self.filters % self.groups:
            raise ValueError(f"{owner}: groups must divide filters. Received: groups={groups}, filters={filters}")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Any) -> None:
        channels = known_size(self, input_shape, self._channels)
        if channels % self.groups:
            raise ShapeError(
                f'Layer "{self.name}": groups must divide the channels. Received: groups={self.groups}, '
                f"input shape {tuple(input_shape)}"
            )
        self._kernel = make_weight(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.filters,))
        self._note_built(channels)
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    @property
    def kernel(self) -> Any:
        """The weight, with what an adapter adds to it."""
        return self._with_adapter(self.__dict__.get("_kernel"))

    def call(self, inputs: Tensor) -> Tensor:
        self._sizes(inputs.shape)
        return self._finish(self.convolution_op(inputs, self.kernel))

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The convolution without bias and activation; a subclass changes the kernel here, or how it is applied."""
        window = self._where()
        if self.padding == "causal":                   # only earlier steps count
            before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs = ops.pad(inputs, laid_out((0, 0), [(before, 0)], (0, 0), self.data_format))
            window["padding"] = "valid"
        return ops.conv(inputs, kernel, **window)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return laid_out(input_shape[0], self._sizes(input_shape), self.filters, self.data_format)


class Conv1D(_Conv, aliases=("Convolution1D",)):
    """Slides `filters` kernels over sequences: `activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: Integers, in steps.
        padding: `"valid"`, `"same"`, or `"causal"`: an output sees only its own and earlier steps.
        Others: see `Conv2D`.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, new_steps, filters)`.

    Raises:
        ValueError: An argument is out of range, or `groups` does not divide `filters`.
        ShapeError: `groups` does not divide the channels, or the window does not fit.

    Source: LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition".

    Example:
        >>> pyml.layers.Conv1D(4, 3)(np.ones((2, 8, 5))).shape
        (2, 6, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 2), draw(2, 5, 4))
        yield sample(cls(4, 3, padding="causal", dilation_rate=2, groups=2, activation="tanh"), draw(2, 6, 4))
        yield sample(cls(4, 3, padding="causal", data_format="channels_first"), draw(2, 3, 5))
        yield sample(cls(3, 1, use_bias=False), draw(2, 5, 4), like=lambda x, kernel: x @ kernel[0])


class Conv2D(_Conv, aliases=("Convolution2D",)):
    """Slides `filters` kernels over images: `activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: One or two integers, height and width.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)` in and out.
        groups: Number of groups the channels are split into.
        activation: Name or function.
        use_bias: Whether to add a bias.
        Others: see `Dense`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range, or `groups` does not divide `filters`.
        ShapeError: `groups` does not divide the channels, or the window does not fit.

    Source: LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition".

    Example:
        >>> pyml.layers.Conv2D(4, 3, strides=2, padding="same")(np.ones((1, 8, 8, 3))).shape
        (1, 4, 4, 4)
    """

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, (3, 2), strides=2, padding="same", activation="tanh"), draw(2, 5, 6, 4))
        yield sample(cls(2, 1), draw(2, 3, 4, 5), like=lambda x, kernel, bias: x @ kernel[0, 0] + bias)
        yield sample(cls(2, 1, data_format="channels_first", bias_initializer="normal"), draw(2, 5, 3, 4),
                     like=lambda x, kernel, bias: np.einsum("bchw,cf->bfhw", x, kernel[0, 0]) + bias[:, None, None])


Convolution1D = Conv1D
Convolution2D = Conv2D
