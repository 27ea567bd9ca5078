"""The visor: a panel over a page, with tabs of surfaces on which figures are drawn. The panel itself is `web/visor.js`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyml.vis.figure import Figure

_visor: Visor | None = None
_drawer: Callable[[str, str, Figure], None] | None = None


def draw_with(drawer: Callable[[str, str, Figure], None] | None) -> Callable[[str, str, Figure], None] | None:
    """Has figures drawn by a function of yours, in the place of the visor: into a page of your own, a window, a folder of files.

    Args:
        drawer: Called with the surface's name, its tab and the figure, whenever one is shown or `fit_callbacks` has drawn anew;
            None gives them back to the visor.

    Returns:
        The function that drew until now, or None.

    Example:
        >>> drawn = []
        >>> before = pyml.vis.draw_with(lambda name, tab, figure: drawn.append(name))
        >>> pyml.vis.line_chart([3, 2, 1], title="Loss").show()
        <Figure 'Loss' of 3 rows>
        >>> drawn, pyml.vis.draw_with(before) is not None
        (['Loss'], True)
    """
    global _drawer
    before, _drawer = _drawer, drawer
    return before


def has_place() -> bool:
    """True where figures that nobody asked for can be drawn: by a function of `draw_with`, or in a page's visor."""
    return _drawer is not None or in_page()


def in_page() -> bool:
    """True where a page is there that can open a visor."""
    return sys.platform == "emscripten" and _page() is not None


def _page() -> Any:
    try:
        import pyml_page
    except ImportError:
        return None
    return getattr(pyml_page, "post", None)


class Surface:
    """A place in the visor for one figure.

    Args:
        name: What stands above it.
        tab: The tab it lies in.
    """

    def __init__(self, name: str, tab: str = "Visor"):
        self.name, self.tab = name, tab
        self.figure: Figure | None = None

    def draw(self, figure: Figure) -> None:
        """Draws a figure here, in the place of the last one. In a page; elsewhere it is kept in `.figure`."""
        self.figure = figure
        if _drawer is not None:
            _drawer(self.name, self.tab, figure)
            return
        send("draw", {"name": self.name, "tab": self.tab, "spec": figure.spec})


class Visor:
    """The panel; made by `pyml.vis.visor()`, one for a page.

    Example:
        >>> pyml.vis.visor() is pyml.vis.visor()
        True
    """

    def __init__(self) -> None:
        self._surfaces: dict[tuple[str, str], Surface] = {}
        self._open: bool | None = None                 # None until somebody says so: the first surface opens the panel

    def surface(self, name: str | dict[str, Any], tab: str = "Visor") -> Surface:
        """The surface of a name, made when it is first asked for.

        Args:
            name: Its name, or a dict of `name` and `tab`.
            tab: The tab.
        """
        called = name if isinstance(name, str) else str(name["name"])
        tab = tab if isinstance(name, str) else name.get("tab", tab)
        return self._surfaces.setdefault((tab, called), Surface(called, tab))

    def open(self) -> None:
        """Shows the panel."""
        self._open = True
        send("open", {})

    def close(self) -> None:
        """Hides it; the key ` shows it again."""
        self._open = False
        send("close", {})

    def toggle(self) -> None:
        """Shows or hides it."""
        self._open = not self.is_open()
        send("toggle", {})

    def is_open(self) -> bool:
        """Whether the panel was opened last, as far as Python knows: a person may have closed it."""
        return bool(self._surfaces) if self._open is None else self._open

    def set_active_tab(self, tab: str) -> None:
        """Brings a tab to the front."""
        send("tab", {"tab": tab})

    @property
    def tabs(self) -> list[str]:
        """Names of the tabs, in order."""
        return list(dict.fromkeys(tab for tab, _ in self._surfaces))


def send(what: str, message: dict[str, Any]) -> None:
    """Hands a message to the page, where there is one."""
    if sys.platform != "emscripten":
        return
    page = _page()
    if page is not None:
        page("visor", json.dumps([what, message], allow_nan=False))


def visor() -> Visor:
    """The visor of this page.

    Example:
        >>> surface = pyml.vis.visor().surface("Loss", tab="Training")
        >>> surface.draw(pyml.vis.line_chart([3, 2, 1]))
        >>> "Training" in pyml.vis.visor().tabs
        True
    """
    global _visor
    if _visor is None:
        _visor = Visor()
    return _visor
