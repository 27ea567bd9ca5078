"""`ReversibleEmbedding`: a table of vectors that also scores every row for a vector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.symbolic import KerasTensor
from pyml.layers.embedding import Embedding
from pyml.layers.quantized_matrix import activation_quantizer
from pyml.layers.signature import set_mask
from pyml.layers.types import ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import make_weight
from pyml.objects.samples import Sample, draw, sample

__all__ = ["ReversibleEmbedding"]


class ReversibleEmbedding(Embedding, not_in_config=("lora_rank", "lora_alpha")):
    """An `Embedding` that with `reverse=True` goes back: `inputs @ embeddings.T`, a score for each row of the table.

    Args:
        input_dim: Number of different inputs, the largest plus 1.
        output_dim: Size of the vectors.
        tie_weights: Whether the way back has the same table; otherwise it has one of its own, `(output_dim, input_dim)`.
        embeddings_initializer: Name or object.
        embeddings_regularizer: Penalty added to the loss.
        embeddings_constraint: Function applied after each update.
        mask_zero: Whether the input 0 means that there is nothing: later layers leave these steps out.
        reverse_dtype: Dtype of the way back.
        logit_soft_cap: Scores stay below it: `tanh(scores / cap) * cap`.

    Call arguments:
        inputs: Whole numbers of any shape, or with `reverse` vectors `(..., output_dim)`.
        reverse: Which way to go.

    Source: Press and Wolf 2016, "Using the Output Embedding to Improve Language Models".

    Example:
        >>> layer = pyml.layers.ReversibleEmbedding(7, 4)
        >>> vectors = layer(np.array([[1, 2, 6]]))
        >>> vectors.shape, layer(vectors, reverse=True).shape
        ((1, 3, 4), (1, 3, 7))
    """

    _stored: tuple[str, ...] = ("embeddings", "reverse_embeddings", "reverse_embeddings_scale", "reverse_embeddings_zero")
    reverse_embeddings: Any = None
    reverse_embeddings_scale: Any = None
    reverse_embeddings_zero: Any = None

    def __init__(self, input_dim: int, output_dim: int, tie_weights: bool = True, embeddings_initializer: InitializerLike = "uniform",
                 embeddings_regularizer: RegularizerLike = None, embeddings_constraint: ConstraintLike = None, mask_zero: bool = False,
                 reverse_dtype: Any = None, logit_soft_cap: float | None = None, **kwargs: Any) -> None:
        self.tie_weights = tie_weights  # first values, among what is handed on, have the weights made at once
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap
        super().__init__(input_dim, output_dim, embeddings_initializer=embeddings_initializer,
                         embeddings_regularizer=embeddings_regularizer, embeddings_constraint=embeddings_constraint,
                         mask_zero=mask_zero, **kwargs)

    def _base_config(self) -> dict[str, Any]:
        return {**super()._base_config(), "quantization_config": None}

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights and self.quantization_mode is None:
            self.reverse_embeddings = make_weight(self, "embeddings", (self.output_dim, self.input_dim), name="reverse_embeddings")

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return self._masked(inputs, super().call(inputs))
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            inputs, kernel = ops.cast(inputs, self.reverse_dtype), ops.cast(kernel, self.reverse_dtype)
        return self._capped(ops.matmul(inputs, kernel))

    def _masked(self, inputs: Any, outputs: Any) -> Any:
        set_mask(outputs, ops.not_equal(inputs, 0) if self.mask_zero else None)
        return outputs

    def _capped(self, scores: Any) -> Any:
        cap = self.logit_soft_cap
        return scores if cap is None else ops.multiply(ops.tanh(ops.divide(scores, cap)), cap)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the vectors carry their mask, scores have none."""
        return None

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:  # type: ignore[override]
        return KerasTensor(self.compute_output_shape(inputs.shape, reverse), dtype=self.compute_dtype)

    # ---- quantized
    def _int8_build(self, shape: tuple[int, ...], config: Any) -> None:
        super()._int8_build(shape, config)
        self.inputs_quantizer = activation_quantizer(config, default=True)
        if not self.tie_weights:
            self._packed("reverse_embeddings", (self.output_dim, self.input_dim))
            self._scales("reverse_embeddings_scale", (self.input_dim,))

    def _int4_build(self, shape: tuple[int, ...], config: Any) -> None:
        super()._int4_build(shape, config)
        self.inputs_quantizer = activation_quantizer(config, default=True)
        if not self.tie_weights:
            self._packed("reverse_embeddings", ((self.output_dim + 1) // 2, self.input_dim))
            block = self._int4_block_size
            scales = (self.input_dim,) if block is None else (-(-self.output_dim // block), self.input_dim)
            self._scales("reverse_embeddings_scale", scales)
            if block is not None:
                self.reverse_embeddings_zero = self.add_weight(name="reverse_embeddings_zero", shape=scales, initializer="zeros",
                                                               trainable=False)

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        from pyml.quantizers import matrices, pack_int4

        values = super()._quantized_values(mode, config)
        if self.tie_weights:
            return values
        block = self._block_size(config) if mode == "int4" else None
        numbers, scale, zero = matrices.quantized(self.reverse_embeddings.numpy(), mode, block, config.weight_quantizer)
        values["reverse_embeddings"] = pack_int4(numbers, axis=0)[0].numpy() if mode == "int4" else numbers
        values["reverse_embeddings_scale"] = scale
        return values if zero is None else {**values, "reverse_embeddings_zero": zero}

    def _drop_weight(self) -> None:
        super()._drop_weight()
        if not self.tie_weights:
            del self.reverse_embeddings

    def _int8_call(self, inputs: Any, reverse: bool = False) -> Any:  # type: ignore[override]
        if not reverse:
            return self._masked(inputs, super()._int8_call(inputs))
        return self._capped(self._scores(inputs))

    _int4_call = _int8_call  # type: ignore[assignment]

    def _scores(self, inputs: Any) -> Any:
        """Products of inputs with all rows of the quantized table."""
        from pyml.quantizers import products, unpack_int4

        bits, block = 4 if self.quantization_mode == "int4" else 8, self._int4_block_size
        of_inputs, exact = None, False
        if self.inputs_quantizer is not None:
            inputs, of_inputs, exact = products.rounded(inputs, self.inputs_quantizer, -1)
        if block is None:
            scale: Any = ops.convert_to_tensor(self.embeddings_scale if self.tie_weights else self.reverse_embeddings_scale)
            scale = scale if of_inputs is None else scale * of_inputs
            if self.tie_weights:
                return products.product(inputs, self._embeddings, self.input_dim, bits, transposed=True, exact=exact) / scale
            if bits == 8:
                return products.product(inputs, self.reverse_embeddings, self.input_dim, exact=exact) / scale
            numbers = ops.cast(unpack_int4(self.reverse_embeddings.value, self.output_dim), "float32")
            return ops.matmul(inputs, numbers) / scale
        if self.tie_weights:
            kernel = ops.transpose(self._values(np.arange(self.input_dim, dtype=np.int32)))
        else:
            kernel = self._of_blocks(ops.cast(unpack_int4(self.reverse_embeddings.value, self.output_dim), "float32"), block)
        scores: Any = ops.matmul(inputs, kernel)
        return scores if of_inputs is None else scores / of_inputs

    def _of_blocks(self, numbers: Any, block: int) -> Any:
        """The values of the numbers of the way back."""
        groups = np.arange(self.output_dim, dtype=np.int32) // block
        zero, scale = (ops.take(part, groups, axis=0) for part in (self.reverse_embeddings_zero, self.reverse_embeddings_scale))
        return (numbers - zero) * scale

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(5, 3), draw(2, 4, low=0, high=5, dtype="int32"), like=lambda x, embeddings: embeddings[x.astype(int)])
