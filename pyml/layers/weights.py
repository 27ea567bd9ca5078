"""Weights by name: an initializer, and perhaps a regularizer and a constraint, are attributes of their layer."""

from __future__ import annotations

from typing import Any

from pyml.core import Variable
from pyml.errors import AxisError, ShapeError


def make_weight(layer: Any, weight: str, shape: tuple[int, ...], name: str | None = None, initializer: Any = None) -> Variable:
    """The Variable of `weight`, by the layer's attributes `weight_initializer`, `weight_regularizer`, `weight_constraint`.

    Args:
        layer: The layer that owns it.
        weight: What the attributes begin with.
        shape: Its shape.
        name: Its name, where that is not `weight`.
        initializer: Another than that of the layer.
    """
    return layer.add_weight(
        name=name or weight, shape=shape, initializer=initializer or getattr(layer, f"{weight}_initializer", None),
        regularizer=getattr(layer, f"{weight}_regularizer", None), constraint=getattr(layer, f"{weight}_constraint", None))


def known_size(layer: Any, input_shape: Any, axis: int) -> int:
    """The size of `axis`, which the layer needs for its weights.

    Raises:
        AxisError: There is no such axis.
        ShapeError: Its size is unknown, or there are several tensors.
    """
    if any(isinstance(size, list | tuple) for size in input_shape):
        raise ShapeError(
            f'Layer "{layer.name}" takes one tensor, and it was called with a list of {len(input_shape)}, of shapes '
            f"{', '.join(map(str, input_shape))}. Call it with each, or concatenate them first."
        )
    if not -len(input_shape) <= axis < len(input_shape):
        raise AxisError(f'Layer "{layer.name}": axis {axis} is out of range for inputs of shape {tuple(input_shape)}.')
    if input_shape[axis] is None:
        raise ShapeError(
            f'Layer "{layer.name}" needs the size of axis {axis}; inputs of shape {tuple(input_shape)} leave it open. '
            "Give the model an Input with that size."
        )
    return input_shape[axis]
