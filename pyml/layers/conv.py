"""Two-dimensional convolution."""

from pyml import activations, constraints, initializers, ops, regularizers
from pyml.errors import ShapeError
from pyml.layers.dense import positive_int, weight_config
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import output_sizes, pair, standard_data_format, standard_padding


class Conv2D(Layer):
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
    """

    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1),
                 groups=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(filters, "filters", "Conv2D")
        self.groups = positive_int(groups, "groups", "Conv2D")
        self.kernel_size = pair(kernel_size, "kernel_size", "Conv2D")
        self.strides = pair(strides, "strides", "Conv2D")
        self.dilation_rate = pair(dilation_rate, "dilation_rate", "Conv2D")
        self.padding = standard_padding(padding, "Conv2D")
        self.data_format = standard_data_format(data_format, "Conv2D")
        if self.filters % self.groups:
            raise ValueError(f"Conv2D: groups must divide filters. Received: groups={groups}, filters={filters}")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"Conv2D: strides and dilation_rate cannot both be above 1. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None or channels % self.groups:
            raise ShapeError(
                f'Layer "{self.name}": groups must divide the channels. Received: groups={self.groups}, '
                f"input shape {tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer=self.bias_initializer,
                regularizer=self.bias_regularizer, constraint=self.bias_constraint)
        self.input_spec = InputSpec(ndim=4, axes={-1: channels})
        self.built = True

    def call(self, inputs):
        output_sizes(inputs.shape[1:3], self.kernel_size, self.strides, self.padding, self.dilation_rate, self)
        x = ops.conv(inputs, self.kernel, strides=self.strides, padding=self.padding,
                     data_format="channels_last", dilation_rate=self.dilation_rate)
        if self.bias is not None:
            x = x + self.bias
        return self.activation(x)

    def compute_output_shape(self, input_shape):
        sizes = output_sizes(input_shape[1:3], self.kernel_size, self.strides, self.padding, self.dilation_rate, self)
        return (input_shape[0], *sizes, self.filters)

    def get_config(self):
        return {
            **super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size, "strides": self.strides,
            "padding": self.padding, "data_format": self.data_format, "dilation_rate": self.dilation_rate,
            "groups": self.groups, "activation": activations.serialize(self.activation), "use_bias": self.use_bias,
            **weight_config(self),
        }


Convolution2D = Conv2D
