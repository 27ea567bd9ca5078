"""What the networks that were published as TensorFlow.js graph-models share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pyml.core import Tensor
from pyml.hub.registry import Entry
from pyml.saving import load_model


class GraphNetwork:
    """A network read from its files.

    Attributes:
        graph: The network as a `GraphModel`.
        side: Pixels of a side of the pictures that it sees.
        name, licence, source: What it is, who made it, and on which terms.
    """

    side: int
    outputs: list[str] | None = None

    def __init__(self, entry: Entry, files: dict[str, bytes]):
        self.name, self.licence, self.source = entry.name, entry.licence, entry.source
        with tempfile.TemporaryDirectory() as folder:  # in a browser this is memory, and free again at once
            for name, data in files.items():
                Path(folder, name).write_bytes(data)
            self.graph = load_model(folder)

    def _inputs(self, square: Tensor) -> Tensor:
        """What the graph takes, made of a picture `(1, side, side, 3)` of values from 0 to 255."""
        raise TypeError(f"{type(self).__name__} must define _inputs(square)")

    def _exported(self) -> tuple[Callable[[Tensor], Any], list[np.ndarray]]:
        """What `pyml.export` writes: what the graph says about a picture that fills the square, and an example of one."""
        square = np.zeros((1, self.side, self.side, 3), np.float32)
        return lambda picture: self.graph.execute(self._inputs(picture), self.outputs), [square]

    def __repr__(self) -> str:
        return f"<{self.name}; {self.licence}>"
