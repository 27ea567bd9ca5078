"""Losses, with Keras' names and defaults: functions per sample, and classes that reduce them to a number."""

from pyml.losses.base import *
from pyml.losses.classes import *
from pyml.losses.crossentropy import *
from pyml.losses.lookup import *
from pyml.losses.regression import *
