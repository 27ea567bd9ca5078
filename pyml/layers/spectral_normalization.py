"""`SpectralNormalization`: a layer whose weight keeps the largest singular value 1 while it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import initializers, ops
from pyml.core import Variable
from pyml.layers.dense import Dense
from pyml.layers.input_spec import InputSpec
from pyml.layers.wrapper import Wrapper
from pyml.objects.samples import Sample, draw, sample

__all__ = ["SpectralNormalization"]


class SpectralNormalization(Wrapper):
    """A layer whose `kernel` (or `embeddings`) is divided by its largest singular value at each training step.

    The singular value comes from a few steps of the power method, which goes on from step to step.

    Args:
        layer: The layer inside, with the weight.
        power_iterations: Steps of the power method at each training step.

    Raises:
        ValueError: `power_iterations` is not positive, or the layer has no such weight.

    Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks".

    Example:
        >>> layer = pyml.layers.SpectralNormalization(pyml.layers.Dense(4))
        >>> y = layer(np.ones((2, 3), "float32"), training=True)
        >>> y.shape, [weight.name for weight in layer.non_trainable_weights]
        ((2, 4), ['vector_u'])
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(f"SpectralNormalization: `power_iterations` should be greater than zero. Received: {power_iterations}")
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if not isinstance(kernel, Variable):
            raise ValueError(f"SpectralNormalization: {type(self.layer).__name__} has no attribute 'kernel' nor 'embeddings' that is a "
                             "weight of floats.")
        self.kernel = kernel
        self.vector_u = self.add_weight(shape=(1, kernel.shape[-1]), initializer=initializers.TruncatedNormal(stddev=0.02),
                                        trainable=False, name="vector_u", dtype=kernel.dtype)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            vector, kernel = self.normalized_weights()
            nothing = ops.all(ops.equal(self.kernel, 0.0))  # nothing to divide, and nothing to divide by
            vector, kernel = ops.where(nothing, self.vector_u, vector), ops.where(nothing, self.kernel, kernel)
            self.vector_u.assign(vector)
            self.kernel.assign(ops.stop_gradient(kernel))
        return self.layer(inputs)

    def normalized_weights(self) -> tuple[Any, Any]:
        """The next vector of the power method, and the weight divided by the singular value that it finds."""
        matrix = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u: Any = self.vector_u.value
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(matrix)))
            u = _unit(ops.matmul(v, matrix))
        return u, ops.divide(self.kernel, ops.matmul(ops.matmul(v, matrix), ops.transpose(u))[0, 0])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(Dense(3)), draw(4, 5), like=lambda x, kernel, vector_u, bias: np.asarray(x) @ kernel + bias)


def _unit(x: Any) -> Any:
    """`x` divided by its length, which counts as 1e-7 at least."""
    return ops.multiply(x, ops.minimum(ops.rsqrt(ops.sum(ops.square(x))), 1e7))
