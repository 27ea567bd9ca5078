"""Data as charts take it: numbers that JSON can hold, series of points, not more of them than an eye can tell apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyml.vis.dates import DAY, dated, moments, spoken

MOST = 2000                                            # points of a chart: more do not fit between two of its pixels
SEVERAL = 200                                          # series of one: more are an array given the wrong way round
OPTIONS = {
    "title": None, "width": 360, "height": 230, "x_label": None, "y_label": None, "font_size": None, "x_type": None, "y_type": None,
    "x_axis_domain": None, "y_axis_domain": None, "zoom_to_fit": False, "series_colors": None, "color": None, "max_bins": None,
    "color_map": None, "domain": None, "row_major": False, "shade_diagonal": True, "show_text_overlay": True, "stats": None,
    "horizontal": False,
}  # fmt: skip


def numbers(what: str, values: Any) -> np.ndarray:
    """Values as float64, on the host.

    Raises:
        TypeError: They are not numbers.
        ValueError: One is too large for float64, or they lie too far apart.
    """
    if hasattr(values, "numpy"):
        values = values.numpy()
    if isinstance(values, np.ma.MaskedArray):          # what is masked is a gap
        values = np.ma.filled(values.astype(np.float64), math.nan)
    if dated(values):
        raise TypeError(f"{what}: dates and times have a place along x of line_chart and scatter_plot, in tuples of a date and a number; "
                        "anywhere else give numbers or texts.")  # fmt: skip
    try:
        array = np.asarray([math.nan if v is None else v for v in values] if isinstance(values, list) else values)
        found = array if array.dtype.kind == "c" else array.astype(np.float64)
    except OverflowError:
        raise ValueError(f"{what}: a number is too large for float64. Received: {values!r:.80}") from None
    except (TypeError, ValueError):
        raise TypeError(f"{what}: expected numbers, in rows of equal length. Received: {values!r:.80}") from None
    if found.dtype.kind == "c":
        raise TypeError(f"{what}: complex numbers have no place on an axis; draw np.abs, np.angle, or their real and imaginary parts.")
    finite = found[np.isfinite(found)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    if high / 2 - low / 2 > 7e307:                     # an axis ends at rounder numbers than these
        raise ValueError(f"{what}: values from {low:.3g} to {high:.3g} are too far apart for float64; divide them by a number first.")
    return found


def items(what: str, given: Mapping[str, Any], *names: str) -> list[Any]:
    """What a dict holds under these names, as tfjs-vis has them.

    Raises:
        ValueError: It lacks one.
    """
    missing = [name for name in names if name not in given]
    if missing:
        raise ValueError(f"{what}: a dict must have {' and '.join(names)}. Received one of: {', '.join(map(str, given)) or 'nothing'}.")
    return [given[name] for name in names]


def columns_of(values: Any) -> dict[str, np.ndarray] | None:
    """The columns of a data frame of pandas or polars by their names; None of anything else."""
    if not (hasattr(values, "to_numpy") and hasattr(values, "columns")):
        return None
    return {str(name): values[name].to_numpy() for name in values.columns}


def index_of(values: Any) -> list[Any] | None:
    """What stands before the rows of a series or data frame of pandas; None of anything else."""
    index = getattr(values, "index", None)
    return list(index) if hasattr(values, "to_numpy") and index is not None and not callable(index) else None


def table_of(what: str, values: Any) -> np.ndarray:
    """Values that a model takes, on the host, in the dtype that they have.

    Raises:
        ValueError: Rows have different lengths.
    """
    try:
        return np.asarray(values.numpy() if hasattr(values, "numpy") else values)
    except ValueError:
        raise ValueError(f"{what}: expected rows of equal length. Received: {values!r:.80}") from None


def rows_of(what: str, model: Any, x: Any, y: Any) -> tuple[Any, Any, int]:
    """What a model learns from, as arrays on the host; a list, tuple or dict of them where it has several inputs or outputs; and the rows.

    Raises:
        ValueError: They have other numbers of rows, or none.
    """
    x, y = _arrays(what, x, getattr(model, "inputs", None)), _arrays(what, y, getattr(model, "outputs", None))
    counts = {len(one) if one.ndim else 0 for one in [*_each(x), *_each(y)]}
    if len(counts) != 1 or not min(counts):
        told = " and ".join(" and ".join(str(one.shape[0] if one.ndim else "no row") for one in _each(values)) for values in (x, y))
        raise ValueError(f"{what}: x and y must have the same number of rows, at least one. Received {told}.")
    return x, y, counts.pop()


def chosen_rows(values: Any, places: Any) -> Any:
    """Some rows of what `rows_of` gave."""
    if isinstance(values, dict):
        return {name: one[places] for name, one in values.items()}
    return [one[places] for one in values] if isinstance(values, list) else values[places]


def _arrays(what: str, values: Any, tensors: Any) -> Any:
    if isinstance(values, Mapping):
        return {name: table_of(what, one) for name, one in values.items()}
    if isinstance(values, (list, tuple)) and len(tensors or ()) > 1:
        return [table_of(what, one) for one in values]
    return table_of(what, values)


def _each(values: Any) -> list[Any]:
    return list(values.values()) if isinstance(values, dict) else values if isinstance(values, list) else [values]


def plain(value: float) -> float | None:
    """A number for JSON; None, which is drawn as a gap, for NaN and infinity."""
    return float(value) if math.isfinite(value) else None


def lettering(values: Any, zero: bool = False) -> dict[str, str]:
    """The format of an axis' numbers, where those that Vega chooses would be as long as 0.000000000002.

    Args:
        values: What lies along the axis.
        zero: The axis holds 0 too.
    """
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    top = float(np.abs(finite).max(initial=0))
    if not top or 1e-4 <= top < 1e9:
        return {}
    part = (finite / top).max() - (finite / top).min()
    digits = 3 + math.ceil(-math.log10(1 if zero or not part else min(1, part)))
    return {"format": f".{digits}~g"} if digits < 7 else {}


def whole_ticks(values: Any, axis: str) -> dict[str, Any]:
    """What keeps the ticks of an axis at whole numbers, in Vega-Lite 5 of notebooks too, which knows no least step.

    Args:
        values: What lies along the axis.
        axis: `"x"` or `"y"`.
    """
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    span = int(min(max(np.ptp(finite), 1), 50)) if finite.size else 1
    return {"tickMinStep": 1, "tickCount": {"expr": f"min(ceil({'width' if axis == 'x' else 'height'} / 40), {span})"}}


UNSEEN = "\u200b"                                      # a space without width: tells labels apart that read the same


def apart(labels: Sequence[Any]) -> list[str]:
    """Labels as texts, of which no two are the same: a chart has one place for each text."""
    texts = [str(label) for label in labels]
    return texts if len(set(texts)) == len(texts) else [text + UNSEEN * i for i, text in enumerate(texts)]


class Points:
    """Points of one or more series.

    Args:
        what: Names the chart in errors.
        data: Values over 0, 1, 2, ...; pairs or dicts of x and y; several of these in a list or in a dict by name; or a dict of
            `values` and `series`, as in tfjs-vis.
        series: Names of the series.
        pairs: An array `(n, 2)` holds points.
    """

    def __init__(self, what: str, data: Any, series: Sequence[str] | None = None, pairs: bool = False):
        self.what, self.pairs = what, pairs
        if isinstance(data, Mapping) and "values" in data:
            series = series or data.get("series")
            data = data["values"]
        if isinstance(data, Mapping):
            names, parts = [str(name) for name in data], list(data.values())
        else:
            parts = list(data) if self._nested(data, pairs) else [data]
            names = [str(name) for name in series] if series else [f"Series {i + 1}" for i in range(len(parts))]
        if len(parts) > SEVERAL:
            raise ValueError(f"{what}: {len(parts):,} series are more than {SEVERAL}, which nobody can tell apart. "
                             "An array has a series in each row: give its transpose, or a list of tuples of x and y.")  # fmt: skip
        if len(names) != len(parts):
            raise ValueError(f"{what}: series must name {len(parts)} series. Received: {len(names)} names.")
        self.names, self.notes = names, []
        self.dated = False                             # x are dates
        self.parts = [self._points(part, pairs) for part in parts]
        total = sum(len(x) for x, _ in self.parts)
        self.infinite = sum(int(np.isinf(y).sum()) for _, y in self.parts)
        if total > MOST:
            share = MOST / total
            self.parts = [thinned(x, y, max(8, int(len(x) * share)), pairs) for x, y in self.parts]
            self.notes.append(f"{sum(len(x) for x, _ in self.parts):,} of {total:,} points are drawn")
        if self.infinite:
            self.notes.append(f"{self.infinite:,} infinite value{'s' if self.infinite > 1 else ''} left out")

    @staticmethod
    def _nested(data: Any, pairs: bool) -> bool:
        """Whether these are several series."""
        if hasattr(data, "shape"):
            return len(data.shape) == 2 and not (pairs and data.shape[1] == 2)
        if not isinstance(data, (list, tuple)) or not len(data):
            return False
        first = data[0]
        if isinstance(first, Mapping) or np.ndim(first) == 0 or all(_is_pair(one) for one in data):
            return False
        if hasattr(first, "shape") or len(first) != 2:
            return not (pairs and hasattr(first, "shape") and tuple(first.shape) == (2,))
        return np.ndim(first[0]) > 0 or isinstance(first[0], Mapping) or not pairs

    def _points(self, part: Any, pairs: bool) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(part, (list, tuple)) and part and isinstance(part[0], Mapping):
            try:
                return self._along([p["x"] for p in part]), numbers(self.what, [p["y"] for p in part])
            except KeyError:
                raise ValueError(f"{self.what}: every point must have x and y. Received: {part[0]!r:.80}") from None
        first = part[0] if isinstance(part, (list, tuple, np.ndarray)) and len(part) else None
        if isinstance(first, (list, tuple, np.ndarray)) and len(first) == 2 and dated(first[0]):
            return self._along([p[0] for p in part]), numbers(self.what, [p[1] for p in part])
        dates = index_of(part)
        if dated(dates) and np.ndim(part) == 1:        # a series of pandas over days
            return self._along(dates), numbers(self.what, part)
        array = numbers(self.what, part)
        if array.ndim == 2 and array.shape[1] == 2:
            return array[:, 0], array[:, 1]
        if array.ndim > 1 or (pairs and array.size):
            raise ValueError(f"{self.what}: expected {'pairs of x and y' if pairs else 'a row of numbers'}. Received shape {array.shape}.")
        return np.arange(array.size, dtype=float), array.reshape(-1)

    def _along(self, values: Any) -> np.ndarray:
        """What lies along x: numbers, or dates in all series."""
        self.dated |= dated(values)
        return moments(self.what, values) if self.dated else numbers(self.what, values)

    def rows(self) -> list[dict[str, Any]]:
        """One dict for each point; of a line, `alone` says which has no neighbour that it could be joined to."""
        return [
            {"x": plain(a), "y": plain(b), "series": name, **({"alone": True} if single else {}),
             **({"date": spoken(a)} if self.dated and a == a else {})}
            for name, (x, y), lonely in zip(self.names, self.parts, self.alone())
            for a, b, single in zip(x, y, lonely)
        ]  # fmt: skip

    def alone(self) -> list[np.ndarray]:
        """For each point of each series, whether both of its neighbours are gaps or ends; of a cloud none is told."""
        if self.pairs:
            return [np.zeros(len(x), bool) for x, _ in self.parts]
        there = [np.r_[False, np.isfinite(x) & np.isfinite(y), False] for x, y in self.parts]
        return [seen[1:-1] & ~seen[:-2] & ~seen[2:] for seen in there]

    def spread(self, axis: int) -> np.ndarray:
        """All values along an axis."""
        return np.concatenate([part[axis] for part in self.parts] or [np.zeros(0)])

    def domain(self, axis: int) -> list[float] | None:
        """A range for an axis on which all values are equal; None where the chart finds one itself."""
        values = self.spread(axis)
        values = values[np.isfinite(values)]
        if not values.size or values.min() != values.max():
            return None
        around = DAY if self.dated and axis == 0 else abs(values[0]) * 0.1 or 1.0
        return [float(values[0] - around), float(values[0] + around)]


def _is_pair(value: Any) -> bool:
    """Whether this is a point: lists are series, as rows of arrays are."""
    return isinstance(value, tuple) and len(value) == 2 and np.ndim(value[0]) == np.ndim(value[1]) == 0


def thinned(x: np.ndarray, y: np.ndarray, most: int, scattered: bool) -> tuple[np.ndarray, np.ndarray]:
    """Fewer points: of a line the lowest and highest of each stretch and its gaps, of a cloud every n-th."""
    if len(x) <= most:
        return x, y
    if scattered:
        kept = np.linspace(0, len(x) - 1, most).round().astype(int)
        return x[kept], y[kept]
    chosen = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), max(1, most // 2 - 1)):
        values = y[part]
        if np.isnan(values).any():
            chosen.add(int(part[np.isnan(values).argmax()]))
        if not np.isnan(values).all():
            chosen |= {int(part[np.nanargmin(values)]), int(part[np.nanargmax(values)])}
    kept = np.array(sorted(chosen))
    return x[kept], y[kept]


def options(what: str, given: dict[str, Any], *known: str, own: str = "") -> dict[str, Any]:
    """The options of a chart with their defaults.

    Args:
        what: The chart, for errors.
        given: The options.
        known: Those that not every chart has.
        own: The chart's own arguments, for errors: an option may be one of them by another name.

    Raises:
        TypeError: One is unknown.
    """
    known = ("title", "width", "height", "x_label", "y_label", "font_size", *known)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise TypeError(f"{what}: there is no option {', '.join(unknown)}; there are {', '.join(filter(None, (own, *known)))}.")
    return {name: given.get(name, OPTIONS[name]) for name in known}


def base(chosen: dict[str, Any], notes: Sequence[str] = (), fallback: str = "") -> dict[str, Any]:
    """What every chart has: size, title, notes below it, sizes of letters."""
    spec: dict[str, Any] = {
        "width": chosen["width"], "height": chosen["height"], "autosize": {"type": "fit", "contains": "padding"},
        "description": chosen["title"] or fallback,
    }  # fmt: skip
    if chosen["title"] or notes:
        spec["title"] = {"text": chosen["title"] or fallback, **({"subtitle": "; ".join(notes) + "."} if notes else {})}
    if chosen["font_size"]:
        size = chosen["font_size"]
        spec["config"] = {"axis": {"labelFontSize": size, "titleFontSize": size}, "legend": {"labelFontSize": size}}
    return spec


def nothing(chosen: dict[str, Any], text: str = "There is nothing to show.") -> dict[str, Any]:
    """The picture of no data."""
    return {**base(chosen, fallback="Empty"), "data": {"values": [{"text": text}]},
            "mark": {"type": "text", "fontSize": 13}, "encoding": {"text": {"field": "text", "type": "nominal"}}}  # fmt: skip
