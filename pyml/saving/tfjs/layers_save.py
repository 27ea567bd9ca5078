"""Writing layers-models: `model.json` and shards of weights that the real TensorFlow.js opens."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.symbolic import KerasTensor
from ...core.tree import map_structure
from ...layers import Layer
from ...objects.registry import LAYERS
from ..fewer_bits import LEVELS, misfit, tell_kept
from .calls import Reference, Unwritable, write_call
from .layers_config import write_layers
from .layers_model import named_weights

if TYPE_CHECKING:
    from ...models.model import Model

_SHARD = 4 << 20  # bytes, as TensorFlow.js' own converter cuts


def model_artifacts(
    model: Model, quantize: str | None = None, generated_by: str = "pyml", arrays: dict[int, np.ndarray] | None = None
) -> tuple[dict[str, Any], list[bytes]]:
    """The content of `model.json` and the shards that it names.

    Args:
        model: A built Sequential or functional model.
        quantize: None, `"float16"`, `"uint16"` or `"uint8"`: how float weights are stored. One that holds what this cannot keep, such
            as NaN, stays float32, with a warning.
        arrays: Values of the weights by `id(variable)`, where they were read before; otherwise they are read here.

    Raises:
        Unwritable: The model has something that TensorFlow.js has not.
        ValueError: It has no graph yet, two weights of one name, or there is no such quantization.
    """
    if quantize not in (None, "float16", *LEVELS):
        raise ValueError(f"save: quantize must be None, 'float16', 'uint16' or 'uint8'. Received: {quantize!r}")
    if model._symbolic_graph is None:
        if model.built:
            raise Unwritable(f"save: model '{model.name}' has a call of its own; TensorFlow.js has only graphs of layers.")
        raise ValueError(f"save: model '{model.name}' has no graph of layers yet; give it an Input, or call it on data first.")
    topology = {**write_model(model), "keras_version": "pyml", "backend": "pyml"}
    specs, parts, misfits = [], [], []
    for name, variable in named_weights(model):
        value = np.ascontiguousarray(variable.numpy() if arrays is None else arrays[id(variable)])
        form = quantize if value.dtype == np.float32 else None
        held = misfit(value, form) if form is not None else None
        if held is not None:
            misfits.append((name, held))
        spec, data = _encode(name, value, form if held is None else None)
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
    tell_kept(misfits, "save", f"quantize={quantize!r}")
    return description, [data[i * _SHARD : (i + 1) * _SHARD] for i in range(count)]


def _check_json(description: dict[str, Any]) -> None:
    """JSON has no NaN and no infinity, and TensorFlow.js' reader stops at them."""
    if (problem := _json_problem(description)) is None:
        return
    layers = description["modelTopology"]["config"]["layers"]
    for entry in layers:
        for key, value in entry["config"].items():
            if (problem_there := _json_problem(value)) is not None:
                where = f"layer {entry['config'].get('name')!r} ({entry['class_name']})"
                raise Unwritable(f"save: {where}: its argument {key} {problem_there}.")
    raise Unwritable(f"save: an argument of a layer {problem}.")


def _json_problem(value: Any) -> str | None:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return "is NaN, infinite or holds itself, which JSON has no form for"
    except TypeError as e:
        return f"has no form in JSON ({e})"
    return None


def _encode(name: str, array: np.ndarray, form: str | None) -> tuple[dict[str, Any], bytes]:
    """The spec and the bytes of a weight, in fewer bits where a form says so, into which it must fit."""
    spec: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": array.dtype.name}
    if form is None:
        return spec, array.astype(array.dtype.newbyteorder("<")).tobytes()
    if form == "float16":
        spec["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        return spec, array.astype("<f2").tobytes()
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    low, high = min(low, 0.0), max(high, 0.0)  # so that 0 can be stored
    scale = (high - low) / LEVELS[form] or 1.0
    low = -round(-low / scale) * scale
    spec["quantization"] = {"dtype": form, "min": low, "scale": scale, "original_dtype": "float32"}
    levels = np.rint((array.astype(np.float64) - low) / scale)  # a scale may be less than any float32
    return spec, np.clip(levels, 0, LEVELS[form]).astype(f"<u{1 if form == 'uint8' else 2}").tobytes()


# ---- structure
def write_model(model: Any) -> dict[str, Any]:
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
    graph = model._symbolic_graph
    place = {}  # call -> (layer name, which of its calls)
    counts: dict[int, int] = {}
    for node in graph.nodes:
        number = counts.get(id(node.operation), first_call(node.operation))
        counts[id(node.operation)] = number + 1
        place[id(node)] = (node.operation.name, number)

    def reference(tensor: KerasTensor) -> Reference:
        history = tensor._keras_history
        assert history is not None, "the graph holds no tensors but those of calls"
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
    ends: dict[str, Any] = {"input_layers": [reference(t) for t in graph.inputs], "output_layers": [reference(t) for t in graph.outputs]}
    structures = {"input_layers": graph.inputs_struct, "output_layers": graph.outputs_struct}
    # TensorFlow.js has lists only, and passes over what it does not know
    named = {key: map_structure(reference, value) for key, value in structures.items() if isinstance(value, dict)}
    if named:
        ends["pyml_ends"] = named
    return {"class_name": "Model", "config": {"name": model.name, "layers": layers, **ends}}


def first_call(operation: Any) -> int:
    """The number of an operation's first call: there, models count the one that they are made of as 0."""
    return int(hasattr(operation, "layers"))


def write_layers_or_model(operation: Any, names: Collection[str]) -> list[dict[str, Any]]:
    if not isinstance(operation, Layer):
        raise Unwritable(f"save: the op '{operation.name}' between layers cannot be expressed in TensorFlow.js; use a layer for it.")
    return [write_model(operation)] if isinstance(operation, LAYERS.classes["Model"]) else write_layers(operation, names)
