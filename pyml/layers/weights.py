"""Weights by name: each has an initializer, a regularizer and a constraint among the arguments of its layer."""

from pyml import constraints, initializers, regularizers
from pyml.errors import ShapeError


def keep_weight(layer, name, initializer, regularizer=None, constraint=None):
    """Keeps the three arguments of the weight `name` as attributes of the layer."""
    setattr(layer, f"{name}_initializer", initializers.get(initializer))
    setattr(layer, f"{name}_regularizer", regularizers.get(regularizer))
    setattr(layer, f"{name}_constraint", constraints.get(constraint))


def make_weight(layer, weight, shape, name=None):
    """The Variable of `weight`, made from what `keep_weight` kept; `name` where it differs."""
    return layer.add_weight(
        name=name or weight, shape=shape, initializer=getattr(layer, f"{weight}_initializer"),
        regularizer=getattr(layer, f"{weight}_regularizer"), constraint=getattr(layer, f"{weight}_constraint"))


def known_size(layer, input_shape, axis):
    """The size of `axis`, which the layer needs for its weights.

    Raises:
        ShapeError: There is no such axis, or its size is unknown.
    """
    if not -len(input_shape) <= axis < len(input_shape):
        raise ShapeError(f'Layer "{layer.name}": axis {axis} is out of range for inputs of shape {tuple(input_shape)}.')
    if input_shape[axis] is None:
        raise ShapeError(
            f'Layer "{layer.name}" needs the size of axis {axis}; inputs of shape {tuple(input_shape)} leave it open. '
            "Give the model an Input with that size."
        )
    return input_shape[axis]
