"""Models: `Sequential`, `Model(inputs, outputs)` and subclasses of `Model`."""

import json
from typing import TYPE_CHECKING, Any

from pyml.core.symbolic import KerasTensor
from pyml.errors import PymlError
from pyml.layers.input_layer import Input
from pyml.lazily import parts as _parts
from pyml.models.cloning import clone_model
from pyml.models.knn import KNNClassifier
from pyml.models.model import Functional, Model
from pyml.models.sequential import Sequential
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object
from pyml.saving.loading import load_model
from pyml.saving.writing import save_model

if TYPE_CHECKING:
    from pyml.models.feature_space import FeatureSpace as FeatureSpace
else:
    __getattr__, __dir__ = _parts(__name__, {"FeatureSpace": "feature_space"})  # it is pyml.utils.FeatureSpace; configs look for it here


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Model:
    """The model that `model.to_json()` described, here or in Keras 2 or 3, with new weights.

    Args:
        json_string: What `to_json` returned.
        custom_objects: Classes and functions by name, besides the registered ones.

    Raises:
        ValueError: It is not JSON, or describes no model.

    Source: keras.models.model_from_json.

    Example:
        >>> model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2)])
        >>> pyml.models.model_from_json(model.to_json()).output_shape
        (None, 2)
    """
    try:
        config = json.loads(json_string)
        if isinstance(config, dict) and str(config.get("keras_version")).startswith("2"):
            from pyml.saving.keras import legacy

            model = legacy.from_json(config, custom_objects)
        else:
            model = deserialize_keras_object(config, custom_objects, kind=LAYERS)
    except (PymlError, ValueError) as e:
        raise ValueError(f"model_from_json: {str(e)[:400]}") from e
    except (RecursionError, TypeError, KeyError, AttributeError, IndexError) as e:
        raise ValueError(f"model_from_json: this is not a text that to_json wrote ({type(e).__name__}: {str(e)[:200]}).") from e
    if not isinstance(model, Model):
        raise ValueError(f"model_from_json: the text describes a {type(model).__name__}; expected a model.")
    return model


__all__ = ["Functional", "Input", "KNNClassifier", "KerasTensor", "Model", "Sequential", "clone_model", "load_model",
           "model_from_json", "save_model"]
