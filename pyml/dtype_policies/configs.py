"""Policies as plain dicts and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .policy import CLASSES, DTypePolicy


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as a dict of plain values.

    Args:
        dtype_policy: A policy.

    Example:
        >>> pyml.dtype_policies.serialize(pyml.dtype_policies.DTypePolicy("mixed_float16"))["config"]
        {'name': 'mixed_float16'}
    """
    cls = type(dtype_policy)
    home = "keras" if cls.__name__ == "DTypePolicy" else "keras.dtype_policies"
    module = home if CLASSES.get(cls.__name__) is cls else cls.__module__
    return {"module": module, "class_name": cls.__name__, "config": dtype_policy.get_config(), "registered_name": None}


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The policy that `serialize` described.

    Args:
        config: What `serialize` returned, or Keras' own files have.
        custom_objects: Further classes by their names.

    Raises:
        ValueError: The config names no policy.

    Example:
        >>> pyml.dtype_policies.deserialize({"class_name": "DTypePolicy", "config": {"name": "float32"}})
        <DTypePolicy "float32">
    """
    name = config.get("class_name") if isinstance(config, dict) else None
    known = CLASSES | dict(custom_objects or {})
    if name not in known:
        raise ValueError(f"deserialize: config names none of the policies {', '.join(sorted(known))}. Received: config={config!r}")
    inner = dict(config.get("config") or {})
    cls: Any = known[name]
    return cls.from_config(inner)
