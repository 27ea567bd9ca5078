"""Graphs of layers as plain dicts and back."""

from collections.abc import Callable, Mapping
from typing import Any

from pyml.core.symbolic import FunctionOp, KerasTensor
from pyml.core.tree import flatten, map_structure
from pyml.models.graph import Graph
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object


def graph_config(model: Any) -> dict[str, Any]:
    """Layers with their calls, and where inputs and outputs are.

    Raises:
        ValueError: The graph holds a plain op, which has no config; wrap it in a layer.
    """
    graph = model._graph
    layers = []
    numbers = call_numbers(graph)
    for operation in graph.operations:
        if isinstance(operation, FunctionOp):
            raise ValueError(
                f"Model '{model.name}' uses the op '{operation.name}' between layers, which has no config; "
                "put it into a layer of your own."
            )
        calls = [{"args": _write(n.args, numbers), "kwargs": _write(n.kwargs, numbers)}
                 for n in operation._inbound_nodes if id(n) in numbers]
        layers.append({**serialize_keras_object(operation), "name": operation.name, "inbound_nodes": calls})
    return {
        "name": model.name, "trainable": model._trainable, "layers": layers,
        "input_layers": _write(graph.inputs_struct, numbers), "output_layers": _write(graph.outputs_struct, numbers),
    }


def call_numbers(graph: Graph) -> dict[int, int]:
    """For each call in a graph, by its id, which of its layer's calls there it is; those outside the graph do not count."""
    numbers: dict[int, int] = {}
    inside = {id(node) for node in graph.nodes}
    for operation in graph.operations:
        calls = [node for node in operation._inbound_nodes if id(node) in inside]
        numbers |= {id(node): i for i, node in enumerate(calls)}
    return numbers


def _write(structure: Any, numbers: Mapping[int, int]) -> Any:
    def leaf(value: Any) -> Any:
        if not isinstance(value, KerasTensor) or value._keras_history is None:
            return serialize_keras_object(value)
        history = value._keras_history
        call = history.operation._inbound_nodes[history.node_index]
        return {"class_name": "__keras_tensor__",
                "config": {"shape": value.shape, "dtype": value.dtype,
                           "keras_history": [history.operation.name, numbers[id(call)], history.tensor_index]}}

    return map_structure(leaf, structure)


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _read(value: Any, made: Mapping[str, list[Any]]) -> Any:
    """Nested config values with references to tensors replaced by the tensors made so far."""
    if _is_reference(value):
        name, node, index = value["config"]["keras_history"]
        return made[name][node][index]
    if isinstance(value, dict):
        return {key: _read(item, made) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_read(item, made) for item in value)
    return value


def model_from_graph_config(cls: Callable[..., Any], config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model of class `cls` that `graph_config` described, with new weights."""
    made: dict[str, list[Any]] = {}
    waiting = [(deserialize_keras_object(layer, custom_objects, kind=LAYERS), layer["name"], list(layer["inbound_nodes"]))
               for layer in config["layers"]]
    while waiting:
        later = []
        for layer, name, calls in waiting:
            outputs = made.setdefault(name, [])
            if layer._inbound_nodes and not outputs:   # an Input made its tensor by itself
                outputs.append(layer._inbound_nodes[0].output_tensors)
                calls = []
            while calls:
                try:
                    args, kwargs = _read(calls[0]["args"], made), _read(calls[0]["kwargs"], made)
                except (KeyError, IndexError):         # its inputs are not made yet
                    break
                outputs.append(flatten(layer(*args, **kwargs)))
                calls = calls[1:]
            if calls:
                later.append((layer, name, calls))
        if len(later) == len(waiting):
            names = ", ".join(repr(name) for _, name, _ in later[:4])
            raise ValueError(f"Model config '{config['name']}': layers {names} read layers that are not there, or each other in a circle.")
        waiting = later
    try:
        inputs, outputs = _read(config["input_layers"], made), _read(config["output_layers"], made)
    except (KeyError, IndexError):
        raise ValueError(f"Model config '{config['name']}': its inputs or outputs are of layers or calls that are not there.") from None
    return cls(inputs, outputs, name=config["name"])
