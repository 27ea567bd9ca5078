"""Callbacks, with Keras' names."""

from pyml.callbacks.backup_and_restore import *
from pyml.callbacks.callback import *
from pyml.callbacks.callback_list import *
from pyml.callbacks.history import *
from pyml.callbacks.model_checkpoint import *
from pyml.callbacks.monitor import *
from pyml.callbacks.progbar_logger import *
from pyml.callbacks.remote_monitor import *
from pyml.callbacks.simple import *
from pyml.callbacks.swap_ema_weights import *
from pyml.callbacks.tensorboard import *
