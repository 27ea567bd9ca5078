"""Figures of what a classifier got right and wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pyml.vis import metrics
from pyml.vis.charts import line_chart
from pyml.vis.figure import Figure
from pyml.vis.grids import CELLS, heatmap
from pyml.vis.theme import SERIES
from pyml.vis.values import apart, base, items, nothing, numbers, options, plain

_COLORS = ["#eef3fb", "#0b5d8f"]


def confusion_matrix(labels: Any, predictions: Any = None, class_names: Sequence[Any] | None = None, weights: Any = None,
                     **opts: Any) -> Figure:  # fmt: skip
    """How often each class was taken for each other.

    Args:
        labels: True classes from 0, their names, or rows of scores; or alone a matrix of counts (or a dict of `values` and `tickLabels`,
            as in tfjs-vis).
        predictions: Predicted classes, their names where the labels are names, or rows of scores.
        class_names: Names of the classes; of labels that are names, their order, by default that of the alphabet.
        weights: How much each sample counts.
        opts: `title, width, height, x_label, y_label, font_size, color_map, shade_diagonal` (False: shade only the mistakes),
            `show_text_overlay`, `x_type, y_type`.

    Returns:
        A Figure; true classes go down, predicted ones to the right.

    Raises:
        ValueError: Labels and predictions do not fit each other.

    Example:
        >>> pyml.vis.confusion_matrix([0, 1, 1], [0, 1, 0], class_names=["cat", "dog"]).rows()[2]
        {'x': 'cat', 'y': 'dog', 'value': 1.0}
    """
    chosen = options("confusion_matrix", opts, "x_type", "y_type", "color_map", "shade_diagonal", "show_text_overlay",
                     own="predictions, class_names, weights")  # fmt: skip
    if isinstance(labels, Mapping):
        class_names, (labels,) = labels.get("tickLabels", class_names), items("confusion_matrix", labels, "values")
    if predictions is None:
        matrix = numbers("confusion_matrix", labels)
        if matrix.size and (matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]):
            raise ValueError(f"confusion_matrix: expected a square matrix, or labels and predictions. Received shape {matrix.shape}.")
    else:
        labels, predictions, class_names = metrics.numbered("confusion_matrix", labels, predictions, class_names)
        count = None if class_names is None else len(class_names)
        matrix = np.array(metrics.confusion_matrix(labels, predictions, count, weights), float)
    if not matrix.size:
        return Figure(nothing(chosen))
    if not np.isfinite(matrix).any():
        return Figure(nothing(chosen, "All values are NaN or infinite."))
    if matrix.size > CELLS:
        limit = int(CELLS**0.5)
        raise ValueError(f"confusion_matrix: {len(matrix):,} classes are more than the {limit} that are drawn; "
                         "per_class_accuracy takes more.")  # fmt: skip
    if class_names is not None and len(class_names) != len(matrix):
        raise ValueError(f"confusion_matrix: class_names must name {len(matrix)} classes. Received: {len(class_names)} names.")
    size = min(44 * len(matrix) + 80, 420)
    look = {name: chosen[name] for name in ("title", "font_size", "x_type", "y_type")}
    shown = np.where(np.eye(len(matrix), dtype=bool) & (not chosen["shade_diagonal"]), np.nan, matrix)
    figure = heatmap(
        np.where(np.isnan(shown), 0, shown), class_names, class_names, **look, color_map=chosen["color_map"] or _COLORS,
        width=opts.get("width", 360), height=opts.get("height", size),
        x_label=chosen["x_label"] or "predicted", y_label=chosen["y_label"] or "true",
    )  # fmt: skip
    spec = figure.spec
    finite = shown[np.isfinite(shown)]
    whole = np.array_equal(matrix, np.floor(matrix)) and matrix.max() < 1e7
    if finite.size and finite.min() >= 0:  # counts: colours begin at none, where the text turns light is half of the most
        spec["encoding"]["color"]["scale"]["domain"] = [0, float(finite.max()) or 1]
        spec["encoding"]["color"]["legend"] |= {"tickMinStep": 1, "tickCount": int(min(finite.max() or 1, 5))} if whole else {}
    for row, value in zip(spec["data"]["values"], matrix.reshape(-1)):
        row["value"] = plain(value)
    if not chosen["shade_diagonal"]:
        spec["encoding"]["color"] = {"condition": {"test": "datum.x === datum.y", "value": "transparent"}, **spec["encoding"]["color"]}
    if chosen["show_text_overlay"] and len(matrix) <= 20:
        encoding = spec.pop("encoding")
        half = float(finite.max(initial=0)) / 2
        dark = f"datum.value > {half}" + ("" if chosen["shade_diagonal"] else " && datum.x !== datum.y")
        light = "datum.x === datum.y" if not chosen["shade_diagonal"] else "false"
        colour = {"condition": [{"test": dark, "value": "#ffffff"}, {"test": light, "value": "#767676"}], "value": "#1f2328"}
        known = {"filter": "isValid(datum.value)"}     # else "null" stands where nothing is
        text = {"x": encoding["x"], "y": encoding["y"], "color": colour,
                "text": {"field": "value", "type": "quantitative", "format": ",.0f" if whole else ",.4~g"}}  # fmt: skip
        spec["layer"] = [{"mark": spec.pop("mark"), "encoding": encoding},
                         {"transform": [known], "mark": {"type": "text"}, "encoding": text}]  # fmt: skip
    return figure


def per_class_accuracy(labels: Any, predictions: Any = None, class_names: Sequence[Any] | None = None, **opts: Any) -> Figure:
    """For each class the share of its samples that was found, and how many samples it has.

    Args:
        labels: True classes from 0, their names, or rows of scores; or alone what `metrics.per_class_accuracy` returned.
        predictions, class_names: As for `confusion_matrix`.
        opts: `title, width, height, x_label, y_label, font_size`.

    Raises:
        TypeError: Without predictions, `labels` is not what `metrics.per_class_accuracy` returned.
        ValueError: There are not as many names as classes.

    Example:
        >>> pyml.vis.per_class_accuracy([0, 1, 1], [0, 1, 0]).rows()[1]
        {'class': '1', 'accuracy': 0.5, 'count': 2}
    """
    chosen = options("per_class_accuracy", opts, own="predictions, class_names")
    if predictions is not None:
        labels, predictions, class_names = metrics.numbered("per_class_accuracy", labels, predictions, class_names)
    count = None if class_names is None else len(class_names)
    found = labels if predictions is None else metrics.per_class_accuracy(labels, predictions, count)
    if not hasattr(found, "__len__") or any(not isinstance(one, Mapping) for one in found):
        raise TypeError("per_class_accuracy: expected labels and predictions, or what metrics.per_class_accuracy returned. "
                        f"Received: {found!r:.60}")  # fmt: skip
    for one in found:
        items("per_class_accuracy", one, "accuracy", "count")
    if not len(found):
        return Figure(nothing(chosen))
    names = [str(i) for i in range(len(found))] if class_names is None else [str(name) for name in class_names]
    if len(names) != len(found):
        raise ValueError(f"per_class_accuracy: class_names must name {len(found)} classes. Received: {len(names)}")
    names = apart(names)
    rows = [{"class": name, "accuracy": plain(one["accuracy"]), "count": int(one["count"])} for name, one in zip(names, found)]
    y = {"field": "class", "type": "ordinal", "sort": None, "title": chosen["y_label"] or "class", "scale": {"domain": names}}
    bars = {"mark": {"type": "bar", "color": SERIES[0]}, "encoding": {"y": y, "x": {
        "field": "accuracy", "type": "quantitative", "title": chosen["x_label"] or "accuracy", "scale": {"domain": [0, 1.25]},
        "axis": {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]}}}}  # fmt: skip
    text = {"mark": {"type": "text", "align": "left", "dx": 4}, "transform": [
        {"calculate": "(datum.count ? format(datum.accuracy, '.1%') : 'none') + ' of ' + datum.count", "as": "text"},
        {"calculate": "datum.accuracy || 0", "as": "end"}],
        "encoding": {"y": y, "x": {"field": "end", "type": "quantitative"}, "text": {"field": "text", "type": "nominal"}}}  # fmt: skip
    spec = base(chosen, fallback="Accuracy of each class")
    return Figure({**spec, "height": opts.get("height", 26 * len(rows) + 50), "data": {"values": rows}, "layer": [bars, text]})


def roc_curve(labels: Any, scores: Any, **opts: Any) -> Figure:
    """True positive rate over false positive rate at every threshold; the title holds the area below.

    Args:
        labels: 0 or 1.
        scores: The higher, the likelier 1. A dict of several by name draws a curve for each.
        opts: As for `line_chart`.

    Raises:
        ValueError: Labels are not 0 and 1, hold one of them only, or scores are not finite.

    Example:
        >>> pyml.vis.roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).title
        'ROC, area 0.750'
    """
    def curve(one: Any) -> tuple[np.ndarray, np.ndarray, float]:
        x, y, _ = metrics.roc_curve(labels, one)
        return x, y, metrics.auc(x, y)

    figure = _of_shares(curve, scores, "ROC, area", "false positive rate", "true positive rate", opts)
    places = {name: {"field": field, "type": "quantitative"} for name, field in (("x", "a"), ("y", "b"))}
    mark = {"type": "line", "color": "#767676", "strokeDash": [2, 4], "strokeWidth": 1}
    return _layered(figure, {"data": {"values": [{"a": 0, "b": 0}, {"a": 1, "b": 1}]}, "mark": mark, "encoding": places})


def precision_recall_curve(labels: Any, scores: Any, **opts: Any) -> Figure:
    """Precision over recall at every threshold; the title holds the average precision.

    Args:
        labels, scores, opts: As for `roc_curve`.

    Example:
        >>> pyml.vis.precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).title
        'Precision and recall, average 0.833'
    """
    def curve(one: Any) -> tuple[np.ndarray, np.ndarray, float]:
        precision, recall, _ = metrics.precision_recall_curve(labels, one)
        return recall, precision, metrics.average_precision(labels, one)

    figure = _of_shares(curve, scores, "Precision and recall, average", "recall", "precision", opts)
    mark = figure.spec["mark"]
    figure.spec["mark"] = {**mark, "interpolate": "step-before"}
    return figure


def _of_shares(curve: Callable[[Any], tuple[np.ndarray, np.ndarray, float]], scores: Any, title: str, x_label: str, y_label: str,
               opts: dict[str, Any]) -> Figure:
    """One share over another for each of several scores; `curve` gives both and the number that sums them up."""
    found = {name: curve(one) for name, one in (scores.items() if isinstance(scores, Mapping) else [("", scores)])}
    lines = {f"{name} {number:.3f}".strip(): np.stack([x, y], 1) for name, (x, y, number) in found.items()}
    single = len(lines) == 1
    look = {"title": f"{title} {next(iter(lines)).split()[-1]}" if single else f"{title}s", "x_label": x_label, "y_label": y_label,
            "x_axis_domain": (0, 1), "y_axis_domain": (0, 1), "height": 300}  # fmt: skip
    return line_chart(list(lines.values()) if single else lines, **{**look, **opts})


def _layered(figure: Figure, below: dict[str, Any]) -> Figure:
    """A figure over another layer."""
    spec = figure.spec
    own = {key: spec.pop(key) for key in ("data", "mark", "encoding")}
    spec["data"] = own.pop("data")                     # of the figure, so that `rows` are those of the curve
    spec["layer"] = [below, own]
    return figure
