"""Where attention layers look: their shares as heat maps, one for each head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pyml import config
from pyml.layers import AdditiveAttention, Attention, GroupQueryAttention, MultiHeadAttention
from pyml.vis.figure import Figure
from pyml.vis.grids import heatmap
from pyml.vis.parts import Sample, need_graph, plainly
from pyml.vis.training import stacked

HEADS = 8                                              # that are drawn at most


def attention(model: Any, inputs: Any, layer: Any = None, target_labels: Sequence[Any] | None = None,
              source_labels: Sequence[Any] | None = None, **opts: Any) -> Figure:  # fmt: skip
    """How much each place of a sequence looks at each other: the shares of an attention layer for one input.

    Args:
        model: Sequential or functional model; its attention layers may lie inside other layers.
        inputs: One input, with or without a batch axis of 1; a list of them, or a dict by name, where the model has several.
        layer: `MultiHeadAttention`, `GroupQueryAttention`, `Attention` or `AdditiveAttention`, or its name; the model's last by default.
        target_labels: Names of the places that look, such as letters; they go down.
        source_labels: Names of the places that are looked at.
        opts: As for `heatmap`; the colours go from 0 to 1 unless `domain` says otherwise.

    Returns:
        A Figure, a heat map for each of the first 8 heads; `.values` is `(heads, targets, sources)`, and rows add up to 1.

    Raises:
        ValueError: The model has no such layer; the message lists those it has.

    Example:
        >>> x = pyml.Input((5, 4))
        >>> model = pyml.Model(x, pyml.layers.MultiHeadAttention(2, 3, name="look")(x, x))
        >>> pyml.vis.attention(model, np.ones((5, 4)), "look").values.shape
        (2, 5, 5)
    """
    need_graph("attention", model)
    place = attention_layer(model, layer)
    fresh, sample = plainly(model), Sample("attention", model, inputs, exact=True)
    with config.without_replay(), heard(place) as scores:
        fresh(sample.with_(sample.explained), training=False)
    if not scores:
        raise ValueError(f"attention: the layer {place.name!r} does not run when the model is called.")
    found = scores[-1].numpy()[0].astype(np.float32)
    found = found[None] if found.ndim == 2 else found
    axes = (found.ndim - 1) // 2                       # several for attention over pictures
    found = found.reshape(len(found), int(np.prod(found.shape[1 : 1 + axes])), -1)
    title = opts.pop("title", None) or f"Where {place.name} looks"
    look = {"x_label": "looked at", "y_label": "looks", "color_map": "blues", "domain": [0, 1], **opts}
    if len(found) == 1:
        figure = heatmap(found[0], source_labels, target_labels, title=title, **look)
    else:
        drawn = found[:HEADS]
        more = f" (the first {HEADS} of {len(found)} heads)" if len(found) > HEADS else ""
        look = {"height": 160, **look}
        figure = stacked([heatmap(each, source_labels, target_labels, title=f"head {i + 1}", **look) for i, each in enumerate(drawn)])
        figure.spec["title"] = {"text": title + more}
        for i, head in enumerate(figure.spec["vconcat"]):  # one scale for all, above, where it takes no width from them
            head["encoding"]["color"]["legend"] = {"orient": "top", "direction": "horizontal", "gradientLength": 120} if i == 0 else None
    figure.values = found
    return figure


def attention_layer(model: Any, layer: Any) -> Any:
    """The layer to look at; the last one that attends, unless one is given.

    Raises:
        ValueError: There is none, or none of that name.
    """
    kinds = (MultiHeadAttention, GroupQueryAttention, Attention, AdditiveAttention)
    if isinstance(layer, kinds):
        return layer
    every = [one for one in model._flatten_layers() if isinstance(one, kinds)]
    named = every if layer is None else [one for one in every if one.name == layer]
    if not named:
        there = f"there are {', '.join(one.name for one in every)}" if every else "the model has none"
        raise ValueError(f"attention: there is no attention layer {'' if layer is None else repr(layer)}; {there}.".replace(" ;", ";"))
    return named[-1]


@contextmanager
def heard(layer: Any) -> Iterator[list[Any]]:
    """The shares of each call of an attention layer, while the block runs."""
    scores: list[Any] = []
    call = layer.call

    def listening(*args: Any, return_attention_scores: bool = False, **kwargs: Any) -> Any:
        output, shares = call(*args, return_attention_scores=True, **kwargs)
        scores.append(shares)
        return (output, shares) if return_attention_scores else output

    object.__setattr__(layer, "call", listening)
    try:
        yield scores
    finally:
        object.__delattr__(layer, "call")

