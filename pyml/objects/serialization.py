"""Objects as plain dicts and back."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from pyml.core import Tensor
from pyml.objects import registry
from pyml.objects.registry import Kind, custom_object_scope

# Where built-in classes say they come from; a class of any other module is the user's, whatever its name.
_OURS = ("pyml", "keras", "tf_keras", "tensorflow", "builtins")


def serialize_keras_object(obj: Any) -> Any:
    """`obj` as a dict of plain values that `deserialize_keras_object` turns back into an equal object."""
    if obj is None or isinstance(obj, (str, int, float, bool)):
        return obj
    if isinstance(obj, tuple):
        return {"class_name": "__tuple__", "items": [serialize_keras_object(item) for item in obj]}
    if isinstance(obj, list):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, (np.ndarray, Tensor)):
        return {"class_name": "__numpy__", "config": {"value": np.asarray(obj).tolist(), "dtype": str(obj.dtype)}}
    if not callable(obj) and not hasattr(obj, "get_config"):
        raise TypeError(f"{type(obj).__name__} objects have no form in a config; write get_config() and from_config(). Received: {obj!r}")
    if isinstance(obj, types.FunctionType) or not hasattr(obj, "get_config"):
        name = registry.get_registered_name(obj) if hasattr(obj, "__name__") else type(obj).__name__
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
    cls = type(obj)
    return {
        "module": cls.__module__.rpartition(".")[0] if cls.__module__.startswith("pyml.") else cls.__module__,
        "class_name": cls.__name__,
        "config": obj.get_config(),
        "registered_name": registry.get_registered_name(cls) if registry.is_registered(cls) else None,
    }


def deserialize_keras_object(config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True,
                             module_objects: Mapping[str, Any] | None = None, *, kind: Kind | None = None) -> Any:
    """The object a config describes.

    Args:
        config: What `serialize_keras_object` returned, a name, or a plain value.
        custom_objects: Dict of further names, which come before built-in ones.
        safe_mode: Kept for Keras' signature; nothing here runs code from a config.
        module_objects: Dict of names that come last.
        kind: The kind of the object, where it is known: other kinds may have objects of the same name.

    Raises:
        ValueError: Nothing is known under the config's class name.
    """
    if isinstance(config, str):
        found = registry.handed_over(config, custom_objects)
        if found is None and kind is not None:
            found = registry.built_in(config, (kind,))
        if found is None:
            found = registry.get_registered_object(config, module_objects=module_objects)
        return config if found is None else found
    again: dict[str, Any] = {"custom_objects": custom_objects, "module_objects": module_objects, "kind": kind}
    if isinstance(config, list):
        return [deserialize_keras_object(item, **again) for item in config]
    if not isinstance(config, dict) or "class_name" not in config:
        return config
    if config["class_name"] == "__numpy__":
        return np.array(config["config"]["value"], config["config"]["dtype"])
    if config["class_name"] == "__tuple__":
        return tuple(deserialize_keras_object(item, **again) for item in config["items"])
    if config["class_name"] == "function":
        return _described(config, config.get("config"), kind, custom_objects, module_objects)
    cls = _described(config, config["class_name"], kind, custom_objects, module_objects)
    inner = config.get("config")
    inner = {} if inner is None else inner
    with custom_object_scope(custom_objects) if custom_objects else nullcontext():
        return cls.from_config(inner) if hasattr(cls, "from_config") else cls(**inner)


def _described(config: dict[str, Any], name: Any, kind: Kind | None, custom_objects: Mapping[str, Any] | None,
               module_objects: Mapping[str, Any] | None) -> Any:
    """The class or function that a config names."""
    module = config.get("module") or ""
    for known_as in (config.get("registered_name") or name, name):
        found = registry.handed_over(known_as, custom_objects)
        if found is None and ">" in known_as:
            found = registry.find_registered(known_as)
        if found is not None:
            return found
    if not module or module.partition(".")[0] in _OURS:
        found = registry.built_in(name, _kinds(module, kind), function=config["class_name"] == "function")
        if found is not None:
            return found
    found = registry.get_registered_object(name, module_objects=module_objects)
    if found is None:
        what = "function" if config["class_name"] == "function" else "class"
        raise ValueError(f"Unknown {what} '{name}'. Register it or pass it in custom_objects.")
    return found


def _kinds(module: str, kind: Kind | None) -> tuple[Kind, ...]:
    """Where to look: `keras.layers` and `keras.src.layers.core.dense` hold layers; other modules tell nothing."""
    parts = [part for part in module.split(".")[1:] if part != "src"]
    told = tuple(one for one in registry.KINDS if parts and f"pyml.{parts[0]}" in one.homes)
    return told or (registry.KINDS if kind is None else (kind,))


def interpret(identifier: Any, kind: Kind, wanted: Callable[[Any], bool] = callable) -> Any:
    """An object from a name or config, a class (which is called), an instance or function as it is, or None.

    Args:
        identifier: Any of these.
        kind: The kind of object it names.
        wanted: Tells whether something is such an object.

    Raises:
        ValueError: Nothing is known under that identifier; names those that are.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, (str, dict)):
        found = deserialize_keras_object(identifier, kind=kind)
    if isinstance(found, type):
        found = found()
    if wanted(found):
        return found
    raise ValueError(f"Could not interpret {kind.what}: {identifier!r}. Known names: {', '.join(kind.names)}.")
