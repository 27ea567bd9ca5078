"""CategoryEncoding: integers as vectors of zeros and ones, or of counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.symbolic import KerasTensor
from pyml.layers.data_layer import DataLayer
from pyml.layers.layer import Layer
from pyml.layers.preprocessing.encoding import check_dense, checked_mode, encoded, encoded_shape
from pyml.objects.samples import Sample, draw, sample

__all__ = ["CategoryEncoding"]


class CategoryEncoding(DataLayer, Layer):
    """Integers below `num_tokens` as vectors of that length.

    Args:
        num_tokens: How many classes there are; integers are `0 <= value < num_tokens`.
        output_mode: `"multi_hot"`: a vector for each sample, 1 for every class in it. `"one_hot"`: a vector for each
            integer; a last axis of size 1 becomes the vector. `"count"`: like `"multi_hot"`, with how often a class occurs.
        sparse: Only False.

    The call also takes `count_weights`, in the shape of the inputs: what each integer counts in `"count"` mode.

    Input shape: `(..., sample_length)`. Output shape: `(..., num_tokens)`, or `(..., sample_length, num_tokens)` for
    `"one_hot"`.

    Raises:
        ValueError: `num_tokens` is missing or not positive, the mode is unknown, or `count_weights` come without `"count"`.

    Example:
        >>> pyml.layers.CategoryEncoding(4, "count")(np.array([[0, 1], [3, 3]])).numpy()
        array([[1., 1., 0., 0.],
               [0., 0., 0., 2.]], dtype=float32)
    """

    def __init__(self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_mode = checked_mode(output_mode, ("count", "one_hot", "multi_hot"), "CategoryEncoding")
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known beforehand, use the "
                "IntegerLookup layer instead."
            )
        if num_tokens < 1:
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        check_dense("CategoryEncoding", sparse=sparse)
        self.num_tokens = num_tokens
        self.sparse = False
        self.autocast = False                          # of a mixed policy Keras takes the dtype of weights here
        self._build_at_init()

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"`count_weights` is not used when `output_mode` is not `'count'`. Received: output_mode={self.output_mode!r}"
            )
        if count_weights is not None:
            count_weights = ops.cast(count_weights, self.compute_dtype)
        return encoded(ops.cast(inputs, "int32"), self.output_mode, self.num_tokens, self.dtype, count_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        numbers = draw(4, 3, low=0, high=5, dtype="int32")
        each = lambda x: np.eye(5)[x.astype(int)]
        yield sample(cls(5), numbers, like=lambda x: each(x).max(1), gradient=False)
        yield sample(cls(5, "count"), numbers, like=lambda x: each(x).sum(1), gradient=False)
        yield sample(cls(5, "one_hot"), numbers, like=each, gradient=False)
        yield sample(cls(3, "one_hot"), draw(4, 1, low=0, high=3, dtype="int32"), like=lambda x: np.eye(3)[x[:, 0].astype(int)],
                     gradient=False)  # fmt: skip
