"""Embedding: rows of a table by number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import constraints, initializers, ops, regularizers
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.layers.dense import positive_int
from pyml.layers.layer import Layer
from pyml.layers.types import ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import make_weight
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Embedding"]


class Embedding(Layer, not_in_config=("weights", "lora_rank", "lora_alpha", "quantization_config")):
    """Turns whole numbers, for example of words, into vectors that are learned.

    Args:
        input_dim: Number of different inputs, the largest plus 1.
        output_dim: Size of the vectors.
        embeddings_initializer: Name or object.
        embeddings_regularizer: Penalty added to the loss.
        embeddings_constraint: Function applied after each update.
        mask_zero: Whether the input 0 means that there is nothing: later layers leave these steps out.
        weights: The table to begin with, `(input_dim, output_dim)`.
        lora_rank, lora_alpha, quantization_config: Kept for Keras' signature; only None is supported.

    Input shape: any, of whole numbers. Output shape: the same with `output_dim` at the end. A number that is not in the
    table gives zeros.

    Raises:
        ValueError: `input_dim` or `output_dim` is not a positive integer.

    Example:
        >>> layer = pyml.layers.Embedding(3, 2, weights=np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]))
        >>> layer(np.array([[2, 1]])).numpy().tolist()
        [[[3.0, 4.0], [1.0, 2.0]]]
    """

    def __init__(self, input_dim: int, output_dim: int, embeddings_initializer: InitializerLike = "uniform",
                 embeddings_regularizer: RegularizerLike = None, embeddings_constraint: ConstraintLike = None, mask_zero: bool = False,
                 weights: Any = None, lora_rank: int | None = None, lora_alpha: int | None = None, quantization_config: Any = None,
                 **kwargs: Any) -> None:
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        for name, value in (("lora_rank", lora_rank), ("quantization_config", quantization_config)):
            if value is not None:
                raise ValueError(f"Embedding: {name} is not supported; leave it None. Received: {name}={value!r}")
        self.input_dim = positive_int(input_dim, "input_dim", "Embedding")
        self.output_dim = positive_int(output_dim, "output_dim", "Embedding")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        if not self.built:
            self.embeddings = make_weight(self, "embeddings", (self.input_dim, self.output_dim))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return ops.take(self.embeddings, inputs, axis=0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Where the input is not 0, with `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(5, 3), draw(2, 4, low=0, high=5, dtype="int32"), like=lambda x, embeddings: embeddings[x.astype(int)])
