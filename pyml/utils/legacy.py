"""Keras' older names of functions that read configs."""

from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
