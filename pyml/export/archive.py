"""`ExportArchive`: several calls of models and functions in one folder that runs without Python."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyml import settings, tree
from pyml.atomic import write
from pyml.core.variable import Variable
from pyml.export.folder import export_web
from pyml.export.programs import ExportError
from pyml.saving.safetensors import save_safetensors


class ExportArchive:
    """Gathers endpoints, and writes each as a folder `NAME` of its own, which `import { load } from "./NAME/model.js"` opens.

    Beside them stand `endpoints.json`, which names them, and the collections of variables as `NAME.safetensors`. Keras writes a
    SavedModel of TensorFlow here; what is written is what `pyml.export` writes.

    Args:
        format: Any of Keras' names is taken; the folder is the same.

    Raises:
        ValueError: `format` is another.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> archive = pyml.export.ExportArchive()
        >>> archive.track(model)
        >>> _ = archive.add_endpoint("serve", model.call, [pyml.InputSpec(shape=(None, 4), dtype="float32")], devices="wasm")
        >>> archive.write_out("served", verbose=False)
        >>> open("served/endpoints.json").read()
        '["serve"]'
    """

    def __init__(self, format: str = "saved_model") -> None:
        if format not in ("saved_model", "neptune_model"):
            raise ValueError(f"Unsupported format: {format}")
        self._tracked: list[Any] = []
        self._endpoints: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._collections: dict[str, list[Variable]] = {}

    @property
    def variables(self) -> list[Variable]:
        """The variables of what is tracked."""
        return self._of("variables")

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of them that training changes."""
        return self._of("trainable_variables")

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The others."""
        return self._of("non_trainable_variables")

    def _of(self, which: str) -> list[Variable]:
        return list({id(v): v for resource in self._tracked for v in getattr(resource, which)}.values())

    def track(self, resource: Any) -> None:
        """Remembers a layer or model, `resource`, for `variables`; endpoints find the variables that they use by themselves.

        Raises:
            ValueError: It is not a layer, or has no weights yet.
        """
        if not hasattr(resource, "variables"):
            raise ValueError(f"ExportArchive: expected a layer or model to track. Received a {type(resource).__name__}.")
        if not getattr(resource, "built", True):
            raise ValueError(f"ExportArchive: {resource.name} is not built yet; call it on data, or build it, before it is tracked.")
        if resource not in self._tracked:
            self._tracked.append(resource)

    def add_endpoint(self, name: str, fn: Callable[..., Any], input_signature: Sequence[Any] | None = None, **kwargs: Any) -> Any:
        """Adds a call.

        Args:
            name: Name of the endpoint, and of its folder.
            fn: A function of tensors, or a model.
            input_signature: For each argument an `InputSpec`, KerasTensor, tensor or array, or a structure of them. An unknown size is
                `batch_size`. A model needs none.
            **kwargs: `batch_size`, 1 by default; the others are those of `pyml.export`.

        Returns:
            `fn`.

        Raises:
            ValueError: The name is taken or no name of a folder, or a signature is missing.
        """
        if not name or name in self._endpoints or name in (".", "..") or {"/", os.sep} & set(name):
            raise ValueError(f"Endpoint names must be new, and names of folders. Received: name={name!r}")
        rows = kwargs.pop("batch_size", 1)
        if input_signature is None:
            if getattr(fn, "inputs", None) is None:
                raise ValueError(f"You must provide an `input_signature` for endpoint {name!r}: its function does not say its shapes.")
            self._endpoints[name] = fn, {"batch_sizes": rows, **kwargs}
            return fn
        structure = tuple(input_signature) if isinstance(input_signature, (list, tuple)) else (input_signature,)
        arrays = [_zeros(spec, rows) for spec in tree.flatten(structure)]

        def call(*flat: Any) -> Any:
            return fn(*tree.pack_sequence_as(structure, list(flat)))

        call.__name__ = name
        self._endpoints[name] = call, {"inputs": arrays, **kwargs}
        return fn

    def track_and_add_endpoint(self, name: str, resource: Any, input_signature: Sequence[Any] | None, **kwargs: Any) -> Any:
        """`track` and `add_endpoint` of a layer or model, `resource`."""
        self.track(resource)
        return self.add_endpoint(name, resource, input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Sequence[Variable]) -> None:
        """Adds variables under a name; they are written as `NAME.safetensors`, by their paths.

        Raises:
            ValueError: They are not a list of Variables.
        """
        if not isinstance(variables, (list, tuple, set)):
            raise ValueError(f"Expected `variables` to be a list/tuple/set. Received instead object of type '{type(variables)}'.")
        if not all(isinstance(v, Variable) for v in variables):
            raise ValueError(f"Expected all elements of `variables` to be Variables. Found: {[type(v).__name__ for v in variables]}")
        self._collections[name] = list(variables)

    def write_out(self, filepath: str | os.PathLike[str], options: Any = None, verbose: bool = True) -> None:
        """Writes the folder.

        Args:
            filepath: The folder; it is made if need be.
            options: Not used; TensorFlow's.
            verbose: Print what was written.

        Raises:
            ExportError: There is no endpoint, or one cannot be exported.
        """
        if not self._endpoints:
            raise ExportError("No endpoints have been set yet. Call add_endpoint().")
        target = Path(filepath)
        for name, (fn, options_of) in self._endpoints.items():
            export_web(fn, target / name, **options_of)
        for name, variables in self._collections.items():
            save_safetensors({v.path: v.numpy() for v in variables}, target / f"{name}.safetensors")
        write(target / "endpoints.json", json.dumps(list(self._endpoints)).encode())
        if verbose:
            settings.print_msg(f"Saved artifact at '{target}'. The following endpoints are available: {', '.join(self._endpoints)}")


def _zeros(spec: Any, rows: int) -> np.ndarray:
    shape = getattr(spec, "shape", None)
    if shape is None:
        raise ValueError(f"ExportArchive: an input_signature needs the shape of every input. Received: {spec!r}")
    return np.zeros([rows if size is None else int(size) for size in shape], str(getattr(spec, "dtype", None) or "float32"))
