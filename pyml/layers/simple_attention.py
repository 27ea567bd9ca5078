"""Attention without projections: Attention (Luong) and AdditiveAttention (Bahdanau)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops, random
from pyml.core import Variable
from pyml.core.meeting import infer_spec_where_sizes_meet
from pyml.errors import ShapeError
from pyml.layers.layer import Layer
from pyml.layers.regularization import share_of_one
from pyml.layers.weights import known_size
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.attending import attend

__all__ = ["AdditiveAttention", "Attention"]

_FAR_BELOW = 1e9


class Attention(Layer):
    """Each step of a query takes a weighted mean of the values, by how well it fits their keys.

    Args:
        use_scale: Whether scores are scaled by a learned number.
        score_mode: `"dot"`: the product of query and key; `"concat"`: `sum(tanh(query + key))` times a learned number.
        dropout: Share of the weights of the mean dropped while training.
        seed: Integer seed of the dropout.

    Call arguments:
        inputs: List of query `(batch, targets, size)`, value `(batch, sources, size)` and perhaps key, which is the value
            otherwise.
        mask: List of the masks of query and value, True where a step counts.
        return_attention_scores: Also give back the weights `(batch, targets, sources)`, without the dropped ones.
        use_causal_mask: Look only at the step itself and at earlier ones.

    Output shape: `(batch, targets, size)`.

    Raises:
        ValueError: `score_mode` or `dropout` is out of range.
        ShapeError: The inputs are not a list of two or three.

    Example:
        >>> query, value = np.ones((1, 2, 3)), np.ones((1, 4, 3))
        >>> pyml.layers.Attention()([query, value]).shape
        (1, 2, 3)

    Source: Luong et al. 2015, "Effective Approaches to Attention-based Neural Machine Translation".
    """

    _integers_give_float32 = True

    def __init__(self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"{owner}: score_mode must be 'dot' or 'concat'. Received: score_mode={score_mode!r}")
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = share_of_one(dropout, "dropout", owner)
        self.seed = seed
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.scale: Variable | None = None
        self.concat_score_weight: Variable | None = None
        self.supports_masking = True

    def _checked(self, shapes: Any) -> None:
        nested = isinstance(shapes, (list, tuple)) and all(isinstance(shape, (list, tuple)) for shape in shapes)
        if not nested or len(shapes) not in (2, 3):
            raise ShapeError(f'Layer "{self.name}" takes a list [query, value] or [query, value, key]. Received shapes: {shapes}')

    def _check_sizes(self, query: Any, key: Any, value: Any, value_mask: Any) -> None:
        cls = type(self)
        if cls._calculate_scores not in (Attention._calculate_scores, AdditiveAttention._calculate_scores):
            return  # scores of a subclass
        shapes = f"Received: query {tuple(query.shape)}, value {tuple(value.shape)}, key {tuple(key.shape)}"
        sizes = {query.shape[-1], key.shape[-1]}
        if len(sizes) > 1 and (1 not in sizes or self._by_product()):
            raise ShapeError(f'Layer "{self.name}": query and key must have as many features. {shapes}')
        if key.shape[-2] != value.shape[-2]:
            raise ShapeError(f'Layer "{self.name}": key and value must have as many steps. {shapes}')
        if value_mask is not None and value_mask.shape[-1] not in (1, value.shape[-2]):
            raise ShapeError(f'Layer "{self.name}": the second mask must have the steps of value. {shapes}, and a mask '
                             f"{tuple(value_mask.shape)}")  # fmt: skip

    def _checked_masks(self, masks: Any) -> None:
        if masks is not None and not isinstance(masks, (list, tuple)):
            raise ShapeError(f'Layer "{self.name}": mask must be a list [query_mask, value_mask]. Received: mask={masks}')
        if masks is not None and len(masks) not in (2, 3):
            raise ShapeError(f'Layer "{self.name}": mask must hold the masks of query and value, and perhaps of the key. '
                             f"Received: {len(masks)}")  # fmt: skip

    def build(self, input_shape: Any) -> None:
        self._checked(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")
        self.built = True

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -1, -2))
            return scores if self.scale is None else scores * self.scale
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        scores = ops.sum(ops.tanh(both if self.scale is None else both * self.scale), axis=-1)
        return scores if self.concat_score_weight is None else self.concat_score_weight * scores

    def call(self, inputs: Any, mask: Any = None, training: bool | None = False, return_attention_scores: bool = False,
             use_causal_mask: bool = False) -> Any:
        self._checked_masks(mask)
        query, value = inputs[0], inputs[1]
        query_mask, value_mask = (None, None) if mask is None else (mask[0], mask[1])
        self._check_sizes(query, inputs[-1], value, value_mask)
        whole = return_attention_scores or value_mask is not None or (training and self.dropout)
        if self._by_product() and not whole:
            return self._kept(self._mean(query, inputs[-1], value, use_causal_mask), query_mask)
        scores = self._calculate_scores(query, inputs[-1])
        kept = None if value_mask is None else ops.expand_dims(value_mask, -2)
        if use_causal_mask:
            rows = ops.reshape(ops.arange(scores.shape[-2]), (1, -1, 1))
            causal = ops.greater_equal(rows, ops.reshape(ops.arange(scores.shape[-1]), (1, 1, -1)))
            kept = causal if kept is None else ops.logical_and(kept, causal)
        output, weights = self._apply_scores(scores, value, kept, training)
        output = self._kept(output, query_mask)
        return (output, weights) if return_attention_scores else output

    def _apply_scores(self, scores: Any, value: Any, scores_mask: Any = None, training: bool | None = False) -> Any:
        """The means of the values by the scores, and their weights; subclasses may have other ones, and other scores."""
        if scores_mask is not None:
            if len(scores_mask.shape) == 2:
                scores_mask = ops.expand_dims(scores_mask, -2)
            scores = ops.where(scores_mask, scores, scores - _FAR_BELOW)
        weights = ops.softmax(scores)
        if training and self.dropout:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        return ops.matmul(weights, value), weights

    def _by_product(self) -> bool:
        """Whether the scores are products and their weights a softmax, which one kernel makes."""
        cls = type(self)
        own = (cls._calculate_scores, cls._apply_scores) == (Attention._calculate_scores, Attention._apply_scores)
        return own and self.score_mode == "dot"

    def _mean(self, query: Any, key: Any, value: Any, causal: bool) -> Any:
        """The outputs where nobody asks for scores: those of long sequences are never held together."""
        query, key, value = (ops.expand_dims(x, 1) for x in (query, key, value))
        return ops.squeeze(attend(query if self.scale is None else query * self.scale, key, value, 1.0, causal=causal), 1)

    def _kept(self, output: Any, query_mask: Any) -> Any:
        return output if query_mask is None else ops.where(ops.expand_dims(query_mask, -1), output, 0.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        self._checked_masks(mask)
        return None if mask is None or mask[0] is None else ops.convert_to_tensor(mask[0])

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._checked(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_spec_where_sizes_meet(self._call_on_probes, args, kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(xs: Any) -> Any:
            scores = np.exp(xs[0] @ xs[1].swapaxes(1, 2))
            return scores / scores.sum(-1, keepdims=True) @ xs[1]

        yield sample(cls(), [draw(2, 3, 4), draw(2, 5, 4)], like=like)
        yield sample(cls(use_scale=True, score_mode="concat", dropout=0.1), [draw(2, 3, 4), draw(2, 5, 4), draw(2, 5, 4)])


class AdditiveAttention(Attention):
    """`Attention` with scores `sum(scale * tanh(query + key))`.

    Args:
        use_scale: Whether `scale` is learned, one number per feature; 1 otherwise.
        dropout: Share of the weights of the mean dropped while training.

    Inputs and outputs are those of `Attention`.

    Example:
        >>> query, value = np.ones((1, 2, 3)), np.ones((1, 4, 3))
        >>> pyml.layers.AdditiveAttention()([query, value]).shape
        (1, 2, 3)

    Source: Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning to Align and Translate".
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._checked(input_shape)
        if self.use_scale:
            size = known_size(self, input_shape[0], -1)
            self.scale = self.add_weight(name="scale", shape=(size,), initializer="glorot_uniform")
        self.built = True

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        both = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(both if self.scale is None else both * self.scale, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3, 4), draw(2, 5, 4)])
