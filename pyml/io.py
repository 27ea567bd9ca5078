"""`tf.io` of TensorFlow.js: models that the browser keeps, and files that a user chose; all of it is in `pyml.saving` too."""

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

__all__ = [
    "browser_files", "copy_model", "copy_model_async", "list_models", "list_models_async", "move_model", "move_model_async",
    "remove_model", "remove_model_async",
]  # fmt: skip
