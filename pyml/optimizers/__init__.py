"""Optimizers and learning-rate schedules, with Keras' names and defaults."""

from pyml.optimizers import schedules as schedules
from pyml.optimizers.adam import *
from pyml.optimizers.base import *
from pyml.optimizers.lookup import *
from pyml.optimizers.rmsprop import *
from pyml.optimizers.sgd import *
