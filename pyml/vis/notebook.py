"""Figures below the cell of a notebook that changes while the cell runs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from pyml.utils.notebooks import in_notebook as in_notebook

if TYPE_CHECKING:
    from pyml.vis.figure import Figure

PAUSE = 0.5  # seconds from one drawing of a figure that changes to the next
# What stands for null, "there is none", in a specification.
NONE = {
    "title": "", "stroke": "transparent", "axis": {"title": "", "labels": False, "ticks": False, "domain": False, "grid": False},
    "legend": {"title": "", "values": [], "orient": "none", "gradientOpacity": 0},  # beside the chart an empty one would take it away
}  # fmt: skip


def without_null(spec: Any) -> Any:
    """A specification that says the same with no null, outside its data: the kernel of JupyterLite loses None on the way to the page, where
    what is not said is Vega-Lite's own choice: axes below pictures, and "series" above a legend.
    """
    if isinstance(spec, list):
        return [without_null(part) for part in spec]
    if not isinstance(spec, dict):
        return spec
    said = {key: NONE.get(key) if value is None else value if key == "data" else without_null(value) for key, value in spec.items()}
    return {key: value for key, value in said.items() if value is not None}


def display(figure: Figure) -> None:
    """Draws a figure below the cell."""
    sys.modules["IPython.display"].display(figure)


class Changing:
    """Places below the cell, one a name, on which newer figures take the place of older ones, twice a second at most."""

    def __init__(self) -> None:
        self._places: dict[str, list[Any]] = {}  # the handle, when it was last drawn

    def due(self, name: str) -> bool:
        """Whether it is time to draw this figure again."""
        return name not in self._places or time.monotonic() - self._places[name][1] >= PAUSE

    def draw(self, name: str, figure: Figure) -> None:
        """Draws a figure in the place of the last one of its name."""
        if name in self._places:
            self._places[name][0].update(figure)
            self._places[name][1] = time.monotonic()
        else:
            handle = sys.modules["IPython.display"].display(figure, display_id=True)
            self._places[name] = [handle, time.monotonic()]
