"""`load_model`: a model from files, by what the files say they are."""

from __future__ import annotations

import os
from typing import Any

from ..atomic_folders import stamp
from ..tracebacks import shown
from . import whole_files
from .asking import READINGS, Asking, answered, answered_async, read, read_async, whole
from .files import MOST_JSON, MOST_WEIGHTS, ModelFileError, Readable, parse_json
from .stores import place_of
from .tfjs.weights import read_manifest, requests


@shown
def load_model(filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """A model from its files, with its weights; where it was compiled, so that training goes on.

    Args:
        filepath: A file of Keras: `.keras`, or `.h5` of Keras 2; a TensorFlow.js `model.json`, the folder that holds it, or the URL of
            any of them; in a browser also `"indexeddb://NAME"` or `"localstorage://NAME"`; files that a user chose, see `browser_files`; or
            a handler of `pyml.io` such as `from_memory(...)`, or an address that a registered router knows.
        custom_objects: Dict from names to classes and functions that the file names.
        compile: False leaves a model of Keras not compiled. Those of TensorFlow.js never are.
        safe_mode: False lets a Lambda's bytecode become a function, which can do anything that your program can.

    Returns:
        A model; a `GraphModel` with `execute` and `predict` for a graph-model of TensorFlow.js.

    Raises:
        ModelFileError: A file is missing, damaged, inconsistent or of an unknown kind, or names what is not known here; nothing is
            left half loaded.
        ModelStoreError: The browser's stores cannot be used, or this is not a browser.
        SyncReadError: This browser cannot wait for them; write `await load_model_async(filepath)`.

    Source: keras.saving.load_model; tf.loadLayersModel and tf.loadGraphModel.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> model.save("digits.keras")
        >>> pyml.saving.load_model("digits.keras").output_shape
        (None, 2)
    """
    return answered(_load(filepath, custom_objects, compile, safe_mode), read)


async def load_model_async(filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True,
                           safe_mode: bool = True) -> Any:
    """As `load_model`; in a browser, files are fetched without blocking the page.

    Raises:
        ModelFileError: As `load_model`.
        ModelStoreError: The browser's stores cannot be used, or this is not a browser.

    Example:
        >>> pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)]).save("digits.keras")
        >>> asyncio.run(pyml.saving.load_model_async("digits.keras")).output_shape
        (None, 2)
    """
    return await answered_async(_load(filepath, custom_objects, compile, safe_mode), read_async)


def _load(path: Any, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Asking[Any]:
    """The model, by work that asks for its files."""
    if hasattr(path, "read") and not hasattr(path, "read_async"):
        from .keras import archive

        return archive.load_archive(path.read(), getattr(path, "name", "the file"), custom_objects, compile, safe_mode, _of_keras_2)
    if _is_keras_folder(path):
        from .keras import archive

        return archive.from_members(_members(path), path, custom_objects, compile, safe_mode, _of_keras_2)
    place = place_of(path)
    name = str(place.name)
    _refuse_weights(name, place)
    if name.endswith(whole_files.ENDINGS):
        return _of_file((yield place, place.name, MOST_WEIGHTS), place, custom_objects, compile, safe_mode)
    return (yield from whole(place, place.name, MOST_JSON, lambda listing: _described(listing, place, custom_objects, compile, safe_mode)))


def _described(listing: bytes, place: Readable, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Asking[Any]:
    """The model that a `model.json` describes."""
    description = parse_json(listing, place)
    kind = description.get("format") or _guess(description)
    if kind == whole_files.FORMAT:
        _refuse_weights(str(description.get("file")), place)
        [[[name], _, _]] = read_manifest(description.get("weightsManifest"), place)
        return _of_file((yield place, name, MOST_WEIGHTS), place, custom_objects, compile, safe_mode)
    if kind not in ("graph-model", "layers-model"):
        raise ModelFileError(f"{place}: the format is {kind!r}; expected 'graph-model' or 'layers-model'.")
    weights = yield from requests(read_manifest(description.get("weightsManifest") or [], place), place)
    if kind == "graph-model":
        from .tfjs.graph_model import GraphModel

        return GraphModel(description, weights, place)
    from .tfjs.layers_model import build

    return build(description, weights, place, custom_objects)


def _refuse_weights(name: str, place: object) -> None:
    if name.endswith((".npz", ".safetensors", ".pt", ".pth", ".weights.h5", ".weights.json")):
        raise ModelFileError(
            f"{place}: load_model opens whole models (.keras, .h5, model.json); these are weights alone, which model.load_weights "
            "(.weights.h5, .npz) or load_state_dict load into an existing model."
        )


def _of_file(data: bytes, place: Readable, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    """The model in the bytes of a `.keras` or `.h5` file: which of them, its first bytes say."""
    if bytes(data[:4]) == b"\x89HDF":
        from .keras import legacy

        return legacy.load(data, place, custom_objects, compile, safe_mode)
    from .keras import archive

    return archive.load_archive(data, place, custom_objects, compile, safe_mode, _of_keras_2)


def _of_keras_2(*described: Any) -> Any:
    from .keras import legacy

    return legacy.from_members(*described)


def _is_keras_folder(path: Any) -> bool:
    """Whether Keras wrote a folder, as it does with zipped=False."""
    return isinstance(path, (str, os.PathLike)) and os.path.isfile(os.path.join(os.fspath(path), "config.json")) and not os.path.isfile(
        os.path.join(os.fspath(path), "model.json"))


def _members(folder: Any) -> dict[str, bytes]:
    """The files of such a folder by their names in a `.keras` file, all of one writing."""
    for _ in range(READINGS):
        before = stamp(folder)
        try:
            found = _read_members(folder)
        except OSError:
            if stamp(folder) == before:
                raise
        else:
            if stamp(folder) == before:
                return found
    raise ModelFileError(f"{folder}: the folder was replaced {READINGS} times while it was read; wait until the saving ends.")


def _read_members(folder: Any) -> dict[str, bytes]:
    found = {}
    for base, _, names in os.walk(os.fspath(folder)):
        for name in names:
            place = os.path.join(base, name)
            inside = os.path.relpath(place, os.fspath(folder)).replace(os.sep, "/")
            if inside in ("config.json", "model.weights.h5") or inside.startswith("assets/"):
                with open(place, "rb") as file:
                    found[inside] = file.read()
    return found


def _guess(description: dict[str, Any]) -> str | None:
    """Files of the first converters do not name their format."""
    topology = description.get("modelTopology")
    if isinstance(topology, dict):
        if "node" in topology:
            return "graph-model"
        if "model_config" in topology or "class_name" in topology:
            return "layers-model"
    return None


def load_state(model: Any, data: bytes, where: object) -> None:
    """Sets weights and the optimizer's state from the content of a `.weights.h5`; nothing changes unless all fits."""
    from .keras import hdf5_read, state

    state.load_state(model, hdf5_read.read(data, where), where)
