"""Initializers without randomness."""

import numpy as np

from pyml.initializers.base import Initializer
from pyml.saving.registry import serialize_keras_object


class Constant(Initializer):
    """Every element is `value`, a number or an array that broadcasts to the shape."""

    def __init__(self, value=0.0):
        self.value = value

    def host_value(self, shape, dtype):
        return np.ascontiguousarray(np.broadcast_to(np.asarray(self.value, dtype), shape))

    def get_config(self):
        value = self.value.tolist() if isinstance(self.value, np.ndarray) else self.value
        return {"value": serialize_keras_object(value)}


class Zeros(Initializer):
    """Every element is 0."""

    def host_value(self, shape, dtype):
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """Every element is 1."""

    def host_value(self, shape, dtype):
        return np.ones(shape, dtype)


class Identity(Initializer):
    """A square matrix with `gain` on its diagonal.

    Raises:
        ValueError: The shape has not two axes.
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def host_value(self, shape, dtype):
        if len(shape) != 2:
            raise ValueError(f"Identity initializer makes matrices only. Received: shape={shape}")
        return (self.gain * np.eye(*shape)).astype(dtype)

    def get_config(self):
        return {"gain": self.gain}


IdentityInitializer = Identity
