"""Parts of models: the layer of a name, the way from an input to a layer and from a layer to the output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np

from pyml import config
from pyml.core import convert_to_tensor
from pyml.models.model import Model


def of_model(what: str, model: Any) -> Any:
    """A model, itself.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(model, Model):
        raise TypeError(f"{what}: expected a model. Received: {received(model)}")
    return model


def received(value: Any) -> str:
    """What something is, for an error: a text as it stands, of anything else its class."""
    return f"{value!r:.60}" if isinstance(value, (str, int, float, bool, type(None))) else f"a {type(value).__name__}"


def named_layer(what: str, model: Any, layer: Any) -> Any:
    """A layer of a model, by itself, its name or its number; by itself or its name also one of a model within it.

    Raises:
        ValueError: There is none of that name, or several; the message lists those there are.
        TypeError: The model is none.
    """
    of_model(what, model)
    if isinstance(layer, int):
        if not -len(model.layers) <= layer < len(model.layers):
            raise ValueError(f"{what}: the model has {len(model.layers)} layers. Received: layer={layer}")
        return model.layers[layer]
    own, every = model.layers, within(model)
    if not isinstance(layer, str):
        if not any(layer is one for one in every):
            name = getattr(layer, "name", received(layer))
            raise ValueError(f"{what}: {name!r} is not a layer of the model; there are {_listed(model)}.")
        return layer
    found = [one for one in own if one.name == layer] or [one for one in every if one.name == layer]
    if len(found) > 1:
        raise ValueError(f"{what}: {len(found)} layers within the model are called {layer!r}; give the layer itself in place of its name.")
    if not found:
        raise ValueError(f"{what}: there is no layer {layer!r}; there are {_listed(model)}.")
    return found[0]


def within(model: Any) -> list[Any]:
    """The layers of a model and of the models within it, each once; what a model holds comes before the model itself."""
    found: dict[int, Any] = {}
    for layer in model.layers:
        for one in (*(within(layer) if isinstance(layer, Model) else ()), layer):
            found.setdefault(id(one), one)
    return list(found.values())


def _listed(model: Any) -> str:
    """The names of a model's layers, behind those that are models of their own what they hold."""
    return ", ".join(f"{one.name} (of {_listed(one)})" if isinstance(one, Model) else one.name for one in model.layers)


def last_map(what: str, model: Any) -> Any:
    """The last layer with weights and a map of features `(batch, height, width, channels)` as its output; of one place is no map.

    Of a model within the model, the last such layer in it: what the model gives may be pooled already.
    """
    for layer in reversed(within(of_model(what, model))):
        shape = tuple(getattr(output_of(model, layer), "shape", ()))
        if len(shape) == 4 and shape[1:3] != (1, 1) and layer.weights and not isinstance(layer, Model):
            return layer
    raise ValueError(f"{what}: the model has no layer whose output is (batch, height, width, channels); name one with layer=.")


def output_of(model: Any, layer: Any) -> Any:
    """What a layer gives in a model: one that is a model itself has another output of its own. None where it has none yet."""
    for node in () if model._symbolic_graph is None else model._symbolic_graph.nodes:
        if node.operation is layer:
            return node.output_tensors[0]
    for inner in model.layers:
        if isinstance(inner, Model) and inner is not layer and any(layer is one for one in within(inner)):
            return output_of(inner, layer)
    return getattr(layer, "output", None)


def up_to(what: str, model: Any, layer: Any) -> Any:
    """A model from the inputs to the output of a layer."""
    need_graph(what, model)
    return Model(model.inputs, output_of(model, layer))


def holder(model: Any, layer: Any) -> Any:
    """The model, or the one within it, that has a layer as its own."""
    return next(one for one in (model, *reversed(within(model))) if isinstance(one, Model) and any(layer is own for own in one.layers))


def output_for(what: str, model: Any, layer: Any, inputs: Any) -> Any:
    """What a layer gives for inputs of the model; it may lie in a model within the model."""
    if any(layer is one for one in model.layers):
        return up_to(what, model, layer)(inputs, training=False)
    heard: list[Any] = []

    def hears(output: Any) -> Any:
        heard.append(output)
        return output

    with answering(layer, hears):
        plainly(model)(inputs, training=False)
    if not heard:
        raise ValueError(f"{what}: the layer {layer.name!r} does not run when the model is called.")
    return heard[0]


def plainly(model: Any) -> Any:
    """The model anew, which runs every layer: of one that was called often the run is recorded."""
    return Model(model.inputs, model.outputs)


@contextmanager
def answering(layer: Any, change: Callable[[Any], Any]) -> Iterator[None]:
    """While the block runs, what `layer` gives goes through `change`."""
    call = layer.call

    @wraps(call)
    def changed(*args: Any, **kwargs: Any) -> Any:
        return change(call(*args, **kwargs))

    object.__setattr__(layer, "call", changed)
    try:
        with config.without_replay():
            yield
    finally:
        object.__delattr__(layer, "call")


def need_graph(what: str, model: Any) -> None:
    """Refuses a model that no layers are known of.

    Raises:
        ValueError: It has no inputs yet.
    """
    if not getattr(of_model(what, model), "inputs", None):
        own = " Of a class of your own: x = pyml.Input(shape), then pyml.Model(x, model(x))." if model.built else ""
        raise ValueError(f"{what}: the model must be a built Sequential or functional model; call it on data first, or give it an Input."
                         + own)  # fmt: skip


class Sample:
    """One input of a model, or one of each where it has several, as batches of one.

    Args:
        what: The function that asks.
        model: A model with a graph.
        inputs: With or without a batch axis of 1; of several a list in the model's order or a dict by their names.
        exact: Whether all keep the dtype that the model takes; else the one that is explained is float32.

    Raises:
        ValueError: There are not as many as the model has, or they have other shapes.
    """

    def __init__(self, what: str, model: Any, inputs: Any, exact: bool = False):
        need_graph(what, model)
        wanted = list(model.inputs)
        if isinstance(inputs, Mapping):
            names = model._symbolic_graph.input_names
            if set(inputs) != set(names):
                raise ValueError(f"{what}: the model's inputs are {', '.join(names)}. Received: {', '.join(map(str, inputs))}")
            given = [inputs[name] for name in names]
        else:
            given = list(inputs) if len(wanted) > 1 and isinstance(inputs, (list, tuple)) else [inputs]
        if len(given) != len(wanted):
            raise ValueError(f"{what}: the model has {len(wanted)} inputs; give a list of one each. Received: {len(given)}")
        pictures = [i for i, one in enumerate(wanted) if len(one.shape) == 4]
        self.at = pictures[0] if pictures else 0       # the one that is explained
        self.all = [_batch(what, value, one, one.dtype if exact or i != self.at else "float32")
                    for i, (value, one) in enumerate(zip(given, wanted, strict=True))]  # fmt: skip

    @property
    def explained(self) -> Any:
        """The picture; the first input where none is one."""
        return self.all[self.at]

    def with_(self, values: Any) -> Any:
        """The inputs with others in place of the explained one; the rest as often as there are those."""
        count = values.shape[0]
        rest = [one if count == 1 else convert_to_tensor(np.repeat(one.numpy(), count, 0), dtype=one.dtype) for one in self.all]
        return values if len(rest) == 1 else [*rest[: self.at], values, *rest[self.at + 1 :]]


def _batch(what: str, value: Any, wanted: Any, dtype: str) -> Any:
    shape = tuple(wanted.shape)[1:]
    try:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        array = array.astype(np.float32) if array.dtype == object else array
    except (ValueError, TypeError):
        raise ValueError(f"{what}: expected one input of shape {shape}. Received {received(value)} that is no array of it.") from None
    given = array.shape
    if array.ndim == len(shape) and not (array.ndim and array.shape[0] == 1 and shape[0] not in (1, None)):
        array = array[None]
    if array.ndim != len(shape) + 1 or array.shape[0] != 1 or any(w not in (None, s) for w, s in zip(shape, array.shape[1:])):
        raise ValueError(f"{what}: expected one input of shape {shape}. Received shape {given}.")
    return convert_to_tensor(array, dtype=dtype)


def chosen_class(what: str, model: Any, sample: Sample, index: int | None) -> int:
    """The number of the output to explain: the largest, unless one is given.

    Raises:
        ValueError: There is no such output, or the model gives several tensors.
        TypeError: It is no number.
    """
    if len(model.outputs) > 1:
        names = ", ".join(model.output_names)
        raise ValueError(f"{what}: the model has {len(model.outputs)} outputs, {names}; "
                         "make one of a single: pyml.Model(model.inputs, model.outputs[0]).")  # fmt: skip
    scores = model(sample.with_(sample.explained), training=False).numpy().reshape(-1)
    if index is None:
        return int(scores.argmax())
    if not isinstance(index, (int, np.integer)):
        raise TypeError(f"{what}: class_index must be a number of the model's {len(scores)} outputs. Received: {received(index)}")
    if not -len(scores) <= index < len(scores):
        raise ValueError(f"{what}: the model has {len(scores)} outputs. Received: class_index={index}")
    return int(index) % len(scores)
