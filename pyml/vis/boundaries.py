"""Which class a model gives to each place of a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml.core import convert_to_tensor
from pyml.vis.figure import Figure
from pyml.vis.parts import of_model
from pyml.vis.theme import SERIES
from pyml.vis.values import base, lettering, numbers, options


class Plane:
    """The places around some points: `grid` is `(resolution * resolution, 2)`, float32, rows from low to high second coordinate.

    Raises:
        ValueError: The points are not `(n, 2)`, there are none, or some are not finite.
    """

    def __init__(self, what: str, points: np.ndarray, resolution: int) -> None:
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ValueError(f"{what}: expected points (n, 2). Received shape {points.shape}.")
        if not np.isfinite(points).all():
            raise ValueError(f"{what}: the points hold values that are not finite; fill or leave them out first.")
        low, high = points.min(0), points.max(0)
        around = np.where(high > low, (high - low) * 0.08, 0.5)
        self.low, self.high = low - around, high + around
        self.step = (self.high - self.low) / resolution
        a, b = (self.low[i] + self.step[i] * (np.arange(resolution) + 0.5) for i in (0, 1))
        self.grid = np.stack(np.meshgrid(a, b), -1).reshape(-1, 2).astype(np.float32)


def decision_boundary(model: Any, x: Any, y: Any, resolution: int = 60, class_names: Sequence[Any] | None = None, **opts: Any) -> Figure:
    """The classes that a model gives to the places of a plane, and the points it learned from.

    Args:
        model: Classifier of two numbers: one output (from 0 to 1, or a logit above or below 0, as its last activation says), or one for
            each class.
        x: Points `(n, 2)`.
        y: Their classes, from 0.
        resolution: Places along each axis.
        class_names: Names of the classes; their numbers by default.
        opts: `title, width, height, x_label, y_label, font_size`.

    Returns:
        A Figure; `.values` is `(resolution, resolution)`, the class at each place, rows from low to high `x[:, 1]`.

    Raises:
        ValueError: `x` has another form, or holds values that are not finite; or there are fewer names than classes.
        TypeError: The model is none.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(2)])
        >>> figure = pyml.vis.decision_boundary(model, np.array([[0.0, 1.0], [1.0, 0.0]]), [0, 1], resolution=8)
        >>> type(figure).__name__
        'Figure'
    """
    chosen = options("decision_boundary", opts, own="x, y, resolution, class_names")
    points, kinds = numbers("decision_boundary", x), numbers("decision_boundary", y)
    kinds = kinds.argmax(-1) if kinds.ndim == 2 and kinds.shape[1] > 1 else kinds.reshape(-1).astype(int)
    plane = Plane("decision_boundary", points, resolution)
    of_model("decision_boundary", model)
    if len(points) != len(kinds):
        raise ValueError(f"decision_boundary: expected points (n, 2) and n classes. Received shapes {points.shape} and {kinds.shape}.")
    low, high, step, grid = plane.low, plane.high, plane.step, plane.grid
    scores = model(convert_to_tensor(grid), training=False).numpy().reshape(len(grid), -1)
    if scores.shape[1] == 1:
        logits = getattr(getattr(model.layers[-1], "activation", None), "__name__", "") == "linear"
        found = (scores[:, 0] > (0.0 if logits else 0.5)).astype(int)
    else:
        found = scores.argmax(1)
    count = int(max(found.max(), kinds.max())) + 1
    names = [str(i) for i in range(count)] if class_names is None else [str(name) for name in class_names]
    if len(names) < count:
        raise ValueError(f"decision_boundary: class_names must name {count} classes. Received: {', '.join(names)}.")
    colour = {"field": "class", "type": "nominal", "title": None,
              "scale": {"domain": names, "range": [SERIES[i % len(SERIES)] for i in range(len(names))]}}  # fmt: skip
    axis = lambda name, i, label: {"field": name, "type": "quantitative", "title": label, "axis": lettering([low[i], high[i]]),
                                   "scale": {"domain": [float(low[i]), float(high[i])], "nice": False, "zero": False}}  # fmt: skip
    x_axis, y_axis = axis("x", 0, chosen["x_label"] or "x"), axis("y", 1, chosen["y_label"] or "y")
    areas = [{"x": float(p[0] - step[0] / 2), "x2": float(p[0] + step[0] / 2), "y": float(p[1] - step[1] / 2),
              "y2": float(p[1] + step[1] / 2), "class": names[k]} for p, k in zip(grid, found)]  # fmt: skip
    shown = np.linspace(0, len(points) - 1, min(len(points), 1000)).round().astype(int)
    dots = [{"x": float(points[i, 0]), "y": float(points[i, 1]), "class": names[kinds[i]]} for i in shown]
    spec = {**base(chosen, fallback="Decision boundary"), "height": opts.get("height", 320)}
    return Figure({**spec, "layer": [
        {"data": {"values": areas}, "mark": {"type": "rect", "opacity": 0.28, "stroke": None}, "encoding": {
            "x": x_axis, "x2": {"field": "x2"}, "y": y_axis, "y2": {"field": "y2"}, "color": colour}},
        {"data": {"values": dots}, "mark": {"type": "point", "filled": True, "size": 34, "opacity": 1}, "encoding": {
            "x": x_axis, "y": y_axis, "color": colour, "shape": {**colour, "scale": {"domain": names}}}},
    ]}, found.reshape(resolution, resolution))  # fmt: skip
