"""Layers inside layers: building them under their own name, and `Wrapper`."""

from __future__ import annotations

from typing import Any

from pyml.core.naming import name_scope
from pyml.layers.layer import Layer

__all__ = ["Wrapper"]


def build_inside(owner: Layer, layer: Layer, *shapes: Any) -> None:
    """Builds a layer that belongs to another one, so that its weights are named after both."""
    if not layer.built:
        with name_scope(layer.name, layer):
            layer._path = f"{owner.path}/{layer.name}"
            layer.build(*shapes)
        layer._keep_apart(_build_shapes=shapes[0] if len(shapes) == 1 else None)
        layer.built = True


class Wrapper(Layer):
    """A layer around another one; subclasses write `call`.

    Args:
        layer: The layer inside, as the attribute `layer`.

    Raises:
        ValueError: `layer` is not a layer.

    Example:
        >>> class Twice(pyml.layers.Wrapper):
        ...     def call(self, inputs):
        ...         return self.layer(inputs) * 2.0
        >>> Twice(pyml.layers.ReLU())(np.array([[-1.0, 3.0]])).numpy()
        array([[0., 6.]], dtype=float32)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__}: expected a layer to wrap. Received: {layer!r}")
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        build_inside(self, self.layer, input_shape)
        self.built = True
