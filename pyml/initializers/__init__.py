"""First values of weights, with Keras' names and defaults."""

from pyml.initializers.base import *
from pyml.initializers.constant import *
from pyml.initializers.lookup import *
from pyml.initializers.random import *
from pyml.initializers.spectral import *
