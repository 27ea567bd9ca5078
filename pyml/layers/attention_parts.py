"""What subclasses of MultiHeadAttention and GroupQueryAttention that were written for Keras call and override."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any

from pyml import ops
from pyml.layers.activation import Softmax
from pyml.layers.einsum_dense import EinsumDense
from pyml.layers.regularization import Dropout
from pyml.tracebacks import is_ours


class _Also:
    """Another name of an attribute."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, cls: Any) -> Any:
        return self if layer is None else getattr(layer, self.name)


class _Softmax:
    """The layer that makes weights of scores, made when it is read first: none of ours asks for it."""

    def __get__(self, layer: Any, cls: Any) -> Any:
        if layer is None:
            return self
        layer._softmax = made = Softmax(dtype=layer.dtype_policy)
        return made


class AttentionParts:
    """The parts of attention by Keras' names, for inputs `(batch, steps, features)`; tensors are `(batch, steps, heads, size)`."""

    attention_axes: tuple[int, ...] | None
    _query_dense, _key_dense = _Also("query_dense"), _Also("key_dense")
    _value_dense, _output_dense = _Also("value_dense"), _Also("output_dense")
    _gate_dense, _sliding_window = _Also("gate_dense"), _Also("sliding_window")
    _num_heads, _key_dim, _value_dim = _Also("num_heads"), _Also("key_dim"), _Also("value_dim")
    _dropout, _dropout_layer, _seed = _Also("dropout"), _Also("dropout_layer"), _Also("seed")
    _use_bias, _use_gate, _attention_axes = _Also("use_bias"), _Also("use_gate"), _Also("attention_axes")
    _kernel_initializer, _bias_initializer = _Also("kernel_initializer"), _Also("bias_initializer")
    _kernel_regularizer, _bias_regularizer = _Also("kernel_regularizer"), _Also("bias_regularizer")
    _kernel_constraint, _bias_constraint = _Also("kernel_constraint"), _Also("bias_constraint")
    _activity_regularizer: Any = None                  # of what every projection makes
    _softmax = _Softmax()
    _dot_product_equation, _combine_equation = "aecd,abcd->acbe", "acbe,aecd->abcd"

    def __setattr__(self, name: str, value: Any) -> None:
        """What a subclass sets by Keras' name is what the methods here use."""
        also = vars(AttentionParts).get(name)
        super().__setattr__(also.name if isinstance(also, _Also) else name, value)

    def _get_common_kwargs_for_sublayer(self: Any) -> dict[str, Any]:
        """Arguments of every projection; the initializers are new ones."""
        again = {name: getattr(self, name) for name in ("kernel_initializer", "bias_initializer")}
        again = {name: type(made).from_config(made.get_config()) if hasattr(made, "get_config") else made for name, made in again.items()}
        return {"kernel_regularizer": self.kernel_regularizer, "bias_regularizer": self.bias_regularizer,
                "activity_regularizer": self._activity_regularizer, "kernel_constraint": self.kernel_constraint,
                "bias_constraint": self.bias_constraint, "dtype": self.dtype_policy, **again}  # fmt: skip

    def _make_output_dense(self: Any, query_shape: Sequence[int | None], common_kwargs: dict[str, Any], name: str | None = None) -> Any:
        """The projection from all heads to the output, for a query of that shape."""
        outer = self._output_shape or query_shape[-1:]
        lead, heads = ascii_lowercase[: len(query_shape) - 1], ascii_lowercase[len(query_shape) - 1 : len(query_shape) + 1]
        made = ascii_lowercase[len(query_shape) + 1 :][: len(outer)]
        return EinsumDense(f"{lead}{heads},{heads}{made}->{lead}{made}", (*(None,) * (len(lead) - 1), *outer),
                           bias_axes=made if self.use_bias else None, name=name, **common_kwargs)  # fmt: skip

    def _build_attention(self: Any, rank: int) -> None:
        """What `_compute_attention` needs, for projected tensors of `rank` axes: the equations, softmax and dropout."""
        axes = self.attention_axes = tuple(axis % (rank - 1) for axis in self.attention_axes or range(1, rank - 2))
        query = ascii_lowercase[:rank]
        new = iter(ascii_lowercase[rank:])
        key = "".join(next(new) if i in axes else letter for i, letter in enumerate(query))
        scores = "".join(query[i] for i in range(rank - 1) if i not in axes) + "".join(side[i] for side in (query, key) for i in axes)
        self._dot_product_equation, self._combine_equation = f"{key},{query}->{scores}", f"{scores},{key}->{query}"
        self._softmax = Softmax(axis=tuple(range(-len(axes), 0)), dtype=self.dtype_policy)
        self.dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)

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
        return self._all_masks(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask)

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
        theirs = (cls for cls in type(self).__mro__ if not is_ours(cls))
        return any(name in vars(cls) for cls in theirs for name in AttentionParts._HOOKS)


def _places(query: Any, value: Any) -> tuple[Any, Any]:
    """Which steps the targets and the sources are."""
    return ops.reshape(ops.arange(query.shape[1]), (1, -1, 1)), ops.reshape(ops.arange(value.shape[1]), (1, 1, -1))
