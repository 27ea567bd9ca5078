"""Convolution of sequences and images."""

from pyml import activations, ops
from pyml.errors import ShapeError
from pyml.layers.dense import positive_int
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.weights import keep_weight, known_size, make_weight
from pyml.layers.windows import output_sizes, standard_data_format, standard_padding, window_sizes


class Windowed(Layer, abstract=True):
    """What all convolutions share: a window over `rank` axes, an activation, a bias."""

    rank = 2
    paddings: tuple = ("valid", "same")

    def _window(self, kernel_size, strides, padding, data_format, dilation_rate):
        owner = type(self).__name__
        self.kernel_size = window_sizes(kernel_size, self.rank, "kernel_size", owner)
        self.strides = window_sizes(strides, self.rank, "strides", owner)
        self.dilation_rate = window_sizes(dilation_rate, self.rank, "dilation_rate", owner)
        self.padding = standard_padding(padding, owner, self.paddings)
        self.data_format = standard_data_format(data_format, owner)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{owner}: strides and dilation_rate cannot both be above 1. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _rest(self, activation, use_bias, bias):
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        keep_weight(self, "bias", *bias)
        self.bias = None

    def _made(self, channels):
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={-1: channels})
        self.built = True

    def _sizes(self, input_shape):
        return output_sizes(input_shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate, self)

    def _where(self):
        """The window as arguments of `ops.conv`."""
        return {"strides": self.strides, "padding": self.padding, "dilation_rate": self.dilation_rate}

    def _finish(self, x):
        return self.activation(x if self.bias is None else x + self.bias)


class _Conv(Windowed):
    """A convolution over all channels."""

    def __init__(self, filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
                 kernel, bias, **kwargs):
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.filters = positive_int(filters, "filters", owner)
        self.groups = positive_int(groups, "groups", owner)
        self._window(kernel_size, strides, padding, data_format, dilation_rate)
        if self.filters % self.groups:
            raise ValueError(f"{owner}: groups must divide filters. Received: groups={groups}, filters={filters}")
        keep_weight(self, "kernel", *kernel)
        self._rest(activation, use_bias, bias)

    def build(self, input_shape):
        channels = known_size(self, input_shape, -1)
        if channels % self.groups:
            raise ShapeError(
                f'Layer "{self.name}": groups must divide the channels. Received: groups={self.groups}, '
                f"input shape {tuple(input_shape)}"
            )
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        if self.use_bias:
            self.bias = make_weight(self, "bias", (self.filters,))
        self._made(channels)

    def call(self, inputs):
        self._sizes(inputs.shape)
        window = self._where()
        if self.padding == "causal":                   # only earlier steps count
            before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs = ops.pad(inputs, ((0, 0), (before, 0), (0, 0)))
            window["padding"] = "valid"
        return self._finish(ops.conv(inputs, self.kernel, **window))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._sizes(input_shape), self.filters)


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

    Example:
        >>> pyml.layers.Conv1D(4, 3)(np.ones((2, 8, 5))).shape
        (2, 6, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
                 activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
                         (kernel_initializer, kernel_regularizer, kernel_constraint),
                         (bias_initializer, bias_regularizer, bias_constraint),
                         activity_regularizer=activity_regularizer, **kwargs)


class Conv2D(_Conv, aliases=("Convolution2D",)):
    """Slides `filters` kernels over images: `activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: One or two integers, height and width.
        padding: `"valid"` or `"same"`.
        data_format: None or `"channels_last"`.
        groups: Number of groups the channels are split into.
        activation: Name or function.
        use_bias: Whether to add a bias.
        Others: see `Dense`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range, or `groups` does not divide `filters`.
        ShapeError: `groups` does not divide the channels, or the window does not fit.

    Example:
        >>> pyml.layers.Conv2D(4, 3, strides=2, padding="same")(np.ones((1, 8, 8, 3))).shape
        (1, 4, 4, 4)
    """

    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1),
                 groups=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
                         (kernel_initializer, kernel_regularizer, kernel_constraint),
                         (bias_initializer, bias_regularizer, bias_constraint),
                         activity_regularizer=activity_regularizer, **kwargs)


Convolution1D = Conv1D
Convolution2D = Conv2D
