"""First values of weights, with Keras' names and defaults."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyml.core import Tensor
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
from pyml.objects.registry import INITIALIZERS
from pyml.objects.serialization import deserialize_keras_object, interpret, serialize_keras_object

constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, orthogonal = LecunNormal, LecunUniform, Orthogonal
random_normal, random_uniform, truncated_normal, variance_scaling = RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling


def serialize(initializer: Any) -> Any:
    """A config dict for `deserialize`."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that a config dict or a name describes."""
    return deserialize_keras_object(config, custom_objects, kind=INITIALIZERS)


def get(identifier: Any) -> Any:
    """An initializer from a name, a config dict, a class, an instance, an array or a function of shape and dtype.

    Raises:
        ValueError: Nothing is known under that identifier.
    """
    if isinstance(identifier, (np.ndarray, Tensor)):
        return Constant(identifier)
    if isinstance(identifier, RandomInitializer):
        return identifier.clone()                      # so that each weight draws from a seed of its own
    return interpret(identifier, INITIALIZERS)


__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer", "Initializer",
    "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomInitializer", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "deserialize", "get",
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones",
    "orthogonal", "random_normal", "random_uniform", "serialize", "truncated_normal", "variance_scaling", "zeros",
]
