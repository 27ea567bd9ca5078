"""How activations are found by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyml.activations.rectified import linear
from pyml.objects.registry import ACTIVATIONS
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]


def serialize(activation: Any) -> Any:
    """The name of an `activation` of this package, else a config dict, for `deserialize`.

    Example:
        >>> pyml.activations.serialize(pyml.activations.relu)
        'relu'
    """
    return ACTIVATIONS.name_of(activation) or serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation of a `config`, a name or what `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> pyml.activations.deserialize("tanh")([0.]).numpy()
        array([0.], dtype=float32)
    """
    return deserialize_keras_object(config, custom_objects, kind=ACTIVATIONS)


def get(identifier: Any) -> Callable[..., Any]:
    """An activation from a name, a config dict, None (`linear`) or a function.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> pyml.activations.get("relu") is pyml.activations.relu
        True
    """
    return linear if identifier is None else interpret(identifier, ACTIVATIONS)
