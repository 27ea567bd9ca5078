"""`load_model`: a model from files, by what the files say they are."""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..atomic import write
from ..optimizers.base import Optimizer
from . import stores_browser
from .artifacts import artifacts_of
from .files import MOST_JSON, MOST_WEIGHTS, ModelFileError, parse_json
from .handlers import coroutine_of, saver_of
from .stores import place_of, target_of
from .tfjs.weights import read_manifest, requests
from .waiting import wait

if TYPE_CHECKING:
    from ..models.model import Model


def load_model(filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """A model from its files, with its weights; where it was compiled, so that training goes on.

    Args:
        filepath: A file of Keras: `.keras`, or `.h5` of Keras 2; a TensorFlow.js `model.json`, the folder that holds it, or the URL of
            either; in a browser also `"indexeddb://NAME"` or `"localstorage://NAME"`; files that a user chose, see `browser_files`; or
            a handler of `pyml.io` such as `from_memory(...)`, or an address that a registered router knows.
        custom_objects: Dict from names to classes and functions that the file names.
        compile: False leaves a model of Keras not compiled. Those of TensorFlow.js never are.
        safe_mode: False lets a Lambda's bytecode become a function, which can do anything that your program can.

    Returns:
        A model; a `GraphModel` with `execute` and `predict` for a graph-model of TensorFlow.js.

    Raises:
        ModelFileError: A file is missing, damaged, inconsistent or of an unknown kind, or names what is not known here; nothing is
            left half loaded.
        ModelStoreError: The browser's stores cannot be used, or this is no browser.
        SyncReadError: This browser cannot wait for them; write `await load_model_async(filepath)`.

    Source: keras.saving.load_model; tf.loadLayersModel and tf.loadGraphModel.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> model.save("digits.keras")
        >>> pyml.saving.load_model("digits.keras").output_shape
        (None, 2)
    """
    run = _load(filepath, custom_objects, compile, safe_mode)
    answer = None
    while True:
        try:
            place, name, most = run.send(answer)
        except StopIteration as end:
            return end.value
        answer = place.read(name, most)


async def load_model_async(filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True,
                           safe_mode: bool = True) -> Any:
    """As `load_model`; in a browser, files are fetched without blocking the page.

    Raises:
        ModelFileError: As `load_model`.
        ModelStoreError: The browser's stores cannot be used, or this is no browser.

    Example:
        >>> pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)]).save("digits.keras")
        >>> asyncio.run(pyml.saving.load_model_async("digits.keras")).output_shape
        (None, 2)
    """
    run = _load(filepath, custom_objects, compile, safe_mode)
    answer = None
    while True:
        try:
            place, name, most = run.send(answer)
        except StopIteration as end:
            return end.value
        answer = await place.read_async(name, most)


def _load(path: Any, custom_objects: dict[str, Any] | None, compile: bool,
          safe_mode: bool) -> Generator[tuple[Any, str, int], Any, Any]:
    """A generator that asks for files, `(place, name, most bytes)`, is sent their bytes, and returns the model."""
    if hasattr(path, "read") and not hasattr(path, "read_async"):
        from .keras import archive

        return archive.load_archive(path.read(), getattr(path, "name", "the file"), custom_objects, compile, safe_mode)
    if _is_keras_folder(path):
        from .keras import archive

        return archive.from_members(_members(path), path, custom_objects, compile, safe_mode)
    place = place_of(path)
    name = str(place.name)
    if name.endswith((".npz", ".safetensors", ".pt", ".pth", ".weights.h5", ".weights.json")):
        raise ModelFileError(
            f"{place}: load_model opens whole models (.keras, .h5, model.json); these are weights alone, which model.load_weights "
            "(.weights.h5, .npz) or load_state_dict read into a model that is there."
        )
    if name.endswith((".keras", ".h5", ".hdf5")):
        data = yield place, place.name, MOST_WEIGHTS
        if bytes(data[:4]) == b"\x89HDF":
            from .keras import legacy

            return legacy.load(data, place, custom_objects, compile, safe_mode)
        from .keras import archive

        return archive.load_archive(data, place, custom_objects, compile, safe_mode)
    description = parse_json((yield place, place.name, MOST_JSON), place)
    kind = description.get("format") or _guess(description)
    if kind not in ("graph-model", "layers-model"):
        raise ModelFileError(f"{place}: the format is {kind!r}; expected 'graph-model' or 'layers-model'.")
    run = requests(read_manifest(description.get("weightsManifest") or [], place), place)
    answer = None
    while True:
        try:
            name, most = run.send(answer)
        except StopIteration as end:
            weights = end.value
            break
        answer = yield place, name, most
    if kind == "graph-model":
        from .tfjs.graph_model import GraphModel

        return GraphModel(description, weights, place)
    from .tfjs.layers_model import build

    return build(description, weights, place, custom_objects)


def _is_keras_folder(path: Any) -> bool:
    """Whether Keras wrote a folder, as it does with zipped=False."""
    return isinstance(path, (str, os.PathLike)) and os.path.isfile(os.path.join(os.fspath(path), "config.json")) and not os.path.isfile(
        os.path.join(os.fspath(path), "model.json"))


def _members(folder: Any) -> dict[str, bytes]:
    """The files of such a folder by their names in a `.keras` file."""
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


def save_model(model: Model, filepath: Any, overwrite: bool = True, zipped: bool | None = None, quantize: str | None = None,
               include_optimizer: bool = True, **kwargs: Any) -> None:
    """Writes a model; the end of the path says in which form.

    Args:
        model: A model with weights.
        filepath: A path that ends in `.keras` keeps all there is, layers of your own and the state of training too, and Keras 3 opens
            it; `.h5` is the form of Keras 2. Else the path of a `model.json`, or a folder for it, of a TensorFlow.js layers-model,
            which `tf.loadLayersModel` opens; the weights go beside it in shards of 4 MB. In a browser also `"indexeddb://NAME"` or
            `"localstorage://NAME"`, the stores of TensorFlow.js, or `"downloads://NAME"`, which lets the user keep `NAME.json` and
            `NAME.weights.bin`; or a handler of `pyml.io`, such as `http(...)`.
        overwrite: False refuses to replace an existing file.
        zipped: False writes the files of a `.keras` into a folder.
        quantize: Of a layers-model: None keeps float32; `"float16"`, `"uint16"` and `"uint8"` make the files 2 to 4 times smaller.
        include_optimizer: False leaves the state of the optimizer out of an `.h5`.

    Raises:
        ValueError: The model has a layer or an argument that the form has no place for; the message names it, and the way that keeps
            such a model. Or `quantize` meets numbers that are not finite. Nothing was written.
        OSError: The files cannot be written; an old model there is as it was.
        FileExistsError: The file or the kept model exists and `overwrite` is False.
        ModelStoreError: The browser has no room, or this is no browser; what was kept before is still there.
        SyncReadError: This browser cannot wait; write `await model.save_async(filepath)`.

    Source: keras.saving.save_model; tf.LayersModel.save.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> pyml.saving.save_model(model, "digits.keras")
        >>> pyml.saving.save_model(model, "digits/model.json", quantize="float16")
    """
    if _as_keras(model, filepath, overwrite, zipped, quantize, include_optimizer, kwargs):
        return
    from .tfjs.layers_files import save_layers_model
    from .tfjs.layers_save import model_artifacts

    handler = saver_of(filepath)
    if handler is not None:
        answer = handler.save(artifacts_of(*model_artifacts(model, quantize)))
        if inspect.isawaitable(answer):
            wait(coroutine_of(answer), "await model.save_async(handler)")
    elif target_of(filepath) is None:
        save_layers_model(model, _path(filepath), overwrite=overwrite, quantize=quantize)
    else:
        wait(save_model_async(model, filepath, overwrite, quantize=quantize), f"await model.save_async({filepath!r})")


async def save_model_async(model: Model, filepath: Any, overwrite: bool = True, zipped: bool | None = None, quantize: str | None = None,
                           include_optimizer: bool = True, **kwargs: Any) -> Any:
    """`save_model` that works in every browser.

    Raises:
        ValueError: As `save_model`.
        ModelStoreError: The browser has no room, or this is no browser; what was kept before is still there.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> asyncio.run(pyml.saving.save_model_async(model, "digits.keras"))
    """
    state = getattr(getattr(model, "optimizer", None), "variables", ())
    arrays = {id(variable): await variable.data() for variable in (*model.weights, *state)}
    if _as_keras(model, filepath, overwrite, zipped, quantize, include_optimizer, kwargs, arrays):
        return None
    from .tfjs.layers_files import save_layers_model
    from .tfjs.layers_save import model_artifacts

    handler = saver_of(filepath)
    store = target_of(filepath) if handler is None else None
    if handler is not None:
        save = getattr(handler, "save_async", handler.save)
        answer = save(artifacts_of(*model_artifacts(model, quantize, arrays=arrays)))
        return await answer if inspect.isawaitable(answer) else answer
    if store is None:
        return save_layers_model(model, _path(filepath), overwrite=overwrite, quantize=quantize, arrays=arrays)
    await stores_browser.save(*store, *model_artifacts(model, quantize, arrays=arrays), overwrite)
    return None


def _as_keras(model: Any, target: Any, overwrite: bool, zipped: bool | None, quantize: str | None, include_optimizer: bool,
              more: dict[str, Any], arrays: dict[int, Any] | None = None) -> bool:
    """Writes the model in a form of Keras, if the target asks for one."""
    path = os.fspath(target) if isinstance(target, (str, os.PathLike)) else ""
    path = str(_path(path))
    to_archive = path.endswith(".keras") or zipped is not None or (not path and hasattr(target, "write") and not hasattr(target, "save"))
    if not to_archive and not path.endswith((".h5", ".hdf5")):
        return False
    if set(more) - {"save_format"}:
        raise TypeError(f"save: arguments not recognized: {', '.join(sorted(more))}.")
    if quantize is not None:
        raise ValueError("save: quantize is for layers-models of TensorFlow.js; use model.quantize('int8') for a smaller file of Keras.")
    read = None if arrays is None else lambda variable: arrays[id(variable)] if id(variable) in arrays else variable.numpy()
    if not to_archive:
        from .keras import legacy

        legacy.save(model, path, overwrite, include_optimizer, read)
        return True
    if path and path.endswith(".keras") is (zipped is False):
        raise ValueError(f"save: a path that ends in .keras is a zip; zipped=False is for folders. Received: {path}, zipped={zipped}")
    from .keras import archive

    archive.save_archive(model, path or target, read, overwrite, zipped is not False)
    return True


def save_known(model: Any, path: str, arrays: dict[int, Any], weights_only: bool) -> None:
    """Writes a `.keras`, `.h5` or `.weights.h5` with values that were read before, by the identities of their Variables."""
    if not weights_only:
        before, Optimizer._known_values = Optimizer._known_values, arrays
        try:
            _as_keras(model, path, True, None, None, True, {}, arrays)
        finally:
            Optimizer._known_values = before
        return
    from .keras import hdf5, state

    write(path, hdf5.write(state.save_state(model, lambda v: arrays[id(v)] if id(v) in arrays else v.numpy())))


def load_state(model: Any, data: bytes, where: object) -> None:
    """Sets weights and the optimizer's state from the content of a `.weights.h5`; nothing changes unless all fits."""
    from .keras import hdf5_read, state

    state.load_state(model, hdf5_read.read(data, where), where)


def _path(filepath: Any) -> Any:
    return filepath.removeprefix("file://") if isinstance(filepath, str) else filepath
