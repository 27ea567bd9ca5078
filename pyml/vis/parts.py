"""Parts of models: the layer of a name, the way from an input to a layer and from a layer to the output."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.core import convert_to_tensor
from pyml.models.model import Model


def named_layer(what: str, model: Any, layer: Any) -> Any:
    """A layer of a model, by itself, its name or its number.

    Raises:
        ValueError: There is none of that name; the message lists those there are.
    """
    if not isinstance(layer, (str, int)):
        return layer
    if isinstance(layer, int):
        if not -len(model.layers) <= layer < len(model.layers):
            raise ValueError(f"{what}: the model has {len(model.layers)} layers. Received: layer={layer}")
        return model.layers[layer]
    for one in model.layers:
        if one.name == layer:
            return one
    raise ValueError(f"{what}: there is no layer {layer!r}; there are {', '.join(one.name for one in model.layers)}.")


def last_map(what: str, model: Any) -> Any:
    """The last layer with weights and a map of features `(batch, height, width, channels)` as its output; of one place is no map."""
    for layer in reversed(model.layers):
        shape = tuple(getattr(getattr(layer, "output", None), "shape", ()))
        if len(shape) == 4 and shape[1:3] != (1, 1) and layer.weights:
            return layer
    raise ValueError(f"{what}: the model has no layer whose output is (batch, height, width, channels); name one with layer=.")


def up_to(what: str, model: Any, layer: Any) -> Any:
    """A model from the inputs to the output of a layer."""
    need_graph(what, model)
    return Model(model.inputs, layer.output)


def behind(what: str, model: Any, layer: Any) -> Any:
    """A model from the output of a layer to the outputs."""
    need_graph(what, model)
    return Model(layer.output, model.outputs[0])


def need_graph(what: str, model: Any) -> None:
    """Refuses a model that no layers are known of.

    Raises:
        ValueError: It has no inputs yet.
    """
    if not getattr(model, "inputs", None):
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
    """The number of the output to explain: the largest, unless one is given."""
    scores = model(image, training=False).numpy().reshape(-1)
    if index is None:
        return int(scores.argmax())
    if not -len(scores) <= index < len(scores):
        raise ValueError(f"{what}: the model has {len(scores)} outputs. Received: class_index={index}")
    return int(index) % len(scores)
