"""Activation functions, with Keras' names: `relu`, `softmax`, `gelu`, ... and `get` to look one up."""

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
from pyml.saving.registry import deserialize_keras_object, serialize_keras_object

__all__ = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax",
    "soft_shrink", "softplus", "softsign", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]
_BY_NAME = {name: globals()[name] for name in __all__}
_BY_NAME["hard_swish"] = hard_silu
__all__ += ["deserialize", "get", "serialize"]


def serialize(activation):
    """The name of one of the functions here, or a config dict."""
    name = getattr(activation, "__name__", None)
    if name in _BY_NAME and _BY_NAME[name] is activation:
        return name
    return serialize_keras_object(activation)


def deserialize(config, custom_objects=None):
    """The activation that a name or a config dict describes."""
    return deserialize_keras_object(config, custom_objects, module_objects=_BY_NAME)


def get(identifier):
    """An activation from a name, a config dict, None (`linear`) or a function.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> pyml.activations.get("relu") is pyml.activations.relu
        True
    """
    if identifier is None:
        return linear
    found = deserialize(identifier) if isinstance(identifier, (str, dict)) else identifier
    if callable(found):
        return found
    raise ValueError(
        f"Could not interpret activation function: {identifier!r}. Known names: {', '.join(sorted(_BY_NAME))}."
    )
