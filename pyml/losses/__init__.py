"""Losses, with Keras' names and defaults: functions per sample, and classes that reduce them to a number."""

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
