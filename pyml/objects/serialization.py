"""Objects as plain dicts and back."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from pyml.core import Tensor, convert_to_tensor
from pyml.core.naming import to_snake_case
from pyml.core.symbolic import KerasTensor
from pyml.errors import Undefined, UnknownName, did_you_mean
from pyml.objects import bytecode, later_arguments, registry, sharing
from pyml.objects.registry import Kind, custom_object_scope
from pyml.ops.declare import DECLARED
from pyml.tracebacks import is_ours

# Where built-in classes say they come from; a class of any other module is the user's, whatever its name.
_OURS = ("pyml", "keras", "tf_keras", "tensorflow", "builtins")


def serialize_keras_object(obj: Any) -> Any:
    """`obj` as a dict of plain values that `deserialize_keras_object`, and Keras, turn back into an equal object.

    Raises:
        Undefined: There is no form for it; a NotImplementedError and a TypeError.

    Source: keras.saving.serialize_keras_object.

    Example:
        >>> pyml.saving.serialize_keras_object(pyml.regularizers.L2(0.5))
        {'module': 'keras.regularizers', 'class_name': 'L2', 'config': {'l2': 0.5}, 'registered_name': None}
    """
    if obj is None or isinstance(obj, (str, int, float, bool)):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(item) for item in obj]
        return tuple(items) if type(obj) is tuple else items
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, slice):
        ends = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": {key: serialize_keras_object(end) for key, end in ends.items()}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, KerasTensor):
        history = obj._keras_history
        place = None if history is None else [history.operation.name, history.node_index, history.tensor_index]
        return {"class_name": "__keras_tensor__", "config": {"shape": obj.shape, "dtype": obj.dtype, "keras_history": place}}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, Tensor):
        return {"class_name": "__tensor__", "config": {"value": np.asarray(obj).tolist(), "dtype": str(obj.dtype)}}
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": str(obj.dtype)}} if obj.ndim else obj.item()
    if not callable(obj) and not hasattr(obj, "get_config"):
        raise Undefined(f"{type(obj).__name__} objects cannot be serialized; define get_config() and from_config(). Received: {obj!r}")
    if getattr(obj, "__name__", None) == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": bytecode.dump(obj)}}
    if isinstance(obj, types.FunctionType) or not hasattr(obj, "get_config"):
        name = registry.get_registered_name(obj) if hasattr(obj, "__name__") else type(obj).__name__
        return {"module": _module_of(obj, name), "class_name": "function", "config": name, "registered_name": "function"}
    cls = type(obj)
    registered = registry.get_registered_name(cls)
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(f"get_config() of {cls.__name__} must return a dict. Received: {config!r} (of type {type(config).__name__})")
    try:
        written = _written(config)
    except Undefined as error:
        if not hasattr(error, "__notes__"):  # not of an object in this one, which is named then
            called = getattr(obj, "name", None)
            error.add_note(f"In get_config() of {f'{called!r} ({cls.__name__})' if isinstance(called, str) else cls.__name__}.")
        raise
    described: dict[str, Any] = {
        "module": _home(cls), "class_name": later_arguments.name_of(cls), "config": later_arguments.without(cls, written),
        "registered_name": registered if registered != cls.__name__ or not is_ours(cls) else _unexported(cls),
    }
    for key, method in (("build_config", "get_build_config"), ("compile_config", "get_compile_config")):
        more = getattr(obj, method)() if hasattr(obj, method) else None
        if more is not None:
            described[key] = {name: serialize_keras_object(value) for name, value in more.items()}
    sharing.written(obj, described)
    return described


def _written(value: Any) -> Any:
    """A config with the objects in it written as dicts; what is plain stays the very object: it may be marked as shared later."""
    if type(value) is dict:
        made = {key: _written(item) for key, item in value.items()}
        return value if all(made[key] is item for key, item in value.items()) else made
    if type(value) in (list, tuple):
        items = type(value)(_written(item) for item in value)
        return value if all(new is item for new, item in zip(items, value, strict=True)) else items
    return serialize_keras_object(value)


def _module_of(function: Any, name: str) -> str:
    """As Keras says it, but for a user's function that has the name of one of ours: that would be taken for ours."""
    module = getattr(function, "__module__", None) or "builtins"
    if module.partition(".")[0] in _OURS or ">" in name:
        return "builtins"
    return module if name in DECLARED or registry.built_in(name, registry.KINDS, function=True) is not None else "builtins"


_UNEXPORTED = {"Functional": "keras.src.models.functional"}  # classes that Keras names by the file they are in


def _unexported(cls: type) -> str | None:
    return cls.__name__ if cls.__name__ in _UNEXPORTED else None


def _home(cls: type) -> str | None:
    """The module under which Keras knows a class; of users' classes their own."""
    module = cls.__module__
    if not module.startswith("pyml."):
        return None if module == "__main__" else module
    if cls.__name__ in _UNEXPORTED:
        return _UNEXPORTED[cls.__name__]
    package = module.split(".")[1]
    if cls.__name__ == "FeatureSpace":
        return "keras.utils"
    if package in ("models", "dtype_policies"):
        return "keras"
    if package == "optimizers" and registry.SCHEDULES.classes.get(cls.__name__) is cls:
        return "keras.optimizers.schedules"
    return f"keras.{package}"


def deserialize_keras_object(config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True,
                             module_objects: Mapping[str, Any] | None = None, *, kind: Kind | None = None, **kwargs: Any) -> Any:
    """The object a config describes.

    Args:
        config: What `serialize_keras_object` or Keras' returned, a name, or a plain value.
        custom_objects: Dict of further names, which come before built-in ones.
        safe_mode: False makes functions from the bytecode of lambdas, which can do anything that your program can. Calls inside
            another one, as in `from_config`, are as safe as that.
        module_objects: Dict of names that come last.
        kind: The kind of the object, where it is known: other kinds may have objects of the same name.
        **kwargs: What older code passes besides, such as `printable_module_name`; it says nothing, and Keras does not look at it.

    Raises:
        ValueError: Nothing is known under the config's class name, or it holds bytecode and `safe_mode` is on.

    Source: keras.saving.deserialize_keras_object.

    Example:
        >>> config = pyml.saving.serialize_keras_object(pyml.regularizers.L2(0.5))
        >>> pyml.saving.deserialize_keras_object(config).l2
        0.5
    """
    with sharing.reading(safe_mode) as shared:
        return _made(config, custom_objects, module_objects, kind, shared)


def _made(config: Any, custom_objects: Mapping[str, Any] | None, module_objects: Mapping[str, Any] | None, kind: Kind | None,
          shared: sharing.Reading) -> Any:
    """The object that a config, or a part of one, describes; values that describe nothing stay as they are."""
    if isinstance(config, str):
        found = registry.handed_over(config, custom_objects)
        if found is None and kind is not None and isinstance(found := registry.built_in(config, (kind,)), type):
            return found()                             # as below
        if found is None:
            found = registry.get_registered_object(config)
        if found is None and config in (module_objects or {}):
            known: Any = (module_objects or {})[config]
            return known() if isinstance(known, type) else known  # an object by the name of its class, as in Keras
        return config if found is None else found
    again = (custom_objects, module_objects, kind, shared)
    if isinstance(config, (list, tuple)):
        return [_made(item, *again) for item in config]
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config")
    if name == "__tuple__" and isinstance(config.get("items"), list):
        return tuple(_made(item, *again) for item in config["items"])
    if "class_name" not in config:
        return {key: _made(value, custom_objects, module_objects, None, shared) for key, value in config.items()}
    if not isinstance(name, str):
        raise TypeError(f"a config's class_name must be text. Received: class_name={str(name)[:80]}")
    if name in _VALUES:
        return _VALUES[name](inner, again)
    if name == "function":
        return _described(config, inner, kind, custom_objects, module_objects)
    known_as = config.get("shared_object_id")
    if known_as is not None and known_as in shared.objects:
        return shared.objects[known_as]
    cls = _described(config, name, kind, custom_objects, module_objects)
    inner = {} if inner is None else inner
    if not isinstance(inner, dict):
        raise TypeError(f"the config of {name} must be a dict of arguments. Received: {str(inner)[:80]} (of type {type(inner).__name__})")
    with custom_object_scope(custom_objects) if custom_objects else nullcontext():
        made = cls.from_config(inner) if hasattr(cls, "from_config") else cls(**inner)
    shared.made(made, config, custom_objects)
    return made


def _lambda(inner: Any, again: tuple[Any, ...]) -> Any:
    return bytecode.load(inner["value"] if isinstance(inner, dict) and "value" in inner else inner, again[-1].safe_mode)


_VALUES: dict[str, Callable[[Any, Any], Any]] = {
    "__numpy__": lambda inner, again: np.array(inner["value"], inner["dtype"]),
    "__tensor__": lambda inner, again: convert_to_tensor(np.array(inner["value"], inner["dtype"])),
    "__bytes__": lambda inner, again: inner["value"].encode(),
    "__ellipsis__": lambda inner, again: Ellipsis,
    "__slice__": lambda inner, again: slice(*(_made(inner[end], *again) for end in ("start", "stop", "step"))),
    "__lambda__": _lambda,
}


def _described(config: dict[str, Any], name: Any, kind: Kind | None, custom_objects: Mapping[str, Any] | None,
               module_objects: Mapping[str, Any] | None) -> Any:
    """The class or function that a config names."""
    module = config.get("module") or ""
    if not isinstance(name, str):
        raise TypeError(f"a config names a {type(name).__name__} where a class or function should be: {str(name)[:80]}")
    for known_as in (config.get("registered_name") or name, name):
        found = registry.handed_over(known_as, custom_objects)
        if found is None and ">" in known_as:
            found = registry.find_registered(known_as)
        if found is not None:
            return found
    ours = not module or module.partition(".")[0] in _OURS
    users = None                                       # a class that nobody registered; those of scripts have no module in configs
    if config["class_name"] != "function" and (config.get("registered_name") if not module else not ours):
        users = registry.find_defined(module or "__main__", name)
    if users is not None:
        return users
    if ours:
        found = registry.built_in(name, _kinds(module, kind), function=config["class_name"] == "function")
        if found is not None:
            _refuse_borrowed_name(config, name)
            return found
    found = registry.get_registered_object(name, module_objects=module_objects)
    if found is None and ours and config["class_name"] == "function" and name in DECLARED:
        found = DECLARED[name].function
    if found is None:
        what = "function" if config["class_name"] == "function" else "class"
        home = f" of the module {module!r}, which is not loaded: import it" if not ours and module not in sys.modules else ""
        raise UnknownName(
            f"Unknown {what} '{name}'{home}. Register it with @pyml.saving.register_keras_serializable(), or pass "
            f"custom_objects={{{name!r}: ...}}.")
    return found


def _refuse_borrowed_name(config: dict[str, Any], name: str) -> None:
    """Keras' own classes are registered under no other names: a config that says so is not what it seems."""
    said = config.get("registered_name")
    if said and said not in (name, config["class_name"]) and (config.get("module") or "").partition(".")[0] in ("keras", "builtins"):
        raise ValueError(
            f"a config says registered_name={said!r}, but names {name}, which is built in and registered under no other name; "
            "register your class under that name, or take the registered_name out of the config.")


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
    told = f"Could not interpret {kind.what}: {identifier!r}."
    hints = [did_you_mean(identifier, kind.names, cutoff) for cutoff in (0.75, 0.6)] if isinstance(identifier, str) else ["", ""]
    raise ValueError(told + (hints[0] or f"{hints[1]} Known names: {plain_names(kind.names)}."))


def plain_names(names: Iterable[str]) -> str:
    """Names joined by commas, without the classes and short forms of those that are written `in_this_way` too.

    Example:
        >>> plain_names(["Adam", "AdamW", "adam", "adamw", "SGD", "sgd"])
        'adam, adamw, sgd'
    """
    every = list(names)
    lower = {name for name in every if name == name.lower()}
    return ", ".join(name for name in every if name in lower or (to_snake_case(name) not in lower and name.lower() not in lower))
