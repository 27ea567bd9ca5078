"""Puts the minified loader of exported models into the wheel, where `tools/minify.py` has made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class MinifiedLoader(BuildHookInterface):
    """A build hook of hatchling."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the file, if it is there."""
        path = Path(self.root) / "build" / "exported.min.js"
        if self.target_name == "wheel" and version != "editable" and path.is_file():
            build_data["force_include"][str(path)] = "pyml/_data/web/exported.min.js"
