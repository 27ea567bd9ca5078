"""Figures of models: what they consist of, how their weights are distributed, how their layers hang together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from pyml.core.naming import to_snake_case
from pyml.core.tree import flatten
from pyml.layers.layer import Layer
from pyml.vis.charts import histogram
from pyml.vis.figure import Figure
from pyml.vis.grids import table
from pyml.vis.parts import of_model, received
from pyml.vis.theme import FILLED, SERIES
from pyml.vis.training import stacked
from pyml.vis.values import base, nothing, numbers, options


def values_distribution(tensor: Any, **opts: Any) -> Figure:
    """A histogram of all values of a tensor, with how many are zero, NaN or infinite.

    Args:
        tensor: Numbers in any shape.
        opts: As for `histogram`.

    Example:
        >>> pyml.vis.values_distribution(np.zeros((3, 3))).spec["title"]["subtitle"]
        'values 9, min 0, max 0, zeros 9.'
    """
    numbers("values_distribution", tensor)  # an error names this function
    return histogram(tensor, **{"title": "Distribution of values", "max_bins": 25, **opts})


def model_summary(model: Any, **opts: Any) -> Figure:
    """The layers of a model as a table: name, shape of the output, parameters; and whether they learn, where some do not.

    Args:
        model: A model.
        opts: `title, width, height, font_size`.

    Example:
        >>> figure = pyml.vis.model_summary(pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3, name="out")]))
        >>> [row["text"] for row in figure.rows()]
        ['out (Dense)', '(None, 3)', '15']
    """
    rows = []
    for layer in of_model("model_summary", model).layers:
        count = layer.count_params() if layer.built else None
        learns = "" if not count else "yes" if layer.trainable else "no"
        rows.append([described(layer), shape_of(layer), "not built" if count is None else f"{count:,}", learns])
    title = f"{model.name}: {model.count_params():,} parameters" if model.built else model.name
    shown = 4 if any(row[-1] == "no" for row in rows) else 3
    return table([row[:shown] for row in rows], ["layer", "output", "parameters", "learns"][:shown], **{"title": title, **opts})


def described(layer: Any) -> str:
    """A layer's name, and its class where the name does not say it."""
    kind = type(layer).__name__
    return layer.name if re.sub(r"_\d+$", "", layer.name) == to_snake_case(kind) else f"{layer.name} ({kind})"


def shape_of(layer: Any) -> str:
    """The shape of a layer's output, as text."""
    try:
        outputs = flatten(layer.output)
    except (AttributeError, ValueError, RuntimeError):
        return "?"
    return ", ".join(f"({', '.join(str(size) for size in out.shape)})" for out in outputs)


def layer(layer: Any, gradients: Any = None, **opts: Any) -> Figure:
    """A layer: what it is, and how its weights (and gradients) are distributed.

    Args:
        layer: A built layer.
        gradients: Arrays by the names of weights, for example those of `pyml.variable_grads`; each is shown below its weight.
        opts: As for `histogram`.

    Raises:
        ValueError: The layer is not built.
        TypeError: It is not a layer, or `gradients` is not a dict.

    Example:
        >>> dense = pyml.layers.Dense(3, name="out")
        >>> dense.build((None, 4))
        >>> len(pyml.vis.layer(dense).spec["vconcat"])
        3
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"layer: expected a layer, such as model.get_layer('dense'). Received: {received(layer)}")
    if not layer.built:
        raise ValueError(f"layer: the layer {layer.name!r} has no weights yet; build it, or call the model on data first.")
    if gradients is not None and not isinstance(gradients, Mapping):
        meant = f" For a layer of a model write layer(model.get_layer({gradients!r}))." if isinstance(gradients, str) else ""
        raise TypeError(f"layer: gradients must be a dict of arrays by the names of weights. Received: {gradients!r}.{meant}")
    facts = [["type", type(layer).__name__], ["output", shape_of(layer)], ["parameters", f"{layer.count_params():,}"]]
    title = opts.get("title") or f"Layer {layer.name}"
    figures = [table(facts, ["name", layer.name], title=title)]
    look = {key: value for key, value in opts.items() if key != "title"}
    for weight in layer.weights:
        shown = {"title": f"{weight.name} {tuple(weight.shape)}", "height": 140, **look}
        figures.append(values_distribution(weight.numpy(), **shown))
        grad = None if gradients is None else gradients.get(weight.name, gradients.get(weight.path))
        if grad is not None:
            figures.append(values_distribution(grad, **{"title": f"gradient of {weight.name}", "height": 140, "color": SERIES[1], **look}))
    return Figure({**stacked(figures).spec, "description": title})


def model_graph(model: Any, **opts: Any) -> Figure:
    """The layers of a model as boxes, joined as data flow, from top to bottom.

    Args:
        model: A built model: Sequential or functional; others are drawn as a chain of their layers.
        opts: `title, width, height, font_size`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3), pyml.layers.Dense(1)])
        >>> len(pyml.vis.model_graph(model).spec["layer"])
        3
    """
    chosen = options("model_graph", opts)
    boxes, edges = _graph(of_model("model_graph", model))
    if not boxes:
        return Figure(nothing(chosen))
    levels = max(box["level"] for box in boxes) + 1
    wide = max(sum(box["level"] == level for box in boxes) for level in range(levels))
    size = chosen["font_size"] or 11
    longest = max(len(box[part]) for box in boxes for part in ("name", "detail"))
    room = min(max(0.6 * size * longest + 14, 100), 240 if wide == 1 else 156)
    width = max(chosen["width"], int(room + 14) * wide)
    rows_of: dict[int, list[dict[str, Any]]] = {}
    for box in boxes:
        rows_of.setdefault(box["level"], []).append(box)
    for row in rows_of.values():
        for i, box in enumerate(row):
            box["at"] = (i + 0.5) / len(row)
    place = {box["id"]: box for box in boxes}
    lines = [
        {"x": place[a]["at"], "y": place[a]["level"], "x2": place[b]["at"], "y2": place[b]["level"]}
        for a, b in edges if a in place and b in place
    ]  # fmt: skip
    scale_x = {"domain": [0, 1], "nice": False, "zero": False}
    scale_y = {"domain": [levels - 0.5, -0.5], "nice": False, "zero": False, "reverse": False}
    x = {"field": "at", "type": "quantitative", "axis": None, "scale": scale_x}
    y = {"field": "level", "type": "quantitative", "axis": None, "scale": scale_y}
    spec = {**base(chosen, fallback=f"Graph of {model.name}"), "width": width, "height": 62 * levels}
    return Figure({**spec, "data": {"values": boxes}, "layer": [
        {"data": {"values": lines}, "mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": {
            "x": {**x, "field": "x"}, "y": {**y, "field": "y"}, "x2": {"field": "x2"}, "y2": {"field": "y2"}}},
        {"mark": {"type": "rect", "width": room, "height": 38, "cornerRadius": 5, "color": FILLED}, "encoding": {"x": x, "y": y}},
        {"transform": [{"calculate": "[datum.name, datum.detail]", "as": "text"}],
         "mark": {"type": "text", "fontSize": size, "lineBreak": "\n", "dy": -size / 2, "color": "#ffffff", "limit": room - 6},
         "encoding": {"x": x, "y": y, "text": {"field": "text", "type": "nominal"}}},
    ]})  # fmt: skip


def _graph(model: Any) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
    """Boxes with levels, and pairs of those that are joined."""
    graph = model._symbolic_graph
    layers = list(model.layers) if graph is None else list(graph.operations)
    edges: list[tuple[int, int]] = []
    if graph is None:
        edges = [(id(a), id(b)) for a, b in pairwise(layers)]
    else:
        own = {id(node) for node in graph.nodes}
        for op in layers:
            for node in op._inbound_nodes:
                if id(node) in own:
                    edges += [(id(tensor._keras_history.operation), id(op)) for tensor in node.input_tensors]
    level = {id(op): 0 for op in layers}
    for _ in layers:
        for a, b in edges:
            if a in level and b in level and level[b] <= level[a] < len(layers):
                level[b] = level[a] + 1
    boxes = [
        {"id": id(op), "name": op.name[:26], "detail": f"{type(op).__name__} {shape_of(op)}"[:34], "level": level[id(op)]} for op in layers
    ]
    numbers = {box["id"]: i for i, box in enumerate(boxes)}
    for box in boxes:
        box["id"] = numbers[box["id"]]
    return boxes, [(numbers[a], numbers[b]) for a, b in edges if a in numbers and b in numbers]


