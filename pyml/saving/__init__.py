"""Registering classes for configs, weights on disk, and models made elsewhere."""

from pyml.saving.files import ModelFileError
from pyml.saving.loading import load_model, load_model_async
from pyml.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from pyml.saving.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope", "ModelFileError", "custom_object_scope", "deserialize_keras_object", "get_custom_objects",
    "get_registered_name", "get_registered_object", "load_model", "load_model_async", "load_weights",
    "register_keras_serializable", "save_weights",
    "serialize_keras_object",
]
