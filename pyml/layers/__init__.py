"""Layers, with Keras' names and defaults. Images are `(batch, height, width, channels)`."""

from pyml.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from pyml.layers.conv import Conv2D, Convolution2D
from pyml.layers.dense import Dense
from pyml.layers.input_layer import Input, InputLayer
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    concatenate,
)
from pyml.layers.pooling import AveragePooling2D, AvgPool2D, MaxPool2D, MaxPooling2D
from pyml.layers.regularization import Dropout
from pyml.layers.reshaping import Flatten, Reshape
from pyml.layers.symbolic import KerasTensor
from pyml.saving.registry import deserialize_keras_object, serialize_keras_object

_BY_NAME = {name: value for name, value in globals().items() if isinstance(value, type) and issubclass(value, Layer)}


def serialize(layer):
    """A config dict for `deserialize`."""
    return serialize_keras_object(layer)


def deserialize(config, custom_objects=None):
    """The layer that a config dict describes."""
    from pyml.models import Functional, Model, Sequential

    known = {**_BY_NAME, "Functional": Functional, "Model": Model, "Sequential": Sequential}
    return deserialize_keras_object(config, custom_objects, module_objects=known)


__all__ = [
    "Activation", "Add", "Average", "AveragePooling2D", "AvgPool2D", "Concatenate", "Conv2D", "Convolution2D",
    "Dense", "Dropout", "ELU", "Flatten", "Input", "InputLayer", "InputSpec", "KerasTensor", "Layer", "LeakyReLU",
    "MaxPool2D", "MaxPooling2D", "Maximum", "Minimum", "Multiply", "ReLU", "Reshape", "Softmax", "Subtract", "add",
    "concatenate", "deserialize", "serialize",
]
