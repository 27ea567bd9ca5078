"""Multi-head attention."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from string import ascii_lowercase
from typing import Any

from pyml import constraints, initializers, ops, regularizers
from pyml.core.symbolic import infer_output_spec
from pyml.errors import ShapeError
from pyml.layers.attention_parts import AttentionParts
from pyml.layers.dense import positive_int
from pyml.layers.einsum_dense import EinsumDense
from pyml.layers.layer import Layer
from pyml.layers.regularization import Dropout
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.wrapper import build_inside
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.attending import attend, attention_shares

__all__ = ["MultiHeadAttention"]


class _Projection(EinsumDense):
    """The last axes of the inputs turned into `outer` axes by one product."""

    def __init__(self, shape: Sequence[int], inner: int, outer: Sequence[int], of: Any, activation: ActivationLike = None,
                 **kwargs: Any) -> None:
        lead = ascii_lowercase[: len(shape) - inner]
        summed = ascii_lowercase[len(lead) : len(shape)]
        made = ascii_lowercase[len(shape) : len(shape) + len(outer)]
        super().__init__(
            f"{lead}{summed},{summed}{made}->{lead}{made}", (*(None,) * (len(lead) - 1), *outer), activation=activation,
            bias_axes=made if of.use_bias else None, kernel_initializer=of.kernel_initializer, bias_initializer=of.bias_initializer,
            kernel_regularizer=of.kernel_regularizer, bias_regularizer=of.bias_regularizer,
            activity_regularizer=of._activity_regularizer, kernel_constraint=of.kernel_constraint, bias_constraint=of.bias_constraint,
            **kwargs)

    _told_lost_mask = True  # the layer of attention hands masks on
    _quantized_values = EinsumDense._quantized_values  # it may be quantized as its base


class Attending(AttentionParts, Layer, abstract=True):
    """What layers of attention share: projections, and masks from several sources."""

    _always_says_penalty = True
    dropout_layer: Dropout

    def __init__(self, *, dropout: float, use_bias: bool, sliding_window: int | None, flash_attention: bool | None,
                 kernel_initializer: InitializerLike,
                 bias_initializer: InitializerLike, kernel_regularizer: RegularizerLike, bias_regularizer: RegularizerLike,
                 kernel_constraint: ConstraintLike, bias_constraint: ConstraintLike, use_gate: bool, seed: int | None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropout = dropout
        self.use_bias = use_bias
        self.sliding_window = None if sliding_window is None else positive_int(sliding_window, "sliding_window", type(self).__name__)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.use_gate = use_gate
        self.seed = seed
        self.supports_masking = True
        self._flash_attention = bool(flash_attention)
        if flash_attention and dropout:
            raise ValueError(f"{type(self).__name__}: flash attention has no dropout; leave one of the two away. Received: "
                             f"flash_attention={flash_attention}, dropout={dropout}")  # fmt: skip

    def _check_scores(self, return_attention_scores: bool) -> None:
        if return_attention_scores and self._flash_attention:
            raise ValueError(f'Layer "{self.name}": flash attention makes no scores; make the layer without flash_attention=True.')

    def _check_shapes(self, value_shape: Any, key_shape: Any) -> None:
        if key_shape is not None and tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ShapeError(
                f'Layer "{self.name}": key and value may differ only in their features. '
                f"Received: value {tuple(value_shape)}, key {tuple(key_shape)}"
            )

    def _make_dense(self, name: str, shape: Any, outer: Sequence[int], inner: int = 1, activation: ActivationLike = None) -> _Projection:
        layer = _Projection(shape, inner, outer, self, activation, dtype=self._dtype_policy, name=name)
        build_inside(self, layer, shape)
        return layer

    def _all_masks(self, query: Any, value: Any, query_mask: Any, value_mask: Any, key_mask: Any, attention_mask: Any, causal: Any) -> Any:
        """What may be looked at, from all sources together: booleans `(batch, targets, sources)`, or None."""
        masks = []
        if attention_mask is not None:
            mask = ops.cast(attention_mask, "bool")
            steps = (query.shape[1], value.shape[1])
            if len(query.shape) == 3 and (len(mask.shape) < 2 or any(n not in (1, m) for n, m in zip(mask.shape[-2:], steps, strict=True))):
                raise ShapeError(f'Layer "{self.name}": attention_mask must have the shape (batch, targets, sources), '
                                 f"{(query.shape[0], *steps)}. Received: {tuple(mask.shape)}")  # fmt: skip
            masks.append(mask)
        if query_mask is not None:
            masks.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))
        masks += [ops.expand_dims(ops.cast(mask, "bool"), -2) for mask in (value_mask, key_mask) if mask is not None]
        if causal:
            masks.append(self._compute_causal_mask(query, value))
        if self.sliding_window is not None:
            masks.append(self._compute_sliding_window_mask(query, value))
        found = None
        for mask in masks:
            if found is not None and len(mask.shape) != len(found.shape):   # one of them has the heads, too
                small, large = sorted((mask, found), key=lambda m: len(m.shape))
                mask, found = ops.expand_dims(small, 1), large
            found = mask if found is None else ops.logical_and(found, mask)
        return found

    def _attend_to(self, q: Any, k: Any, v: Any, scale: float, mask: Any, causal: bool, training: bool | None,
               with_scores: bool) -> tuple[Any, Any]:
        """The means of values, heads first, and the weights of them where those are made: not where long sequences go in parts.

        A query that may see nothing gets the mean of all values, and zeros where scores are made or there is dropout: so it is in Keras.
        """
        if not with_scores and not (training and self.dropout):
            return attend(q, k, v, scale, mask=mask, causal=causal, empty_is_zero=bool(self.dropout)), None
        scores = attention_shares(q, k, scale, mask=mask, causal=causal, empty_is_zero=True)
        return ops.matmul(self.dropout_layer(scores, training=training), v), scores

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the query."""
        return previous_mask

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output_spec(self._call_on_probes, args, kwargs)


class MultiHeadAttention(Attending, not_in_config=("flash_attention",)):
    """Each position of `query` looks at all positions of `key` and takes a weighted mean of `value`, in several heads.

    `softmax(q @ k.T / sqrt(key_dim)) @ v` for each head, with learned projections of the inputs to q, k and v, and one
    of all heads to the output.

    Args:
        num_heads: Number of heads.
        key_dim: Size of q and k in a head.
        value_dim: Size of v in a head, by default `key_dim`.
        dropout: Share of the weights of the mean dropped while training.
        use_bias: Whether the projections add biases.
        output_shape: Sizes of the output's features, by default those of `query`.
        attention_axes: Axes to attend over, by default all between batch and features.
        sliding_window: A position sees only those less than so many steps away.
        flash_attention: True refuses dropout and scores, as in Keras; long sequences go in parts anyway.
        kernel_initializer, bias_initializer: Names or objects, for all projections.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Functions applied after each update.
        use_gate: Whether the heads are scaled by a sigmoid of a further projection of `query`.
        seed: Integer seed of the dropout.

    Call arguments:
        query: `(batch, targets, features)`.
        value: `(batch, sources, features)`.
        key: As `value`, which it is by default.
        query_mask, value_mask, key_mask: Booleans `(batch, steps)`, False where a step does not count.
        attention_mask: Booleans `(batch, targets, sources)`, or with the heads as second axis; False where not to look.
        return_attention_scores: Also give back the weights `(batch, heads, targets, sources)`.
        use_causal_mask: Look only at the position itself and at earlier ones.

    Output shape: that of `query`, with `output_shape` as features.
    Weights: kernel and bias of query, key, (gate,) value and attention_output.

    Raises:
        ValueError: An argument is out of range.
        ShapeError: `key` and `value` differ in their steps.

    Example:
        >>> layer = pyml.layers.MultiHeadAttention(num_heads=2, key_dim=4)
        >>> x = np.ones((3, 5, 8), "float32")
        >>> layer(x, x, use_causal_mask=True).shape
        (3, 5, 8)

    Source: Vaswani et al. 2017, "Attention Is All You Need".
    """

    def __init__(self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0, use_bias: bool = True,
                 output_shape: int | Sequence[int] | None = None,
                 attention_axes: int | Sequence[int] | None = None, sliding_window: int | None = None,
                 flash_attention: bool | None = None, kernel_initializer: InitializerLike = "glorot_uniform",
                 bias_initializer: InitializerLike = "zeros", kernel_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, use_gate: bool = False,
                 seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(dropout=dropout, use_bias=use_bias, sliding_window=sliding_window, flash_attention=flash_attention,
                         kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
                         kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
                         kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, use_gate=use_gate, seed=seed, **kwargs)
        owner = "MultiHeadAttention"
        self._activity_regularizer = regularizers.get(activity_regularizer)
        self.num_heads = positive_int(num_heads, "num_heads", owner)
        self.key_dim = positive_int(key_dim, "key_dim", owner)
        self.value_dim = self.key_dim if value_dim is None else positive_int(value_dim, "value_dim", owner)
        self._output_shape = as_tuple(output_shape, "output_shape")
        self.attention_axes = as_tuple(attention_axes, "attention_axes")

    def _base_config(self) -> dict[str, Any]:
        config = super()._base_config()
        if self._activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self._activity_regularizer)
        return config

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(value_shape, key_shape)
        heads = self.num_heads
        self.query_dense = self._make_dense("query", query_shape, (heads, self.key_dim))
        self.key_dense = self._make_dense("key", key_shape, (heads, self.key_dim))
        if self.use_gate:
            self.gate_dense = self._make_dense("gate", query_shape, (heads, self.value_dim), activation="sigmoid")
        self.value_dense = self._make_dense("value", value_shape, (heads, self.value_dim))
        joined = (*query_shape[:-1], heads, self.value_dim)
        self.output_dense = self._make_dense("attention_output", joined, self._output_shape or query_shape[-1:], inner=2)
        self.dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self._dtype_policy)
        self.built = True

    def call(self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
             attention_mask: Any = None, return_attention_scores: bool = False, training: bool | None = None,
             use_causal_mask: bool = False) -> Any:
        self._check_scores(return_attention_scores)
        key = value if key is None else key
        axes = self.attention_axes or tuple(range(1, len(query.shape) - 1))
        axes = tuple(axis % len(query.shape) for axis in axes)
        if self._computes_otherwise():
            mixed, scores = self._compute_attention(
                self.query_dense(query), self.key_dense(key), self.value_dense(value),
                self._compute_attention_mask(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask),
                training, return_attention_scores)  # fmt: skip
            output = self.output_dense(mixed * self.gate_dense(query) if self.use_gate else mixed)
            return (output, scores) if return_attention_scores else output
        causal = use_causal_mask and len(axes) == 1
        mask = self._all_masks(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask and not causal)
        q, k, v = (_heads_first(layer(x), axes) for layer, x in (
            (self.query_dense, query), (self.key_dense, key), (self.value_dense, value)))
        scale = 1.0 / math.sqrt(self.key_dim)
        targets, sources = ([x.shape[axis] for axis in axes] for x in (query, value))
        if mask is not None:
            mask = _flat_mask(mask, len(q.shape), len(axes))
        mixed, scores = self._attend_to(q, k, v, scale, mask, causal, training, return_attention_scores or len(q.shape) != 4)
        mixed = _heads_last(mixed, query.shape, axes)
        if self.use_gate:
            mixed = mixed * self.gate_dense(query)
        output = self.output_dense(mixed)
        if not return_attention_scores:
            return output
        return output, ops.reshape(scores, (*scores.shape[:-2], *targets, *sources))

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        if value_shape is not None:
            self._check_shapes(value_shape, key_shape)
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2, 3), draw(2, 4, 5), draw(2, 6, 5))
        yield sample(cls(2, 3, value_dim=4, use_gate=True, output_shape=3), draw(2, 4, 5), draw(2, 6, 5))


def as_tuple(sizes: int | Sequence[int] | None, name: str) -> tuple[int, ...] | None:
    """One number or several as a tuple; None stays None.

    Raises:
        ValueError: They are neither an integer nor a list or tuple.
    """
    if sizes is not None and not isinstance(sizes, (int, list, tuple)):
        raise ValueError(f"MultiHeadAttention: {name} must be an integer or a list of them. Received: {name}={sizes!r}")
    return None if sizes is None else (sizes,) if isinstance(sizes, int) else tuple(sizes)


def _heads_first(x: Any, axes: tuple[int, ...]) -> Any:
    """`(batch, ..., heads, size)` as `(batch, other axes, heads, attended positions, size)`."""
    rank = len(x.shape)
    others = [axis for axis in range(rank - 2) if axis not in axes]
    x = ops.transpose(x, (*others, rank - 2, *axes, rank - 1))
    return ops.reshape(x, (*x.shape[: len(others) + 1], math.prod(x.shape[len(others) + 1 : -1]), x.shape[-1]))


def _heads_last(x: Any, query_shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """The inverse of `_heads_first` for the shape of the query."""
    others = [axis for axis in range(len(query_shape) - 1) if axis not in axes]
    x = ops.reshape(x, (*x.shape[:-2], *(query_shape[axis] for axis in axes), x.shape[-1]))
    order = (*others, -1, *axes)                       # where each axis of x belongs; -1 are the heads
    places = [order.index(axis) for axis in range(len(query_shape) - 1)]
    return ops.transpose(x, (*places, order.index(-1), len(order)))


def _flat_mask(mask: Any, ndim: int, count: int) -> Any:
    """A mask with `count` axes for targets and for sources in the form of `ndim` axes of scores, heads included."""
    if count > 1:
        lead = mask.shape[: len(mask.shape) - 2 * count]
        targets, sources = mask.shape[len(lead) : len(lead) + count], mask.shape[len(lead) + count :]
        mask = ops.reshape(mask, (*lead, math.prod(targets), math.prod(sources)))
    while len(mask.shape) < ndim:
        mask = ops.expand_dims(mask, -3)
    return mask
