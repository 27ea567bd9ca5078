"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import activations, constraints, initializers, ops, regularizers
from pyml.core import Tensor
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.quantizable import Quantizable
from pyml.layers.quantized_matrix import (
    activation_quantizer,
    adapter,
    again,
    floats,
    int4_product,
    int8_product,
    quantized_matrix,
    unpack_int4,
)
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Dense"]


class Dense(Quantizable, Layer, not_in_config=("lora_rank", "lora_alpha")):
    """`activation(inputs @ kernel + bias)`.

    Args:
        units: Number of outputs, a positive integer.
        activation: Name or function.
        use_bias: Whether to add a bias.
        kernel_initializer, bias_initializer: Names or objects.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Functions applied after each update.
        lora_rank, lora_alpha: Rank of a low-rank adapter, and what its product is multiplied by, times the rank; see `enable_lora`.
        quantization_config: How weights are quantized, with a quantized `dtype` such as `"int8_from_float32"`; see `quantize`.

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
        self._init_lora(lora_rank, lora_alpha)
        self.quantization_config = quantization_config
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
        if self.quantization_mode is None:
            self._kernel: Any = make_weight(self, "kernel", (features, self.units))
        else:
            self.quantized_build((features, self.units), self.quantization_mode, self.quantization_config)
        self.bias = make_weight(self, "bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    @property
    def kernel(self) -> Any:
        """The weight `(features, units)`, with what an adapter adds to it; integers where it is quantized."""
        if self.built and self.quantization_mode == "int4":
            return self._with_adapter(unpack_int4(self._kernel, self.units))
        return self._with_adapter(self.__dict__.get("_kernel"))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self._finish(ops.matmul(inputs, self.kernel))

    def _finish(self, x: Any) -> Any:
        if self.bias is not None:
            x = x + self.bias
        return x if self.activation is None else self.activation(x)

    # ---- quantized
    def _int8_build(self, shape: tuple[int, ...], config: Any) -> None:
        self.inputs_quantizer = activation_quantizer(config, default=True)
        self._packed("kernel", shape, "_kernel")
        self._scales("kernel_scale", shape[1:])

    def _int4_build(self, shape: tuple[int, ...], config: Any) -> None:
        self.inputs_quantizer = activation_quantizer(config, default=False)
        rows, columns = shape
        self._packed("kernel", (rows, (columns + 1) // 2), "_kernel")
        self._scales_of_columns(rows, columns)

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        return quantized_matrix(self, self._kernel.numpy(), mode, config)

    def _merged(self) -> dict[str, Any]:
        if not self.lora_enabled or self.quantization_mode is None:
            return super()._merged()
        return again(self, floats(self, self.units) + adapter(self))

    def _weight_shape(self) -> tuple[int, ...]:
        return (self._kernel.shape[0], self.units)

    def _int8_call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self._finish(self._plus_adapter(inputs, int8_product(self, inputs, self.units)))

    def _int4_call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self._finish(self._plus_adapter(inputs, int4_product(self, inputs, self.units)))

    def _plus_adapter(self, inputs: Tensor, x: Any) -> Any:
        return x + self._of_adapter(ops.matmul(inputs, self._thin[0])) if self.lora_enabled else x

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, activation="tanh"), draw(4, 5), like=lambda x, kernel, bias: np.tanh(x @ kernel + bias))
        yield sample(cls(2, use_bias=False), draw(2, 3, 4), like=lambda x, kernel: x @ kernel)


def positive_int(value: Any, name: str | None, owner: str, of_no_integer: type[Exception] = ValueError) -> int:
    """`value`, which must be a positive integer; `of_no_integer` is the error for what is none, as Keras has it for some layers."""
    integer = not isinstance(value, bool) and hasattr(value, "__index__")
    if not integer or value <= 0:
        raise (ValueError if integer else of_no_integer)(f"{owner}: {name} must be a positive integer. Received: {name}={value!r}")
    return int(value)
