"""How losses are found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.objects.registry import LOSSES
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]


def serialize(loss: Any) -> Any:
    """The config dict of a `loss`, or the name of a function, for `deserialize`.

    Example:
        >>> pyml.losses.serialize(pyml.losses.Huber(delta=2.0))["class_name"]
        'Huber'
    """
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss of a `name`, or of what `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.losses.serialize(pyml.losses.Huber(delta=2.0))
        >>> round(float(pyml.losses.deserialize(config)([[3.0]], [[0.0]])), 4)
        4.0
    """
    return deserialize_keras_object(name, custom_objects, kind=LOSSES)


def get(identifier: Any) -> Any:
    """A loss from a name, a config dict, a class, an instance, a function or None.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> round(float(pyml.losses.get("mse")([[1.0, 3.0]], [[1.0, 1.0]])[0]), 4)
        2.0
    """
    return interpret(identifier, LOSSES)
