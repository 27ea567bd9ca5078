"""Writing layers-models: `model.json` and shards of weights that the real TensorFlow.js opens."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from pyml.atomic import write

from ...layers import Layer
from ...objects.registry import LAYERS
from ..files import MOST_JSON, ModelFileError, parse_json, path_of
from .calls import KEEP, write_call
from .layers_config import write_layers
from .layers_model import named_weights

_SHARD = 4 << 20  # bytes, as TensorFlow.js' own converter cuts
_LEVELS = {"uint8": 255, "uint16": 65535}


def model_artifacts(model, quantize=None, generated_by="pyml", arrays=None) -> tuple[dict, list[bytes]]:
    """The content of `model.json` and the shards that it names.

    Args:
        model: A built Sequential or functional model.
        quantize: None, `"float16"`, `"uint16"` or `"uint8"`: how float weights are stored.
        arrays: Values of the weights by `id(variable)`, where they were read before; otherwise they are read here.

    Raises:
        ValueError: The model has something that TensorFlow.js has not, or no weights yet.
    """
    if quantize not in (None, "float16", *_LEVELS):
        raise ValueError(f"save: quantize must be None, 'float16', 'uint16' or 'uint8'. Received: {quantize!r}")
    if getattr(model, "_graph", None) is None:
        raise ValueError(f"save: model '{model.name}' has no graph of layers yet; give it an Input, or call it on data first.")
    topology = {**write_model(model), "keras_version": "pyml", "backend": "pyml"}
    specs, parts = [], []
    for name, variable in named_weights(model):
        value = variable.numpy() if arrays is None else arrays[id(variable)]
        spec, data = _encode(name, value, quantize)
        specs.append(spec)
        parts.append(data)
    names = [s["name"] for s in specs]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise ValueError(f"save: two weights would be named {sorted(twice)[0]!r}; give the layers different names.")
    data = b"".join(parts)
    count = max(1, -(-len(data) // _SHARD))
    paths = [f"group1-shard{i + 1}of{count}.bin" for i in range(count)]
    description = {
        "format": "layers-model", "generatedBy": generated_by, "convertedBy": None, "modelTopology": topology,
        "weightsManifest": [{"paths": paths, "weights": specs}],
    }  # fmt: skip
    _check_json(description)
    return description, [data[i * _SHARD : (i + 1) * _SHARD] for i in range(count)]


def _check_json(description: dict) -> None:
    """JSON has no NaN and no infinity, and TensorFlow.js' reader stops at them."""
    try:
        json.dumps(description, allow_nan=False)
    except ValueError:
        raise ValueError(f"save: an argument of a layer is NaN, infinite or holds itself, which JSON has no form for. {KEEP}") from None
    except TypeError as e:
        raise ValueError(f"save: an argument of a layer has no form in JSON ({e}). {KEEP}") from None


def save_layers_model(model, filepath, overwrite=True, quantize=None, arrays=None) -> None:
    """Writes a model as a TensorFlow.js layers-model; see `pyml.saving.save_model`."""
    path = path_of(filepath, "save")
    if path.endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(
            f"save: {path} would be a file of Keras' own formats, which pyml does not write; give a folder or a path that ends in "
            ".json for a TensorFlow.js model, or keep the weights with model.save_weights('weights.npz')."
        )
    if not path.endswith(".json"):
        path = os.path.join(path, "model.json")
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"save: {path} exists; pass overwrite=True to replace it.")
    description, shards = model_artifacts(model, quantize, arrays=arrays)
    path = os.path.realpath(path)  # of a link, the shards lie beside what it leads to
    folder, file_name = os.path.split(path)
    names = _shard_names(file_name, shards)
    description["weightsManifest"][0]["paths"] = names
    os.makedirs(folder, exist_ok=True)
    old = _shards_of(path)
    new = [name for name in names if not os.path.exists(os.path.join(folder, name))]
    try:
        for name, data in zip(names, shards, strict=True):
            write(os.path.join(folder, name), data)
        write(path, json.dumps(description).encode())  # only now the new shards are those of the model
    except BaseException:
        _remove(folder, new)
        raise
    _remove(folder, old - set(names))


def _shard_names(file_name: str, shards: list[bytes]) -> list[str]:
    """Names that only this content under this name has: an old model, or another one in the folder, never shares a shard."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", file_name.removesuffix(".json"))[-80:]
    content = hashlib.sha256(file_name.encode())
    for data in shards:
        content.update(data)
    return [f"{stem}-{content.hexdigest()[:16]}-shard{i + 1}of{len(shards)}.bin" for i in range(len(shards))]


def _shards_of(path: str) -> set[str]:
    """The shards of the model that is there now, unless another description in the folder names them too."""
    named = _named_by(path)
    if not named:
        return named
    folder, file_name = os.path.split(path)
    others = [entry.path for entry in os.scandir(folder) if entry.name.endswith(".json") and entry.name != file_name and entry.is_file()]
    return named.difference(*map(_named_by, others))


def _named_by(path: str) -> set[str]:
    try:
        with open(path, "rb") as file:
            groups = parse_json(file.read(MOST_JSON), path).get("weightsManifest") or []
        return {name for group in groups for name in group["paths"] if os.path.basename(name) == name}
    except (OSError, ModelFileError, TypeError, KeyError, AttributeError):
        return set()  # there is none, or it is no model


def _remove(folder: str, names: Iterable[str]) -> None:
    for name in names:
        with suppress(OSError):
            os.remove(os.path.join(folder, name))


def _encode(name: str, array: np.ndarray, quantize) -> tuple[dict, bytes]:
    array = np.ascontiguousarray(array)
    spec: dict = {"name": name, "shape": list(array.shape), "dtype": array.dtype.name}
    if quantize is not None and array.dtype == np.float32 and not np.isfinite(array).all():
        raise ValueError(
            f"save: weight {name!r} holds NaN or infinite numbers, which quantize={quantize!r} cannot keep; nothing was written. "
            "Save with quantize=None, or train again with a smaller learning rate."
        )
    if array.dtype != np.float32 or quantize is None or (quantize == "float16" and array.size and np.abs(array).max() > 65504):
        return spec, array.astype(array.dtype.newbyteorder("<")).tobytes()
    if quantize == "float16":
        spec["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        return spec, array.astype("<f2").tobytes()
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    low, high = min(low, 0.0), max(high, 0.0)  # so that 0 can be stored
    if high - low > float(np.finfo(np.float32).max):
        raise ValueError(f"save: weight {name!r} goes from {low:g} to {high:g}, too far for quantize={quantize!r}; use quantize=None.")
    scale = (high - low) / _LEVELS[quantize] or 1.0
    low = -round(-low / scale) * scale
    spec["quantization"] = {"dtype": quantize, "min": low, "scale": scale, "original_dtype": "float32"}
    return spec, np.clip(np.rint((array - low) / scale), 0, _LEVELS[quantize]).astype(f"<u{1 if quantize == 'uint8' else 2}").tobytes()


# ---- structure
def write_model(model) -> dict:
    """Class name and config of a model, in the form of Keras 2."""
    in_a_row = isinstance(model, LAYERS.classes["Sequential"])  # models are above this package
    if in_a_row:
        names = {layer.name for layer in model.layers}
        layers = [entry for layer in model.layers for entry in write_layers_or_model(layer, names)]
        shape = list(model.inputs[0].shape)
        first = layers[0]["config"]
        if "layers" in first or not isinstance(first, dict):
            entry = {"batch_input_shape": shape, "dtype": model.inputs[0].dtype, "sparse": False, "name": f"{model.name}_input"}
            layers.insert(0, {"class_name": "InputLayer", "config": entry})
        else:
            first["batch_input_shape"] = shape
        return {"class_name": "Sequential", "config": {"name": model.name, "layers": layers}}
    graph = model._graph
    place = {}  # call -> (layer name, which of its calls)
    counts: dict[int, int] = {}
    for node in graph.nodes:
        number = counts.get(id(node.operation), first_call(node.operation))
        counts[id(node.operation)] = number + 1
        place[id(node)] = (node.operation.name, number)

    def reference(tensor):
        history = tensor._keras_history
        return [*place[id(history.operation._inbound_nodes[history.node_index])], history.tensor_index]

    layers = []
    names = {operation.name for operation in graph.operations}
    for operation in graph.operations:
        calls = [n for n in graph.nodes if n.operation is operation]
        entries = write_layers_or_model(operation, names)
        what = f'save: layer "{operation.name}" ({type(operation).__name__})'
        inbound = [write_call(n, reference, what) for n in calls if n.input_tensors]
        for entry in entries:
            name = entry["config"]["name"]
            layers.append({"name": name, **entry, "inbound_nodes": inbound})
            inbound = [[[name, call, 0, {}]] for call in range(len(calls))]  # of the layer after it, where one is written as two
    return {
        "class_name": "Model",
        "config": {"name": model.name, "layers": layers, "input_layers": [reference(t) for t in graph.inputs],
                   "output_layers": [reference(t) for t in graph.outputs]},
    }  # fmt: skip


def first_call(operation) -> int:
    """The number of an operation's first call: there, models count the one that they are made of as 0."""
    return int(hasattr(operation, "layers"))


def write_layers_or_model(operation, names) -> list[dict]:
    if not isinstance(operation, Layer):
        raise ValueError(f"save: the op '{operation.name}' between layers has no form in TensorFlow.js; use a layer for it. {KEEP}")
    return [write_model(operation)] if hasattr(operation, "layers") else write_layers(operation, names)
