"""Callbacks, with Keras' names."""

from pyml.callbacks.callback import Callback
from pyml.callbacks.callback_list import CallbackList
from pyml.callbacks.history import History
from pyml.callbacks.monitor import EarlyStopping, MonitorCallback, ReduceLROnPlateau
from pyml.callbacks.progbar_logger import ProgbarLogger
from pyml.callbacks.simple import CSVLogger, LambdaCallback, LearningRateScheduler, TerminateOnNaN

__all__ = [
    "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler",
    "MonitorCallback", "ProgbarLogger", "ReduceLROnPlateau", "TerminateOnNaN",
]
