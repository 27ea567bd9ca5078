"""Metrics, with Keras' names and defaults: state in device memory, read when asked for."""

from pyml.losses.crossentropy import *
from pyml.losses.focal import *
from pyml.losses.regression import *
from pyml.metrics.accuracy import *
from pyml.metrics.at_thresholds import *
from pyml.metrics.auc import *
from pyml.metrics.base import *
from pyml.metrics.confusion import *
from pyml.metrics.correlation import *
from pyml.metrics.f_scores import *
from pyml.metrics.iou import *
from pyml.metrics.lookup import *
from pyml.metrics.of_losses import *
from pyml.metrics.of_more_losses import *
from pyml.metrics.reduction import *
from pyml.metrics.top_k import *
