"""Automatic names: `dense`, `dense_1`, `conv2d`, and the scopes that variable paths are made of."""

import re
from contextvars import ContextVar, Token
from typing import Any, Self

from pyml.device.lock import LOCK

_counters: dict[str, int] = {}
_uids: dict[str, int] = {}
_scopes: ContextVar[tuple[str, ...]] = ContextVar("name_scopes", default=())  # of this thread and task


def to_snake_case(name: str) -> str:
    """`"MaxPooling2D"` -> `"max_pooling2d"`, the form of automatic layer names."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """`prefix` made snake case and numbered from its second use on: `dense`, `dense_1`, ..."""
    return uniquify(to_snake_case(prefix))


def uniquify(name: str) -> str:
    """`name` at its first use, then `name_1`, `name_2`, ..."""
    with LOCK:
        count = _counters.get(name, 0)
        _counters[name] = count + 1
    return f"{name}_{count}" if count else name


def get_uid(prefix: str = "") -> int:
    """1 at the first call with `prefix`, then 2, 3, ...

    Example:
        >>> pyml.backend.get_uid("a new prefix"), pyml.backend.get_uid("a new prefix")
        (1, 2)
    """
    with LOCK:
        _uids[prefix] = _uids.get(prefix, 0) + 1
        return _uids[prefix]


def reset_names() -> None:
    """Starts all automatic names and numbers again at their first form."""
    _counters.clear()
    _uids.clear()


class _Opened(str):
    """The name of an open scope, and who opened it."""

    __slots__ = ("caller",)
    caller: Any


def _within(scopes: tuple[str, ...], name: str, caller: Any, deduplicate: bool = True) -> tuple[str, ...]:
    """The scopes with one of `name` inside, unless `caller` has just opened it."""
    if deduplicate and caller is not None and scopes and scopes[-1] == name and getattr(scopes[-1], "caller", None) is caller:
        return scopes
    opened = _Opened(name)
    opened.caller = caller
    return (*scopes, opened)


class name_scope:
    """Paths of Variables made inside begin with `name/`.

    Args:
        name: Name of the scope, without `/`.
        caller: The object that opens it, whose scope is not nested in itself.
        deduplicate: False nests it in itself all the same.
        override_parent: Path that takes the place of the scopes around.

    Raises:
        ValueError: `name` is not a string without `/`.

    Example:
        >>> with pyml.name_scope("block"):
        ...     print(pyml.Variable(0.0, name="weight").path)
        block/weight
    """

    def __init__(self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"name_scope: name must be a string without '/'. Received: name={name!r}")
        self.name, self.caller, self.deduplicate, self.override_parent = name, caller, deduplicate, override_parent
        self._before: list[Token[tuple[str, ...]]] = []

    def __enter__(self) -> Self:
        given = self.override_parent
        scopes = _scopes.get() if given is None else tuple(part for part in given.split("/") if part)
        self._before.append(_scopes.set(_within(scopes, self.name, self.caller, self.deduplicate)))
        return self

    def __exit__(self, *failure: object) -> None:
        _scopes.reset(self._before.pop())


def enter_scope(name: str, caller: Any) -> Token[tuple[str, ...]]:
    """As `name_scope(name, caller)` for the calls of layers, which are many: a name known to be right, and `leave_scope` at the end."""
    return _scopes.set(_within(_scopes.get(), name, caller))


leave_scope = _scopes.reset


def current_path() -> str:
    """The open scopes joined by `/`, or an empty string."""
    return "/".join(_scopes.get())


def innermost_caller() -> Any:
    """Who opened the innermost scope: within a layer's call the layer; None if nobody did."""
    return getattr(scopes[-1], "caller", None) if (scopes := _scopes.get()) else None


def scoped(name: str) -> str:
    """The path of something called `name` that is made here."""
    path = current_path()
    return f"{path}/{name}" if path else name


def get_object_name(obj: Any) -> str:
    """The name of a layer, metric, function or class instance, as logs show it."""
    if hasattr(obj, "name"):
        return obj.name
    if hasattr(obj, "__name__"):
        return to_snake_case(obj.__name__)
    return to_snake_case(type(obj).__name__)
