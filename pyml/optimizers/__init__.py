"""Optimizers and learning-rate schedules, with Keras' names and defaults."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from pyml import lazily as _lazily
from pyml.optimizers import schedules as schedules
from pyml.optimizers.adafactor import *
from pyml.optimizers.adagrad import *
from pyml.optimizers.adam import *
from pyml.optimizers.adamax import *
from pyml.optimizers.base import *
from pyml.optimizers.ftrl import *
from pyml.optimizers.lamb import *
from pyml.optimizers.lookup import *
from pyml.optimizers.loss_scale import *
from pyml.optimizers.multi import *
from pyml.optimizers.muon import *
from pyml.optimizers.rmsprop import *
from pyml.optimizers.schedule_free import *
from pyml.optimizers.sgd import *

if not _TYPE_CHECKING:
    __getattr__ = _lazily.left_out(__name__, dict.fromkeys(("legacy", "experimental"), "pyml.optimizers itself has the optimizers"))
