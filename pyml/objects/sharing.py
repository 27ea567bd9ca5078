"""What the making of nested objects from one config has in common: objects that occur twice, and how far the config is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pyml import settings
from pyml.objects.registry import custom_object_scope

_reading: ContextVar[Reading | None] = ContextVar("objects made", default=None)
_writing: ContextVar[dict[int, tuple[Any, dict[str, Any]]] | None] = ContextVar("objects written", default=None)


class Reading:
    """The making of one config with everything in it."""

    def __init__(self, safe_mode: bool) -> None:
        self.safe_mode = safe_mode
        self.objects: dict[Any, Any] = {}
        self._later: list[tuple[Any, dict[str, Any], Mapping[str, Any] | None]] = []

    def made(self, obj: Any, config: dict[str, Any], custom_objects: Mapping[str, Any] | None) -> None:
        """Remembers an object, and what is to be done with it, with the names known now, when all are made."""
        if config.get("shared_object_id") is not None:
            self.objects[config["shared_object_id"]] = obj
        if config.get("build_config") or config.get("compile_config"):
            self._later.append((obj, config, custom_objects))

    def finish(self) -> None:
        """Builds, the outermost first, what calls have not built, and compiles the models that were compiled."""
        for obj, config, custom_objects in reversed(self._later):
            shapes = config.get("build_config")
            if shapes and not getattr(obj, "built", True) and any(value is not None for value in shapes.values()):
                with custom_object_scope(custom_objects or {}):
                    obj.build_from_config(shapes)
        for obj, config, custom_objects in self._later:
            chosen = config.get("compile_config")
            if chosen and hasattr(obj, "compile_from_config"):
                with custom_object_scope(custom_objects or {}):
                    obj.compile_from_config(chosen)


@contextmanager
def reading(safe_mode: bool) -> Iterator[Reading]:
    """One for all calls inside the outermost, which says how far the config is trusted."""
    outer = _reading.get()
    if outer is not None:
        yield outer
        return
    one = Reading(safe_mode and not settings.unsafe_deserialization())
    token = _reading.set(one)
    try:
        yield one
        one.finish()
    finally:
        _reading.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Inside, objects that are described twice get a number in both places, and are one object again when they are made."""
    token = _writing.set({})
    try:
        yield
    finally:
        _writing.reset(token)


def written(obj: Any, config: dict[str, Any]) -> None:
    """Notes that `config` describes `obj`."""
    seen = _writing.get()
    if seen is None:
        return
    if id(obj) in seen:
        config["shared_object_id"] = seen[id(obj)][1]["shared_object_id"] = id(obj)
    else:
        seen[id(obj)] = obj, config                    # the object too: its id must not become another's
