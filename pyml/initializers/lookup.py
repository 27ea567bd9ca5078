"""How initializers are found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyml.core import Tensor
from pyml.initializers.constant import Constant
from pyml.initializers.random import RandomInitializer
from pyml.objects.registry import INITIALIZERS
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]


def serialize(initializer: Any) -> Any:
    """The config dict of an `initializer`, for `deserialize`.

    Example:
        >>> pyml.initializers.serialize(pyml.initializers.Constant(2.0))["class_name"]
        'Constant'
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer of a `config`, a name or what `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.initializers.serialize(pyml.initializers.Constant(2.0))
        >>> pyml.initializers.deserialize(config).value
        2.0
    """
    return deserialize_keras_object(config, custom_objects, kind=INITIALIZERS)


def get(identifier: Any) -> Any:
    """An initializer from a name, a config dict, a class, an instance, an array or a function of shape and dtype.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> pyml.initializers.get("zeros")((2,)).numpy()
        array([0., 0.], dtype=float32)
    """
    if isinstance(identifier, (np.ndarray, Tensor)):
        return Constant(identifier)
    if isinstance(identifier, RandomInitializer):
        return identifier.clone()                      # so that each weight draws from a seed of its own
    return interpret(identifier, INITIALIZERS)
