"""Embedding: rows of a table by number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import constraints, initializers, ops, regularizers
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.layers.dense import positive_int
from pyml.layers.layer import Layer
from pyml.layers.quantizable import Quantizable
from pyml.layers.quantized_matrix import adapter, unpack_int4
from pyml.layers.types import ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import make_weight
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.joining import check_in_range
from pyml.tracebacks import warn

__all__ = ["Embedding"]


class Embedding(Quantizable, Layer, not_in_config=("weights", "lora_rank", "lora_alpha")):
    """Turns integers, for example of words, into vectors that are learned.

    Args:
        input_dim: Number of different inputs, the largest plus 1.
        output_dim: Size of the vectors.
        embeddings_initializer: Name or object.
        embeddings_regularizer: Penalty added to the loss.
        embeddings_constraint: Function applied after each update.
        mask_zero: Whether the input 0 means that there is nothing: later layers leave these steps out.
        weights: The table to begin with, `(input_dim, output_dim)`.
        lora_rank, lora_alpha: Rank of a low-rank adapter, and what its product is multiplied by, times the rank; see `enable_lora`.
        quantization_config: How weights are quantized, with a quantized `dtype` such as `"int8_from_float32"`; see `quantize`.

    Input shape: any, of integers; negative ones count from the end. Output shape: the same with `output_dim` at the end.

    Raises:
        ValueError: `input_dim` or `output_dim` is not a positive integer.
        IndexError: The table has no such row. Only indices that the host has are looked at: arrays that a layer is called with, data of
            `fit`, `evaluate`, `predict`. Those that a device computed give zeros.

    Source: Bengio et al. 2003, "A Neural Probabilistic Language Model".

    Example:
        >>> layer = pyml.layers.Embedding(3, 2, weights=np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]))
        >>> layer(np.array([[2, 1]])).numpy().tolist()
        [[[3.0, 4.0], [1.0, 2.0]]]
    """

    _always_says_penalty = True
    _adapted = "embeddings"
    _stored: tuple[str, ...] = ("embeddings",)

    def __init__(self, input_dim: int, output_dim: int, embeddings_initializer: InitializerLike = "uniform",
                 embeddings_regularizer: RegularizerLike = None, embeddings_constraint: ConstraintLike = None, mask_zero: bool = False,
                 weights: Any = None, lora_rank: int | None = None, lora_alpha: int | None = None, quantization_config: Any = None,
                 **kwargs: Any) -> None:
        if kwargs.pop("input_length", None) is not None:
            warn("Argument `input_length` is deprecated. Just remove it.")
        super().__init__(**kwargs)
        self._init_lora(lora_rank, lora_alpha)
        self.quantization_config = quantization_config
        self.input_dim = positive_int(input_dim, "input_dim", type(self).__name__)
        self.output_dim = positive_int(output_dim, "output_dim", type(self).__name__)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == len(self.weights) else [weights])

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        shape = (self.input_dim, self.output_dim)
        if self.quantization_mode is None:
            self._embeddings: Any = make_weight(self, "embeddings", shape)
        else:
            self.quantized_build(shape, self.quantization_mode, self.quantization_config)
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    @property
    def embeddings(self) -> Any:
        """The table, with what an adapter adds to it; integers where it is quantized."""
        if self.built and self.quantization_mode == "int4":
            return self._with_adapter(unpack_int4(self._embeddings, self.output_dim))
        return self._with_adapter(self.__dict__.get("_embeddings"))

    def call(self, inputs: Tensor) -> Tensor:
        check_in_range(inputs, self.input_dim, "Embedding", self._told)
        if not self.lora_enabled:
            return ops.take(self._embeddings, inputs, axis=0)
        rows: Any = ops.take(self._embeddings, inputs, axis=0)
        return rows + self._of_adapter(ops.take(self._thin[0], inputs, axis=0))

    def _told(self, low: Any, high: Any, where: str) -> str:
        return (f"Embedding '{self.name}' has rows for indices from 0 to {self.input_dim - 1} (input_dim={self.input_dim}). "
                f"Received indices from {low} to {high}{where}; input_dim must be the largest index plus 1.")

    # ---- quantized
    def _weight_shape(self) -> tuple[int, ...]:
        return (self.input_dim, self.output_dim)

    def _int8_build(self, shape: tuple[int, ...], config: Any) -> None:
        self._packed("embeddings", shape, "_embeddings")
        self._scales("embeddings_scale", shape[:1])

    def _int4_build(self, shape: tuple[int, ...], config: Any) -> None:
        rows, columns = shape
        self._packed("embeddings", (rows, (columns + 1) // 2), "_embeddings")
        block = self._int4_block_size
        scales = (rows,) if block is None else (rows, -(-columns // block))
        self._scales("embeddings_scale", scales)
        if block is not None:
            self._groups("embeddings", scales, columns, block)

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        block = self._block_size(config) if mode == "int4" else None
        return self._numbers_of(self._embeddings.numpy(), mode, block, config.weight_quantizer)

    def _numbers_of(self, table: np.ndarray, mode: str, block: int | None, quantizer: Any = None) -> dict[str, Any]:
        """A table as integers, with a scale for each row, or for each block of a row."""
        from pyml.quantizers import AbsMaxQuantizer, matrices

        if block is not None:
            turned = [np.ascontiguousarray(part.T) for part in matrices.quantized(table.T, mode, block) if part is not None]
            return dict(zip(("embeddings", "embeddings_scale", "embeddings_zero"), (matrices.pairs(turned[0]), *turned[1:]), strict=True))
        if quantizer is None:
            quantizer = AbsMaxQuantizer(axis=-1, value_range=matrices.INT4 if mode == "int4" else (-127, 127))
        numbers, scale = (part.numpy() for part in quantizer(table, to_numpy=True))
        return {"embeddings": matrices.pairs(numbers) if mode == "int4" else numbers, "embeddings_scale": scale[:, 0]}

    def _merged(self) -> dict[str, Any]:
        mode = self.quantization_mode
        if not self.lora_enabled or mode is None:
            return super()._merged()
        indices = np.arange(self.input_dim, dtype=np.int32)
        return self._numbers_of(self._values(indices).numpy() + adapter(self), mode, self._int4_block_size)

    def _values(self, inputs: Any) -> Any:
        """Rows of the quantized table in floats."""
        from pyml.quantizers import products

        mode, block = self.quantization_mode, self._int4_block_size
        values: Any = products.rows(self._embeddings, inputs, self.output_dim, 4 if mode == "int4" else 8)
        indices = ops.cast(inputs, "int32")
        scale: Any = ops.take(self.embeddings_scale, indices, axis=0)
        if block is None:
            return values / ops.expand_dims(scale, -1)
        zero = ops.cast(ops.take(self.embeddings_zero, indices, axis=0), "float32")
        return (values - self._spread(zero, block)) * self._spread(scale, block)

    def _spread(self, parts: Any, block: int) -> Any:
        """What blocks have in common, at each of their columns."""
        whole = ops.broadcast_to(ops.expand_dims(parts, -1), (*parts.shape, block))
        return ops.reshape(whole, (*parts.shape[:-1], parts.shape[-1] * block))[..., : self.output_dim]

    def _int8_call(self, inputs: Any, training: bool | None = None) -> Any:
        check_in_range(inputs, self.input_dim, "Embedding", self._told)
        rows = self._values(inputs)
        if not self.lora_enabled:
            return rows
        return rows + self._of_adapter(ops.take(self._thin[0], ops.cast(inputs, "int32"), axis=0))

    _int4_call = _int8_call

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where the input is not 0, with `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(5, 3), draw(2, 4, low=0, high=5, dtype="int32"), like=lambda x, embeddings: embeddings[x.astype(int)])
