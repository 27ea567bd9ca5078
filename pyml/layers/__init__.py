"""Layers, with Keras' names and defaults. Images are `(batch, height, width, channels)`."""

from collections.abc import Mapping
from typing import Any

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
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object


def serialize(layer: Layer) -> Any:
    """A config dict for `deserialize`."""
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer, or the model, that a config dict describes."""
    return deserialize_keras_object(config, custom_objects, kind=LAYERS)


__all__ = [
    "Activation", "ActivityRegularization", "Add", "AdditiveAttention", "AlphaDropout", "Attention", "Average",
    "AveragePooling1D", "AveragePooling2D", "AvgPool1D", "AvgPool2D", "BatchNormalization", "Bidirectional", "Concatenate",
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Convolution1D", "Convolution1DTranspose", "Convolution2D",
    "Convolution2DTranspose", "Cropping1D", "Cropping2D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dot", "Dropout", "ELU",
    "EinsumDense", "Embedding", "Flatten", "GRU", "GRUCell", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GroupNormalization", "Identity", "Input", "InputLayer", "InputSpec", "KerasTensor", "LSTM",
    "LSTMCell", "Lambda", "Layer", "LayerNormalization", "LeakyReLU", "Masking", "MaxPool1D", "MaxPool2D", "MaxPooling1D",
    "MaxPooling2D", "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "PReLU", "Permute", "RMSNormalization", "RNN",
    "ReLU", "RepeatVector", "Rescaling", "Reshape", "Resizing", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D", "SimpleRNN", "SimpleRNNCell", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "StackedRNNCells",
    "Subtract", "TimeDistributed", "UnitNormalization", "UpSampling1D", "UpSampling2D", "Wrapper", "ZeroPadding1D",
    "ZeroPadding2D", "add", "average", "concatenate", "deserialize", "dot", "maximum", "minimum", "multiply", "serialize",
    "subtract",
]
