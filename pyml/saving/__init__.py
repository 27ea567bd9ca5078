"""Registering classes for configs, weights on disk, and models made elsewhere."""

from typing import TYPE_CHECKING

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
from pyml.saving.files import ModelFileError
from pyml.saving.loading import load_model, load_model_async
from pyml.saving.safetensors import load_safetensors, save_safetensors
from pyml.saving.state_dicts import (
    batch_norm_weights,
    conv_kernel,
    conv_transpose_kernel,
    dense_kernel,
    depthwise_kernel,
    from_torch,
    load_state_dict,
)
from pyml.saving.stores import (
    browser_files,
    copy_model,
    copy_model_async,
    list_models,
    list_models_async,
    move_model,
    move_model_async,
    remove_model,
    remove_model_async,
)
from pyml.saving.tfjs.layers_config import keras2_hard_sigmoid
from pyml.saving.tfjs.rules import deregister_op, register_op
from pyml.saving.torch_files import load_torch
from pyml.saving.waiting import ModelStoreError
from pyml.saving.weights import load_weights, load_weights_async, save_weights, save_weights_async
from pyml.saving.writing import save_model, save_model_async

__all__ = [
    "CustomObjectScope", "KerasFileEditor", "ModelFileError", "ModelStoreError", "batch_norm_weights", "browser_files",
    "conv_kernel", "conv_transpose_kernel", "copy_model", "copy_model_async", "custom_object_scope", "dense_kernel",
    "depthwise_kernel", "deregister_op", "deserialize_keras_object", "from_torch", "get_custom_objects", "get_registered_name",
    "get_registered_object", "keras2_hard_sigmoid", "list_models", "list_models_async", "load_model", "load_model_async",
    "load_safetensors", "load_state_dict", "load_torch", "load_weights", "load_weights_async", "move_model", "move_model_async",
    "register_keras_serializable", "register_op", "remove_model", "remove_model_async", "save_model", "save_model_async",
    "save_safetensors", "save_weights", "save_weights_async", "serialize_keras_object",
]  # fmt: skip

if TYPE_CHECKING:
    from pyml.saving.file_editor import KerasFileEditor as KerasFileEditor
else:
    # the editor brings the readers of Keras' formats
    __getattr__, __dir__ = _parts(__name__, {"KerasFileEditor": "file_editor"})
