"""`load_model`: a model from files, by what the files say they are."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from . import stores_browser
from .artifacts import artifacts_of
from .files import MOST_JSON, ModelFileError, parse_json
from .handlers import coroutine_of, saver_of
from .stores import place_of, target_of
from .tfjs.weights import read_manifest, requests
from .waiting import wait

if TYPE_CHECKING:
    from ..models.model import Model


def load_model(path: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """A model from its files.

    Args:
        path: A TensorFlow.js `model.json`, the folder that holds it, or the URL of either; in a browser also
            `"indexeddb://NAME"` or `"localstorage://NAME"`; files that a user chose, see `browser_files`; or a handler of
            `pyml.io` such as `from_memory(...)`, or an address that a registered router knows.
        custom_objects: Dict from names to layer classes and functions, for layers-models.
        compile: Kept for Keras' signature; models come back not compiled.

    Returns:
        A Keras-like model for a layers-model; a `GraphModel` with `execute` and `predict` for a graph-model.

    Raises:
        ModelFileError: A file is missing, damaged, inconsistent or of an unknown kind; nothing is left half loaded.
        ModelStoreError: The browser's stores cannot be used, or this is no browser.
        SyncReadError: This browser cannot wait for them; write `await load_model_async(path)`.

    Source: keras.saving.load_model; tf.loadLayersModel and tf.loadGraphModel.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> model.save("digits")
        >>> pyml.saving.load_model("digits").output_shape
        (None, 2)
    """
    run = _load(path, custom_objects)
    answer = None
    while True:
        try:
            place, name, most = run.send(answer)
        except StopIteration as end:
            return end.value
        answer = place.read(name, most)


async def load_model_async(path: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """As `load_model`; in a browser, files are fetched without blocking the page.

    Raises:
        ModelFileError: As `load_model`.
        ModelStoreError: The browser's stores cannot be used, or this is no browser.

    Example:
        >>> pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)]).save("digits")
        >>> asyncio.run(pyml.saving.load_model_async("digits")).output_shape
        (None, 2)
    """
    run = _load(path, custom_objects)
    answer = None
    while True:
        try:
            place, name, most = run.send(answer)
        except StopIteration as end:
            return end.value
        answer = await place.read_async(name, most)


def _load(path: Any, custom_objects: dict[str, Any] | None) -> Generator[tuple[Any, str, int], Any, Any]:
    """A generator that asks for files, `(place, name, most bytes)`, is sent their bytes, and returns the model."""
    place = place_of(path)
    if str(place.name).endswith((".keras", ".h5", ".hdf5", ".npz", ".safetensors", ".pt", ".pth")):
        raise ModelFileError(
            f"{place}: load_model opens models of TensorFlow.js, a model.json with its weights. Weights alone are read by "
            "model.load_weights (.npz) and load_state_dict; files of Keras become a model.json by TensorFlow's converter."
        )
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


def _guess(description: dict[str, Any]) -> str | None:
    """Files of the first converters do not name their format."""
    topology = description.get("modelTopology")
    if isinstance(topology, dict):
        if "node" in topology:
            return "graph-model"
        if "model_config" in topology or "class_name" in topology:
            return "layers-model"
    return None


def save_model(model: Model, filepath: Any, overwrite: bool = True, quantize: str | None = None, **kwargs: Any) -> None:
    """Writes a model as a TensorFlow.js layers-model, which `tf.loadLayersModel` and `load_model` open.

    Args:
        model: A Sequential or functional model with weights.
        filepath: The path of a `model.json`, or a folder for it; the weights go beside it in shards of 4 MB. In a browser also
            `"indexeddb://NAME"` or `"localstorage://NAME"`, the stores of TensorFlow.js, or `"downloads://NAME"`, which
            lets the user keep `NAME.json` and `NAME.weights.bin`; or a handler of `pyml.io`, such as `http(...)`.
        overwrite: False refuses to replace an existing file.
        quantize: None keeps float32; `"float16"`, `"uint16"` and `"uint8"` make the files 2 to 4 times smaller.

    Raises:
        ValueError: The model has a layer or an argument that TensorFlow.js has not; the message names it, and the way that keeps such a
            model. Or `quantize` meets numbers that are not finite. Nothing was written.
        OSError: The files cannot be written; an old model there is as it was.
        FileExistsError: The file or the kept model exists and `overwrite` is False.
        ModelStoreError: The browser has no room, or this is no browser; what was kept before is still there.
        SyncReadError: This browser cannot wait; write `await model.save_async(filepath)`.

    Source: keras.saving.save_model; tf.LayersModel.save.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> pyml.saving.save_model(model, "digits/model.json", quantize="float16")
    """
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
        wait(save_model_async(model, filepath, overwrite, quantize), f"await model.save_async({filepath!r})")


async def save_model_async(model: Model, filepath: Any, overwrite: bool = True, quantize: str | None = None, **kwargs: Any) -> Any:
    """`save_model` that works in every browser.

    Raises:
        ValueError: As `save_model`.
        ModelStoreError: The browser has no room, or this is no browser; what was kept before is still there.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> asyncio.run(pyml.saving.save_model_async(model, "digits"))
    """
    from .tfjs.layers_files import save_layers_model
    from .tfjs.layers_save import model_artifacts

    handler = saver_of(filepath)
    store = target_of(filepath) if handler is None else None
    arrays = {id(variable): await variable.data() for variable in model.weights}
    if handler is not None:
        save = getattr(handler, "save_async", handler.save)
        answer = save(artifacts_of(*model_artifacts(model, quantize, arrays=arrays)))
        return await answer if inspect.isawaitable(answer) else answer
    if store is None:
        return save_layers_model(model, _path(filepath), overwrite=overwrite, quantize=quantize, arrays=arrays)
    await stores_browser.save(*store, *model_artifacts(model, quantize, arrays=arrays), overwrite)


def _path(filepath: Any) -> Any:
    return filepath.removeprefix("file://") if isinstance(filepath, str) else filepath
