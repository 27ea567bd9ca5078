"""`tf.io` of TensorFlow.js: where models are kept, loaded from and sent to, and their weights as bytes."""

from pyml.saving.artifacts import (
    get_model_artifacts_for_json,
    get_model_artifacts_for_json_sync,
    get_model_artifacts_info_for_json,
    get_weight_specs,
    load_weights,
    weights_loader_factory,
)
from pyml.saving.handlers import (
    from_memory,
    get_load_handlers,
    get_save_handlers,
    register_load_router,
    register_save_router,
    with_save_handler,
)
from pyml.saving.on_servers import http, is_http_scheme
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
from pyml.saving.weight_bytes import (
    composite_array_buffer,
    concatenate_array_buffers,
    decode_weights,
    decode_weights_stream,
    encode_weights,
)

__all__ = [
    "browser_files", "composite_array_buffer", "concatenate_array_buffers", "copy_model", "copy_model_async", "decode_weights",
    "decode_weights_stream", "encode_weights", "from_memory", "get_load_handlers", "get_model_artifacts_for_json",
    "get_model_artifacts_for_json_sync", "get_model_artifacts_info_for_json", "get_save_handlers", "get_weight_specs", "http",
    "is_http_scheme", "list_models", "list_models_async", "load_weights", "move_model", "move_model_async", "register_load_router",
    "register_save_router", "remove_model", "remove_model_async", "weights_loader_factory", "with_save_handler",
]  # fmt: skip
