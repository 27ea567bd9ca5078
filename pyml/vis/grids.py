"""Heat maps, tables and grids of pictures."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyml.callbacks.event_file import png
from pyml.vis.figure import Figure
from pyml.vis.theme import COLOR_MAPS, slanting
from pyml.vis.values import UNSEEN, apart, base, columns_of, index_of, items, lettering, nothing, numbers, options, plain

CELLS = 10_000                                         # of a heat map
SIDE = 640                                             # pixels of a picture that are kept: a figure is hardly wider


def heatmap(data: Any, x_tick_labels: Sequence[Any] | None = None, y_tick_labels: Sequence[Any] | None = None, **opts: Any) -> Figure:
    """Numbers of a matrix as colours; NaN stays empty.

    Args:
        data: Matrix `(rows, columns)`; rows go down. A dict of `values`, `xTickLabels`, `yTickLabels` is taken as in tfjs-vis, where
            `values[i][j]` lies in column i and row j unless `row_major`. Columns and index of a data frame are its labels.
        x_tick_labels, y_tick_labels: Names of columns and rows.
        opts: `title, width, height, x_label, y_label, font_size, color_map` (`"viridis"`, `"greyscale"`, `"blues"`, `"magma"` or
            `"cividis"`), `domain` (lowest and highest colour), `row_major`, and `x_type, y_type` (`"ordinal"` or `"nominal"`).

    Raises:
        ValueError: It is not a matrix, has more than 10,000 cells, or the labels do not fit.

    Example:
        >>> pyml.vis.heatmap([[1, 2], [3, 4]]).rows()[2]
        {'x': '0', 'y': '1', 'value': 3.0}
    """
    chosen = options("heatmap", opts, "x_type", "y_type", "color_map", "domain", "row_major", own="x_tick_labels, y_tick_labels")
    if isinstance(data, Mapping):
        x_tick_labels, y_tick_labels = data.get("xTickLabels", x_tick_labels), data.get("yTickLabels", y_tick_labels)
        data = numbers("heatmap", *items("heatmap", data, "values"))
        data = data if chosen["row_major"] else data.T
    elif columns := columns_of(data):
        x_tick_labels = list(columns) if x_tick_labels is None else x_tick_labels
        y_tick_labels = index_of(data) if y_tick_labels is None else y_tick_labels
    matrix = numbers("heatmap", data)
    if not matrix.size:
        return Figure(nothing(chosen))
    if matrix.ndim != 2:
        raise ValueError(f"heatmap: expected a matrix. Received shape {matrix.shape}.")
    if matrix.size > CELLS:
        size = " x ".join(map(str, matrix.shape))
        raise ValueError(f"heatmap: a matrix of {size} has more cells than the {CELLS:,} that are drawn; average it first.")
    if not np.isfinite(matrix).any():
        return Figure(nothing(chosen, "All values are NaN or infinite."))
    xs = _labels("x_tick_labels", x_tick_labels, matrix.shape[1])
    ys = _labels("y_tick_labels", y_tick_labels, matrix.shape[0])
    rows = [{"x": x, "y": y, "value": plain(matrix[i, j])} for i, y in enumerate(ys) for j, x in enumerate(xs)]
    finite = matrix[np.isfinite(matrix)]
    domain = chosen["domain"] or ([float(finite[0]) - 0.5, float(finite[0]) + 0.5] if finite.min() == finite.max() else None)
    name = chosen["color_map"] or "viridis"
    if isinstance(name, str) and name not in COLOR_MAPS:
        raise ValueError(f"heatmap: color_map must be one of {', '.join(COLOR_MAPS)}. Received: {name!r}")
    scale: dict[str, Any] = {"scheme": COLOR_MAPS[name]} if isinstance(name, str) else {"range": list(name)}
    if domain:
        scale["domain"] = list(domain)
    longest = max(len(x.rstrip(UNSEEN)) for x in xs)
    slant = slanting(longest, len(xs), chosen["font_size"] or 10, bool(chosen["x_label"])) if longest > 2 else {"labelAngle": 0}
    axis = {**slant, "labelOverlap": longest <= 2 or len(xs) > 14, "labelSeparation": 4}  # a few slanted ones have room, all of them
    return Figure({
        **base(chosen, fallback="Heat map"), "data": {"values": rows}, "mark": {"type": "rect"},
        "encoding": {
            # with all names: a row or column that begins empty would else come last, an empty one not at all
            "x": {"field": "x", "type": named(chosen["x_type"]), "sort": None, "title": chosen["x_label"] or "", "axis": axis,
                  "scale": {"domain": xs}},
            "y": {"field": "y", "type": named(chosen["y_type"]), "sort": None, "title": chosen["y_label"] or "",
                  "axis": {"labelOverlap": True}, "scale": {"domain": ys}},
            "color": {"field": "value", "type": "quantitative", "title": None, "scale": scale,
                      "legend": {**lettering(matrix), "orient": "right", "gradientLength": {"expr": "clamp(height - 10, 20, 120)"}}},
            "tooltip": [{"field": "x", "type": "nominal"}, {"field": "y", "type": "nominal"}, {"field": "value", "type": "quantitative"}],
        },
    })  # fmt: skip


def named(kind: str | None) -> str:
    """The type of an axis of names: that of numbers would have no place for them."""
    return kind if kind == "nominal" else "ordinal"


def _labels(name: str, labels: Sequence[Any] | None, count: int) -> list[str]:
    if labels is None:
        return [str(i) for i in range(count)]
    if len(labels) != count:
        raise ValueError(f"heatmap: {name} must have {count} names. Received: {len(labels)}")
    return apart(labels)


def table(values: Any, headers: Sequence[Any] | None = None, **opts: Any) -> Figure:
    """Rows and columns of text and numbers.

    Args:
        values: Rows, each a list or a dict; or a dict of columns; a DataFrame; or a dict of `headers` and `values`, as in tfjs-vis.
        headers: Names of the columns.
        opts: `title, width, height, font_size`.

    Returns:
        A Figure; of more than 200 rows the first 200 are shown.

    Raises:
        ValueError: Rows have other numbers of values than there are headers, or columns are of different lengths.
        TypeError: The values are not rows.

    Example:
        >>> pyml.vis.table([["Ada", 1815], ["Grace", 1906]], headers=["name", "born"]).rows()[3]["text"]
        '1906'
    """
    chosen = options("table", opts, own="headers")
    if isinstance(values, Mapping) and {"headers", "values"} == set(values):
        headers, values = values["headers"], values["values"]
    if isinstance(values, Mapping):
        columns = {name: list(_rows(column)) for name, column in values.items()}
        if len({len(column) for column in columns.values()}) > 1:
            told = ", ".join(f"{len(column)} in {name!r}" for name, column in columns.items())
            raise ValueError(f"table: every column must have as many values; None is an empty cell. Received: {told:.120}")
        headers, values = list(columns) if headers is None else headers, list(zip(*columns.values()))
    elif columns_of(values) is not None:
        headers, values = list(values.columns) if headers is None else headers, values.to_numpy().tolist()
    given = list(_rows(values))
    keys = list(given[0]) if given and isinstance(given[0], Mapping) else []
    rows = [_row(i, row, keys) for i, row in enumerate(given)]
    if headers is None:
        headers = keys or [f"{i + 1}" for i in range(len(rows[0]) if rows else 0)]
    names = [str(name) for name in headers]
    for i, row in enumerate(rows):
        if len(row) != len(names):
            raise ValueError(f"table: every row must have {len(names)} values, as there are headers. Row {i} has {len(row)}.")
    if not names:
        return Figure(nothing(chosen))
    shown = rows[:200]
    notes = [f"200 of {len(rows):,} rows"] if len(rows) > 200 else []
    texts = [[_text(value) for value in row] for row in shown]
    size = chosen["font_size"] or 12
    widths = [max([math.ceil(1.2 * len(name)), *(len(row[i]) for row in texts)]) + 3 for i, name in enumerate(names)]
    least = int(sum(widths) * size * 0.53)
    starts = [sum(widths[:i]) / sum(widths) for i in range(len(names))]
    cells = [
        {"row": i, "at": starts[j], "text": text, "column": names[j], "head": i < 0}
        for i, row in enumerate([*texts], 0) for j, text in enumerate(row)
    ]  # fmt: skip
    heads = [{"row": -1, "at": starts[j], "text": name, "column": name, "head": True} for j, name in enumerate(names)]
    encoding = {
        "x": {"field": "at", "type": "quantitative", "axis": None, "scale": {"domain": [0, 1], "nice": False}},
        "y": {"field": "row", "type": "ordinal", "axis": None, "scale": {"domain": list(range(-1, max(len(shown), 1)))}},
        "text": {"field": "text", "type": "nominal"},
    }
    spec = {**base(chosen, notes, "Table"), "width": max(chosen["width"], least), "height": (len(shown) + 1) * int(size * 1.7),
            "usermeta": {"least": least}}  # fmt: skip
    spec["autosize"] = {**spec["autosize"], "type": "fit-x"}  # a title takes no height from the rows
    mark = {"type": "text", "align": "left", "fontSize": size, "baseline": "middle"}
    return Figure({**spec, "data": {"values": cells}, "layer": [
        {"mark": mark, "encoding": encoding},
        {"data": {"values": heads}, "mark": {**mark, "fontWeight": "bold"}, "encoding": encoding},
    ]})  # fmt: skip


def _rows(values: Any) -> Any:
    """The rows of a table.

    Raises:
        TypeError: There are none.
    """
    if isinstance(values, str) or not hasattr(values, "__iter__") or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"table: expected rows, each a list or a dict, or a dict of columns. Received: {values!r:.80}")
    return values


def _row(i: int, row: Any, keys: list[Any]) -> list[Any]:
    """The values of a row; of a dict in the order of `keys`.

    Raises:
        TypeError: It is no row.
        ValueError: A dict has other keys.
    """
    if isinstance(row, (str, bytes)) or not hasattr(row, "__iter__"):
        raise TypeError(f"table: every row must be a list or a dict. Received: {row!r:.80}; one column is [[first], [second], ...].")
    if not isinstance(row, Mapping):
        return list(row)
    if row.keys() != set(keys):
        wanted, found = (", ".join(map(repr, names)) for names in (keys, row))
        raise ValueError(f"table: every row must have the keys {wanted:.80}. Row {i} has {found:.80}.")
    return [row[key] for key in keys]


def _text(value: Any) -> str:
    if hasattr(value, "item"):
        value = value.item() if getattr(value, "size", 1) == 1 else str(value)
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)[:80]


def image_grid(images: Any, labels: Sequence[Any] | None = None, columns: int | None = None, **opts: Any) -> Figure:
    """Pictures side by side.

    Args:
        images: Array `(n, height, width)` or `(n, height, width, 1, 3 or 4)`, or a list of pictures of any sizes: uint8, or floats from
            0 to 1. Floats outside are stretched, each picture by itself, and the title says so.
        labels: What stands below each.
        columns: Pictures in a row; about square by default.
        opts: `title, width, height, font_size`.

    Returns:
        A Figure; of more than 100 pictures the first 100 are shown.

    Raises:
        TypeError: `images` is one number, or nothing that has pictures.
        ValueError: There are not as many labels as pictures.

    Example:
        >>> len(pyml.vis.image_grid(np.zeros((5, 8, 8)), labels="abcde").rows())
        5
    """
    chosen = options("image_grid", opts, own="labels, columns")
    several = images if isinstance(images, (list, tuple)) else _host(images)
    if isinstance(several, np.ndarray) and not several.ndim:
        raise TypeError(f"image_grid: expected an array of pictures or a list of them. Received: {images!r:.80}")
    pictures = [_host(image) for image in several]
    if labels is not None and len(labels) != len(pictures):
        raise ValueError(f"image_grid: labels must name {len(pictures)} pictures. Received: {len(labels)}")
    if not pictures:
        return Figure(nothing(chosen))
    notes = [f"100 of {len(pictures):,} pictures"] if len(pictures) > 100 else []
    pictures = pictures[:100]
    columns = columns or math.ceil(math.sqrt(len(pictures) * 1.3))
    side = min(160, (chosen["width"] - 10) // columns)
    bytes_of = [pixels_of(picture) for picture in pictures]
    if any(stretched for _, stretched in bytes_of):
        notes.append("values outside 0 to 1 are stretched, each picture by itself")
    rows = [
        {"column": i % columns, "row": i // columns, "label": "" if labels is None else str(labels[i]),
         "url": "data:image/png;base64," + base64.b64encode(png(pixels)).decode()}
        for i, (pixels, _) in enumerate(bytes_of)
    ]  # fmt: skip
    below = 16 if labels is not None else 0
    count = -(-len(pictures) // columns)
    place = lambda name, n: {"field": name, "type": "ordinal", "axis": None, "scale": {"domain": list(range(n)), "padding": 0}}
    x, y = place("column", columns), place("row", count)
    # Vega would read the bytes of each picture aloud: a reader of the screen is told what stands below, or nothing
    spoken = {"description": {"field": "label", "type": "nominal"}} if below else {}
    picture = {"mark": {"type": "image", "width": side - 4, "height": side - 4, "baseline": "middle", "aspect": True, "smooth": False,
                        "yOffset": -below / 2, **({} if below else {"aria": False})},
               "encoding": {"x": x, "y": y, "url": {"field": "url", "type": "nominal"}, **spoken}}  # fmt: skip
    longest = max(len(str(label)) for label in labels or [""])
    size = chosen["font_size"] or max(7, min(11, int(side / (0.56 * max(longest, 1)))))  # so small that labels keep apart
    text = {"mark": {"type": "text", "baseline": "bottom", "yOffset": (side + below) / 2, "fontSize": size, "limit": side - 2},
            "encoding": {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}}}  # fmt: skip
    spec = {**base(chosen, notes, "Pictures"), "width": side * columns, "height": (side + below) * count}
    del spec["autosize"]
    return Figure({**spec, "data": {"values": rows}, "layer": [picture, text] if below else [picture]})


def _host(value: Any) -> np.ndarray:
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def pixels_of(picture: np.ndarray) -> tuple[np.ndarray, bool]:
    """A picture as uint8 `(height, width, 1, 3 or 4)`, and whether its values had to be stretched."""
    picture = picture[..., None] if picture.ndim == 2 else picture
    if picture.ndim != 3 or picture.shape[-1] not in (1, 3, 4) or not picture.size:
        alone = " A single picture goes into a list: image_grid([picture])." if picture.ndim == 1 else ""
        raise ValueError(f"image_grid: a picture must be (height, width) or (height, width, 1, 3 or 4) of one pixel or more. "
                         f"Received shape {picture.shape}.{alone}")  # fmt: skip
    if picture.dtype.kind not in "buif" or isinstance(picture, np.ma.MaskedArray):
        raise TypeError(f"image_grid: a picture must be of numbers. Received dtype {picture.dtype}.")
    step = -(-max(picture.shape[:2]) // SIDE)          # it is drawn smaller, and its bytes go into the figure
    picture = picture[::step, ::step]
    if picture.dtype == np.uint8:
        return picture, False
    values = np.nan_to_num(picture.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = values.min(), values.max()
    stretched = bool(low < 0 or high > 1)
    if stretched:
        values = (values - low) / (high - low) if high > low else np.full_like(values, 0.5)
    return (values * 255 + 0.5).astype(np.uint8), stretched
