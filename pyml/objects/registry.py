"""Classes and functions by name: the built-in ones of each kind, and those that users register.

A built-in class is known as soon as it is defined (see `pyml.objects.configured`), a built-in function by the decorator
`Kind.function`. A user's class never takes the place of a built-in one unless it is handed over as `custom_objects`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pyml import dtype_policies
from pyml.core.naming import to_snake_case
from pyml.objects.common_part import CommonOfFunctions

F = TypeVar("F", bound=Callable[..., Any])


class Kind:
    """One kind of object, for example initializers, with everything built in under its names.

    Args:
        what: How messages call it.
        homes: Packages that define its built-in objects; they are loaded when a name is not known yet.
        spelling: Makes the second name of a class from its first, for example `he_normal`.
        any_case: Names are found in lower case, too.
        functions_of: A kind whose functions are found where this one has no such name.
    """

    def __init__(self, what: str, *homes: str, spelling: Callable[[str], str] | None = None, any_case: bool = False,
                 functions_of: Kind | None = None) -> None:
        self.what = what
        self.homes = homes
        self.classes: dict[str, type] = {}             # every name, aliases too
        self.functions: dict[str, Callable[..., Any]] = {}
        self.common_of_functions: CommonOfFunctions | None = None   # set by the package that declares them
        self._spelling = spelling
        self._any_case = any_case
        self._functions_of = functions_of

    def add(self, cls: type, aliases: tuple[str, ...] = ()) -> None:
        """Makes a class known under its name, its other spelling and `aliases`, if one of the homes defines it."""
        if cls.__name__.startswith("_") or not f"{cls.__module__}.".startswith(tuple(f"{home}." for home in self.homes)):
            return
        spelled = () if self._spelling is None else (self._spelling(cls.__name__),)
        _name(self.classes, cls, (cls.__name__, *spelled, *aliases))

    def function(self, *aliases: str) -> Callable[[F], F]:
        """Decorator that makes a function known under its name and `aliases`, and adds to its docstring what all of the kind share."""

        def declare(function: F) -> F:
            if self.common_of_functions is not None:
                self.common_of_functions.add_to(function)
            _name(self.functions, function, (function.__name__, *aliases))
            return function

        return declare

    def find(self, name: str) -> Any:
        """The built-in class or else function of that name, or None."""
        if self._any_case and name.lower() in self.classes:
            name = name.lower()
        return self.classes[name] if name in self.classes else self.find_function(name)

    def find_function(self, name: str) -> Callable[..., Any] | None:
        """The built-in function of that name, or None."""
        if name in self.functions or self._functions_of is None:
            return self.functions.get(name)
        return self._functions_of.find_function(name)

    def name_of(self, function: Any) -> str | None:
        """The name of a built-in function, or None where it is not built in."""
        name = getattr(function, "__name__", None)
        return name if isinstance(name, str) and self.functions.get(name) is function else None

    @property
    def names(self) -> list[str]:
        """Every name that is known, in order."""
        more = () if self._functions_of is None else self._functions_of.functions
        return sorted({*self.classes, *self.functions, *more})

    def load(self, name: str | None = None) -> None:
        """Loads the homes, so that everything built in is known; of what waits in them only `name`, where one is given."""
        for home in self.homes:
            module = importlib.import_module(home)
            if name is not None:
                getattr(module, name, None)
            else:
                for waiting in dir(module):
                    getattr(module, waiting, None)


def _name(table: dict[str, Any], obj: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if table.setdefault(name, obj) is not obj:
            raise ValueError(f"{name!r} is the name of {table[name]!r} already; {obj!r} needs another.")


LAYERS = Kind("layer", "pyml.layers", "pyml.models")
ACTIVATIONS = Kind("activation function", "pyml.activations")
LOSSES = Kind("loss identifier", "pyml.losses")
METRICS = Kind("metric identifier", "pyml.metrics", spelling=to_snake_case, functions_of=LOSSES)
OPTIMIZERS = Kind("optimizer identifier", "pyml.optimizers", spelling=str.lower, any_case=True)
SCHEDULES = Kind("learning rate schedule", "pyml.optimizers")
INITIALIZERS = Kind("initializer", "pyml.initializers", spelling=to_snake_case)
REGULARIZERS = Kind("regularizer", "pyml.regularizers", spelling=str.lower)
CONSTRAINTS = Kind("constraint", "pyml.constraints", spelling=to_snake_case)
CALLBACKS = Kind("callback", "pyml.callbacks")
SEEDS = Kind("seed generator", "pyml.random")
QUANTIZERS = Kind("quantizer", "pyml.quantizers", spelling=to_snake_case)
POLICIES = Kind("dtype policy", "pyml.dtype_policies")
for _policy in dtype_policies.CLASSES.values():
    POLICIES.add(_policy)
NONE = Kind("object")
KINDS = (LAYERS, ACTIVATIONS, LOSSES, METRICS, OPTIMIZERS, SCHEDULES, INITIALIZERS, REGULARIZERS, CONSTRAINTS, CALLBACKS, SEEDS,
         POLICIES, QUANTIZERS)  # fmt: skip

# Whose classes are found where they are defined, unregistered.
_OF_MODELS = (LAYERS, LOSSES, METRICS, OPTIMIZERS, SCHEDULES, INITIALIZERS, REGULARIZERS, CONSTRAINTS)

_registered: dict[str, Any] = {}
_names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
_scopes: ContextVar[tuple[Mapping[str, Any], ...]] = ContextVar("custom objects", default=())


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[F], F]:
    """Decorator that makes a class or function known to `from_config` under `package>name`.

    Raises:
        ValueError: A class has no `get_config`.
        TypeError: `package` is not text, as where the decorator is written without parentheses.

    Example:
        >>> @pyml.saving.register_keras_serializable(package="shop")
        ... def thrice(x):
        ...     return x * 3
        >>> pyml.saving.get_registered_name(thrice)
        'shop>thrice'
    """

    if not isinstance(package, str):
        raise TypeError("register_keras_serializable: write @register_keras_serializable(), with parentheses. Received: "
                        f"package={package!r}")  # fmt: skip

    def register(obj: F) -> F:
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ValueError(f"register_keras_serializable: a class must have a get_config method. Received: {obj.__name__}")
        key = f"{package}>{name or obj.__name__}"
        _registered[key] = obj
        _names[obj] = key
        return obj

    return register


def get_custom_objects() -> dict[str, Any]:
    """The dict of objects registered so far; entries may be added to it.

    Example:
        >>> isinstance(pyml.saving.get_custom_objects(), dict)
        True
    """
    return _registered


def get_registered_name(obj: Any) -> str:
    """The name `obj` was registered under, else its own name.

    Example:
        >>> pyml.saving.get_registered_name(pyml.layers.Dense)
        'Dense'
    """
    try:
        return _names.get(obj, obj.__name__)
    except TypeError:
        return obj.__name__


class CustomObjectScope:
    """Inside, the names in `custom_objects` are known to `from_config`; it may be entered again.

    Example:
        >>> twice = lambda x: x * 2
        >>> with pyml.saving.custom_object_scope({"twice": twice}):
        ...     layer = pyml.layers.Activation("twice")
        >>> layer(np.array([1.0, 2.0])).numpy()
        array([2., 4.], dtype=float32)
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = custom_objects or {}

    def __enter__(self) -> CustomObjectScope:
        _scopes.set((*_scopes.get(), self.custom_objects))
        return self

    def __exit__(self, *failure: object) -> None:
        _scopes.set(_scopes.get()[:-1])


custom_object_scope = CustomObjectScope


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None,
                          module_objects: Mapping[str, Any] | None = None) -> Any:
    """The object known as `name`, or None.

    Args:
        name: `package>name` of a registered object, or its name alone.
        custom_objects: Names that come first.
        module_objects: Names that come last.

    Example:
        >>> pyml.saving.get_registered_object("twice", {"twice": lambda x: x * 2})(4)
        8
    """
    found = handed_over(name, custom_objects)
    found = find_registered(name) if found is None else found
    return (module_objects or {}).get(name) if found is None else found


def handed_over(name: str, custom_objects: Mapping[str, Any] | None) -> Any:
    """What `custom_objects`, or else the innermost custom object scope, has under `name`; or None."""
    for scope in (custom_objects or {}, *reversed(_scopes.get())):
        if name in scope:
            return scope[name]
    return None


def built_in(name: str, kinds: tuple[Kind, ...] = KINDS, function: bool = False) -> Any:
    """The built-in class or function of that name, or None; packages are loaded where it is not known yet.

    Args:
        name: A name or an alias.
        kinds: Where to look, in that order.
        function: Look for functions only.
    """
    def look() -> Any:
        found = (one.find_function(name) if function else one.find(name) for one in kinds)
        return next((obj for obj in found if obj is not None), None)

    found = look()
    if found is None and ">" not in name:
        for one in kinds:
            one.load(name)
        found = look()
    return found


def find_registered(name: str) -> Any:
    """What was registered as `package>name`, or else as `name` in any package; or None."""
    if name in _registered:
        return _registered[name]
    return next((obj for key, obj in _registered.items() if key.rpartition(">")[2] == name), None)


def find_defined(module: Any, name: str) -> type | None:
    """The user's layer, model, loss, … of that name that a loaded module defines at its top, or None.

    Nothing is imported, so a file makes no module run; functions, classes of other kinds and what a module has from elsewhere do not count.
    """
    home = sys.modules.get(module) if isinstance(module, str) else None
    found = getattr(home, "__dict__", {}).get(name)
    if not isinstance(found, type) or found.__module__ != module or getattr(found, "_registered_kind", None) not in _OF_MODELS:
        return None
    return found
