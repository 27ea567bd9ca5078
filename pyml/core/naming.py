"""Automatic names: `dense`, `dense_1`, `conv2d`, and the scopes that variable paths are made of."""

import re
from contextlib import contextmanager

_counters: dict[str, int] = {}
_scopes: list[str] = []


def to_snake_case(name):
    """`"MaxPooling2D"` -> `"max_pooling2d"`, the form of automatic layer names."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix):
    """`prefix` made snake case and numbered from its second use on: `dense`, `dense_1`, ..."""
    return uniquify(to_snake_case(prefix))


def uniquify(name):
    """`name` at its first use, then `name_1`, `name_2`, ..."""
    count = _counters.get(name, 0)
    _counters[name] = count + 1
    return f"{name}_{count}" if count else name


def reset_names():
    """Starts all automatic names again at their first form."""
    _counters.clear()


@contextmanager
def name_scope(name):
    """Names made inside are prefixed with `name/`; nesting the innermost scope in itself adds nothing."""
    if _scopes and _scopes[-1] == name:
        yield
        return
    _scopes.append(name)
    try:
        yield
    finally:
        _scopes.pop()


def current_path():
    """The open scopes joined by `/`, or an empty string."""
    return "/".join(_scopes)


def get_object_name(obj):
    """The name of a layer, metric, function or class instance, as logs show it."""
    if hasattr(obj, "name"):
        return obj.name
    if hasattr(obj, "__name__"):
        return to_snake_case(obj.__name__)
    return to_snake_case(type(obj).__name__)
