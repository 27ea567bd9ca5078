"""Reading layers-models: the structure from the topology, the weights by their names."""

from __future__ import annotations

import numpy as np

from ...errors import PymlError
from ...layers import deserialize
from ...layers.allowance import at_most
from ..files import ModelFileError
from .layers_config import flat_name, read_layer

_MOST_NESTED = 32
_NAMES = {("DepthwiseConv2D", "kernel"): "depthwise_kernel"}  # where Keras 3 has another name


def build(description: dict, arrays: dict[str, np.ndarray], where, custom_objects=None):
    """The model that a `model.json` describes, with its weights.

    Raises:
        ModelFileError: The topology or the weights do not make a model.
    """
    topology = description.get("modelTopology")
    config = topology.get("model_config", topology) if isinstance(topology, dict) else None
    _check_depth(config, where)
    try:
        with at_most(sum(array.size for array in arrays.values())):
            model = deserialize(read_layer(config, where), custom_objects)
    except ModelFileError:
        raise
    except (PymlError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as e:
        raise ModelFileError(f"{where}: the model cannot be built from its description: {e}") from e
    _assign(model, arrays, where)
    return model


def _check_depth(value, where):
    """Configs nested beyond reason would exhaust the stack."""
    level = [value]
    for _ in range(_MOST_NESTED * 8):
        level = [v for item in level for v in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())]
        if not level:
            return
    raise ModelFileError(f"{where}: the model's description is nested too deeply.")


def named_weights(model):
    """All weights of a model as `(name, variable)`, named as TensorFlow.js does."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from named_weights(layer)
            continue
        inner = getattr(layer, "forward_layer", None)
        for variable in layer.weights:
            middle = ""
            if inner is not None:
                side = inner if any(variable is w for w in inner.weights) else layer.backward_layer
                middle = f"{side.name}/"
            name = _NAMES.get((type(layer).__name__, variable.name), variable.name)
            yield f"{layer.name}/{middle}{name}", variable


def _assign(model, arrays, where):
    """Each weight from the array of its name: the whole name, or layer, direction and weight with anything between."""
    left = dict(arrays)
    pairs = []
    for name, variable in named_weights(model):
        key = name if name in left else _find(name, left)
        if key is None:
            raise ModelFileError(f"{where}: weight {name!r} of shape {tuple(variable.shape)} is not in the file.")
        array = left.pop(key)
        if array.shape != tuple(variable.shape):
            raise ModelFileError(f"{where}: weight {key!r} has shape {array.shape}; the model needs {tuple(variable.shape)}.")
        if array.dtype == object:
            raise ModelFileError(f"{where}: weight {key!r} holds text; the model needs numbers.")
        pairs.append((variable, array))
    if left:
        raise ModelFileError(f"{where}: the model has no weights for {', '.join(map(repr, list(left)[:5]))}.")
    for variable, array in pairs:
        variable.assign(array)


def _find(name: str, left) -> str | None:
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
