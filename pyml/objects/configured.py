"""`Registered`: a class that is known by its name. `Configured`: objects whose config is what their constructor was given."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any, ClassVar, Self
from weakref import WeakKeyDictionary

import numpy as np

from pyml.core.naming import to_snake_case
from pyml.errors import did_you_mean
from pyml.objects import registry
from pyml.objects.common_part import CommonPart
from pyml.objects.explaining import explained
from pyml.objects.registry import Kind, custom_object_scope
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.tracebacks import is_ours


class Registered:
    """Base: a built-in subclass is known under its name, and `aliases`, as soon as it is defined.

    Class arguments:
        kind: Given once, by the base of the kind.
        aliases: Further names.
        abstract: A base that has no name in configs.
        not_in_config: Arguments of the constructor that configs leave out.
    """

    _registered_kind: ClassVar[Kind]
    _registered_base: ClassVar[type] = object
    _common_part: ClassVar[CommonPart | None] = None   # of the docstrings of the kind
    _not_in_config: ClassVar[tuple[str, ...]] = ()
    _hints: ClassVar[tuple[str, ...]] = ()             # arguments of any subclass that are not for the config
    _reads_numbers: ClassVar[bool] = False             # the constructor takes numbers as text

    def __init_subclass__(cls, *, kind: Kind | None = None, aliases: tuple[str, ...] = (), abstract: bool = False,
                          not_in_config: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is not None:
            cls._registered_kind, cls._registered_base = kind, cls
        cls._not_in_config = (*cls._not_in_config, *not_in_config)
        if kind is None and is_ours(cls) and "__init__" in vars(cls):
            cls.__init__ = explained(cls)  # type: ignore[method-assign]
        if not abstract:
            cls._registered_kind.add(cls, aliases)
            if cls._common_part is not None and is_ours(cls) and not cls.__name__.startswith("_"):
                cls._common_part.add_to(cls, cls._registered_kind.find_function(to_snake_case(cls.__name__)))


class Configured(Registered, kind=registry.NONE, abstract=True):
    """Base: `get_config` describes an object by the arguments of its constructor, `from_config` makes an equal one.

    Built-in classes keep an argument as the attribute of its name, and the config has what the attribute holds now. Of
    users' classes it has what the constructor was given, as in Keras. Where a user's class writes `get_config`, what it
    finds in `super().get_config()` are the arguments of the built-in class below it.
    """

    _constructor: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if kwargs or cls.__init__ is object.__init__:
            _refuse_unknown(cls, args, kwargs)
        made = super().__new__(cls)
        made.__dict__["_constructor"] = (args, kwargs)  # past a `__setattr__` that needs what `__init__` makes
        return made

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as a dict of plain values."""
        makers, written = _makers(self)
        config = self._base_config()
        if makers and not written and not is_ours(makers[0]):
            config = {name: value for name, value in config.items() if _takes(makers[0], name)}
        if makers and (not written or is_ours(makers[0])):
            config |= _arguments(self, makers, *(((), {}) if written else self._constructor))
        return {name: value for name, value in config.items() if name not in self._not_in_config}

    def _base_config(self) -> dict[str, Any]:
        """What every object of the kind has."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """An object from what `get_config` returned.

        Args:
            config: Arguments of the constructor; nested objects as dicts.
            custom_objects: Dict of names that come before built-in ones.
        """
        if not isinstance(config, Mapping):
            raise TypeError(f"{cls.__name__}.from_config: expected the dict that get_config() returns. Received: {config!r}")
        with custom_object_scope(custom_objects) if custom_objects else nullcontext():
            return cls(**revived(config, cls._registered_kind))


def _refuse_unknown(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Names an argument that a constructor does not take, and the nearest of those that it takes.

    Raises:
        TypeError: As Python does.
    """
    if cls.__init__ is object.__init__:  # type: ignore[misc]
        if args or kwargs:
            raise TypeError(f"{cls.__name__}() takes no arguments. Received: {', '.join(map(repr, (*args, *kwargs)))}")
        return
    takes = _signature(next(maker for maker in cls.__mro__ if "__init__" in vars(maker))).parameters
    if any(name not in takes for name in kwargs) and not any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        name = next(name for name in kwargs if name not in takes)
        hint = did_you_mean(name, argument_names(cls))
        raise TypeError(f"{cls.__name__}.__init__() got an unexpected keyword argument {name!r}.{hint}")


def argument_names(cls: type) -> list[str]:
    """The arguments that a class' constructor takes, those that it hands on included."""
    found: dict[str, None] = {}
    for maker in cls.__mro__:
        if "__init__" in vars(maker) and maker is not object:
            own = list(_signature(maker).parameters.values())[1:]
            found |= dict.fromkeys(p.name for p in own if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
            if not any(p.kind is p.VAR_KEYWORD for p in own):
                break
    return list(found)


def plain(value: Any) -> Any:
    """A value that a built-in object keeps, as its config has it: numbers, text and tuples as they are."""
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if hasattr(value, "get_config") or callable(value) or hasattr(value, "__array__"):  # a Tensor, too
        return serialize_keras_object(value)
    return value


_signatures: WeakKeyDictionary[type, inspect.Signature] = WeakKeyDictionary()


def _signature(maker: type) -> inspect.Signature:
    if maker not in _signatures:
        _signatures[maker] = inspect.signature(vars(maker)["__init__"])
    return _signatures[maker]


def _makers(obj: Configured) -> tuple[list[type], bool]:
    """The classes whose constructors made what `get_config` is to describe, and whether a user wrote a `get_config` above."""
    mro = type(obj).__mro__[: type(obj).__mro__.index(obj._registered_base)]
    writers = [i for i, cls in enumerate(mro) if "get_config" in vars(cls) and not is_ours(cls)]
    return [cls for cls in mro[writers[-1] + 1 if writers else 0:] if "__init__" in vars(cls)], bool(writers)


def _takes(maker: type, argument: str) -> bool:
    parameters = _signature(maker).parameters
    return argument in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _arguments(obj: Configured, makers: list[type], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the first constructor and those it hands on, without those that the base describes."""
    config = {}
    kwargs = {name: value for name, value in kwargs.items() if name not in obj._hints}
    for name, value, by_attribute in _given(makers, args, kwargs):
        if name not in _base_names(obj._registered_base):
            value = _now(obj, name, value) if by_attribute else value
            named = registry.ACTIVATIONS.name_of(value) if name.rpartition("_")[2] == "activation" else None
            config[name] = named or (plain(value) if by_attribute else serialize_keras_object(value))
    return config


def _given(makers: list[type], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Names, values and whether an attribute has the value, for the first constructor and what it hands on."""
    maker, *below = makers
    ours = is_ours(maker)
    left, rest = list(args), dict(kwargs)
    hands_on = False
    for name, parameter in list(_signature(maker).parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            hands_on = True
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            takes_place = parameter.kind is not parameter.KEYWORD_ONLY and bool(left)
            value = left.pop(0) if takes_place else rest.pop(name, parameter.default)
            if value is not parameter.empty or ours:
                yield name, value, ours
    lower = [list(_signature(cls).parameters)[1:] for cls in below if is_ours(cls)]
    if left and lower:
        rest |= dict(zip(lower[0], left, strict=False))
    if hands_on:
        for name, value in rest.items():
            yield name, value, ours or any(name in names for names in lower)


def _now(obj: Any, name: str, given: Any) -> Any:
    """What the object keeps under the name of an argument, or what was given."""
    for kept in (name, f"_{name}"):
        if kept in obj.__dict__:
            return obj.__dict__[kept]
    mro = type(obj).__mro__
    if any(inspect.isdatadescriptor(vars(cls).get(name)) for cls in mro[: mro.index(obj._registered_base)]):
        return getattr(obj, name)
    return None if given is inspect.Parameter.empty else given


def _base_names(base: type) -> frozenset[str]:
    """Arguments of the base's constructor, which the base itself describes."""
    return frozenset(_signature(base).parameters) if "__init__" in vars(base) else frozenset()


def _kind_of(argument: str, owner: Kind) -> Kind | None:
    """The kind of a nested object by the name of the argument."""
    if argument == "learning_rate":
        return registry.SCHEDULES
    return _BY_LAST_WORD.get(argument.rpartition("_")[2], owner)


_BY_LAST_WORD: dict[str, Kind | None] = {
    "initializer": registry.INITIALIZERS, "regularizer": registry.REGULARIZERS, "constraint": registry.CONSTRAINTS,
    "activation": registry.ACTIVATIONS, "quantizer": registry.QUANTIZERS, "seed": None, "fn": None, "function": None,
}


def revived(config: Mapping[str, Any], owner: Kind) -> dict[str, Any]:
    """The arguments of a config with the objects that they describe, for a constructor of a class of this kind."""
    return {name: _revived(value, _kind_of(name, owner)) for name, value in config.items()}


def _revived(value: Any, kind: Kind | None) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_revived(item, kind) for item in value)
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("class_name"), str) and not value["class_name"].endswith(("DTypePolicy", "DTypePolicyMap")):
        return deserialize_keras_object(value, kind=kind)
    return {key: _revived(item, kind) for key, item in value.items()}
