"""How metrics are found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.objects.registry import METRICS
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]


def serialize(metric: Any) -> Any:
    """The config dict of a `metric`, for `deserialize`.

    Example:
        >>> pyml.metrics.serialize(pyml.metrics.MeanIoU(num_classes=2))["class_name"]
        'MeanIoU'
    """
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of a `config`, a name or what `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.metrics.serialize(pyml.metrics.MeanIoU(num_classes=2))
        >>> pyml.metrics.deserialize(config).num_classes
        2
    """
    return deserialize_keras_object(config, custom_objects, kind=METRICS)


def get(identifier: Any) -> Any:
    """A metric or function from a name, a config dict, a class, an instance, a function or None.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> metric = pyml.metrics.get("mae")
        >>> type(metric).__name__
        'MeanAbsoluteError'
    """
    return interpret(identifier, METRICS)
