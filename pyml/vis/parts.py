"""Parts of models: the layer of a name, the way from an input to a layer and from a layer to the output."""

from __future__ import annotations

from typing import Any

import numpy as np

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
    """A layer of a model, by itself, its name or its number.

    Raises:
        ValueError: There is none of that name; the message lists those there are.
        TypeError: The model is none.
    """
    of_model(what, model)
    own = ", ".join(one.name for one in model.layers)
    if not isinstance(layer, (str, int)):
        if not any(layer is one for one in model.layers):
            name = getattr(layer, "name", received(layer))
            raise ValueError(f"{what}: {name!r} is not a layer of the model itself; there are {own}. "
                             "What is inside one of them is looked at in that one.")  # fmt: skip
        return layer
    if isinstance(layer, int):
        if not -len(model.layers) <= layer < len(model.layers):
            raise ValueError(f"{what}: the model has {len(model.layers)} layers. Received: layer={layer}")
        return model.layers[layer]
    for one in model.layers:
        if one.name == layer:
            return one
    raise ValueError(f"{what}: there is no layer {layer!r}; there are {own}.")


def last_map(what: str, model: Any) -> Any:
    """The last layer with weights and a map of features `(batch, height, width, channels)` as its output; of one place is no map."""
    for layer in reversed(of_model(what, model).layers):
        shape = tuple(getattr(output_of(model, layer), "shape", ()))
        if len(shape) == 4 and shape[1:3] != (1, 1) and layer.weights:
            return layer
    raise ValueError(f"{what}: the model has no layer whose output is (batch, height, width, channels); name one with layer=.")


def output_of(model: Any, layer: Any) -> Any:
    """What a layer gives in a model: one that is a model itself has another output of its own. None where it has none yet."""
    for node in getattr(getattr(model, "_graph", None), "nodes", ()):
        if node.operation is layer:
            return node.output_tensors[0]
    return getattr(layer, "output", None)


def up_to(what: str, model: Any, layer: Any) -> Any:
    """A model from the inputs to the output of a layer."""
    need_graph(what, model)
    return Model(model.inputs, output_of(model, layer))


def behind(what: str, model: Any, layer: Any) -> Any:
    """A model from the output of a layer to the outputs."""
    need_graph(what, model)
    return Model(output_of(model, layer), model.outputs[0])


def need_graph(what: str, model: Any) -> None:
    """Refuses a model that no layers are known of.

    Raises:
        ValueError: It has no inputs yet.
    """
    if not getattr(of_model(what, model), "inputs", None):
        raise ValueError(f"{what}: the model must be a built Sequential or functional model; call it on data first, or give it an Input.")


def one_input(what: str, model: Any, image: Any) -> Any:
    """A picture as a batch of one, float32.

    Raises:
        ValueError: It does not have the shape of the model's input.
    """
    need_graph(what, model)
    array = np.asarray(image.numpy() if hasattr(image, "numpy") else image, np.float32)
    wanted = tuple(model.inputs[0].shape)[1:]
    if array.ndim == len(wanted) and not (array.ndim and array.shape[0] == 1 and wanted[0] not in (1, None)):
        array = array[None]
    if array.ndim != len(wanted) + 1 or array.shape[0] != 1 or any(w not in (None, s) for w, s in zip(wanted, array.shape[1:])):
        raise ValueError(f"{what}: expected one input of shape {wanted}. Received shape {array.shape}.")
    return convert_to_tensor(array)


def chosen_class(what: str, model: Any, image: Any, index: int | None) -> int:
    """The number of the output to explain: the largest, unless one is given.

    Raises:
        ValueError: There is no such output, or the model gives several tensors.
        TypeError: It is no number.
    """
    if len(model.outputs) > 1:
        names = ", ".join(model.output_names)
        raise ValueError(f"{what}: the model has {len(model.outputs)} outputs, {names}; "
                         "make one of a single: pyml.Model(model.inputs, model.outputs[0]).")  # fmt: skip
    scores = model(image, training=False).numpy().reshape(-1)
    if index is None:
        return int(scores.argmax())
    if not isinstance(index, (int, np.integer)):
        raise TypeError(f"{what}: class_index must be a number of the model's {len(scores)} outputs. Received: {received(index)}")
    if not -len(scores) <= index < len(scores):
        raise ValueError(f"{what}: the model has {len(scores)} outputs. Received: class_index={index}")
    return int(index) % len(scores)
