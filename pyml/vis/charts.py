"""Lines, clouds of points, bars and histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyml.vis.dates import dated, moments
from pyml.vis.figure import Figure
from pyml.vis.theme import DASHES, SERIES, slanting
from pyml.vis.values import Points, apart, base, columns_of, index_of, items, lettering, nothing, numbers, options, plain, whole_ticks

BARS = 1000                                            # of a chart
NAMES = 30                                             # of series that a legend has room for
_XY = ("x_type", "y_type", "x_axis_domain", "y_axis_domain", "zoom_to_fit", "series_colors")


def line_chart(data: Any, series: Sequence[str] | None = None, **opts: Any) -> Figure:
    """Values as lines; NaN is a gap.

    Args:
        data: Values over 0, 1, 2, ...; tuples or dicts of x and y, where x may be dates; several of these (of any lengths) in a list, in
            an array `(series, n)`, in a dict by name or in a data frame, whose index may be dates; or a dict of `values` and `series`,
            as in tfjs-vis.
        series: Names of the series.
        opts: `title, width, height, x_label, y_label, font_size, x_type, y_type, x_axis_domain, y_axis_domain, zoom_to_fit`
            (False: the axis begins at 0), `series_colors`. Put units into the labels.

    Returns:
        A Figure. More than 2,000 points are thinned: lowest and highest of each stretch stay.

    Raises:
        TypeError: The data are not numbers, or an option is unknown.
        ValueError: The data have another form.

    Example:
        >>> figure = pyml.vis.line_chart({"training": [3, 2, 1.5], "validation": [3.2, 2.4]}, x_label="epoch", y_label="loss")
        >>> len(figure.rows())
        5
    """
    return _points("line_chart", data, series, opts, {"type": "line", "strokeWidth": 2, "point": False}, False)


def scatter_plot(data: Any, series: Sequence[str] | None = None, **opts: Any) -> Figure:
    """Points at their places.

    Args:
        data: Pairs or dicts of x and y, an array `(n, 2)` or a data frame of two columns, or several of these as for `line_chart`.
        series, opts: As for `line_chart`.

    Returns:
        A Figure; of more than 2,000 points every n-th is drawn.

    Example:
        >>> pyml.vis.scatter_plot(np.zeros((10_000, 2))).spec["title"]["subtitle"]
        '2,000 of 10,000 points are drawn.'
    """
    return _points("scatter_plot", data, series, opts, {"type": "point", "filled": True, "size": 36, "opacity": 0.7}, True)


def _points(what: str, data: Any, series: Any, opts: dict[str, Any], mark: dict[str, Any], cloud: bool) -> Figure:
    """A chart of points or lines; `cloud`: points of x and y, not series of numbers."""
    chosen = options(what, opts, *_XY, own="series")
    columns = columns_of(data)
    if columns is not None and cloud:
        chosen.update({label: chosen[label] or name for label, name in zip(("x_label", "y_label"), columns)})
        first, second = (list(column) for column in list(columns.values())[:2]) if len(columns) == 2 else ((), ())
        data = list(zip(first, second)) if dated(first) else data
    elif columns is not None and (days := index_of(data)) and dated(days):
        data, columns = {name: list(zip(days, column)) for name, column in columns.items()}, None
    points = Points(what, data if columns is None or cloud else columns, series, pairs=cloud)
    rows = points.rows()
    if not any(row["y"] is not None for row in rows):
        return Figure(nothing(chosen, "All values are missing." if rows else "There is nothing to show."))

    inside = chosen["x_axis_domain"] is None and all(np.array_equal(x, np.floor(x)) for x, _ in points.parts)
    whole = not cloud and inside                       # epochs, steps: no ticks between them

    def axis(name: str, number: int, zero: bool) -> dict[str, Any]:
        days = points.dated and name == "x"
        kind = chosen[f"{name}_type"] or ("temporal" if days else "quantitative")
        domain = chosen[f"{name}_axis_domain"]
        domain = moments(what, domain).tolist() if dated(domain) else domain or points.domain(number)
        scale = {"domain": list(domain), "nice": False} if domain else {"zero": zero, "nice": True}
        if days and kind == "temporal":                # as it was given, in every zone of the world
            where = {"domain": list(domain)} if domain else {}
            return {"field": name, "type": kind, "title": chosen["x_label"] or "date", "scale": {"type": "utc", **where}}
        if kind != "quantitative":
            return {"field": name, "type": kind, "title": chosen[f"{name}_label"] or name}
        places = points.spread(number)
        ticks = {**lettering(domain or places, zero), **(whole_ticks(places, name) if whole and name == "x" else {})}
        return {"field": name, "type": kind, "title": chosen[f"{name}_label"] or name, "scale": scale, **({"axis": ticks} if ticks else {})}

    encoding: dict[str, Any] = {"x": axis("x", 0, False), "y": axis("y", 1, not chosen["zoom_to_fit"] and not cloud)}
    colours = chosen["series_colors"] or SERIES
    if not cloud and max(len(x) for x, _ in points.parts) < 3:
        mark = {**mark, "point": True}                 # a line needs two points to be seen
    elif any("alone" in row for row in rows):
        mark = {**mark, "point": {"opacity": {"expr": "datum.alone ? 1 : 0"}}}
    if len(points.names) > 1:
        several = [colours[i % len(colours)] for i in range(len(points.names))]
        named: dict[str, Any] = {"symbolLimit": 9} if len(points.names) > NAMES else {}  # else it takes the room of the lines
        if mark.get("point"):
            named |= {"symbolType": "stroke", "symbolOpacity": 1}  # of the lines, not of their points
        by_name = {"field": "series", "type": "nominal", "title": None, **({"legend": named} if named else {})}
        encoding["color"] = {**by_name, "scale": {"domain": points.names, "range": several}}
        if cloud:
            encoding["shape"] = {**by_name, "scale": {"domain": points.names}}
        else:
            dashes = [DASHES[i % len(DASHES)] for i in range(len(points.names))]
            encoding["strokeDash"] = {**by_name, "scale": {"domain": points.names, "range": dashes}}
    else:
        mark = {**mark, "color": colours[0]}
    encoding["tooltip"] = [{"field": name, "type": "quantitative", "title": encoding[name]["title"]} for name in ("x", "y")]
    if points.dated:
        encoding["tooltip"][0] = {"field": "date", "type": "nominal"}
    if len(points.names) > 1:
        encoding["tooltip"].insert(0, {"field": "series", "type": "nominal"})
    given = bool(chosen["x_axis_domain"] or chosen["y_axis_domain"])  # otherwise all is inside, and a point at an end is seen whole
    look = base(chosen, points.notes, what.replace("_", " ").capitalize())
    return Figure({**look, "data": {"values": rows}, "mark": {**mark, "clip": given}, "encoding": encoding})  # fmt: skip


def bar_chart(data: Any, labels: Sequence[Any] | None = None, **opts: Any) -> Figure:
    """A bar for each value.

    Args:
        data: Values; a dict of labels and values; a pandas series, whose index names the bars; or dicts of `index` and `value`, as in
            tfjs-vis.
        labels: Names of the bars.
        opts: `title, width, height, x_label, y_label, font_size, x_type, y_type, color`, and `horizontal` (True: bars go to the right,
            each with its whole name beside it).

    Raises:
        ValueError: There are not as many labels as values, or more than 1,000 bars.

    Example:
        >>> pyml.vis.bar_chart({"cats": 3, "dogs": 5}).rows()[1]
        {'label': 'dogs', 'value': 5.0}
    """
    chosen = options("bar_chart", opts, "x_type", "y_type", "color", "horizontal", own="labels")
    if isinstance(data, Mapping):
        labels, data = list(data), list(data.values())
    elif isinstance(data, (list, tuple)) and data and isinstance(data[0], Mapping):
        labels, data = zip(*[items("bar_chart", one, "index", "value") for one in data])
    elif labels is None and getattr(data, "ndim", 0) == 1:
        labels = index_of(data)
    values = numbers("bar_chart", list(data) if isinstance(data, tuple) else data)
    if values.ndim > 1 and values.size:
        raise ValueError(f"bar_chart: expected one number for each bar. Received shape {values.shape}; draw each row or column by itself, "
                         "or all in a heatmap().")  # fmt: skip
    values = values.reshape(-1)
    if len(values) > BARS:
        raise ValueError(f"bar_chart: {len(values):,} bars are more than the {BARS:,} that are drawn; "
                         "histogram() counts values, line_chart() draws a long row of them.")  # fmt: skip
    labels = list(range(len(values))) if labels is None else list(labels)
    if len(labels) != len(values):
        raise ValueError(f"bar_chart: labels must name {len(values)} bars. Received: {len(labels)} labels.")
    if not np.isfinite(values).any():
        return Figure(nothing(chosen, "All values are missing." if len(values) else "There is nothing to show."))
    longest, names_of = max(len(str(label)) for label in labels), apart(labels)
    rows = [{"label": label, "value": plain(value)} for label, value in zip(names_of, values)]
    missing = int((~np.isfinite(values)).sum())
    notes = [f"{missing:,} value{'s are' if missing > 1 else ' is'} missing"] if missing else []
    colour, lying = chosen["color"], bool(chosen["horizontal"])
    names, sizes = ("y", "x") if lying else ("x", "y")
    look = base(chosen, notes, "Bar chart")
    size, finite = chosen["font_size"] or 10, values[np.isfinite(values)]
    digits = min(max(4, len(f"{np.abs(finite).max():,.0f}") + 1), 12)   # of the longest number beside the bars, with a sign or a fraction
    slant = slanting(longest, len(rows), size, bool(chosen["x_label"]), round(28 + size + 0.65 * size * digits))
    return Figure({
        **look, "height": opts.get("height", 22 * len(rows) + 50) if lying else look["height"], "data": {"values": rows},
        "mark": {"type": "bar", "color": colour if isinstance(colour, str) else SERIES[0]},
        "encoding": {
            names: {"field": "label", "type": chosen[f"{names}_type"] or "ordinal", "sort": None, "title": chosen[f"{names}_label"] or "",
                    "scale": {"domain": names_of},     # also of those without a value
                    "axis": {"labelLimit": 150} if lying else {**slant, "labelOverlap": len(rows) > 14}},
            sizes: {"field": "value", "type": chosen[f"{sizes}_type"] or "quantitative", "title": chosen[f"{sizes}_label"] or "value",
                    "axis": lettering(values, True), "scale": {} if finite.any() else {"domain": [0, 1]}},
            **({"color": {"field": "label", "type": "nominal", "legend": None, "scale": {"range": list(colour)}}}
               if colour and not isinstance(colour, str) else {}),
            "tooltip": [{"field": "label", "type": "nominal"}, {"field": "value", "type": "quantitative"}],
        },
    })  # fmt: skip


def histogram(data: Any, **opts: Any) -> Figure:
    """How often values fall into bins of equal width; how many are zero, NaN or infinite is said above.

    Args:
        data: Numbers in any shape, or dicts of `value`, as in tfjs-vis.
        opts: `title, width, height, x_label, y_label, font_size, x_type, y_type, max_bins` (12 by default), `color`, and `stats`
            (False leaves out the numbers above, a dict replaces them).

    Raises:
        ValueError: `max_bins` is not a positive integer.

    Example:
        >>> [row["count"] for row in pyml.vis.histogram([1, 1, 2, 4], max_bins=3).rows()]
        [2, 1, 1]
    """
    chosen = options("histogram", opts, "x_type", "y_type", "max_bins", "color", "stats")
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], Mapping):
        data = [value for one in data for value in items("histogram", one, "value")]
    values = numbers("histogram", data).reshape(-1)
    finite = values[np.isfinite(values)]
    notes = []
    if chosen["stats"] is not False:
        found = chosen["stats"] or {
            "values": values.size, **({"min": finite.min(), "max": finite.max()} if finite.size else {}), "zeros": int((values == 0).sum()),
            "NaN": int(np.isnan(values).sum()), "infinite": int(np.isinf(values).sum()),
        }  # fmt: skip
        notes = [", ".join(f"{name} {_short(value)}" if isinstance(value, float) else f"{name} {value:,}" for name, value in found.items()
                           if value or name in ("min", "max", "values"))]  # fmt: skip
    if not finite.size:
        return Figure(nothing(chosen, "There is nothing to show." if not values.size else "All values are NaN or infinite."))
    bins = 12 if chosen["max_bins"] is None else int(chosen["max_bins"])
    if bins < 1:
        raise ValueError(f"histogram: max_bins must be a positive integer. Received: {chosen['max_bins']!r}")
    low, high = float(finite.min()), float(finite.max())
    while bins > 1 and not (np.diff(np.linspace(low, high, bins + 1)) > 0).all():
        bins -= 1                                      # so near to each other that no more numbers lie between
    around = abs(low) * 0.05 or 0.5
    counts, edges = np.histogram(finite, 1 if low == high else bins, (low - around, high + around) if low == high else (low, high))
    rows = [{"from": float(a), "to": float(b), "count": int(n)} for a, b, n in zip(edges, edges[1:], counts)]
    return Figure({
        **base(chosen, notes, "Histogram"), "data": {"values": rows}, "mark": {"type": "bar", "color": chosen["color"] or SERIES[0]},
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "bin": {"binned": True},
                  "title": chosen["x_label"] or "value",
                  "axis": {"format": ",.0f"} if 1000 <= max(-low, high) < 1e7 and high - low > 10 else lettering(edges),
                  "scale": {"domain": [float(edges[0]), float(edges[-1])], "nice": False, "zero": False}},
            "x2": {"field": "to"},
            "y": {"field": "count", "type": "quantitative", "title": chosen["y_label"] or "count",
                  **({"axis": whole_ticks([0, counts.max()], "y")} if counts.max() < 10 else {})},
            "tooltip": [{"field": name, "type": "quantitative"} for name in ("from", "to", "count")],
        },
    })  # fmt: skip


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:,.4g}"
