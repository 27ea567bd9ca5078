"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import activations, constraints, initializers, ops, regularizers
from pyml.core import Tensor
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Dense"]


class Dense(Layer, not_in_config=("lora_rank", "lora_alpha", "quantization_config")):
    """`activation(inputs @ kernel + bias)`.

    Args:
        units: Number of outputs, a positive integer.
        activation: Name or function.
        use_bias: Whether to add a bias.
        kernel_initializer, bias_initializer: Names or objects.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Functions applied after each update.
        lora_rank, lora_alpha, quantization_config: Kept for Keras' signature; only None is supported.

    Input shape: `(batch, ..., features)`. Output shape: `(batch, ..., units)`.

    Raises:
        ValueError: `units` is not a positive integer.

    Example:
        >>> layer = pyml.layers.Dense(3, activation="relu")
        >>> layer(np.ones((4, 5))).shape
        (4, 3)
        >>> [tuple(weight.shape) for weight in layer.weights]
        [(5, 3), (3,)]
    """

    def __init__(self, units: int, activation: ActivationLike = None, use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, lora_rank: int | None = None, lora_alpha: int | None = None,
                 quantization_config: Any = None, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        for name, value in (("lora_rank", lora_rank), ("quantization_config", quantization_config)):
            if value is not None:
                raise ValueError(f"Dense: {name} is not supported; leave it None. Received: {name}={value!r}")
        self.units = positive_int(units, "units", "Dense")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        features = known_size(self, input_shape, -1)
        self.kernel = make_weight(self, "kernel", (features, self.units))
        self.bias = make_weight(self, "bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = x + self.bias
        return x if self.activation is None else self.activation(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, activation="tanh"), draw(4, 5), like=lambda x, kernel, bias: np.tanh(x @ kernel + bias))
        yield sample(cls(2, use_bias=False), draw(2, 3, 4), like=lambda x, kernel: x @ kernel)


def positive_int(value: Any, name: str | None, owner: str) -> int:
    """`value`, which must be a positive integer."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value <= 0:
        raise ValueError(f"{owner}: {name} must be a positive integer. Received: {name}={value!r}")
    return int(value)
