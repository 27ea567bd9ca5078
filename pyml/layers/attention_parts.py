"""What subclasses of MultiHeadAttention that were written for Keras call and override."""

from __future__ import annotations

import math
from typing import Any

from pyml import ops


class _Also:
    """Another name of an attribute, until an instance has an attribute of that name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, cls: Any) -> Any:
        return self if layer is None else getattr(layer, self.name)


class AttentionParts:
    """The parts of attention by Keras' names, for inputs `(batch, steps, features)`; tensors are `(batch, steps, heads, size)`."""

    _query_dense, _key_dense = _Also("query_dense"), _Also("key_dense")
    _value_dense, _output_dense = _Also("value_dense"), _Also("output_dense")
    _num_heads, _key_dim, _value_dim = _Also("num_heads"), _Also("key_dim"), _Also("value_dim")
    _dropout, _dropout_layer = _Also("dropout"), _Also("dropout_layer")
    _dot_product_equation, _combine_equation = "aecd,abcd->acbe", "acbe,aecd->abcd"

    @property
    def _inverse_sqrt_key_dim(self: Any) -> float:
        return 1.0 / math.sqrt(self.key_dim)

    def _masked_softmax(self, attention_scores: Any, attention_mask: Any = None) -> Any:
        """Weights of the sources for scores `(batch, heads, targets, sources)`; where nothing may be seen they are 0."""
        if attention_mask is None:
            return ops.softmax(attention_scores)
        mask = ops.cast(attention_mask, "bool")
        while len(mask.shape) < len(attention_scores.shape):
            mask = ops.expand_dims(mask, -3)
        return ops.where(mask, ops.softmax(ops.where(mask, attention_scores, -1e9)), 0.0)

    def _compute_attention(self: Any, query: Any, key: Any, value: Any, attention_mask: Any = None, training: bool | None = None,
                           return_attention_scores: bool = False) -> Any:  # fmt: skip
        """The means of the values, and the weights of the sources; a subclass may have another formula."""
        scores = ops.einsum(self._dot_product_equation, key, query * self._inverse_sqrt_key_dim)
        scores = self._masked_softmax(scores, attention_mask)
        return ops.einsum(self._combine_equation, self.dropout_layer(scores, training=training), value), scores

    def _compute_attention_mask(self: Any, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
                                attention_mask: Any = None, use_causal_mask: bool = False) -> Any:  # fmt: skip
        """All masks in one: booleans `(batch, targets, sources)`, or None."""
        return self._mask(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask)

    def _compute_causal_mask(self: Any, query: Any, value: Any = None) -> Any:
        """Booleans `(1, targets, sources)`: the position itself and earlier ones."""
        return self._mask(query, query if value is None else value, None, None, None, None, True)

    def _computes_otherwise(self) -> bool:
        """Whether a subclass has another formula than this one, which runs in one kernel."""
        cls = type(self)
        return (cls._compute_attention, cls._masked_softmax) != (AttentionParts._compute_attention, AttentionParts._masked_softmax)
