"""Layers, with Keras' names and defaults. Images are `(batch, height, width, channels)`."""

from pyml.core.symbolic import KerasTensor
from pyml.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from pyml.layers.attention import MultiHeadAttention
from pyml.layers.batch_normalization import BatchNormalization
from pyml.layers.bidirectional import Bidirectional
from pyml.layers.borders import Cropping1D, Cropping2D, ZeroPadding1D, ZeroPadding2D
from pyml.layers.conv import Conv1D, Conv2D, Convolution1D, Convolution2D
from pyml.layers.conv_transpose import Conv1DTranspose, Conv2DTranspose, Convolution1DTranspose, Convolution2DTranspose
from pyml.layers.dense import Dense
from pyml.layers.depthwise import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
)
from pyml.layers.einsum_dense import EinsumDense
from pyml.layers.embedding import Embedding
from pyml.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
)
from pyml.layers.input_layer import Input, InputLayer
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.masking import Masking
from pyml.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from pyml.layers.normalization import GroupNormalization, LayerNormalization, RMSNormalization, UnitNormalization
from pyml.layers.plain import Identity, Lambda, Rescaling
from pyml.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AvgPool1D,
    AvgPool2D,
    MaxPool1D,
    MaxPool2D,
    MaxPooling1D,
    MaxPooling2D,
)
from pyml.layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell, StackedRNNCells
from pyml.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from pyml.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from pyml.layers.simple_attention import AdditiveAttention, Attention
from pyml.layers.sizes import Resizing, UpSampling1D, UpSampling2D
from pyml.layers.time_distributed import TimeDistributed
from pyml.layers.wrapper import Wrapper
from pyml.saving.registry import deserialize_keras_object, serialize_keras_object

_BY_NAME = {name: value for name, value in globals().items() if isinstance(value, type) and issubclass(value, Layer)}
_PUBLIC = (*_BY_NAME, "add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract")


def serialize(layer):
    """A config dict for `deserialize`."""
    return serialize_keras_object(layer)


def deserialize(config, custom_objects=None):
    """The layer that a config dict describes."""
    from pyml.models import Functional, Model, Sequential

    known = {**_BY_NAME, "Functional": Functional, "Model": Model, "Sequential": Sequential}
    return deserialize_keras_object(config, custom_objects, module_objects=known)


__all__ = [*_PUBLIC, "Input", "InputSpec", "KerasTensor", "deserialize", "serialize"]
