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

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pyml.export.archive import ExportArchive
from pyml.export.folder import export_web
from pyml.export.programs import ExportError


class _Callable(ModuleType):
    def __call__(
        self,
        model: Any,
        folder: str | os.PathLike[str],
        *,
        batch_sizes: int | Sequence[int] = (1,),
        input_shapes: Any = None,
        inputs: Sequence[Any] | None = None,
        training: bool = False,
        targets: Any = None,
        weights: str = "float32",
        devices: Sequence[str] = ("webgpu", "wasm"),
        overwrite: bool = True,
        app: str | None = None,
    ) -> Path:
        """Writes a model as a static folder: `import { load } from "./folder/model.js"` predicts in any page, worker or Node.

        Args:
            model: A model; or a program or function of tensors, with `inputs`.
            folder: Where the files go; it is made if need be.
            batch_sizes: The numbers of rows that `predict` takes at once.
            input_shapes: Sizes of inputs without the batch, for models that take any: `(224, 224, 3)`, or a list of such; a list
                of lists where there are several inputs.
            inputs: Of a function: an array for every argument.
            training: Also export `fit` and `evaluate` of a compiled model, for batches of the sizes named.
            targets: An example of `y`, where the loss and the outputs do not say its shape and dtype.
            weights: `"float32"`, `"float16"` (half the bytes) or `"int8"` (a quarter); the loader makes float32 of them.
            devices: For which devices.
            overwrite: False refuses a folder that holds an exported model.
            app: `"page"` adds an index.html to begin with, `"pwa"` one that opens without a network, `"extension"` what makes the
                folder an extension of Chromium and Firefox.

        Returns:
            The folder: `model.js`, `model.d.ts`, `plan.json`, `weights.bin`, and for each device its plan.

        Raises:
            ExportError: Something cannot be exported, or an argument does not fit; nothing is written then.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
            >>> sorted(path.name for path in pyml.export(model, "small", devices="wasm").iterdir())[:3]
            ['model.d.ts', 'model.js', 'model.relaxed.wasm']
        """
        return export_web(model, folder, batch_sizes=batch_sizes, input_shapes=input_shapes, inputs=inputs, training=training,
                          targets=targets, weights=weights, devices=devices,
                          overwrite=overwrite, app=app)  # fmt: skip


sys.modules[__name__].__class__ = _Callable

__all__ = ["ExportArchive", "ExportError", "export_web"]
