"""How layers were called, between the graph of a model and the inbound nodes of a layers-model.

In files of Keras 2 and TensorFlow.js a call is a list of references `[layer, call, output, arguments]`; the first states of recurrent
layers are further references. Files of Keras 3 hold `{"args", "kwargs"}` with `__keras_tensor__` in the place of tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.symbolic import CallNode, KerasTensor
from ...core.tree import flatten
from ..files import ModelFileError

RECURRENT = {"RNN", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
Reference = list[Any]


def flat_name(name: Any) -> Any:
    """Names of layers hold no `/` here."""
    return name.replace("/", "_") if isinstance(name, str) else name


# ---- reading
def read_call(raw: Any, kind: str, where: object) -> dict[str, Any]:
    """`args` and `kwargs` of one call of a layer of the class `kind`, with references in Keras 3 form.

    Raises:
        ModelFileError: It is not a call, or holds what is not a value.
    """
    if isinstance(raw, dict):
        args, kwargs = raw.get("args"), raw.get("kwargs")
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ModelFileError(f"{where}: a call of a layer needs a list 'args' and a dict 'kwargs'; found {str(raw)[:80]}.")
        return {"args": [_value(v, where) for v in args], "kwargs": {k: _value(v, where) for k, v in kwargs.items() if v is not None}}
    if not isinstance(raw, list) or not raw:
        raise ModelFileError(f"{where}: {str(raw)[:80]} is not a call of a layer.")
    raw = [raw] if isinstance(raw[0], str) else raw
    references = [read_reference(r, where) for r in raw]
    extra = raw[0][3] if len(raw[0]) > 3 and isinstance(raw[0][3], dict) else {}
    kwargs = {k: _value(v, where, old=True) for k, v in extra.items() if v is not None}
    if kind in RECURRENT and len(references) > 1:
        kwargs["initial_state"], references = references[1:], references[:1]
    return {"args": [unwrap(references)], "kwargs": kwargs}


def unwrap(references: list[Any]) -> Any:
    """One reference as it is, several as a list."""
    return references[0] if len(references) == 1 else references


def read_reference(raw: Any, where: object) -> dict[str, Any]:
    """A reference of Keras 2, `[layer, call, output]`, in Keras 3 form.

    Raises:
        ModelFileError: It is none.
    """
    if not _is_reference(raw):
        raise ModelFileError(f"{where}: {str(raw)[:80]} is not a reference to a layer's output.")
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [flat_name(raw[0]), raw[1], raw[2]]}}


def read_ends(raw: Any, where: object) -> Any:
    """The inputs or outputs of a model: one reference, or a list or dict of them."""
    if _is_reference(raw):
        return read_reference(raw, where)
    if isinstance(raw, dict):
        return {key: read_ends(value, where) for key, value in raw.items()}
    if not isinstance(raw, list):
        raise ModelFileError(f"{where}: {str(raw)[:80]} is not a reference to a layer's output.")
    return unwrap([read_ends(value, where) for value in raw])


def _is_reference(raw: Any) -> bool:
    return isinstance(raw, list) and len(raw) >= 3 and isinstance(raw[0], str) and all(type(n) is int for n in raw[1:3])


def _value(value: Any, where: object, old: bool = False) -> Any:
    """An argument of a layer's call: plain values, and references to other layers' outputs."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if old and _is_reference(value):
        return read_reference(value, where)
    if isinstance(value, list):
        return [_value(item, where, old) for item in value]
    if isinstance(value, dict):
        kind, config = value.get("class_name"), value.get("config")
        if kind == "__keras_tensor__" and isinstance(config, dict):
            return read_reference(config.get("keras_history"), where)
        if kind == "__tuple__" and isinstance(value.get("items"), list):
            return tuple(_value(item, where, old) for item in value["items"])
        if old and kind == "__ellipsis__":
            return {"class_name": kind, "config": {}}
        if kind is None:
            return {key: _value(item, where, old) for key, item in value.items()}
    raise ModelFileError(f"{where}: a layer was called with {str(value)[:80]}, which is not supported.")


def count_from_zero(layers: list[dict[str, Any]], ends: Any) -> None:
    """Numbers the calls of models in a model from 0, as those of layers; TensorFlow.js and Keras begin with 1, old files of pyml with 0.

    Args:
        layers: What `read_call` made is in their `inbound_nodes`; they are changed.
        ends: The model's inputs and outputs, changed too.
    """
    models = {layer["name"] for layer in layers if layer["class_name"] in ("Sequential", "Functional")}
    found: dict[str, list[list[Any]]] = {name: [] for name in models}
    waiting = [ends, *(layer["inbound_nodes"] for layer in layers)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and item.get("class_name") == "__keras_tensor__":
            found.get(item["config"]["keras_history"][0], []).append(item["config"]["keras_history"])
        elif isinstance(item, (dict, list, tuple)):
            waiting += item.values() if isinstance(item, dict) else item
    for histories in found.values():
        if min((history[1] for history in histories), default=0) >= 1:
            for history in histories:
                history[1] -= 1


# ---- writing
class Unwritable(ValueError):
    """TensorFlow.js has no form for something in a model; `reason` says for what, the message also what keeps the model.

    `replaceable` tells whether a folder may hold a file of Keras in its place.
    """

    def __init__(self, reason: str, replaceable: bool = True) -> None:
        super().__init__(
            f'{reason} Nothing was written. model.save("model.keras") keeps the whole model, which load_model opens again; '
            'model.save_weights("model.weights.h5") keeps its weights alone.'
        )
        self.reason, self.replaceable = reason, replaceable


def write_call(node: CallNode, reference: Callable[[KerasTensor], Reference], what: str) -> list[Reference]:
    """The inbound node of one call.

    Args:
        node: The call.
        reference: Gives `[layer, call, output]` of a tensor.
        what: The layer, for messages.

    Raises:
        Unwritable: The format has no place for an argument.
    """
    layer: Any = node.operation
    given: dict[str, Any] = {**dict(zip(layer._signature.names, node.args, strict=False)), **node.kwargs}
    first = next(iter(given), "inputs")
    inputs = given.pop(first)
    inputs = [inputs] if isinstance(inputs, KerasTensor) else inputs
    if any(base.__name__ in RECURRENT for base in type(layer).__mro__) and given.get("initial_state") is not None:
        if hasattr(getattr(layer, "cell", None), "cells"):
            raise Unwritable(f"{what} has stacked cells and was called with initial_state; TensorFlow.js takes those in reverse.")
        inputs = [*inputs, *flatten(given.pop("initial_state"))]
    if not isinstance(inputs, (list, tuple)) or not all(isinstance(tensor, KerasTensor) for tensor in inputs):
        raise _refused(what, first, "tensors of the model, one or a list of them")
    kwargs = {name: _written(value, reference, what, name) for name, value in given.items() if value is not None}
    return [[*reference(tensor), kwargs] for tensor in inputs]


def _written(value: Any, reference: Callable[[KerasTensor], Reference], what: str, name: str) -> Any:
    if isinstance(value, KerasTensor):
        return reference(value)
    if isinstance(value, (list, tuple)):
        return [_written(item, reference, what, name) for item in value]
    if isinstance(value, (bool, int, float, str)):
        return value
    raise _refused(what, name, "a number, a text, or a tensor of the model")


def _refused(what: str, name: str, expected: str) -> Unwritable:
    return Unwritable(f"{what} was called with an argument {name}; a file of TensorFlow.js can hold only {expected}.")
