"""First values of weights, with Keras' names and defaults."""

import inspect

from pyml.core.naming import to_snake_case
from pyml.initializers.base import Initializer
from pyml.initializers.constant import Constant, Identity, IdentityInitializer, Ones, Zeros
from pyml.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    OrthogonalInitializer,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from pyml.saving.registry import deserialize_keras_object, serialize_keras_object

_CLASSES = [Constant, Identity, Ones, Zeros, GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal,
            LecunUniform, Orthogonal, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling]
_BY_NAME = {cls.__name__: cls for cls in _CLASSES} | {to_snake_case(cls.__name__): cls for cls in _CLASSES}
_BY_NAME |= {"uniform": RandomUniform, "normal": RandomNormal, "one": Ones, "zero": Zeros,
             "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal}
globals().update({to_snake_case(cls.__name__): cls for cls in _CLASSES})


def serialize(initializer):
    """A config dict for `deserialize`."""
    return serialize_keras_object(initializer)


def deserialize(config, custom_objects=None):
    """The initializer that a config dict or a name describes."""
    return deserialize_keras_object(config, custom_objects, module_objects=_BY_NAME)


def get(identifier):
    """An initializer from a name, a config dict, a class, an instance or a function of shape and dtype.

    Raises:
        ValueError: Nothing is known under that identifier.
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        found = deserialize(identifier)
    else:
        import numpy as np

        from pyml.core import Tensor

        found = Constant(identifier) if isinstance(identifier, (np.ndarray, Tensor)) else identifier
    if inspect.isclass(found):
        found = found()
    if callable(found):
        return found.clone() if found is identifier and isinstance(found, RandomInitializer) else found
    raise ValueError(f"Could not interpret initializer: {identifier!r}. Known names: {', '.join(sorted(_BY_NAME))}.")


__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer",
    "RandomInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
    "deserialize", "get", "serialize", *(to_snake_case(cls.__name__) for cls in _CLASSES),
]
