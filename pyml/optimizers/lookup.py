"""How optimizers are found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.objects.registry import OPTIMIZERS
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object
from pyml.optimizers.base import Optimizer

__all__ = ["deserialize", "get", "serialize"]


def serialize(optimizer: Any) -> Any:
    """The config dict of an `optimizer`, for `deserialize`.

    Example:
        >>> pyml.optimizers.serialize(pyml.optimizers.SGD(0.1))["class_name"]
        'SGD'
    """
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a `config`, a name or what `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.optimizers.serialize(pyml.optimizers.SGD(0.1))
        >>> pyml.optimizers.deserialize(config).momentum
        0.0
    """
    return deserialize_keras_object(config, custom_objects, kind=OPTIMIZERS)


def get(identifier: Any) -> Optimizer | None:
    """An optimizer from a name, a config dict, a class or an instance.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> pyml.optimizers.get("adam")  # doctest: +ELLIPSIS
        <pyml.optimizers.adam.Adam object at ...>
    """
    return interpret(identifier, OPTIMIZERS, lambda found: isinstance(found, Optimizer))
