"""What subclasses of MultiHeadAttention and GroupQueryAttention that were written for Keras call and override."""

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
    _gate_dense, _sliding_window = _Also("gate_dense"), _Also("sliding_window")
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
                           return_attention_scores: bool = False, use_causal_mask: bool = False) -> Any:  # fmt: skip
        """The means of the values, and the weights of the sources; a subclass may have another formula."""
        scores = ops.einsum(self._dot_product_equation, key, query * self._inverse_sqrt_key_dim)
        return self._means(scores, value, self._with_causal(query, value, attention_mask, use_causal_mask), training)

    def _means(self: Any, scores: Any, value: Any, attention_mask: Any, training: bool | None) -> tuple[Any, Any]:
        shares = self._masked_softmax(scores, attention_mask)
        return ops.einsum(self._combine_equation, self.dropout_layer(shares, training=training), value), shares

    def _with_causal(self, query: Any, value: Any, attention_mask: Any, use_causal_mask: bool) -> Any:
        if not use_causal_mask:
            return attention_mask
        causal = self._compute_causal_mask(query, value)
        return causal if attention_mask is None else ops.logical_and(ops.cast(attention_mask, "bool"), causal)

    def _compute_attention_mask(self: Any, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
                                attention_mask: Any = None, use_causal_mask: bool = False) -> Any:  # fmt: skip
        """All masks in one: booleans `(batch, targets, sources)`, or None."""
        return self._mask(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask)

    def _compute_causal_mask(self, query: Any, value: Any = None) -> Any:
        """Booleans `(1, targets, sources)`: the position itself and earlier ones."""
        rows, columns = _places(query, query if value is None else value)
        return ops.greater_equal(rows, columns)

    def _compute_sliding_window_mask(self: Any, query: Any, value: Any = None) -> Any:
        """Booleans `(1, targets, sources)`: positions less than `sliding_window` steps away."""
        rows, columns = _places(query, query if value is None else value)
        return ops.less(ops.absolute(rows - columns), self.sliding_window)

    _HOOKS = ("_compute_attention", "_masked_softmax", "_compute_attention_mask", "_compute_causal_mask",
              "_compute_sliding_window_mask")

    def _computes_otherwise(self) -> bool:
        """Whether a subclass has another formula than the one here, which runs in one kernel."""
        theirs = (cls for cls in type(self).__mro__ if not cls.__module__.startswith("pyml."))
        return any(name in vars(cls) for cls in theirs for name in AttentionParts._HOOKS)


def _places(query: Any, value: Any) -> tuple[Any, Any]:
    """Which steps the targets and the sources are."""
    return ops.reshape(ops.arange(query.shape[1]), (1, -1, 1)), ops.reshape(ops.arange(value.shape[1]), (1, 1, -1))
