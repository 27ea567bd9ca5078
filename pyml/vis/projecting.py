"""An embedding projector: many dimensions as points or little pictures on a plane or in space, with labels and a search."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml.callbacks.event_file import png
from pyml.vis.figure import Figure
from pyml.vis.grids import pixels_of
from pyml.vis.projections import component_names, kinds_of, principal, spread
from pyml.vis.theme import SERIES
from pyml.vis.values import base, options

POINTS, PICTURES = 2000, 400                           # that are drawn at most
SIDE = 22                                              # pixels of a little picture
WIDE, HIGH = 360, 240                                  # pixels of the plane, about: it takes the width that there is


def projector(data: Any, labels: Any = None, images: Any = None, texts: Sequence[Any] | None = None, method: str = "pca",
              dimensions: int = 2, class_names: Sequence[Any] | None = None, perplexity: float = 30.0, iterations: int = 500, seed: int = 0,
              **opts: Any) -> Figure:  # fmt: skip
    """Points of many dimensions, to look through: coloured by class, as little pictures, with a field that searches their texts.

    Args:
        data: Array `(points, features)`, such as embeddings; more axes are flattened.
        labels: Class of each point, for the colours.
        images: A picture for each point, as `image_grid` takes them.
        texts: A text for each point, which the search finds and the pointer shows; by default the names of their classes.
        method: `"pca"` or `"tsne"`.
        dimensions: 2, or 3 for a space that two sliders turn and tilt.
        class_names: Names of the classes, in the order of sorted labels.
        perplexity, iterations, seed: As for `tsne`.
        opts: `title, width, height`.

    Returns:
        A Figure; `.values` is `(points, dimensions)`. More than 2,000 points (400 with pictures) are thinned, with a note. On a
        plane, pictures that would lie over others are dots until a search finds them.

    Raises:
        ValueError: Labels, images or texts are not as many as the points, or a choice does not exist.

    Example:
        >>> figure = pyml.vis.projector(np.eye(4), labels=[0, 0, 1, 1], texts=["a", "b", "c", "d"], dimensions=3)
        >>> figure.values.shape, [param["name"] for param in figure.spec["params"]]
        ((4, 3), ['search', 'turn', 'tilt'])
    """
    chosen = options("projector", opts, own="labels, images, texts, method, dimensions, class_names, perplexity, iterations, seed")
    if method not in ("pca", "tsne") or dimensions not in (2, 3):
        raise ValueError(f"projector: method must be 'pca' or 'tsne', dimensions 2 or 3. Received: {method!r}, {dimensions!r}")
    axes: list[str] | None = None
    if method == "pca":
        places, share = principal("projector", data, dimensions)
        axes = component_names(share, dimensions)
    else:
        places = spread("projector", data, perplexity, iterations, seed, dimensions)
    count = len(places)
    kinds, names = kinds_of("projector", count, labels, class_names)
    for what, given in (("images", images), ("texts", texts)):
        if given is not None and len(given) != count:
            raise ValueError(f"projector: expected {count} {what}, one for each point. Received {len(given)}.")
    most = POINTS if images is None else PICTURES
    shown = np.linspace(0, count - 1, min(count, most)).round().astype(int)
    notes = [f"{most:,} of {count:,} points are drawn"] if count > most else []
    centre = (places.max(0) + places.min(0)) / 2
    scaled = (places - centre) / max(float(np.abs(places - centre).max()), 1e-12)
    rows: list[dict[str, Any]] = []
    hidden = _hidden(scaled[shown], opts.get("width", WIDE)) if images is not None and dimensions == 2 else np.zeros(len(shown), bool)
    if hidden.any():
        notes.append(f"{'dots' if notes else 'Dots'} are pictures that others would hide: a search shows them")
    for i, behind in zip(shown, hidden, strict=True):
        text = str(texts[i]) if texts is not None else names[kinds[i]] or str(i)
        row = {"x": float(scaled[i, 0]), "y": float(scaled[i, 1]), "text": text}
        if dimensions == 3:
            row["z"] = float(scaled[i, 2])
        if labels is not None:
            row["class"] = names[kinds[i]]
        if images is not None:
            row["behind"] = bool(behind)
            row["image"] = "data:image/png;base64," + base64.b64encode(png(pixels_of(images[i])[0])).decode()
        rows.append(row)
    title = {"pca": "Principal components", "tsne": "t-SNE"}[method]
    spec = base({**chosen, "title": chosen["title"] or title}, notes)
    spec["height"] = opts.get("height", 340)
    return Figure({**spec, **_drawn(rows, dimensions, labels is not None, names, axes)}, places)


def _hidden(places: np.ndarray, width: float) -> np.ndarray:
    """Which pictures lie so far over others, the first of which are drawn, that neither could be made out."""
    pixels = places[:, :2] / 2.16 * np.array([width, HIGH])  # a plane from -1.08 to 1.08
    hidden, drawn = np.zeros(len(pixels), bool), np.zeros((0, 2))
    for i, place in enumerate(pixels):
        hidden[i] = bool((np.abs(drawn - place).max(axis=1, initial=0) < 0.8 * SIDE).any())
        if not hidden[i]:
            drawn = np.vstack([drawn, place])
    return hidden


def _drawn(rows: list[dict[str, Any]], dimensions: int, coloured: bool, names: list[str], axes: list[str] | None) -> dict[str, Any]:
    """The parts of a specification that are not the same for every chart."""
    field = {"input": "search", "placeholder": "part of a text", "name": "Search "}
    params: list[dict[str, Any]] = [{"name": "search", "value": "", "bind": field}]
    transform: list[dict[str, Any]] = []
    x, y, scale = "x", "y", {"domain": [-1.08, 1.08], "nice": False}
    if dimensions == 3:
        slide = lambda name, low, high: {"input": "range", "min": low, "max": high, "step": 1, "name": name}
        params += [{"name": "turn", "value": 30, "bind": slide("Turn ", 0, 360)}]
        params += [{"name": "tilt", "value": 20, "bind": slide("Tilt ", -90, 90)}]
        turned, tilted = "turn * PI / 180", "tilt * PI / 180"
        transform = [
            {"calculate": f"datum.x * cos({turned}) + datum.z * sin({turned})", "as": "across"},
            {"calculate": f"datum.z * cos({turned}) - datum.x * sin({turned})", "as": "deep"},
            {"calculate": f"datum.y * cos({tilted}) - datum.deep * sin({tilted})", "as": "up"},
            {"calculate": f"datum.deep * cos({tilted}) + datum.y * sin({tilted})", "as": "near"},
        ]
        x, y, scale = "across", "up", {"domain": [-1.45, 1.45], "nice": False}
    found = "search === '' || indexof(lower(datum.text), lower(search)) >= 0"
    axis = {"labels": False, "ticks": False} if dimensions == 2 else None
    position = lambda field, name: {"field": field, "type": "quantitative", "title": name, "scale": scale, "axis": axis}
    encoding: dict[str, Any] = {
        "x": position(x, axes[0] if axes else ""), "y": position(y, axes[1] if axes else ""),
        "opacity": {"condition": {"test": found, "value": 0.95}, "value": 0.08},
        "tooltip": [{"field": name, "type": "nominal"} for name in ("text", "class", "image") if rows and name in rows[0]],
    }  # fmt: skip
    if dimensions == 3:
        encoding["order"] = {"field": "near", "type": "quantitative"}
    pictures = bool(rows) and "image" in rows[0]
    layers: list[dict[str, Any]] = []
    seen: dict[str, Any] = {"transform": [{"filter": f"!datum.behind || (search !== '' && ({found}))"}]} if pictures else {}
    if coloured or not pictures:
        mark: dict[str, Any] = {"type": "square" if pictures else "point", "filled": not pictures, "strokeWidth": 2}
        mark["size"] = (SIDE + 4) ** 2 if pictures else 46
        columns = 6 if max(map(len, names)) < 8 else 3
        colour = {"field": "class", "type": "nominal", "title": None, "sort": None, "legend": {"columns": columns},
                  "scale": {"domain": names, "range": [SERIES[i % len(SERIES)] for i in range(len(names))]}}  # fmt: skip
        layer: dict[str, Any] = {**seen, "mark": mark,
                                 "encoding": {**encoding, "color": colour if coloured else {"value": SERIES[0]}}}  # fmt: skip
        if coloured and not pictures:
            layer["encoding"]["shape"] = {**colour, "scale": {"domain": names}}
        if dimensions == 3 and not pictures:
            sizes = {"domain": [-1.75, 1.75], "range": [12, 90]}  # what is near is large
            layer["encoding"]["size"] = {"field": "near", "type": "quantitative", "scale": sizes, "legend": None}
        layers.append(layer)
    if any(row.get("behind") for row in rows):
        dots = {"transform": [{"filter": "datum.behind"}], "mark": {"type": "point", "filled": True, "size": 14},
                "encoding": {**encoding, "color": colour if coloured else {"value": SERIES[0]}}}  # fmt: skip
        layers.insert(0, dots)
    if pictures:
        look = {"type": "image", "width": SIDE, "height": SIDE, "aspect": True}
        layers.append({**seen, "mark": look, "encoding": {**encoding, "url": {"field": "image", "type": "nominal"}}})
    labelled = {"transform": [{"filter": f"search !== '' && ({found})"}], "mark": {"type": "text", "dy": -12, "fontSize": 11},
                "encoding": {"x": encoding["x"], "y": encoding["y"], "text": {"field": "text", "type": "nominal"}}}  # fmt: skip
    return {"params": params, "data": {"values": rows}, "transform": transform, "layer": [*layers, labelled]}
