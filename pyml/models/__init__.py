"""Models: `Sequential`, `Model(inputs, outputs)` and subclasses of `Model`."""

import json

from pyml.core.symbolic import KerasTensor
from pyml.layers.input_layer import Input
from pyml.models.knn import KNNClassifier
from pyml.models.model import Functional, Model
from pyml.models.sequential import Sequential
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object


def clone_model(model, input_tensors=None, clone_function=None, **kwargs):
    """A model of the same structure with new weights.

    Args:
        model: A Sequential or a Model with a graph.
        clone_function: Makes a layer from a layer; by default from its config.
    """
    if clone_function is not None and isinstance(model, Sequential):
        return Sequential([clone_function(layer) for layer in model._stack], name=model.name)
    return type(model).from_config(model.get_config())


def model_from_json(json_string, custom_objects=None):
    """The model that `model.to_json()` described, with new weights."""
    return deserialize_keras_object(json.loads(json_string), custom_objects, kind=LAYERS)


__all__ = ["Functional", "Input", "KNNClassifier", "KerasTensor", "Model", "Sequential", "clone_model", "model_from_json"]
