"""`EinsumDense`: a dense layer between any axes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from math import prod
from typing import Any

import numpy as np

from pyml import activations, constraints, initializers, ops, regularizers
from pyml.core import Tensor, Variable
from pyml.errors import ShapeError
from pyml.layers.einsum_axes import aligned, letters_of
from pyml.layers.layer import Layer
from pyml.layers.quantizable import Quantizable
from pyml.layers.quantized_matrix import (
    activation_quantizer,
    adapter,
    again,
    floats,
    int4_product,
    quantized_matrix,
    unpack_int4,
)
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import make_weight
from pyml.objects.samples import Sample, draw, sample

__all__ = ["EinsumDense"]


class EinsumDense(
        Quantizable, Layer, not_in_config=("lora_rank", "lora_alpha", "gptq_unpacked_column_size")):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: For example `"abc,cd->abd"`, or with an ellipsis `"...x,xy->...y"`: letters of the inputs, of the kernel
            and of the output.
        output_shape: Sizes of the output without the batch; None where they are those of the inputs.
        activation: Name or function.
        bias_axes: Letters of the output that the bias has; no bias by default.
        kernel_initializer, bias_initializer: Names or objects.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Functions applied after each update.
        lora_rank, lora_alpha: Rank of a low-rank adapter, and what its product is multiplied by, times the rank; see `enable_lora`.
        quantization_config: How weights are quantized, with a quantized `dtype` such as `"int8_from_float32"`; see `quantize`.
        gptq_unpacked_column_size: Kept for Keras' signature.

    Raises:
        ValueError: The equation has not the form `inputs,kernel->output`, or names a size that nothing gives.

    Example:
        >>> layer = pyml.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de")
        >>> layer(np.ones((4, 5, 6))).shape
        (4, 5, 2, 3)
    """

    _always_says_penalty = True

    def __init__(self, equation: str, output_shape: Any, activation: ActivationLike = None, bias_axes: str | None = None,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, lora_rank: int | None = None,
                 lora_alpha: int | None = None, gptq_unpacked_column_size: int | None = None, quantization_config: Any = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._init_lora(lora_rank, lora_alpha)
        self.quantization_config = quantization_config
        terms = equation.replace(" ", "").replace("->", ",").split(",")
        if len(terms) != 3 or equation.count("->") != 1:
            raise ValueError(f"EinsumDense: equation must have the form 'inputs,kernel->output'. Received: {equation!r}")
        self.equation = equation
        self._terms = terms
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias: Variable | None = None

    def _sizes(self, input_shape: Any) -> Any:
        """The size of each letter, and the shape of the output."""
        given, _, wanted = self._terms
        sizes: dict = {}
        sizes.update(_named(given, tuple(input_shape), self.name))
        hidden = sizes.pop("...", ())
        length = len(wanted.replace("...", "")) + (len(hidden) if "..." in wanted else 0)
        asked = (None,) * (length - len(self.partial_output_shape)) + self.partial_output_shape
        if wanted.endswith("...") and len(self.partial_output_shape) == length - len(hidden) - 1:  # they need not name what is hidden
            asked = (None, *self.partial_output_shape, *(None,) * len(hidden))
        own = _named(wanted, asked, self.name)
        own.pop("...", None)
        sizes.update({letter: size for letter, size in own.items() if size is not None or letter not in sizes})
        shape = [size for part in _letters(wanted) for size in (hidden if part == "..." else (sizes[part],))]
        return sizes, tuple(shape)

    def build(self, input_shape: Any) -> None:
        sizes, _ = self._sizes(input_shape)
        _, kernel, wanted = self._terms
        missing = [letter for letter in kernel if sizes.get(letter) is None]
        if missing:
            raise ValueError(f'Layer "{self.name}": nothing gives the size of {missing} in {self.equation!r}.')
        self._ndim = len(input_shape)
        shape = tuple(sizes[letter] for letter in kernel)
        self._kernel_shape = shape
        if self.quantization_mode is None:
            self._kernel: Any = make_weight(self, "kernel", shape, initializer=self._initializer_by_axes())
        else:
            self.quantized_build(shape, self.quantization_mode, self.quantization_config)
        if self.bias_axes:
            letters = _letters(wanted)
            if not set(self.bias_axes) <= set(letters):
                raise ValueError(f'Layer "{self.name}": bias_axes={self.bias_axes!r} has letters that the output has not.')
            letters = letters[min(letters.index(letter) for letter in self.bias_axes):]
            open_ = [1] * (len(input_shape) - len(_letters(self._terms[0])) + 1) if letters[-1] == "..." else []
            sized = [sizes[letter] if letter in self.bias_axes else 1 for letter in letters if letter != "..."]
            self.bias = make_weight(self, "bias", (*sized, *open_))
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def _initializer_by_axes(self) -> Any:
        """An initializer that goes by the numbers of inputs and outputs, told which axes of the kernel are which."""
        own = self.kernel_initializer
        if not isinstance(own, initializers.VarianceScaling) or not (own.input_axes is None or own.output_axes is None):
            return own
        _, kernel, wanted = self._terms
        told = copy(own)
        told.input_axes = [axis for axis, letter in enumerate(kernel) if letter not in wanted]
        told.output_axes = [axis for axis, letter in enumerate(kernel) if letter in wanted]
        return told

    @property
    def kernel(self) -> Any:
        """The weight, with what an adapter adds to it; integers where it is quantized."""
        if self.built and self.quantization_mode == "int4":
            return self._with_adapter(ops.reshape(unpack_int4(self._kernel, self._matrix_shape()[1]), self._kernel_shape))
        return self._with_adapter(self.__dict__.get("_kernel"))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self._finish(ops.einsum(self.equation, inputs, self.kernel))

    def _finish(self, y: Any) -> Any:
        y = y if self.bias is None else y + self.bias
        return y if self.activation is None else self.activation(y)

    # ---- quantized
    def _weight_shape(self) -> tuple[int, ...]:
        return self._kernel_shape

    def _labels(self) -> tuple[str, str, str]:
        """The letters of the inputs, the kernel and the output, with letters for what an ellipsis stands for."""
        return letters_of(self._terms, self._ndim)

    def _matrix_shape(self) -> tuple[int, int]:
        """How many weights an output sums, and how many such sums there are."""
        _, kernel, wanted = self._labels()
        sizes = dict(zip(kernel, self._kernel_shape, strict=True))
        rows = prod(size for letter, size in sizes.items() if letter not in wanted)
        return rows, prod(self._kernel_shape) // max(1, rows)

    def _scale_shape(self) -> tuple[int, ...]:
        """The shape of scales beside the output."""
        _, kernel, wanted = self._labels()
        sizes = dict(zip(kernel, self._kernel_shape, strict=True))
        return tuple(sizes.get(letter, 1) for letter in wanted)

    def _int8_build(self, shape: tuple[int, ...], config: Any) -> None:
        self.inputs_quantizer = activation_quantizer(config, default=True)
        self._packed("kernel", shape, "_kernel")
        self._scales("kernel_scale", self._scale_shape())

    def _int4_build(self, shape: tuple[int, ...], config: Any) -> None:
        self.inputs_quantizer = activation_quantizer(config, default=False)
        rows, columns = self._matrix_shape()
        self._packed("kernel", (rows, (columns + 1) // 2), "_kernel")
        self._scales_of_columns(rows, columns)

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        kernel = self._kernel.numpy()
        if mode == "int4":
            return quantized_matrix(self, kernel.reshape(self._matrix_shape()), mode, config)
        return self._numbers_of(kernel, config.weight_quantizer)

    def _numbers_of(self, kernel: np.ndarray, quantizer: Any = None) -> dict[str, Any]:
        """A kernel as int8, and its scale beside the output."""
        from pyml.quantizers import AbsMaxQuantizer

        _, letters, wanted = self._labels()
        axes = tuple(i for i, letter in enumerate(letters) if letter not in wanted)
        numbers, scale = (quantizer or AbsMaxQuantizer(axis=axes))(kernel, to_numpy=True)
        return {"kernel": numbers.numpy(), "kernel_scale": aligned(scale.numpy(), letters, wanted).numpy()}

    def _merged(self) -> dict[str, Any]:
        if not self.lora_enabled or self.quantization_mode is None:
            return super()._merged()
        rows, columns = self._matrix_shape()
        if self.quantization_mode == "int4":
            return again(self, floats(self, columns) + adapter(self).reshape(rows, columns))
        _, letters, wanted = self._labels()
        return self._numbers_of(self._kernel.numpy() / aligned(self.kernel_scale, wanted, letters).numpy() + adapter(self))

    def _int8_call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """The output with a kernel of 8-bit integers: a product with its packed words where that is one of matrices, else an einsum."""
        from pyml.quantizers import products

        given, kernel, wanted = self._labels()
        x: Any = inputs
        scale: Any = ops.convert_to_tensor(self.kernel_scale)
        exact = False
        if self.inputs_quantizer is not None:
            axes = tuple(i for i, letter in enumerate(given) if letter not in wanted)
            x, of_inputs, exact = products.rounded(inputs, self.inputs_quantizer, axes)
            scale = scale * aligned(of_inputs, given, wanted)
        matrix = self._as_matrix(x)
        if matrix is None or (len(kernel) > 2 and self._kernel_shape[-1] % 4):
            y = ops.einsum(self.equation, x, ops.reshape(products.numbers(self._kernel, self._kernel_shape[-1]), self._kernel_shape))
        else:
            y = self._as_output(inputs, products.product(matrix, self._kernel, self._matrix_shape()[1], exact=exact))
        return self._finish(self._plus_adapter(inputs, y / scale))

    def _int4_call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """The output with a kernel of 4-bit integers, in blocks or with a scale for each output."""
        from pyml.quantizers import products

        matrix = self._as_matrix(inputs)
        rows, columns = self._matrix_shape()
        if matrix is not None:
            y = self._as_output(inputs, int4_product(self, matrix, columns))
            return self._finish(self._plus_adapter(inputs, y))
        given, _, wanted = self._labels()
        x, of_inputs = inputs, None
        if self.inputs_quantizer is not None:
            axes = tuple(i for i, letter in enumerate(given) if letter not in wanted)
            x, of_inputs, _ = products.rounded(inputs, self.inputs_quantizer, axes)
        if self._int4_block_size is None:
            values = products.numbers(self._kernel, columns, 4) / ops.convert_to_tensor(self.kernel_scale)
        else:
            values = products.weight_of_blocks(self._kernel, rows, columns, self.kernel_scale, self.kernel_zero, self._int4_block_size)
        y = ops.einsum(self.equation, x, ops.reshape(values, self._kernel_shape))
        return self._finish(self._plus_adapter(inputs, y if of_inputs is None else y / aligned(of_inputs, given, wanted)))

    def _as_matrix(self, inputs: Any) -> Any:
        """Inputs as `(..., rows of the kernel)`, where the sum is over the last axes of one and the first of the other."""
        given, kernel, wanted = self._labels()
        summed = "".join(letter for letter in kernel if letter not in wanted)
        lead, free = given[: len(given) - len(summed)], kernel[len(summed) :]
        if kernel != summed + free or given != lead + summed or wanted != lead + free:
            return None
        return ops.reshape(inputs, (*inputs.shape[: len(lead)], self._matrix_shape()[0]))

    def _as_output(self, inputs: Any, y: Any) -> Any:
        return ops.reshape(y, self._sizes(tuple(inputs.shape))[1])

    def _plus_adapter(self, inputs: Tensor, y: Any) -> Any:
        if not self.lora_enabled:
            return y
        return y + self._of_adapter(ops.einsum(self.equation, inputs, self._thin[0]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._sizes(input_shape)[1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_shape": self.partial_output_shape}

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls("abc,cd->abd", output_shape=(None, 5), bias_axes="d"), draw(2, 3, 4),
                     like=lambda x, kernel, bias: x @ kernel + bias)
        yield sample(cls("...x,xy->...y", output_shape=2), draw(2, 3, 4), like=lambda x, kernel: x @ kernel)


def _letters(term: Any) -> Any:
    """The letters of a group, an ellipsis as one of them."""
    first, dots, rest = term.partition("...")
    return [*first, *([dots] if dots else []), *rest]


def _named(term: Any, shape: Any, owner: str) -> Any:
    """Sizes by letter; those of an ellipsis as a tuple.

    Raises:
        ShapeError: There are more letters than sizes.
    """
    first, dots, rest = term.partition("...")
    if len(shape) < len(first + rest) or (not dots and len(shape) != len(first)):
        raise ShapeError(f'Layer "{owner}": {term!r} does not fit the shape {shape}.')
    named = dict(zip(first, shape, strict=False))
    end = len(shape) - len(rest)
    named.update(zip(rest, shape[end:], strict=True))
    return named | ({dots: shape[len(first) : end]} if dots else {})
