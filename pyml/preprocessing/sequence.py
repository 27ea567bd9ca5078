"""Keras' older place of `pad_sequences`."""

from pyml.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
