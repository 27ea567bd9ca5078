"""Helpers with Keras' names: `Progbar`, `to_categorical`, `set_random_seed`, serialisation decorators."""

import gc
from typing import TYPE_CHECKING, Any

from pyml.core.naming import reset_names
from pyml.dtypes import keras_name as standardize_dtype
from pyml.lazily import parts as _parts
from pyml.objects.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.settings import disable_interactive_logging, enable_interactive_logging, is_interactive_logging_enabled
from pyml.utils import legacy
from pyml.utils.config_object import Config
from pyml.utils.data_utils import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from pyml.utils.numerical import normalize, to_categorical
from pyml.utils.progbar import Progbar
from pyml.utils.seeds import set_random_seed
from pyml.utils.sequences import pad_sequences

if TYPE_CHECKING:
    from pyml.data.directories import audio_dataset_from_directory as audio_dataset_from_directory
    from pyml.data.directories import image_dataset_from_directory as image_dataset_from_directory
    from pyml.data.directories import text_dataset_from_directory as text_dataset_from_directory
    from pyml.data.splitting import split_dataset as split_dataset
    from pyml.data.timeseries import timeseries_dataset_from_array as timeseries_dataset_from_array
    from pyml.models.feature_space import FeatureSpace as FeatureSpace
    from pyml.models.plotting import get_source_inputs as get_source_inputs
    from pyml.models.plotting import model_to_dot as model_to_dot
    from pyml.models.plotting import plot_model as plot_model
    from pyml.utils import bounding_boxes as bounding_boxes
    from pyml.utils.files import get_file as get_file
    from pyml.utils.images import array_to_img as array_to_img
    from pyml.utils.images import img_to_array as img_to_array
    from pyml.utils.images import load_img as load_img
    from pyml.utils.images import save_img as save_img

Sequence = PyDataset
# What stands above this package, over datasets and models, is found when it is first asked for.
_LATER = {
    "audio_dataset_from_directory": "pyml.data.directories", "image_dataset_from_directory": "pyml.data.directories",
    "text_dataset_from_directory": "pyml.data.directories", "timeseries_dataset_from_array": "pyml.data.timeseries",
    "split_dataset": "pyml.data.splitting", "get_source_inputs": "pyml.models.plotting", "model_to_dot": "pyml.models.plotting",
    "plot_model": "pyml.models.plotting", "get_file": "pyml.utils.files", "FeatureSpace": "pyml.models.feature_space",
    **dict.fromkeys(("array_to_img", "img_to_array", "load_img", "save_img"), "pyml.utils.images"),
}  # fmt: skip
if not TYPE_CHECKING:
    __getattr__, __dir__ = _parts(__name__, _LATER, ["bounding_boxes"])


def clear_session(free_memory: bool = True) -> None:
    """Starts automatic layer names again at `dense`, `conv2d`, ...

    Args:
        free_memory: Also collect unreachable objects now, so their device buffers return to the pool.

    Example:
        >>> pyml.utils.clear_session()
        >>> pyml.layers.Dense(2).name
        'dense'
    """
    reset_names()
    if free_memory:
        gc.collect()


def is_keras_tensor(x: Any) -> bool:
    """True for the symbolic tensors that `Input` and calls on them return.

    Args:
        x: Anything.

    Example:
        >>> pyml.utils.is_keras_tensor(pyml.Input((3,))), pyml.utils.is_keras_tensor(np.ones(3))
        (True, False)
    """
    return getattr(x, "_keras_history", None) is not None


__all__ = [
    "Config", "Sequence", "legacy", "pad_sequences",
    "CustomObjectScope", "Progbar", "PyDataset", "clear_session", "custom_object_scope", "deserialize_keras_object",
    "disable_interactive_logging", "enable_interactive_logging", "is_interactive_logging_enabled",
    "get_custom_objects", "get_registered_name", "get_registered_object", "is_keras_tensor", "normalize",
    "pack_x_y_sample_weight", "register_keras_serializable", "serialize_keras_object", "set_random_seed",
    "standardize_dtype", "to_categorical", "unpack_x_y_sample_weight",
]
