"""Two-dimensional pooling."""

from pyml import ops
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import output_sizes, pair, standard_data_format, standard_padding


class _Pooling2D(Layer):
    """What max and average pooling share; subclasses name their op."""

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        owner = type(self).__name__
        self.pool_size = pair(pool_size, "pool_size", owner)
        self.strides = self.pool_size if strides is None else pair(strides, "strides", owner)
        self.padding = standard_padding(padding, owner)
        self.data_format = standard_data_format(data_format, owner)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs):
        output_sizes(inputs.shape[1:3], self.pool_size, self.strides, self.padding, (1, 1), self)
        return self._pool(inputs, self.pool_size, self.strides, self.padding, "channels_last")

    def compute_output_shape(self, input_shape):
        sizes = output_sizes(input_shape[1:3], self.pool_size, self.strides, self.padding, (1, 1), self)
        return (input_shape[0], *sizes, input_shape[3])

    def get_config(self):
        return {**super().get_config(), "pool_size": self.pool_size, "padding": self.padding,
                "strides": self.strides, "data_format": self.data_format}


class MaxPooling2D(_Pooling2D):
    """The largest value in each window.

    Args:
        pool_size: One or two integers, height and width of the window.
        strides: One or two integers; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: None or `"channels_last"`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, channels)`.
    """

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def _pool(self, *args):
        return ops.max_pool(*args)


class AveragePooling2D(_Pooling2D):
    """The mean of each window; cells outside the image do not count.

    Args:
        pool_size: One or two integers, height and width of the window.
        strides: One or two integers; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: None or `"channels_last"`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, channels)`.
    """

    def _pool(self, *args):
        return ops.average_pool(*args)


MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
