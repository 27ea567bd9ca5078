"""Activation functions, with Keras' names: `relu`, `softmax`, `gelu`, ... and `get` to look one up."""

from pyml.activations.base import *
from pyml.activations.gated import *
from pyml.activations.lookup import *
from pyml.activations.normalized import *
from pyml.activations.rectified import *
from pyml.activations.shrinking import *
from pyml.activations.sigmoids import *
from pyml.activations.softened import *
