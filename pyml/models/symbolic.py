"""Symbolic tensors under the name that `pyml.ops` looks for."""

from pyml.layers.symbolic import KerasTensor, record_function

__all__ = ["KerasTensor", "record_function"]
