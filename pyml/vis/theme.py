"""Colours: of series, for all kinds of eyes; of text and grids, for light and dark surroundings."""

from __future__ import annotations

import json
import textwrap
from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
# Okabe and Ito 2008, "Color Universal Design"; without the yellow and black that vanish on one of the two backgrounds. Ten digits need
# three more: those that a search found farthest from the others for all kinds of eyes.
SERIES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#767676", "#550907", "#9608f4", "#02144f"]
ON_DARK = {"#0072B2": "#4da3e0", "#D55E00": "#ff8a4a", "#009E73": "#2fc79b", "#CC79A7": "#e59ac5", "#56B4E9": "#c4ebff",
           "#767676": "#858b91", "#550907": "#c53c3f", "#9608f4": "#b40dde", "#02144f": "#fff9ba", "#eef3fb": "#2a343b",
           "#1f2328": "#e6e4df"}                       # as in web/figures.js
BLUES_ON_DARK = ["#2a343b", "#4da3e0"]                 # the scheme begins nearly white
FILLED = "#0b5d8f"                                     # below white letters, on any ground
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2, 1, 2, 1, 2], [10, 2], [4, 4]]
# Names of tfjs-vis and of this package -> schemes of Vega that stay ordered for colour-blind eyes and in print.
COLOR_MAPS = {"viridis": "viridis", "greyscale": "greys", "blues": "blues", "magma": "magma", "cividis": "cividis"}
THEMES = {
    "light": {"ink": "#1f2328", "quiet": "#59616a", "line": "#dcd7cd", "paper": "#ffffff"},
    "dark": {"ink": "#e6e4df", "quiet": "#a5adb5", "line": "#343b41", "paper": "#1d2226"},
    "auto": {"ink": "#767676", "quiet": "#767676", "line": "#9a9a9a55", "paper": "transparent"},
}


def themed(spec: dict[str, Any], theme: str) -> dict[str, Any]:
    """A specification with the colours of a theme.

    Raises:
        ValueError: There is no such theme.
    """
    if theme not in THEMES:
        raise ValueError(f'theme must be "light", "dark" or "auto". Received: {theme!r}')
    colours = THEMES[theme]
    config = spec.setdefault("config", {})
    if theme == "dark":
        text = json.dumps(spec)
        for dim, bright in ON_DARK.items():
            text = text.replace(f'"{dim}"', f'"{bright}"')
        text = text.replace('"scheme": "blues"', f'"range": {json.dumps(BLUES_ON_DARK)}')
        spec = json.loads(text)
        config = spec["config"]
    axis = {"gridColor": colours["line"], "domainColor": colours["line"], "tickColor": colours["line"],
            "labelColor": colours["quiet"], "titleColor": colours["quiet"]}  # fmt: skip
    config["axis"] = {**axis, **config.get("axis", {})}
    config["axisQuantitative"] = config["axisTemporal"] = {"labelSeparation": 6}  # else 2,000 and 2,500 become one number
    config["legend"] = {"labelColor": colours["ink"], "titleColor": colours["quiet"], "orient": "top", "columns": columns(spec),
                        **config.get("legend", {})}  # fmt: skip
    config["title"] = {"color": colours["ink"], "subtitleColor": colours["quiet"], "anchor": "start", "fontSize": 13,
                       **config.get("title", {})}  # fmt: skip
    config["view"] = {"stroke": None, **config.get("view", {})}
    config["range"] = {"category": [ON_DARK.get(c, c) if theme == "dark" else c for c in SERIES]}
    config["text"] = {"color": colours["ink"], **config.get("text", {})}
    limits = [fit_titles(part) for part in spec.get("vconcat") or (spec,)]
    for axis_name, most in zip(("axisX", "axisY"), map(max, zip(*limits, strict=True)), strict=True):
        config[axis_name] = {"titleLimit": most, **config.get(axis_name, {})}
    config["rule"] = {"color": colours["quiet"]}
    config["font"] = "system-ui, sans-serif"
    spec["background"] = colours["paper"]
    return spec


def fit_titles(spec: dict[str, Any]) -> tuple[float, float]:
    """Wraps a chart's title; returns how long those of its axes may be, which would else take the room of what they name.

    As `fitTitles` of web/figures.js.
    """
    width, height = spec.get("width") or 400, spec.get("height") or 230
    title, above = spec.get("title"), 0
    if title:
        title = dict(title) if isinstance(title, dict) else {"text": title}
        for name, letter in (("text", 7.8), ("subtitle", 6.2)):
            lines = textwrap.wrap(title[name], int((width - 30) / letter)) if isinstance(title.get(name), str) else ()
            if len(lines) > 1:                         # Vega finds room for two
                title[name] = [lines[0], " ".join(lines[1:])]
        title["limit"] = width - 10
        above = sum(2 if isinstance(title.get(name), list) else bool(title.get(name)) for name in ("text", "subtitle"))
        spec["title"] = title
    around = 30 + 20 * above if "autosize" in spec else 0  # otherwise the height is that of the plot alone
    return width - 60, height - around


def columns(spec: dict[str, Any]) -> int:
    """How many names of series have room beside each other; as `columns` of web/figures.js."""
    domains = (part.get("encoding", {}).get("color", {}).get("scale", {}).get("domain") for part in spec.get("layer", [spec]))
    names = next(filter(None, domains), ())
    longest = max(3, *(len(str(name)) for name in names), 0)
    return max(1, min(6, ((spec.get("width") or 400) - 50) // (6 * longest + 28)))


def slanting(longest: int, count: int, size: float, titled: bool, beside: int = 160) -> dict[str, Any]:
    """The axis of names that slant where they have no room side by side.

    Vega measures the axis with the width of the whole figure, and then takes from it what the other axis and the legend need: where names
    may come to slant in between, room for that is kept.

    Args:
        longest: Letters of the longest name.
        count: How many names there are.
        size: Of their letters.
        titled: The axis has a title below them.
        beside: The most that the other axis and a legend need, in pixels.
    """
    letter = 0.6 * size
    needed, tall = round(letter * (longest + 1) * count), round(0.65 * min(letter * longest, 90) + size) + 4
    return {"labelAngle": {"expr": f"width < {needed} ? -40 : 0"}, "labelLimit": 90,
            "labelAlign": {"expr": f"width < {needed} ? 'right' : 'center'"},  # Vega-Lite would begin level ones at the middle
            "minExtent": {"expr": f"width < {needed + beside} ? {tall + 16 * titled} : 0"},
            "titleY": {"expr": f"width < {needed} ? {tall + 4} : {size + 14}"}}  # not below the room that was kept  # fmt: skip
