"""How losses are found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.objects.registry import LOSSES
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]


def serialize(loss: Any) -> Any:
    """A config dict for `deserialize`, or a function's name.

    Args:
        loss: A loss object or function.

    Example:
        >>> pyml.losses.serialize(pyml.losses.Huber(delta=2.0))["class_name"]
        'Huber'
    """
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that a name or a config dict describes.

    Args:
        name: What `serialize` returned, or a name.
        custom_objects: Classes and functions of your own by the names that the config has for them.

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
