"""`clone_model`: the same structure with new layers, on new inputs, each layer and each call changed as the user likes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyml.core.symbolic import FunctionOp, KerasTensor
from pyml.core.tree import flatten, map_structure, pack_sequence_as
from pyml.layers.input_layer import Input, InputLayer
from pyml.layers.layer import Layer
from pyml.models.model import Functional, Model
from pyml.models.sequential import Sequential
from pyml.objects.configured import revived
from pyml.objects.registry import LAYERS
from pyml.tracebacks import shown
from pyml.trainers import compile_config
from pyml.trainers.trainer import Trainer

__all__ = ["clone_model"]

Copy = Callable[[Any], Any]


@shown
def clone_model(
    model: Any, input_tensors: Any = None, clone_function: Copy | None = None, call_function: Callable[..., Any] | None = None,
    recursive: bool = False, **kwargs: Any,
) -> Model:  # fmt: skip
    """A model of the same structure with new weights, compiled as the model was where it has layers or a graph.

    Args:
        model: A Sequential, or a Model with a graph; others are made again from their config.
        input_tensors: Symbolic tensors for its inputs, instead of new ones, in the structure of the inputs.
        clone_function: Makes a layer from a layer; by default from its config. Not asked for inputs.
        call_function: `fn(layer, *args, **kwargs)` calls the new layers, for Models with a graph.
        recursive: Whether models inside are cloned in the same way; by default `clone_function` gets them.

    Raises:
        ValueError: The arguments do not go with the kind of model.

    Source: `keras.models.clone_model`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2)])
        >>> pyml.models.clone_model(model, input_tensors=pyml.Input((3,))).output_shape
        (None, 2)
    """
    if kwargs:
        raise ValueError(f"clone_model: unexpected arguments {', '.join(map(repr, kwargs))}.")
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: expected a Model. Received: {model!r}")
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("clone_model: call_function goes with Models that have a graph; layers of a Sequential are only listed.")
        return _compiled(_sequential(model, _once(clone_function, None, recursive), input_tensors), model)
    changed = any(given is not None for given in (clone_function, call_function, input_tensors))
    if model._has_given_graph() or (changed and model._symbolic_graph is not None):
        return _compiled(_functional(model, _once(clone_function, call_function, recursive), call_function, input_tensors), model)
    if changed:
        raise ValueError(
            "clone_model: clone_function, call_function and input_tensors go with Sequential and Functional models. "
            f"Received a model of type '{type(model).__name__}'."
        )
    return type(model).from_config(model.get_config())


def _compiled(clone: Any, model: Any) -> Any:
    if model.compiled and type(model).compile is Trainer.compile:  # only its user knows the arguments of another `compile`
        clone.compile(**compile_config.copied(model))
    return clone


def _once(clone: Copy | None, call: Callable[..., Any] | None, recursive: bool) -> Copy:
    """Copies each layer once, however often it is called."""
    copies: dict[int, Any] = {}

    def copied(layer: Any) -> Any:
        if id(layer) not in copies:
            if recursive and isinstance(layer, Model):
                own = None if isinstance(layer, Sequential) else call
                copies[id(layer)] = clone_model(layer, clone_function=clone, call_function=own, recursive=True)
            else:
                copies[id(layer)] = clone(layer) if clone is not None else layer.__class__.from_config(layer.get_config())
        return copies[id(layer)]

    return copied


def _sequential(model: Sequential, copied: Copy, input_tensors: Any) -> Sequential:
    """A Sequential of copied layers, on `input_tensors` where they are given."""
    layers = [copied(layer) for layer in model.layers]
    given = model._stack[0] if model._stack and isinstance(model._stack[0], InputLayer) else None
    if input_tensors is not None:
        tensors = flatten(input_tensors)
        if len(tensors) != 1:
            raise ValueError(f"clone_model: a Sequential has one input. Received: {len(tensors)} input_tensors")
        tensor = tensors[0]
        if isinstance(tensor, InputLayer):
            tensor = tensor.output
        history = tensor._keras_history if isinstance(tensor, KerasTensor) else None
        first = history.operation if history is not None and isinstance(history.operation, InputLayer) else None
        layers.insert(0, first or Input(batch_shape=tensor.shape, dtype=tensor.dtype))
        return Sequential(layers, name=model.name, trainable=model.trainable)
    inputs = [] if given is None else [InputLayer(batch_shape=given.batch_shape, dtype=given.dtype, name=given.name)]
    return Sequential([*inputs, *layers], name=model.name, trainable=model.trainable)


def _functional(model: Any, copied: Copy, call: Callable[..., Any] | None, input_tensors: Any) -> Any:
    """A functional model whose calls are made again, in order, with copied layers."""
    graph = model._symbolic_graph
    if input_tensors is None:
        tensors = [Input(batch_shape=t.shape, dtype=t.dtype, name=name) for t, name in zip(graph.inputs, graph.input_names, strict=True)]
    else:
        tensors = [t.output if isinstance(t, InputLayer) else t for t in flatten(input_tensors)]
        if not _same_nesting(input_tensors, graph.inputs_struct):
            raise ValueError(
                "clone_model: input_tensors must be nested as the inputs of the model are. "
                f"Received: {input_tensors}; expected: {graph.inputs_struct}")
        if len(tensors) != len(graph.inputs):
            raise ValueError(f"clone_model: the model has {len(graph.inputs)} inputs. Received: {len(tensors)} input_tensors")
        tensors = [t if isinstance(t, KerasTensor) else Input(batch_shape=own.shape, dtype=own.dtype)
                   for t, own in zip(tensors, graph.inputs, strict=True)]  # fmt: skip
    inputs = pack_sequence_as(graph.inputs_struct, tensors)
    made = {id(own): new for own, new in zip(graph.inputs, tensors, strict=True)}

    def look_up(leaf: Any) -> Any:
        return made[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

    for node in graph.steps:
        if isinstance(node.operation, InputLayer):
            continue
        args, kwargs = map_structure(look_up, tuple(node.args)), map_structure(look_up, dict(node.kwargs))
        if isinstance(node.operation, Layer):
            layer = copied(node.operation)
            outputs = layer(*args, **kwargs) if call is None else call(layer, *args, **kwargs)
        else:
            outputs = type(node.operation).symbolic_call(again(node.operation), *args, **kwargs)
        for own, new in zip(node.output_tensors, flatten(outputs), strict=True):
            made[id(own)] = new
    outputs = map_structure(look_up, graph.outputs_struct)
    if model._has_given_graph():
        clone = type(model)(inputs, outputs, name=model.name, **revived(model._further_arguments(), LAYERS))
    else:                                              # its class makes its graph by itself
        clone = Functional(inputs, outputs, name=model.name)
    if not model._trainable:
        clone.trainable = False
    return clone


def _same_nesting(given: Any, struct: Any) -> bool:
    """Whether dicts stand where dicts are; lists and tuples, and one tensor or a list of it, are taken for each other."""
    if isinstance(struct, dict) and isinstance(given, (dict, list, tuple)):
        return isinstance(given, dict) and set(given) == set(struct) and all(_same_nesting(given[key], struct[key]) for key in struct)
    return isinstance(given, dict) is isinstance(struct, dict) or len(flatten(struct)) == 1


def again(operation: Any) -> Any:
    """The same op for another place in a graph."""
    if not isinstance(operation, FunctionOp):
        return operation
    copy = FunctionOp(operation.call, operation.name)
    own = operation.__dict__.get("compute_output_spec")
    if own is not None:
        copy.compute_output_spec = own  # type: ignore[method-assign]
    return copy
