"""Keras' older place of `pad_sequences`."""

from pyml.preprocessing.left_out import told_by
from pyml.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]

__getattr__ = told_by(__name__, __all__)
