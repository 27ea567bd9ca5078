"""`KerasFileEditor`: looks into files of weights, changes them and compares them with a model."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pyml import settings
from pyml.atomic import replacing
from pyml.saving.files import existing_file
from pyml.saving.keras import archive, hdf5, hdf5_read, state

_WEIGHTS = "model.weights.h5"


class KerasFileEditor:
    """The weights of a file as objects by path, such as `layers/dense/0`, to be listed, renamed, removed, added and saved.

    Attributes: `weights_dict`, objects as nested dictionaries of arrays; `object_metadata`, the attributes of objects by path;
    `config` and `metadata` of a `.keras` file.

    Args:
        filepath: A `.keras` or `.weights.h5` file; it is not changed itself.

    Raises:
        ValueError: Another ending, or the file is damaged.
        FileNotFoundError: There is no such file.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "small.weights.h5")
        >>> pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2, name="first")]).save_weights(path)
        >>> editor = pyml.saving.KerasFileEditor(path)    # doctest: +ELLIPSIS
        Keras model file '...small.weights.h5'
        >>> editor.rename_object("dense", "dense_7")
        >>> editor.weights_dict["layers"]["dense_7"]["0"].shape
        (3, 2)
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        self.filepath = os.fspath(filepath)
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        self.model = None
        if not self.filepath.endswith((".keras", ".weights.h5")):
            raise ValueError(f"Invalid filename: expected a `.keras` `.weights.h5` extension. Received: filepath={self.filepath}")
        with open(existing_file(self.filepath, "KerasFileEditor"), "rb") as file:
            content: Any = file.read()
        if self.filepath.endswith(".keras"):
            members = archive.read_archive(content, self.filepath)
            missing = {"config.json", "metadata.json", _WEIGHTS} - set(members)
            if missing:
                raise ValueError(f"{self.filepath}: there is no {min(missing)} in it; it is not a model that Keras wrote.")
            self.config, self.metadata = json.loads(members["config.json"]), json.loads(members["metadata.json"])
            content = members[_WEIGHTS]
        self.object_metadata: dict[str, dict[str, Any]] = {}
        self.weights_dict = _objects(hdf5_read.read(content, self.filepath), self.object_metadata)
        settings.print_msg(f"Keras model file '{self.filepath}'")
        if self.metadata is not None:
            settings.print_msg(f"Saved with Keras {self.metadata.get('keras_version')} - date: {self.metadata.get('date_saved')}")

    def summary(self) -> None:
        """Prints all objects and the shapes of their weights."""
        settings.print_msg("Weights structure")
        for line in self._lines(self.weights_dict, "  ", ""):
            settings.print_msg(line)

    def _lines(self, objects: dict[str, Any], prefix: str, above: str, first: bool = True) -> Iterator[str]:
        for i, (name, value) in enumerate(objects.items()):
            last, path = i == len(objects) - 1, f"{above}/{name}"
            sign = "> " if first else "└─ " if last else "├─ "
            first = False
            if isinstance(value, dict):
                called = self.object_metadata.get(path, {}).get("name")
                yield f"{prefix}{sign}{name}" + (f" ('{called}')" if called else "")
                yield from self._lines(value, prefix + ("    " if last else "│   "), path, False)
            elif hasattr(value, "shape"):
                yield f"{prefix}{sign}{name}: shape={tuple(value.shape)}, dtype={value.dtype}"
            else:
                yield f"{prefix}{sign}{name}: {value}"

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Prints what differs from the weights of a model.

        Args:
            reference_model: A built model.

        Returns:
            `status`, `"success"` or `"error"`; `error_count`, objects or weights that one side lacks or that have other shapes;
            `match_count`, weights that fit.
        """
        settings.print_msg("Running comparison")
        errors: dict[str, str] = {}
        matches = _differences(self.weights_dict, _objects(state.save_state(reference_model), {}), "", errors)
        for message in errors.values():
            settings.print_msg(message)
        settings.print_msg("─────────────────────")
        if errors:
            plural = "s" * (len(errors) != 1)
            settings.print_msg(f"Found {len(errors)} error{plural}: saved file is not compatible with the reference model")
        else:
            settings.print_msg("Comparison successful: saved file is compatible with the reference model\n"
                               f"    Found {matches} matching weight{'s' * (matches != 1)}")  # fmt: skip
        return {"status": "error" if errors else "success", "error_count": len(errors), "match_count": matches}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Gives an object another name.

        Args:
            object_name: Its name, where there is one such only, or its path.
            new_name: A name without a path.

        Raises:
            ValueError: There is no such object or more than one, or `new_name` is a path or taken.
        """
        if "/" in new_name:
            raise ValueError(f"Argument `target_name` should be a leaf name, not a full path name. Received: target_name='{new_name}'")

        def rename(objects: dict[str, Any], name: str) -> None:
            if new_name in objects and new_name != name:
                raise ValueError(f"rename_object: there is a {new_name!r} beside {object_name!r} already; delete it first.")
            objects[new_name] = objects.pop(name)

        self._edit(rename, object_name)

    def delete_object(self, object_name: str) -> None:
        """Removes an object; `object_name` is its name, where there is one such only, or its path."""
        self._edit(lambda objects, name: objects.pop(name), object_name)

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Adds an object.

        Args:
            object_path: Its path, such as `"layers/dense_2"`; what is above it must be there.
            weights: Arrays by name, such as `{"0": kernel, "1": bias}`.
        """
        _check_weights(weights)
        above, _, name = object_path.rpartition("/")
        objects = self.weights_dict
        for part in filter(None, above.split("/")):
            if not isinstance(objects.get(part), dict):
                raise ValueError(f"Path '{above}' not found in model.")
            objects = objects[part]
        objects[name] = weights

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Removes the weight `weight_name`, such as `"0"`, of an object; `object_name` as for `delete_object`."""

        def delete(objects: dict[str, Any], name: str) -> None:
            if weight_name not in objects[name]:
                raise ValueError(f"Weight {weight_name} not found in object {object_name}. Weights found: {list(objects[name])}")
            del objects[name][weight_name]

        self._edit(delete, object_name)

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Adds `weights`, arrays by name such as `{"2": values}`, to an object; those of a name that is there take its place.

        `object_name` is as for `delete_object`.
        """
        _check_weights(weights)
        self._edit(lambda objects, name: objects[name].update(weights), object_name)

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Writes a file of weights, whose name ends in `.weights.h5`.

        Raises:
            ValueError: It ends otherwise.
            OSError: It cannot be written.
        """
        path = os.fspath(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(f"Invalid `filepath` argument: expected a `.weights.h5` extension. Received: filepath={path}")
        root = hdf5.Group()
        waiting: list[tuple[str, dict[str, Any]]] = [("", self.weights_dict)]
        while waiting:
            above, objects = waiting.pop(0)
            for name, value in objects.items():
                if isinstance(value, dict):
                    waiting.append((f"{above}/{name}", value))
                else:
                    root.group(f"{above}/vars").items[name] = np.asarray(value)
        with replacing(path) as part, open(part, "wb") as file:
            for piece in hdf5.write(root):
                file.write(piece)

    def resave_weights(self, filepath: str | os.PathLike[str]) -> None:
        """The same as `save`."""
        self.save(filepath)

    def _edit(self, change: Callable[[dict[str, Any], str], Any], name: str) -> None:
        """Calls `change` with the dictionary that has the object, and its name there."""
        if "/" in name:
            *above, last = name.split("/")
            objects: Any = self.weights_dict
            for part in (*above, last):
                if not isinstance(objects, dict) or part not in objects:
                    raise ValueError(f"Path '{name}' not found in model.")
                found, objects = objects, objects[part]
            change(found, last)
            return
        holders = [objects for objects in _all(self.weights_dict) if name in objects]
        if len(holders) > 1:
            raise ValueError(f"Name '{name}' occurs more than once in the model; try passing a complete path")
        if not holders:
            raise ValueError(f"Source name '{name}' does not appear in the model. Use `editor.summary()` to list all objects.")
        change(holders[0], name)


def _check_weights(weights: Any) -> None:
    if not isinstance(weights, dict):
        raise ValueError("Argument `weights` should be a dict where keys are weight names (usually '0', '1', etc.) and values are NumPy "
                         f"arrays. Received: type(weights)={type(weights)}")  # fmt: skip


def _all(objects: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield objects
    for value in objects.values():
        if isinstance(value, dict):
            yield from _all(value)


def _objects(group: hdf5.Group, metadata: dict[str, dict[str, Any]], path: str = "") -> dict[str, Any]:
    """Groups as dictionaries; the arrays of `vars` stand in the object itself, and objects without any are left out."""
    found: dict[str, Any] = {}
    if group.attrs:
        metadata.setdefault(path, {}).update(group.attrs)
    for name, item in group.items.items():
        if not isinstance(item, hdf5.Group):
            found[name] = np.asarray(item)
        elif name == "vars":
            found.update(_objects(item, metadata, path))
        elif inside := _objects(item, metadata, f"{path}/{name}"):
            found[name] = inside
    return found


def _differences(file: dict[str, Any], model: dict[str, Any], above: str, errors: dict[str, str]) -> int:
    """How many weights fit; what does not is added to `errors` by path."""
    matches = 0
    for name in dict.fromkeys((*model, *file)):
        path = f"{above}/{name}"
        kind = "Object" if isinstance(model.get(name, file.get(name)), dict) else "Weight"
        if name not in file or name not in model:
            there, lacks = ("reference model", "saved file") if name in model else ("saved file", "reference model")
            keys = (model if name in model else file)[name]
            more = f"\n    In {there}, {path} contains the following keys: {list(keys)}" if kind == "Object" else ""
            errors[path] = f"...{kind} {path} present in {there}, missing from {lacks}{more}"
        elif isinstance(file[name], dict) != isinstance(model[name], dict):
            errors[path] = f"...{path} is an object on one side and a weight on the other"
        elif kind == "Object":
            matches += _differences(file[name], model[name], path, errors)
        elif np.shape(file[name]) != np.shape(model[name]):
            errors[path] = (f"...Weight shape mismatch for {path}\n    In reference model: shape={np.shape(model[name])}\n"
                            f"    In saved file: shape={np.shape(file[name])}")  # fmt: skip
        else:
            matches += 1
    return matches
