"""Graphs of layers as plain dicts and back, in Keras 3's form."""

from collections.abc import Mapping
from typing import Any

from pyml.core.symbolic import FunctionOp, KerasTensor
from pyml.core.tree import flatten, map_structure
from pyml.layers.input_layer import InputLayer
from pyml.layers.layer import Layer
from pyml.models.graph import Graph
from pyml.objects.configured import revived
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.saving.keras import ops as keras_ops
from pyml.tracebacks import is_ours

OF_GRAPHS = ("name", "trainable", "layers", "input_layers", "output_layers")  # what configs of all models of a graph have


def graph_config(model: Any) -> dict[str, Any]:
    """Layers and ops with their calls, and where inputs and outputs are.

    Raises:
        ValueError: The graph holds an op that has no form in a config.
    """
    graph = model._symbolic_graph
    layers = []
    numbers = call_numbers(graph)
    for operation in graph.operations:
        nodes = [node for node in operation._inbound_nodes if id(node) in numbers]
        if isinstance(operation, FunctionOp):
            described, args = keras_ops.write_call(operation, nodes[0].args, nodes[0].kwargs)
            described["config"] = serialize_keras_object(described["config"])
            calls = [{"args": _write(args, numbers), "kwargs": {}}]
        else:
            described = serialize_keras_object(operation)
            calls = [{"args": _write(list(node.args), numbers), "kwargs": _write(node.kwargs, numbers)}
                     for node in nodes if node.input_tensors]
        described |= {"name": operation.name, "inbound_nodes": calls}  # in place: it is marked when the layer is met again
        layers.append(described)
        if any("training" in call["kwargs"] for call in calls):
            layers[-1]["training_given"] = True        # Keras writes what training was when the graph was made, and takes no notice of it
    # Keras counts the calls of a model in a model from 1 here, and from 0 above
    place = lambda tensor: _place(tensor, numbers, 1 if _counts_from_one(tensor._keras_history.operation) else 0)
    return {
        "name": model.name, "trainable": model._trainable, "layers": layers,
        "input_layers": map_structure(place, graph.inputs_struct), "output_layers": map_structure(place, graph.outputs_struct),
    }


def _counts_from_one(operation: Any) -> bool:
    """Whether Keras counts its calls from 1 at the ends of a graph: a model with a graph, whose own is the call 0."""
    model: Any = LAYERS.classes["Model"]
    has_graph = isinstance(operation, model) and operation._symbolic_graph is not None
    return has_graph and not isinstance(operation, LAYERS.classes["Sequential"])


def call_numbers(graph: Graph) -> dict[int, int]:
    """For each call in a graph, by its id, which of its layer's calls there it is; those outside the graph do not count."""
    numbers: dict[int, int] = {}
    inside = {id(node) for node in graph.nodes}
    for operation in graph.operations:
        calls = [node for node in operation._inbound_nodes if id(node) in inside]
        numbers |= {id(node): i for i, node in enumerate(calls)}
    return numbers


def _place(tensor: KerasTensor, numbers: Mapping[int, int], first: int = 0) -> list[Any]:
    history = tensor._keras_history
    assert history is not None
    return [history.operation.name, numbers[id(history.operation._inbound_nodes[history.node_index])] + first, history.tensor_index]


def _write(structure: Any, numbers: Mapping[int, int]) -> Any:
    if isinstance(structure, (list, tuple)):
        return [_write(item, numbers) for item in structure]
    if isinstance(structure, dict):
        return {key: _write(item, numbers) for key, item in structure.items()}
    if not isinstance(structure, KerasTensor) or structure._keras_history is None:
        return serialize_keras_object(structure)
    config = {"shape": structure.shape, "dtype": structure.dtype, "keras_history": _place(structure, numbers)}
    return {"class_name": "__keras_tensor__", "config": config}


def _read(value: Any, made: Mapping[str, list[Any]]) -> Any:
    """Nested values of a config, with references to tensors replaced by the tensors made so far."""
    if isinstance(value, dict):
        name = value.get("class_name")
        if name == "__keras_tensor__":
            layer, node, index = value["config"]["keras_history"]
            return made[layer][node][index]
        if isinstance(name, str) and ("config" in value or name == "__tuple__"):
            return deserialize_keras_object(value)
        return {key: _read(item, made) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_read(item, made) for item in value)
    return value


def _call_of_keras_2(tensors: list[list[Any]]) -> dict[str, Any]:
    """A call as Keras 2 wrote it, `[[layer, call, tensor, further arguments], ...]`, in the form of today."""
    given = [{"class_name": "__keras_tensor__", "config": {"keras_history": tensor[:3]}} for tensor in tensors]
    return {"args": [given[0] if len(given) == 1 else given], "kwargs": dict(tensors[0][3]) if len(tensors[0]) > 3 else {}}


def _read_ends(value: Any, made: Mapping[str, list[Any]], models: set[str]) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str):
        return made[value[0]][value[1] - (value[0] in models)][value[2]]
    if isinstance(value, dict):
        if "class_name" in value:
            return _read(value, made)
        return {key: _read_ends(item, made, models) for key, item in value.items()}
    return type(value)(_read_ends(item, made, models) for item in value)


def _one_of(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    if keras_ops.is_op(config):
        options = {key: _read(value, {}) for key, value in (config.get("config") or {}).items()}
        return keras_ops.read_op({**config, "config": options})
    return deserialize_keras_object(config, custom_objects, kind=LAYERS)


def model_from_graph_config(cls: type[Any], config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    """The model of class `cls` that `graph_config`, or Keras, described, with new weights."""
    made: dict[str, list[Any]] = {}
    waiting: list[tuple[Any, str, list[Any]]] = []
    for described in config["layers"]:
        calls = [call if isinstance(call, dict) else _call_of_keras_2(call) for call in described["inbound_nodes"]]
        if not described.get("training_given", "module" not in described):
            calls = [call | {"kwargs": {key: value for key, value in call["kwargs"].items() if key != "training"}} for call in calls]
        waiting.append((_one_of(described, custom_objects), described["name"], calls))
    models = {name for layer, name, _ in waiting if _counts_from_one(layer)}
    while waiting:
        later = []
        for layer, name, calls in waiting:
            outputs = made.setdefault(name, [])
            if isinstance(layer, InputLayer) and not outputs:  # it made its tensor by itself
                outputs.append(layer._inbound_nodes[0].output_tensors)
                calls = []
            while calls:
                try:
                    args, kwargs = _read(calls[0]["args"], made), _read(calls[0]["kwargs"], made)
                except (KeyError, IndexError):         # its inputs are not made yet
                    break
                outputs.append(flatten(layer(*args, **(_wanted(layer, kwargs)))))
                calls = calls[1:]
            if calls:
                later.append((layer, name, calls))
        if len(later) == len(waiting):
            names = ", ".join(repr(name) for _, name, _ in later[:4])
            raise ValueError(f"Model config '{config['name']}': layers {names} read layers that are not there, or each other in a circle.")
        waiting = later
    try:
        inputs, outputs = _read_ends(config["input_layers"], made, models), _read_ends(config["output_layers"], made, models)
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"Model config '{config['name']}': its inputs or outputs are of layers or calls that are not there.") from None
    own = {} if is_ours(cls) else {name: value for name, value in config.items() if name not in OF_GRAPHS}
    further = revived(own, LAYERS)
    if config.get("trainable", True) not in (True, None):
        further["trainable"] = config["trainable"]
    return cls(inputs, outputs, name=config["name"], **further)


def _wanted(layer: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keras writes `mask=None` where a mask would go."""
    unset = {name for name in ("mask", "training") if kwargs.get(name) is None and isinstance(layer, Layer)}
    return {name: value for name, value in kwargs.items() if name not in unset}
