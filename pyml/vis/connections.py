"""A small network of two inputs as a drawing: what each unit answers all over the plane, and the weights between them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from pyml import ops
from pyml.callbacks.event_file import png
from pyml.core import convert_to_tensor
from pyml.layers import Dense, InputLayer
from pyml.models.model import Model
from pyml.vis.boundaries import Plane
from pyml.vis.figure import Figure
from pyml.vis.theme import SERIES
from pyml.vis.values import base, numbers, options

MOST = 8                                               # units of a layer that are drawn
SIDE, ROW = 38, 46                                     # pixels of a unit's picture, and from one to the next
ROOM = 22                                              # pixels above the first row, for the names of the columns
LOW, HIGH = ([int(SERIES[i][k : k + 2], 16) for k in (1, 3, 5)] for i in (0, 1))


def neurons(model: Any, x: Any, resolution: int = 24, **opts: Any) -> Figure:
    """The units of a network of two numbers: where on the plane each answers high or low, and the weights between them.

    Args:
        model: Built Sequential or functional chain of Dense layers (activations, dropout and normalization between them belong to
            the Dense layer before) on two inputs.
        x: Points `(n, 2)`: their surroundings are the plane.
        resolution: Places along each side of a unit's picture.
        opts: `title, width`.

    Returns:
        A Figure. Orange is high, blue is low, for units and weights; the thicker a line, the larger the weight. Of a layer of more
        than 8 units those are drawn whose weights onwards are largest. `.values` is a list with an array `(units, resolution,
        resolution)` for each layer, of all its units, rows from low to high `x[:, 1]`.

    Raises:
        ValueError: `x` has another form, or the model is no chain of Dense layers on two inputs.

    Source: Smilkov et al. 2017, "Direct-Manipulation Visualization of Deep Networks" (the TensorFlow playground).

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3, "tanh"), pyml.layers.Dense(1, "sigmoid")])
        >>> [maps.shape for maps in pyml.vis.neurons(model, [[0, 0], [1, 1]], resolution=5).values]
        [(3, 5, 5), (1, 5, 5)]
    """
    chosen = options("neurons", opts, own="x, resolution")
    plane = Plane("neurons", numbers("neurons", x), resolution)
    dense, outputs = _chain(model)
    joined = ops.concatenate([ops.reshape(output, (-1, one.units)) for one, output in zip(dense, outputs)], axis=-1)
    answers = Model(model.inputs, joined)(convert_to_tensor(plane.grid), training=False).numpy()
    parts = np.split(answers, np.cumsum([one.units for one in dense])[:-1], axis=1)
    maps = [part.T.reshape(-1, resolution, resolution) for part in parts]
    columns = [plane.grid.T.reshape(2, resolution, resolution), *maps]
    weights = [one.kernel.numpy() for one in dense]
    kept = [np.arange(2), *(_strongest(onwards, one.units) for one, onwards in zip(dense, [*weights[1:], None]))]
    high = max(len(one) for one in kept) * ROW + ROOM
    across = np.linspace(SIDE, chosen["width"] - SIDE, len(columns))
    down = [ROOM + (high - ROOM - len(one) * ROW) / 2 + ROW * (np.arange(len(one)) + 0.5) for one in kept]
    lines = []
    for k, weight in enumerate(weights):
        most = float(np.abs(weight).max()) or 1.0
        for i, a in enumerate(kept[k]):
            for j, b in enumerate(kept[k + 1]):
                value = float(weight[a, b])
                lines.append({"x": float(across[k]) + SIDE / 2, "y": float(down[k][i]), "x2": float(across[k + 1]) - SIDE / 2,
                              "y2": float(down[k + 1][j]), "size": abs(value) / most, "weight": round(value, 4),
                              "sign": "high" if value > 0 else "low"})  # fmt: skip
    pictures, names = [], []
    for k, (column, units) in enumerate(zip(columns, kept)):
        last = dense[k - 1] if k else None
        name = "inputs" if last is None else "output" if k == len(dense) else _counted(len(units), last.units)
        names.append({"x": float(across[k]), "y": ROOM / 2, "text": name})
        squashed = k == len(dense) and getattr(dense[-1].activation, "__name__", "") in ("sigmoid", "softmax")
        for row, unit in enumerate(units):
            text = ("x", "y")[unit] if last is None else f"{last.name}, unit {unit}"
            pictures.append({"x": float(across[k]), "y": float(down[k][row]), "unit": text, "url": _picture(column[unit], squashed)})
    field = lambda name, domain: {"field": name, "type": "quantitative", "axis": None, "scale": {"domain": domain, "nice": False}}
    place = {"x": field("x", [0, chosen["width"]]), "y": field("y", [high, 0])}
    colour = {"field": "sign", "type": "nominal", "legend": None, "scale": {"domain": ["low", "high"], "range": SERIES[:2]}}
    width = {"field": "size", "type": "quantitative", "legend": None, "scale": {"domain": [0, 1], "range": [0.3, 4]}}
    spec = {**base(chosen, fallback="Neurons"), "height": high}
    return Figure({**spec, "view": {"stroke": None}, "layer": [
        {"data": {"values": lines}, "mark": {"type": "rule", "opacity": 0.6, "aria": False}, "encoding": {
            **place, "x2": {"field": "x2"}, "y2": {"field": "y2"}, "color": colour, "strokeWidth": width,
            "tooltip": {"field": "weight", "type": "quantitative"}}},
        {"data": {"values": pictures}, "mark": {"type": "image", "width": SIDE, "height": SIDE, "smooth": False}, "encoding": {
            **place, "url": {"field": "url", "type": "nominal"}, "description": {"field": "unit", "type": "nominal"},
            "tooltip": {"field": "unit", "type": "nominal"}}},
        {"data": {"values": names}, "mark": {"type": "text"}, "encoding": {**place, "text": {"field": "text", "type": "nominal"}}},
    ]}, maps)  # fmt: skip


def _chain(model: Any) -> tuple[list[Any], list[Any]]:
    """The Dense layers of a model, and what comes out of each and of what belongs to it."""
    layers = [layer for layer in getattr(model, "layers", ()) if not isinstance(layer, InputLayer)]
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1 or tuple(inputs[0].shape)[1:] != (2,) or not layers or not isinstance(layers[0], Dense):
        raise ValueError("neurons: expected a built chain of Dense layers on two inputs, such as Sequential([Input((2,)), Dense(4), ...]). "
                         f"Received: {type(model).__name__} with inputs {[tuple(one.shape) for one in inputs]}")  # fmt: skip
    dense: list[Any] = []
    outputs: list[Any] = []
    for layer in layers:
        if isinstance(layer, Dense):
            dense.append(layer)
            outputs.append(layer.output)
        elif tuple(layer.output.shape) == tuple(outputs[-1].shape):
            outputs[-1] = layer.output
        else:
            raise ValueError("neurons: only Dense layers, and what leaves their shape as it is, can be drawn. "
                             f"The model has {layer.name!r}, a {type(layer).__name__}.")  # fmt: skip
    return dense, outputs


def _strongest(onwards: np.ndarray | None, units: int) -> np.ndarray:
    """The units that are drawn, in their order."""
    if units <= MOST or onwards is None:
        return np.arange(min(units, MOST))
    return np.sort(np.abs(onwards).sum(1).argsort()[::-1][:MOST])


def _counted(drawn: int, units: int) -> str:
    return f"{drawn} of {units}" if drawn < units else f"{units} unit{'s' if units > 1 else ''}"


def _picture(values: np.ndarray, squashed: bool) -> str:
    """A unit's answers as a picture: the further from the middle, the less of the ground shows through, on which it is drawn."""
    values = np.nan_to_num(values - 0.5 if squashed else values)[::-1]
    share = values / (0.5 if squashed else float(np.abs(values).max()) or 1.0)
    pixels = np.where(share[..., None] > 0, HIGH, LOW)
    seen = (40 + 215 * np.clip(np.abs(share), 0, 1))[..., None]
    return "data:image/png;base64," + base64.b64encode(png(np.concatenate([pixels, seen], -1).astype(np.uint8))).decode()
