"""Losses, with Keras' names and defaults: functions per sample, and classes that reduce them to a number."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from pyml import lazily as _lazily
from pyml.losses.base import *
from pyml.losses.circle import *
from pyml.losses.classes import *
from pyml.losses.crossentropy import *
from pyml.losses.ctc import *
from pyml.losses.focal import *
from pyml.losses.focal_classes import *
from pyml.losses.generalized import *
from pyml.losses.lookup import *
from pyml.losses.overlap import *
from pyml.losses.regression import *

if not _TYPE_CHECKING:
    __getattr__ = _lazily.left_out(__name__, {"Reduction": "write its name as text, such as reduction='sum_over_batch_size' or 'sum'"})
