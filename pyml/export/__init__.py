"""Models that run with no Python: `pyml.export(model, "folder")` writes plans, weights and a small loader.

The module is callable, and so is both the function and the home of what belongs to it.

Example:
    >>> import pyml
    >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
    >>> folder = pyml.export(model, "digits", batch_sizes=(1, 32))
    >>> (folder / "model.js").is_file()
    True
"""

from __future__ import annotations

import sys
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from pyml.export.archive import ExportArchive
from pyml.export.folder import export_web
from pyml.export.programs import ExportError
from pyml.export.zipped import export_zip_async


class _Callable(ModuleType):
    def __call__(self, model: Any, folder: str | PathLike[str], **options: Any) -> Path:
        """The same as `export_web`, which has the options, the errors and an example."""
        return export_web(model, folder, **options)


sys.modules[__name__].__class__ = _Callable

__all__ = ["ExportArchive", "ExportError", "export_web", "export_zip_async"]
