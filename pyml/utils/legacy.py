"""Keras' older way of writing objects down, `{"class_name": ..., "config": ...}`, which libraries keep for classes of their own.

Names are looked up in what the caller hands over and in what is registered, not among pyml's own classes.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pyml.errors import UnknownName
from pyml.objects import registry

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

_INSIDE = "__passive_serialization__"  # of configs inside configs that objects were made into, and that become objects again


def serialize_keras_object(instance: Any) -> Any:
    """An object as `{"class_name": ..., "config": ...}`, a function or class as its name, None as None.

    Args:
        instance: An object with `get_config`, a function or a class.

    Raises:
        ValueError: `instance` is none of these.

    Source: `keras.utils.legacy.serialize_keras_object`.

    Example:
        >>> pyml.utils.legacy.serialize_keras_object(pyml.regularizers.L2(0.5))
        {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    instance = inspect.unwrap(instance)
    if instance is None:
        return None
    if hasattr(instance, "get_config") and not inspect.isclass(instance):
        config = {key: _inside(value) for key, value in instance.get_config().items()}
        return {"class_name": registry.get_registered_name(type(instance)), "config": config}
    if hasattr(instance, "__name__"):
        return registry.get_registered_name(instance)
    raise ValueError(f"serialize_keras_object: {type(instance).__name__} objects cannot be serialized; define get_config(). "
                     f"Received: {instance!r}")  # fmt: skip


def _inside(value: Any) -> Any:
    if isinstance(value, (str, dict)):
        return value
    try:
        described = serialize_keras_object(value)
    except ValueError:
        return value
    return {**described, _INSIDE: True} if isinstance(described, dict) else described


def deserialize_keras_object(identifier: Any, module_objects: Mapping[str, Any] | None = None,
                             custom_objects: Mapping[str, Any] | None = None, printable_module_name: str = "object") -> Any:
    """The object that `serialize_keras_object` wrote down: an instance of the class, or the function, of that name.

    Args:
        identifier: A dict with `class_name` and `config`, a name, a function, or None.
        module_objects: Dict of names that come last.
        custom_objects: Dict of names that come first, also where the object is made.
        printable_module_name: What errors call the object.

    Raises:
        ValueError: The name is not known, or `identifier` is none of these.

    Source: `keras.utils.legacy.deserialize_keras_object`.

    Example:
        >>> config = {"class_name": "L2", "config": {"l2": 0.5}}
        >>> pyml.utils.legacy.deserialize_keras_object(config, {"L2": pyml.regularizers.L2}).l2
        0.5
    """
    if identifier is None or inspect.isfunction(identifier):
        return identifier

    def known(name: str) -> Any:
        return registry.get_registered_object(name, custom_objects, module_objects)

    if isinstance(identifier, str):
        found = known(identifier)
        if found is None:
            raise _unknown(printable_module_name, identifier)
        return found() if inspect.isclass(found) else found
    if not isinstance(identifier, dict) or not {"class_name", "config"} <= set(identifier):
        raise ValueError(f"deserialize_keras_object: expected a name, or a dict with class_name and config. Received: {identifier!r}")
    cls, config = known(identifier["class_name"]), identifier["config"]
    if cls is None:
        raise _unknown(printable_module_name, identifier["class_name"])
    if isinstance(config, dict):
        config = {key: _value(key, value, known, module_objects, custom_objects) for key, value in config.items()}
    with registry.custom_object_scope(custom_objects or {}):
        if not hasattr(cls, "from_config"):            # a function that makes the object
            return cls(**config)
        if "custom_objects" in inspect.signature(cls.from_config).parameters:
            return cls.from_config(config, custom_objects={**registry.get_custom_objects(), **(custom_objects or {})})
        return cls.from_config(config)


def _value(key: str, value: Any, known: Any, module_objects: Any, custom_objects: Any) -> Any:
    """An argument in a config: an object that is described there, a function that is named there, or what stands there."""
    if isinstance(value, dict) and _INSIDE in value:
        return deserialize_keras_object(value, module_objects, custom_objects, "config_item")
    if key != "name" and isinstance(value, str) and inspect.isfunction(found := known(value)):
        return found
    return value


def _unknown(what: str, name: str) -> UnknownName:
    return UnknownName(f"Unknown {what}: {name!r}. Pass it in custom_objects or module_objects, or register it with "
                       "@pyml.saving.register_keras_serializable().")  # fmt: skip
