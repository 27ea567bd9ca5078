"""`GroupQueryAttention`: attention in which several heads of queries share one of keys and values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core.naming import auto_name
from pyml.errors import ShapeError
from pyml.layers.attention import Attending
from pyml.layers.dense import positive_int
from pyml.layers.regularization import Dropout
from pyml.layers.types import ConstraintLike, InitializerLike, RegularizerLike
from pyml.objects.samples import Sample, draw, sample

__all__ = ["GroupQueryAttention"]


class GroupQueryAttention(Attending, aliases=("GroupedQueryAttention",), not_in_config=("flash_attention",)):
    """Multi-head attention with fewer heads of keys and values than of queries.

    With one head of keys it is multi-query attention, with as many as of queries it is `MultiHeadAttention`.

    Args:
        head_dim: Size of a head.
        num_query_heads: Number of heads of queries.
        num_key_value_heads: Number of heads of keys and values; it divides `num_query_heads`.
        dropout: Share of the weights of the mean dropped while training.
        use_bias: Whether the projections add biases.
        sliding_window: A position sees only those less than so many steps away.
        flash_attention: True refuses dropout and scores, as in Keras; long sequences go in parts anyway.
        kernel_initializer, bias_initializer: Names or objects, for all projections.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Functions applied after each update.
        use_gate: Whether the heads are scaled by a sigmoid of a further projection of `query`.
        seed: Integer seed of the dropout.

    Call arguments: as of `MultiHeadAttention`; the scores are `(batch, query heads, targets, sources)`.

    Raises:
        ValueError: An argument is out of range, or the heads do not divide.

    Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints".

    Example:
        >>> layer = pyml.layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)
        >>> x = np.ones((3, 5, 8), "float32")
        >>> layer(x, x).shape
        (3, 5, 8)
    """

    def __init__(self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0, use_bias: bool = True,
                 sliding_window: int | None = None, flash_attention: bool | None = None,
                 kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, use_gate: bool = False, seed: int | None = None, **kwargs: Any) -> None:
        if type(self) is GroupQueryAttention and kwargs.get("name") is None:
            kwargs["name"] = auto_name("GroupedQueryAttention")  # the name of Keras' class within
        super().__init__(dropout=dropout, use_bias=use_bias, sliding_window=sliding_window, flash_attention=flash_attention,
                         kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
                         kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
                         activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint,
                         bias_constraint=bias_constraint, use_gate=use_gate, seed=seed, **kwargs)
        owner = "GroupQueryAttention"
        self._activity_regularizer = self.activity_regularizer  # Keras adds it for the layer itself, too
        self.head_dim = positive_int(head_dim, "head_dim", owner)
        self.num_query_heads = positive_int(num_query_heads, "num_query_heads", owner)
        self.num_key_value_heads = positive_int(num_key_value_heads, "num_key_value_heads", owner)
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(f"{owner}: `num_query_heads` must be divisible by `num_key_value_heads`. Received: {num_query_heads} and "
                             f"{num_key_value_heads}")
        self.num_repeats = self.num_query_heads // self.num_key_value_heads

    # by Keras' names, for subclasses: it has no argument for scores, and writes its products in another order
    _dot_product_equation, _combine_equation = "bquh,bkuh->buqk", "buqk,bkuh->bquh"

    @property
    def _inverse_sqrt_head_dim(self) -> float:
        return 1.0 / math.sqrt(self.head_dim)

    def _compute_attention(  # type: ignore[override]
        self, query: Any, key: Any, value: Any, attention_mask: Any = None, training: bool | None = None, use_causal_mask: bool = False
    ) -> Any:
        scores = ops.einsum(self._dot_product_equation, query * self._inverse_sqrt_head_dim, key)
        return self._means(scores, value, self._with_causal(query, value, attention_mask, use_causal_mask), training)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        for name, shape in (("query", query_shape), ("value", value_shape), ("key", key_shape)):
            if len(shape) != 3:
                raise ShapeError(f'Layer "{self.name}": {name} must be (batch, steps, features). Received: shape {tuple(shape)}')
        self._check_shapes(value_shape, key_shape)
        many, few = (self.num_query_heads, self.head_dim), (self.num_key_value_heads, self.head_dim)
        self.query_dense = self._make_dense("query", query_shape, many)
        self.key_dense = self._make_dense("key", key_shape, few)
        if self.use_gate:
            self.gate_dense = self._make_dense("gate", query_shape, many, activation="sigmoid")
        self.value_dense = self._make_dense("value", value_shape, few)
        self.output_dense = self._make_dense("attention_output", (*query_shape[:-1], *many), query_shape[-1:], inner=2)
        self.dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self._dtype_policy)
        self.built = True

    def call(self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
             attention_mask: Any = None, return_attention_scores: bool = False, training: bool | None = None,
             use_causal_mask: bool = False) -> Any:
        self._check_scores(return_attention_scores)
        key = value if key is None else key
        if self._computes_otherwise():
            mixed, scores = self._compute_attention(
                self.query_dense(query), ops.repeat(self.key_dense(key), self.num_repeats, axis=2),
                ops.repeat(self.value_dense(value), self.num_repeats, axis=2),
                attention_mask=self._compute_attention_mask(query, value, query_mask, value_mask, key_mask, attention_mask,
                                                            use_causal_mask),
                training=training)  # fmt: skip
            output = self.output_dense(mixed * self.gate_dense(query) if self.use_gate else mixed)
            return (output, scores) if return_attention_scores else output
        mask = self._all_masks(query, value, query_mask, value_mask, key_mask, attention_mask, False)
        if mask is not None:
            while len(mask.shape) < 4:
                mask = ops.expand_dims(mask, -3)
        q = ops.transpose(self.query_dense(query), (0, 2, 1, 3))
        k, v = (ops.repeat(ops.transpose(layer(x), (0, 2, 1, 3)), self.num_repeats, axis=1)
                for layer, x in ((self.key_dense, key), (self.value_dense, value)))
        scale = 1.0 / math.sqrt(self.head_dim)
        mixed, scores = self._attend_to(q, k, v, scale, mask, use_causal_mask, training, return_attention_scores)
        mixed = ops.transpose(mixed, (0, 2, 1, 3))
        if self.use_gate:
            mixed = mixed * self.gate_dense(query)
        output = self.output_dense(mixed)
        return (output, scores) if return_attention_scores else output

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        if value_shape is not None and query_shape[-1] != value_shape[-1]:
            raise ShapeError(f'Layer "{self.name}": query and value must have as many features. Received: query {tuple(query_shape)}, '
                             f"value {tuple(value_shape)}")  # fmt: skip
        if value_shape is not None:
            self._check_shapes(value_shape, key_shape)
        return tuple(query_shape)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 4, 2), draw(2, 4, 5), draw(2, 6, 5))
        yield sample(cls(2, 2, 1, use_gate=True, sliding_window=2, use_bias=False), draw(2, 4, 5), draw(2, 6, 5))
