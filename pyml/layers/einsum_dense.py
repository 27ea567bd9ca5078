"""`EinsumDense`: a dense layer between any axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import activations, constraints, initializers, ops, regularizers
from pyml.core import Tensor, Variable
from pyml.errors import ShapeError
from pyml.layers.layer import Layer
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import make_weight
from pyml.objects.samples import Sample, draw, sample

__all__ = ["EinsumDense"]


class EinsumDense(
        Layer, not_in_config=("lora_rank", "lora_alpha", "gptq_unpacked_column_size", "quantization_config")):
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
        lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config: Kept for Keras' signature; only None is
            supported.

    Raises:
        ValueError: The equation has not the form `inputs,kernel->output`, or names a size that nothing gives.

    Example:
        >>> layer = pyml.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de")
        >>> layer(np.ones((4, 5, 6))).shape
        (4, 5, 2, 3)
    """

    def __init__(self, equation: str, output_shape: Any, activation: ActivationLike = None, bias_axes: str | None = None,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, lora_rank: int | None = None,
                 lora_alpha: int | None = None, gptq_unpacked_column_size: int | None = None, quantization_config: Any = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value in (("lora_rank", lora_rank), ("quantization_config", quantization_config)):
            if value is not None:
                raise ValueError(f"EinsumDense: {name} is not supported; leave it None. Received: {name}={value!r}")
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
        self.kernel = make_weight(self, "kernel", tuple(sizes[letter] for letter in kernel))
        if self.bias_axes:
            letters = _letters(wanted)
            if not set(self.bias_axes) <= set(letters):
                raise ValueError(f'Layer "{self.name}": bias_axes={self.bias_axes!r} has letters that the output has not.')
            letters = letters[min(letters.index(letter) for letter in self.bias_axes):]
            shape = [1] * (len(input_shape) - len(_letters(self._terms[0])) + 1) if letters[-1] == "..." else []
            sized = [sizes[letter] if letter in self.bias_axes else 1 for letter in letters if letter != "..."]
            self.bias = make_weight(self, "bias", (*sized, *shape))
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        y = ops.einsum(self.equation, inputs, self.kernel)
        return self.activation(y if self.bias is None else y + self.bias)

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
