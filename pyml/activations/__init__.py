"""Activation functions, with Keras' names: `relu`, `softmax`, `gelu`, ... and `get` to look one up."""

from collections.abc import Callable, Mapping
from typing import Any

from pyml.activations.functions import (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
)
from pyml.objects.registry import ACTIVATIONS
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object

__all__ = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax",
    "soft_shrink", "softplus", "softsign", "squareplus", "swish", "tanh", "tanh_shrink", "threshold", "deserialize", "get", "serialize",
]


def serialize(activation: Any) -> Any:
    """The name of one of the functions here, or a config dict."""
    return ACTIVATIONS.name_of(activation) or serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation that a name or a config dict describes."""
    return deserialize_keras_object(config, custom_objects, kind=ACTIVATIONS)


def get(identifier: Any) -> Callable[..., Any]:
    """An activation from a name, a config dict, None (`linear`) or a function.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> pyml.activations.get("relu") is pyml.activations.relu
        True
    """
    return linear if identifier is None else interpret(identifier, ACTIVATIONS)
