"""Activation functions, with Keras' names: `relu`, `softmax`, `gelu`, ... and `get` to look one up."""

from pyml.activations.functions import *
from pyml.activations.lookup import *
