"""Automatic names: `dense`, `dense_1`, `conv2d`, and the scopes that variable paths are made of."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

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


@contextmanager
def name_scope(name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None) -> Iterator[None]:
    """Paths of Variables made inside begin with `name/`; nesting the innermost scope in itself adds nothing.

    Args:
        name: Name of the scope, without `/`.
        caller: The object that opens it: with one, only the same object's scope is not nested in itself.
        deduplicate: False nests a scope in itself all the same.
        override_parent: Path that takes the place of the scopes around.

    Raises:
        ValueError: `name` is not a string without `/`.

    Example:
        >>> with pyml.name_scope("block"):
        ...     pass
    """
    if not isinstance(name, str) or "/" in name:
        raise ValueError(f"name_scope: name must be a string without '/'. Received: name={name!r}")
    scopes = _scopes.get() if override_parent is None else tuple(part for part in override_parent.split("/") if part)
    before = _scopes.set(scopes if deduplicate and scopes[-1:] == (name,) else (*scopes, name))
    try:
        yield
    finally:
        _scopes.reset(before)


def enter_scope(name: str) -> Token[tuple[str, ...]]:
    """As `name_scope(name)` for the calls of layers, which are many: a name known to be right, and `leave_scope` at the end."""
    scopes = _scopes.get()
    return _scopes.set(scopes if scopes[-1:] == (name,) else (*scopes, name))


leave_scope = _scopes.reset


def current_path() -> str:
    """The open scopes joined by `/`, or an empty string."""
    return "/".join(_scopes.get())


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
