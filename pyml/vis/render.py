"""tfjs-vis' `render`: figures drawn on a surface of the visor. Each returns its Figure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pyml.vis import charts, classified, grids
from pyml.vis.figure import Figure
from pyml.vis.panel import Surface, visor

__all__ = ["barchart", "confusion_matrix", "heatmap", "histogram", "linechart", "scatterplot", "table"]


def on(container: Any, figure: Figure) -> Figure:
    """Draws a figure on a surface: one of the visor, its name, or a dict of `name` and `tab`; None only returns it.

    Raises:
        TypeError: It is none of these.
    """
    if container is None:
        return figure
    if isinstance(container, (str, dict)):
        container = visor().surface(container)
    if not isinstance(container, Surface):
        raise TypeError(f"container must be a surface of the visor, its name, or a dict of name and tab. Received: {container!r:.80}")
    container.draw(figure)
    return figure


def spelled(opts: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options in Python's spelling: `xLabel` is `x_label`."""
    return {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower(): value for name, value in (opts or {}).items()}


def linechart(container: Any, data: Any, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.line_chart` on a surface.

    Args:
        container: A surface of the visor, its name, or a dict of `name` and `tab`; None only returns the figure.
        data: What the function of `pyml.vis` takes first.
        opts: Its other arguments by name, in Python's spelling or in tfjs-vis': `xLabel` is `x_label`.

    Example:
        >>> type(pyml.vis.render.linechart(None, {"values": [[{"x": 0, "y": 1}, {"x": 1, "y": 2}]]})).__name__
        'Figure'
    """
    return on(container, charts.line_chart(data, **spelled(opts)))


def scatterplot(container: Any, data: Any, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.scatter_plot` on a surface; arguments as of `linechart`.

    Example:
        >>> type(pyml.vis.render.scatterplot(None, {"values": [[{"x": 0, "y": 1}, {"x": 1, "y": 2}]]})).__name__
        'Figure'
    """
    return on(container, charts.scatter_plot(data, **spelled(opts)))


def barchart(container: Any, data: Any, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.bar_chart` on a surface; arguments as of `linechart`.

    Example:
        >>> type(pyml.vis.render.barchart(None, [{"index": "a", "value": 1}, {"index": "b", "value": 2}])).__name__
        'Figure'
    """
    return on(container, charts.bar_chart(data, **spelled(opts)))


def histogram(container: Any, data: Any, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.histogram` on a surface; arguments as of `linechart`.

    Example:
        >>> type(pyml.vis.render.histogram(None, [1.0, 2.0, 2.5])).__name__
        'Figure'
    """
    return on(container, charts.histogram(data, **spelled(opts)))


def heatmap(container: Any, data: Any, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.heatmap` on a surface; arguments as of `linechart`.

    Example:
        >>> type(pyml.vis.render.heatmap(None, {"values": [[1, 2], [3, 4]]})).__name__
        'Figure'
    """
    return on(container, grids.heatmap(data, **spelled(opts)))


def confusion_matrix(container: Any, data: Any, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.confusion_matrix` of counts on a surface; arguments as of `linechart`.

    Example:
        >>> type(pyml.vis.render.confusion_matrix(None, {"values": [[3, 1], [0, 4]]})).__name__
        'Figure'
    """
    return on(container, classified.confusion_matrix(data, **spelled(opts)))


def table(container: Any, data: Any, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.table` on a surface; arguments as of `linechart`.

    Example:
        >>> type(pyml.vis.render.table(None, {"headers": ["a", "b"], "values": [[1, 2]]})).__name__
        'Figure'
    """
    return on(container, grids.table(data, **spelled(opts)))
