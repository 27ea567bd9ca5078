"""`.keras` files: a zip of the model's config, its metadata, its variables as HDF5 and what its layers write beside those."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ... import version
from ...atomic import replacing
from ...atomic_folders import write_folder
from ...errors import PymlError
from ...layers.allowance import at_most
from ...objects import later_arguments, sharing
from ...objects.registry import LAYERS
from ...objects.serialization import deserialize_keras_object, serialize_keras_object
from ...tracebacks import warn
from ..files import MOST_JSON, MOST_WEIGHTS, ModelConfigError, ModelFileError, check_members, parse_json, path_of
from . import hdf5, hdf5_read, keras2, state

KERAS_VERSION = version()  # the version of Keras whose form the files have
WEIGHTS = "model.weights.h5"
_MOST_NESTED = 400
_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, ValueError, KeyError)


def described(model: Any, keras_version: int | None = None) -> dict[str, bytes]:
    """`config.json` and `metadata.json` of a model, of Keras 3 or of Keras 2.15.

    Raises:
        ValueError: Something in the model has no form in a config; the message names it.
    """
    if keras_version == 2:
        config, version = _older(model), keras2.VERSION
    else:
        with sharing.writing(), later_arguments.left_out():
            config, version = serialize_keras_object(model), KERAS_VERSION
    try:
        text = json.dumps(config, allow_nan=True)
    except (TypeError, ValueError, RecursionError) as e:
        raise ValueError(f"save: the config of model '{model.name}' cannot be written as JSON: {e}. Nothing was written.") from None
    metadata = {"keras_version": version, "date_saved": datetime.now().strftime("%Y-%m-%d@%H:%M:%S"), "written_by": "pyml"}
    return {"metadata.json": json.dumps(metadata).encode(), "config.json": text.encode()}


def _older(model: Any) -> dict[str, Any]:
    with later_arguments.left_out(only_3=False):
        made = serialize_keras_object(model)
    try:
        config = keras2.described(made)
        if made.get("compile_config"):
            config["compile_config"] = keras2.compilation(made["compile_config"], both=False)
    except keras2.Unfit as e:
        raise ValueError(f"save: {e}. Nothing was written; without keras_version=2 Keras 3 can open the file.") from None
    module = "keras.src.engine.functional" if config["class_name"] == "Functional" else "keras"
    return {"module": module, **config, "registered_name": config["class_name"] if config["class_name"] == "Functional" else None}


def save_archive(model: Any, target: Any, read: state.Reader | None, overwrite: bool, zipped: bool,
                 keras_version: int | None) -> None:  # fmt: skip
    """Writes a model as Keras 3 does, or as Keras 2.15 does.

    Args:
        model: Any built model.
        target: A path that ends in `.keras`, or a file open for writing; without `zipped` a folder.
        read: Gives the values of a Variable; they are read here by default.
        overwrite: False refuses to replace a file.
        zipped: False writes the three files into a folder.
        keras_version: 2 for the form of Keras 2.15.

    Raises:
        ValueError: Something in the model has no form in a file; nothing was written.
        FileExistsError: The file exists and `overwrite` is False; or a folder holds other files too.
        OSError: The file cannot be written; the old one is as it was.
    """
    path = None if hasattr(target, "write") else path_of(target, "save")
    if path is not None and not overwrite and os.path.exists(path):
        raise FileExistsError(f"save: {path} exists; pass overwrite=True to replace it.")
    if not model.built:
        warn(f"model '{model.name}' is saved without weights: it is not built yet. Call it on data first.")
    members = described(model, keras_version)
    weights = hdf5.write(state.save_state(model, read, old=keras_version == 2))
    assets = _assets(model)
    if path is None:
        _write_zip(target, members, weights, assets)
    elif zipped:
        with replacing(path) as part, open(part, "wb") as file:
            _write_zip(file, members, weights, assets)
    else:
        _check_folder(path)
        write_folder(path, {**assets, WEIGHTS: weights, **members})


def _check_folder(path: str) -> None:
    """Raises where a folder holds what no model's folder does: a new one takes its place with all that is in it."""
    if not os.path.isdir(path):
        return
    others = sorted(set(os.listdir(path)) - {"assets", "config.json", "metadata.json", WEIGHTS})
    if others:
        raise FileExistsError(f"save: the folder {path} holds {', '.join(others[:3])}, which is of no model; give a folder of its own.")


def _write_zip(file: Any, members: Mapping[str, bytes], weights: list[Any], assets: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data)
        with packed.open(WEIGHTS, "w", force_zip64=True) as member:
            for piece in weights:
                member.write(piece)
        for name, data in assets.items():
            packed.writestr(name, data)


# ---- files that layers write themselves, such as vocabularies
def _assets(model: Any) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path, obj in state.walk(model):
        if not hasattr(obj, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            obj.save_assets(folder)
            for base, _, names in os.walk(folder):
                for name in names:
                    inside = os.path.relpath(os.path.join(base, name), folder).replace(os.sep, "/")
                    with open(os.path.join(base, name), "rb") as file:
                        found["/".join(filter(None, ("assets", path, inside)))] = file.read()
    return found


def _load_assets(model: Any, files: Mapping[str, bytes]) -> None:
    """Hands each layer the files that it wrote beside the variables."""
    for path, obj in state.walk(model):
        start = "/".join(filter(None, ("assets", path))) + "/"
        if not hasattr(obj, "load_assets"):
            continue
        mine = {name[len(start) :]: data for name, data in files.items() if name.startswith(start)}
        if not mine:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name, data in mine.items():
                if "/" in name or "\\" in name or name in (".", "..", ""):
                    continue                           # belongs to a layer below
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
            obj.load_assets(folder)


# ---- reading
def load_archive(data: Any, where: object, custom_objects: Mapping[str, Any] | None, compile: bool,
                 safe_mode: bool, old: Callable[..., Any] | None) -> Any:
    """The model in the bytes of a `.keras` file; `old` makes those that Keras 2 describes, as `legacy.from_members` does.

    Raises:
        ModelFileError: The file is damaged, or holds what is not known here; the message says what.
    """
    return from_members(read_archive(data, where), where, custom_objects, compile, safe_mode, old)


def from_members(files: Mapping[str, Any], where: object, custom_objects: Mapping[str, Any] | None = None, compile: bool = True,
                 safe_mode: bool = True, old: Callable[..., Any] | None = None) -> Any:
    """The model of the files that a `.keras` file holds."""
    if "config.json" not in files:
        raise ModelFileError(f"{where}: there is no config.json in it; it is not a model that Keras wrote.")
    config = parse_json(files["config.json"], f"{where}/config.json")
    weights = files.get(WEIGHTS)
    if old is not None and _version(files, where).startswith("2"):
        model = old(config, where, custom_objects, compile, safe_mode, 0 if weights is None else len(weights))
    else:
        model = made(config, where, custom_objects, compile, safe_mode, None if weights is None else len(weights))
    _load_assets(model, files)
    if weights is not None:
        state.load_state(model, hdf5_read.read(weights, f"{where}/{WEIGHTS}"), where, by_name=True)
    elif "model.weights.npz" in files:
        raise ModelFileError(
            f"{where}: its weights are of numpy's format, which Keras writes by pickling, and pickled weights are not loaded."
        )
    elif model.weights:
        raise ModelFileError(f"{where}: there is no {WEIGHTS} in it; the file is not complete.")
    return model


def _version(files: Mapping[str, Any], where: object) -> str:
    """The version of Keras that wrote the files, where they say it."""
    return str(parse_json(files["metadata.json"], f"{where}/metadata.json").get("keras_version")) if "metadata.json" in files else "3"


def made(config: dict[str, Any], where: object, custom_objects: Mapping[str, Any] | None, compile: bool, safe_mode: bool,
         nbytes: int | None = None) -> Any:
    """The model of a config, with new weights of not many more bytes than the file has for them."""
    check_depth(config, where)
    if not compile:
        config = without_compilation(config)
    try:
        with at_most((1 << 62) if nbytes is None else 2 * nbytes):  # bytes, so weights of int4 have room too, twice what they hold
            model = deserialize_keras_object(config, custom_objects, safe_mode, kind=LAYERS)
    except ModelFileError:
        raise
    except (PymlError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError, MemoryError) as e:
        raise ModelConfigError(f"{where}: the model cannot be made from its config: {str(e)[:1000]}") from e
    if not hasattr(model, "load_own_variables") and not hasattr(model, "save"):  # layers too, and a FeatureSpace, have files
        raise ModelFileError(f"{where}: the config describes a {type(model).__name__}; expected a model.")
    return model


def without_compilation(config: Any) -> Any:
    """A config without how models were compiled."""
    if isinstance(config, dict):
        return {key: without_compilation(value) for key, value in config.items() if key != "compile_config"}
    return [without_compilation(value) for value in config] if isinstance(config, list) else config


def check_depth(value: Any, where: object) -> None:
    """Configs nested beyond reason would exhaust the stack."""
    level = [value]
    for _ in range(_MOST_NESTED):
        level = [v for item in level for v in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())]
        if not level:
            return
    raise ModelFileError(f"{where}: the model's config is nested too deeply.")


def read_archive(data: Any, where: object) -> dict[str, Any]:
    """The files in a zip by name, their sizes checked before they are unpacked."""
    size = len(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            check_members(packed, size)
            members = packed.infolist()
            if len(members) > 100_000 or sum(member.file_size for member in members) > min(MOST_WEIGHTS, max(64 << 20, 100 * size)):
                raise ModelFileError(f"its {size:,} bytes would unpack to far more; it is not a file that Keras wrote.")
            found: dict[str, Any] = {}
            for member in members:
                if member.is_dir():
                    continue
                if member.filename in found:
                    raise ModelFileError(f"it holds {member.filename[:80]!r} twice.")
                most = MOST_JSON if member.filename.endswith(".json") else MOST_WEIGHTS
                if member.file_size > most:
                    raise ModelFileError(f"its {member.filename[:80]!r} has {member.file_size:,} bytes; at most {most:,} were expected.")
                found[member.filename] = packed.read(member)
            return found
    except ModelFileError as e:
        raise ModelFileError(f"{where}: {e}") from None
    except _BROKEN as e:
        raise ModelFileError(f"{where}: the file is damaged or is not a .keras file ({type(e).__name__}: {str(e)[:120]}).") from None
