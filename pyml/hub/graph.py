"""What the networks that were published as TensorFlow.js graph-models share."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyml.hub.registry import Entry
from pyml.saving import load_model


class GraphNetwork:
    """A network read from its files.

    Attributes:
        graph: The network as a `GraphModel`.
        name, licence, source: What it is, who made it, and on which terms.
    """

    def __init__(self, entry: Entry, files: dict[str, bytes]):
        self.name, self.licence, self.source = entry.name, entry.licence, entry.source
        with tempfile.TemporaryDirectory() as folder:  # in a browser this is memory, and free again at once
            for name, data in files.items():
                Path(folder, name).write_bytes(data)
            self.graph = load_model(folder)

    def __repr__(self) -> str:
        return f"<{self.name}; {self.licence}>"
