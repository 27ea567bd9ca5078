"""Reading layers-models: the structure from the topology, the weights by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import PymlError
from ...layers import deserialize
from ...layers.allowance import at_most
from ..files import ModelFileError
from .calls import flat_name
from .layers_config import read_layer, without_mixed

if TYPE_CHECKING:
    from ...core.variable import Variable
    from ...models.model import Model

_MOST_NESTED = 32
_NAMES = {("DepthwiseConv2D", "kernel"): "depthwise_kernel"}  # where Keras 3 has another name


def build(description: dict[str, Any], arrays: dict[str, np.ndarray], where: object, custom_objects: dict[str, Any] | None = None) -> Model:
    """The model that a `model.json` describes, with its weights.

    Raises:
        ModelFileError: The topology or the weights do not make a model.
    """
    topology = description.get("modelTopology")
    config = topology.get("model_config", topology) if isinstance(topology, dict) else None
    _check_depth(config, where)
    try:
        with at_most(sum(array.size for array in arrays.values())):
            model = deserialize(read_layer(without_mixed(config), where), custom_objects)
    except ModelFileError:
        raise
    except (PymlError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as e:
        raise ModelFileError(f"{where}: the model cannot be built from its description: {e}") from e
    _assign(model, arrays, where)
    return model


def _check_depth(value: Any, where: object) -> None:
    """Configs nested beyond reason would exhaust the stack."""
    level = [value]
    for _ in range(_MOST_NESTED * 8):
        level = [v for item in level for v in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())]
        if not level:
            return
    raise ModelFileError(f"{where}: the model's description is nested too deeply.")


def named_weights(model: Any) -> Iterator[tuple[str, Variable]]:
    """All weights of a model as `(name, variable)`, named as TensorFlow.js does."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from named_weights(layer)
            continue
        inner = getattr(layer, "forward_layer", None)
        cells = getattr(getattr(layer, "cell", None), "cells", ())
        for variable in layer.weights:
            middle = "".join(f"RNNCell_{i}/" for i, cell in enumerate(cells) if any(variable is w for w in cell.weights))
            if inner is not None:
                side = inner if any(variable is w for w in inner.weights) else layer.backward_layer
                middle = f"{side.name}/"
            name = _NAMES.get((type(layer).__name__, variable.name), variable.name)
            yield f"{layer.name}/{middle}{name}", variable


def _assign(model: Model, arrays: dict[str, np.ndarray], where: object) -> None:
    """Each weight from the array of its path as Keras 3 writes it, of its name, or of a name with the same parts among others."""
    left, named, keys = dict(arrays), list(named_weights(model)), {}
    for key_of in (lambda name, variable: variable.path, lambda name, variable: name, lambda name, variable: _find(name, left)):
        for name, variable in named:  # whole names first: another weight may resemble one
            key = key_of(name, variable)
            if id(variable) not in keys and key in left:
                keys[id(variable)] = key, left.pop(key)
    pairs = []
    for name, variable in named:
        if id(variable) not in keys:
            raise ModelFileError(f"{where}: weight {name!r} of shape {tuple(variable.shape)} is not in the file.")
        key, array = keys[id(variable)]
        if array.shape != tuple(variable.shape):
            raise ModelFileError(f"{where}: weight {key!r} has shape {array.shape}; the model needs {tuple(variable.shape)}.")
        if array.dtype == object:
            raise ModelFileError(f"{where}: weight {key!r} holds text; the model needs numbers.")
        pairs.append((variable, array))
    if left:
        raise ModelFileError(f"{where}: the model has no weights for {', '.join(map(repr, list(left)[:5]))}.")
    for variable, array in pairs:
        variable.assign(array)


def _find(name: str, left: Iterable[str]) -> str | None:
    parts = name.split("/")
    fitting = []
    for key in left:
        stored = key.split("/")
        whole = flat_name("/".join(stored[:-1]))
        if stored[-1] != parts[-1]:
            continue
        inside = len(parts) == 2 and whole.startswith(f"{parts[0]}_")  # the cell of a recurrent layer between
        if inside or whole == "_".join(parts[:-1]) or all(p in stored for p in parts):
            fitting.append(key)
    return min(fitting, key=len) if fitting else None
