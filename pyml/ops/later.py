"""Ops that load when first touched: `import pyml.ops` in a tab takes only the time of those that every model uses.

A home (`numpy.py`, `nn.py`, ...) star-imports the files of common ops and names the others with `later`. Both are equal to
users: `ops.sort`, `from pyml.ops import *` and `dir(ops)` find them. An op that is an operator or a method of tensors
(`@op(operator=...)`) is needed before anyone names it, so its file is not among the later ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from pyml.lazily import no_such

# Home -> files that are not loaded yet, and homes whose names it has too.
_WAITING: dict[str, list[str]] = {}
_HOMES: dict[str, Sequence[ModuleType]] = {}


def later(home: str, *files: str, homes: Sequence[ModuleType] = ()) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of the module `home`, which look in `files` of `pyml/ops`, then in other homes."""
    _WAITING[home], _HOMES[home] = list(files), homes

    def __getattr__(name: str) -> Any:
        if name == "__all__" and homes:  # `from pyml.ops import *`
            load(home)
            return [name for name, value in vars(sys.modules[home]).items() if not name.startswith("_") and callable(value)]
        if not name.startswith("__"):
            for look in (_in_files, _in_homes):
                if look(home, name):
                    return vars(sys.modules[home])[name]
        raise no_such(home, name, () if name.startswith("_") else __dir__())

    def __dir__() -> list[str]:
        load(home)
        return sorted(vars(sys.modules[home]))

    return __getattr__, __dir__


def load(home: str) -> None:
    """Loads all files of a home that wait, and those of its homes."""
    while _WAITING[home]:
        _load_next(home)
    names = vars(sys.modules[home])
    for other in _HOMES[home]:
        load(other.__name__)
        for name, value in vars(other).items():
            if not name.startswith("_"):
                names.setdefault(name, value)


def _in_files(home: str, name: str) -> bool:
    names = vars(sys.modules[home])
    while name not in names and _WAITING[home]:
        _load_next(home)
    return name in names


def _in_homes(home: str, name: str) -> bool:
    for other in _HOMES[home]:
        if hasattr(other, name):
            vars(sys.modules[home])[name] = getattr(other, name)
            return True
    return False


def _load_next(home: str) -> None:
    # Off the list only when loaded: an import that failed is tried again by the next touch.
    module = import_module(f"{__package__}.{_WAITING[home][0]}")
    names = vars(sys.modules[home])
    for name in module.__all__:
        names.setdefault(name, getattr(module, name))
    del _WAITING[home][0]
