"""Where notebooks show what changes while a cell runs: below the cell of Jupyter and its relatives, and of marimo."""

from __future__ import annotations

import os
import sys
from typing import Any


def in_notebook() -> bool:
    """Whether a notebook of IPython asks: Jupyter, JupyterLite, VS Code, Colab; not IPython in a terminal."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def in_marimo() -> bool:
    """Whether a notebook of marimo asks."""
    module = sys.modules.get("marimo")
    return module is not None and bool(module.running_in_notebook())


def shows_progress() -> bool:
    """Whether progress is drawn below the cell; `PYML_PROGRESS=text` has it printed instead."""
    return os.environ.get("PYML_PROGRESS", "").lower() != "text" and (in_notebook() or in_marimo())


class Place:
    """A place below the running cell: what is shown there takes the place of what was."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, html: str, text: str) -> None:
        """Shows HTML, and text where a host draws no HTML."""
        if in_marimo():
            marimo = sys.modules["marimo"]
            marimo.output.replace(marimo.Html(html))
            return
        data = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = sys.modules["IPython.display"].display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
