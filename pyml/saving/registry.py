"""Turning objects into plain dicts and back: names, registered classes, custom object scopes."""

import importlib
import types
from contextlib import contextmanager

_registered: dict[str, object] = {}
_names: dict[object, str] = {}
_scoped: list[dict[str, object]] = []


def register_keras_serializable(package="Custom", name=None):
    """Decorator that makes a class or function known to `from_config` under `package>name`.

    Example:
        @pyml.saving.register_keras_serializable(package="mine")
        def squared(x):
            return x * x
    """

    def register(obj):
        key = f"{package}>{name or obj.__name__}"
        _registered[key] = obj
        _names[obj] = key
        return obj

    return register


def get_custom_objects():
    """The dict of objects registered so far; entries may be added to it."""
    return _registered


def get_registered_name(obj):
    """The name `obj` was registered under, else its own name."""
    try:
        return _names.get(obj, obj.__name__)
    except TypeError:
        return obj.__name__


def get_registered_object(name, custom_objects=None, module_objects=None):
    """The object known as `name`, or None."""
    for scope in (custom_objects, *reversed(_scoped), _registered, module_objects):
        if scope and name in scope:
            return scope[name]
    for key, obj in _registered.items():
        if key.rpartition(">")[2] == name:
            return obj
    return None


@contextmanager
def custom_object_scope(custom_objects):
    """Inside, the names in `custom_objects` are known to `from_config`."""
    _scoped.append(custom_objects)
    try:
        yield
    finally:
        _scoped.pop()


CustomObjectScope = custom_object_scope


def serialize_keras_object(obj):
    """`obj` as a dict of plain values that `deserialize_keras_object` turns back into an equal object."""
    if obj is None or isinstance(obj, (str, int, float, bool)):
        return obj
    if isinstance(obj, tuple):
        return {"class_name": "__tuple__", "items": [serialize_keras_object(item) for item in obj]}
    if isinstance(obj, list):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, types.FunctionType) or not hasattr(obj, "get_config"):
        name = get_registered_name(obj) if hasattr(obj, "__name__") else type(obj).__name__
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
    cls = type(obj)
    return {
        "module": cls.__module__.rpartition(".")[0] if cls.__module__.startswith("pyml.") else cls.__module__,
        "class_name": cls.__name__,
        "config": obj.get_config(),
        "registered_name": get_registered_name(cls) if cls in _names else None,
    }


def deserialize_keras_object(config, custom_objects=None, safe_mode=True, module_objects=None):
    """The object a config describes.

    Args:
        config: What `serialize_keras_object` returned, a name, or a plain value.
        custom_objects: Dict of further names.
        safe_mode: Kept for Keras' signature; nothing here runs code from a config.
        module_objects: Names that are known without being registered.

    Raises:
        ValueError: Nothing is known under the config's class name.
    """
    if isinstance(config, str):
        found = get_registered_object(config, custom_objects, module_objects)
        return config if found is None else found
    if isinstance(config, list):
        return [deserialize_keras_object(c, custom_objects, module_objects=module_objects) for c in config]
    if not isinstance(config, dict) or "class_name" not in config:
        return config
    name, inner = config["class_name"], config.get("config")
    if name == "__tuple__":
        return tuple(deserialize_keras_object(c, custom_objects, module_objects=module_objects)
                     for c in config["items"])
    if name == "function":
        name = inner
        found = get_registered_object(name, custom_objects, module_objects) or _from_module(config, name)
        if found is None:
            raise ValueError(f"Unknown function '{name}'. Register it or pass it in custom_objects.")
        return found
    registered = config.get("registered_name") or name
    cls = get_registered_object(registered, custom_objects, module_objects)
    cls = cls or get_registered_object(name, custom_objects, module_objects) or _from_module(config, name)
    if cls is None:
        raise ValueError(f"Unknown class '{name}'. Register it or pass it in custom_objects.")
    inner = {} if inner is None else inner
    return cls.from_config(inner) if hasattr(cls, "from_config") else cls(**inner)


def _from_module(config, name):
    module = config.get("module") or ""
    if module.startswith("keras."):
        module = "pyml." + module.partition(".")[2].removeprefix("src.")
    if not module.startswith("pyml."):
        return None
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def interpret(identifier, by_name, what):
    """An object from a name or config, a class (which is called), an instance or function as it is, or None.

    Raises:
        ValueError: Nothing is known under that identifier; names the `what` that are.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, (str, dict)):
        found = deserialize_keras_object(identifier, module_objects=by_name)
    if isinstance(found, type):
        found = found()
    if callable(found):
        return found
    raise ValueError(f"Could not interpret {what}: {identifier!r}. Known names: {', '.join(sorted(by_name))}.")
