"""What the docstrings of the activation functions share."""

from __future__ import annotations

from pyml.objects.common_part import CommonOfFunctions
from pyml.objects.registry import ACTIVATIONS

__all__: list[str] = []

ACTIVATIONS.common_of_functions = CommonOfFunctions(
    "keras.activations",
    arguments={"x": "A tensor of any shape."},
    returns="A tensor of the shape of `x` in its dtype, float32 of integers and booleans.",
    errors={"axis": "AxisError: `x` has no such axis."})  # fmt: skip
