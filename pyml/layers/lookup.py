"""How layers are put into configs and made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.layers.layer import Layer
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize", "serialize"]


def serialize(layer: Layer) -> Any:
    """The config dict of a `layer`, for `deserialize`.

    Example:
        >>> pyml.layers.serialize(pyml.layers.Dense(3))["class_name"]
        'Dense'
    """
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer or model of a `config` that `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.layers.serialize(pyml.layers.Dense(3))
        >>> pyml.layers.deserialize(config).units
        3
    """
    return deserialize_keras_object(config, custom_objects, kind=LAYERS)
