"""Packages whose parts load when they are first used, so that importing them takes no time."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module
from typing import Any

from pyml.errors import did_you_mean


def no_such(package: str, name: str, known: Iterable[str], now: Mapping[str, str] | None = None) -> AttributeError:
    """The error of a name that a module does not have, with the one that is nearest: `ops.mean` for TensorFlow's `reduce_mean`.

    `now` says of names of Keras 2, which Keras 3 left out, what took their places.
    """
    if now and name in now:
        return AttributeError(f"module {package!r} has no {name}, which Keras 3 left out: {now[name]}.")
    hint = "" if name.startswith("_") else did_you_mean(name.removeprefix("reduce_"), known)
    # Python adds the name to an error that has no `obj`, and to the message then a guess of its own: the same once more
    return AttributeError(f"module {package!r} has no attribute {name!r}.{hint}", obj=sys.modules.get(package))


def left_out(module: str, now: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module that has no more names than it has, and tells of `now` as `no_such` does."""
    return functools.partial(_refuse, module, now)  # no function, as those of a family of functions are


def _refuse(module: str, now: Mapping[str, str], name: str) -> Any:
    raise no_such(module, name, dir(sys.modules[module]), now)


class LeftOut:
    """A method or attribute of Keras 2 that Keras 3 left out: there is none, and who asks for it is told what took its place."""

    def __init__(self, now: str) -> None:
        self.now = now

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, obj: Any, owner: type) -> Any:
        raise AttributeError(f"{owner.__name__} has no {self.name}, which Keras 3 left out: {self.now}.")


def parts(package: str, names: Mapping[str, str], modules: Collection[str] = ()) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package.

    Args:
        package: Its `__name__`.
        names: The module of each name: one in the package (`"charts"`), or any (`"pyml.data.splitting"`).
        modules: Those modules in the package that are names themselves.
    """

    def __getattr__(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in names:
            raise no_such(package, name, __dir__())
        home = names[name]
        value = getattr(import_module(home if home.startswith("pyml.") else f"{package}.{home}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *names, *modules})

    return __getattr__, __dir__
