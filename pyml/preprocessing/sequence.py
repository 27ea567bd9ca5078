"""Keras' older place of `pad_sequences`."""

from pyml import lazily as _lazily
from pyml.preprocessing.left_out import NOW
from pyml.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]

__getattr__ = _lazily.left_out(__name__, NOW)
