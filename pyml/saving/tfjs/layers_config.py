"""Configs of layers between TensorFlow.js, which follows Keras 2, and the Keras 3 form used here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ... import ops
from ...objects.registry import register_keras_serializable
from ...tracebacks import is_ours
from ..files import ModelFileError
from ..keras.ops import is_op
from . import tf_calls
from .calls import Unwritable, count_from_zero, flat_name, read_call, read_ends

_OF_NO_WEIGHTS = {"CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "StringLookup", "TextVectorization"}
_DROPPED = {"batch_input_shape", "implementation", "time_major", "ragged", "sparse", "renorm", "fused", "virtual_batch_size",
            "adjustment", "input_length", "build_config", "input_dtype", "quantization_config", "renorm_clipping",
            "renorm_momentum"}  # fmt: skip
_ACTIVATIONS = ("activation", "recurrent_activation")
_OLD_NAMES = {"log_softmax_v2": "log_softmax", "softmax_v2": "softmax"}  # which Keras wrote of `tf.nn.log_softmax` up to 2.8
_SLOPE = {"LeakyReLU": ("alpha", "negative_slope")}
_WITH_CAUSAL = ("Attention", "AdditiveAttention")       # up to 2.8; later it is an argument of the call
_CLASSES = {"Model": "Functional"}
_WRITTEN_AS = "pyml_class"  # names the class of a layer that is another one there; TensorFlow.js passes over it
_INSIDE = ("layer", "backward_layer", "cell")
_OF_RNN = ("name", "trainable", "dtype", "cell", "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
           "zero_output_for_mask")  # fmt: skip
KNOWN_TO_TFJS = {  # layers of TensorFlow.js 4.22
    "InputLayer", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax", "Conv2D", "Conv3D", "Conv2DTranspose",
    "Conv3DTranspose", "SeparableConv2D", "Conv1D", "Cropping2D", "UpSampling2D", "DepthwiseConv2D", "RNN", "SimpleRNNCell", "SimpleRNN",
    "GRUCell", "GRU", "LSTMCell", "LSTM", "StackedRNNCells", "ConvLSTM2DCell", "ConvLSTM2D", "Dropout", "SpatialDropout1D", "Dense",
    "Flatten", "Activation", "RepeatVector", "Reshape", "Permute", "Masking", "Embedding", "Add", "Multiply", "Average", "Maximum",
    "Minimum", "Concatenate", "Dot", "GaussianNoise", "GaussianDropout", "AlphaDropout", "BatchNormalization", "LayerNormalization",
    "ZeroPadding2D", "MaxPooling1D", "AveragePooling1D", "MaxPooling2D", "AveragePooling2D", "MaxPooling3D", "AveragePooling3D",
    "GlobalAveragePooling1D", "GlobalMaxPooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "TimeDistributed", "Bidirectional",
    "Rescaling", "CenterCrop", "CategoryEncoding", "Resizing", "RandomWidth",
}  # fmt: skip
# users look for these in TensorFlow.js (tfjs#218, #4069) and its converter writes them: another file in their place would mislead
EXPECTED = {"Attention", "AdditiveAttention", "EinsumDense"}


@register_keras_serializable(package="tfjs", name="hard_sigmoid")
def keras2_hard_sigmoid(x: Any) -> Any:
    """`0.2 x + 0.5` cut to 0 … 1, as in TensorFlow.js and Keras 2; Keras 3 has `x / 6 + 0.5` under this name.

    Args:
        x: Tensor or array.

    Returns:
        A tensor of the same shape.

    Example:
        >>> pyml.saving.keras2_hard_sigmoid(np.array([-3.0, 0.0, 1.0], "float32")).numpy().round(2).tolist()
        [0.0, 0.5, 0.699999988079071]
    """
    return ops.clip(ops.multiply(x, 0.2) + 0.5, 0.0, 1.0)


# ---- reading
def read_layer(raw: Any, where: object) -> dict[str, Any]:
    """A layer's config in Keras 3 form, and what is inside it.

    Raises:
        ModelFileError: It is not a layer config.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("class_name"), str) or not isinstance(raw.get("config"), (dict, list)):
        raise ModelFileError(f"{where}: a layer must have a class_name and a config; found {str(raw)[:80]}.")
    name, config = str(_CLASSES.get(raw["class_name"], raw["class_name"])), raw["config"]
    if name in ("Sequential", "Functional"):
        return {"class_name": name, "config": read_model(name, config, where)}
    if not isinstance(config, dict):
        raise ModelFileError(f"{where}: the config of a {name} must be an object.")
    _check_readable(name, raw, where)
    config = {k: _read_value(k, v) for k, v in config.items()}
    if config.pop(_WRITTEN_AS, None) == "Identity":
        name = "Identity"
        config.pop("activation", None)
    if name == "InputLayer":
        return {"class_name": name, "config": _input(config, where)}
    if name == "RNN":  # TensorFlow.js adds what is in the cell
        config = {k: v for k, v in config.items() if k in _OF_RNN}
    for key in _INSIDE:
        if isinstance(config.get(key), dict):
            config[key] = read_layer(raw["config"][key], where)
    if isinstance(config.get("cells"), list):
        config["cells"] = [read_layer(cell, where) for cell in raw["config"]["cells"]]
    for key in _ACTIVATIONS if "module" not in raw else ():  # Keras 3, which names modules, means its own hard_sigmoid
        if config.get(key) == "hard_sigmoid":
            config[key] = {"class_name": "function", "config": "tfjs>hard_sigmoid"}
    for key in _ACTIVATIONS:
        if isinstance(config.get(key), str):
            config[key] = _OLD_NAMES.get(config[key], config[key])
    if "name" in config:
        config["name"] = flat_name(config["name"])
    if "dtype" in config:
        config["dtype"] = _dtype(config)
    config = _of_class(name, config)
    return {"class_name": name, "config": {k: v for k, v in config.items() if k not in _DROPPED and not _is_default(k, v)}}


def _input(config: dict[str, Any], where: object) -> dict[str, Any]:
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if not isinstance(shape, list) or any(n is not None and (type(n) is not int or not 0 <= n < 1 << 31) for n in shape):
        raise ModelFileError(f"{where}: an input has shape {str(shape)[:80]}; expected integers and nulls.")
    return {"batch_shape": shape, "dtype": _dtype(config), "name": flat_name(config.get("name"))}


def _of_class(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """What a class of Keras 2 has otherwise, or not at all, in Keras 3."""
    if name in ("GRU", "GRUCell"):
        config.setdefault("reset_after", False)
    if name in _SLOPE and _SLOPE[name][0] in config:
        config[_SLOPE[name][1]] = config.pop(_SLOPE[name][0])
    if name == "Embedding":
        config["mask_zero"] = bool(config.get("mask_zero"))
    if name == "BatchNormalization" and isinstance(config.get("axis"), list):
        config["axis"] = config["axis"][0]
    if name == "MultiHeadAttention":
        config = {k: v for k, v in config.items() if k not in ("query_shape", "key_shape", "value_shape")}
    if config.get("groups") == 1 and (name.startswith(("Depthwise", "Separable")) or name.endswith("Transpose")):
        config.pop("groups", None)
    if name.startswith("Separable"):
        config = {k: v for k, v in config.items() if not k.startswith("kernel_") or k == "kernel_size"}
    if name.startswith("SpatialDropout"):
        config.pop("noise_shape", None)
    if name in _OF_NO_WEIGHTS:
        config.pop("trainable", None)
        if config.get("dtype") == "string" or name in ("Hashing", "HashedCrossing"):  # whose numbers have the dtype of all layers there
            config.pop("dtype", None)
    if name in _WITH_CAUSAL:
        config.pop("causal", None)
    return config


def _check_readable(name: str, raw: dict[str, Any], where: object) -> None:
    called = f"{where}: {str(raw.get('name') or raw['config'].get('name'))[:80]!r} is"
    if is_op(raw):
        raise ModelFileError(f"{called} the op {name} between layers, which cannot be opened; put it into a layer.")
    if name in _WITH_CAUSAL and raw["config"].get("causal"):
        raise ModelFileError(f"{called} an {name} with causal=True, which is an argument of its call now: use_causal_mask=True.")
    function = raw["config"].get("function")
    if name == "Lambda" and (isinstance(function, list) or (isinstance(function, dict) and function.get("class_name") == "__lambda__")):
        raise ModelFileError(f"{called} a Lambda kept as Python's bytecode, which is never run; use a registered function or layer.")


def _is_default(key: str, value: Any) -> bool:
    unset = ("unit_forget_bias", "mask_zero", "activity_regularizer", "input_dim", "max_value", "lora_rank", "lora_alpha")
    return (value is None and key in unset) or (key in ("rms_scaling", "keepdims") and value is False)


def _dtype(config: dict[str, Any]) -> Any:
    dtype = config.get("dtype") or "float32"
    inner = dtype.get("config") if isinstance(dtype, dict) else None
    return inner.get("name") if isinstance(inner, dict) else "float32" if isinstance(dtype, dict) else dtype


def without_mixed(config: Any) -> Any:
    """Layers of mixed policies as layers of float32, as their weights are: TensorFlow.js computes in nothing else."""
    if isinstance(config, dict):
        return {key: "float32" if key == "dtype" and str(_dtype(config)).startswith("mixed_") else without_mixed(value)
                for key, value in config.items()}  # fmt: skip
    return [without_mixed(value) for value in config] if isinstance(config, list) else config


def _read_value(key: str, value: Any) -> Any:
    if key.endswith("_initializer") and isinstance(value, dict):
        config = {k: v for k, v in (value.get("config") or {}).items() if k != "dtype"}
        if value.get("class_name") == "VarianceScaling" and config.get("distribution") == "normal":
            config["distribution"] = "truncated_normal"
        return {"class_name": value.get("class_name"), "config": config}
    return value


def read_model(kind: str, config: Any, where: object) -> dict[str, Any]:
    """The config of a Sequential or functional model in the form that `from_config` takes."""
    if isinstance(config, list):  # Sequential of the first Keras versions
        config = {"layers": config}
    layers = config.get("layers")
    if not isinstance(layers, list) or not layers:
        raise ModelFileError(f"{where}: a model must have a list of layers.")
    if kind == "Sequential":
        made = [read_layer(layer, where) for layer in layers]
        shape = layers[0]["config"].get("batch_input_shape") if isinstance(layers[0]["config"], dict) else None
        if shape is not None and made[0]["class_name"] != "InputLayer":
            dtype = "int32" if made[0]["class_name"] == "Embedding" else "float32"
            made.insert(0, read_layer({"class_name": "InputLayer", "config": {"batch_input_shape": shape, "dtype": dtype}}, where))
        if made[0]["class_name"] != "InputLayer":
            raise ModelFileError(f"{where}: the first layer of a Sequential must have a batch_input_shape.")
        return {"name": config.get("name"), "layers": made, "build_input_shape": made[0]["config"]["batch_shape"]}
    read = [_with_calls(raw, where) for raw in layers]
    named = config.get("pyml_ends")
    raw_ends = config | {key: ends for key, ends in named.items() if isinstance(ends, dict)} if isinstance(named, dict) else config
    ends = {key: read_ends(raw_ends.get(key) or [], where) for key in ("input_layers", "output_layers")}
    count_from_zero(read, ends)
    return {"name": config.get("name"), "layers": read, **ends}


def _with_calls(raw: Any, where: object) -> dict[str, Any]:
    """A layer of a graph, or an op between layers."""
    layer = read_layer(raw, where)
    if raw["class_name"] in tf_calls.CLASSES:
        return tf_calls.read(raw, where)
    calls = [read_call(call, raw["class_name"], where) for call in raw.get("inbound_nodes") or []]
    return {**layer, "name": flat_name(raw.get("name") or raw["config"].get("name")), "inbound_nodes": calls}


# ---- writing
def write_layer(layer: Any) -> dict[str, Any]:
    """The class name and config of a layer as TensorFlow.js reads them.

    Raises:
        ValueError: TensorFlow.js has no such layer, or not with these arguments.
    """
    name = type(layer).__name__
    ours = is_ours(type(layer))
    if ours and name == "Identity" and all(len(node.input_tensors) < 2 for node in layer._inbound_nodes):  # there, one tensor each
        config = {"name": layer.name, "trainable": layer.trainable, "dtype": "float32", "activation": "linear", _WRITTEN_AS: name}
        return {"class_name": "Activation", "config": config}
    if not ours or name not in KNOWN_TO_TFJS:
        raise Unwritable(f'Layer "{layer.name}" ({name}): TensorFlow.js has no such layer.', replaceable=not ours or name not in EXPECTED)
    config = layer.get_config()
    _check_writable(layer, name, config)
    if name == "InputLayer":
        shape = list(layer.batch_shape)
        return {"class_name": name, "config": {"batch_input_shape": shape, "dtype": layer.dtype, "sparse": False, "name": layer.name}}
    config = {k: _write_value(v) for k, v in config.items()}
    if "layer" in config:
        config["layer"] = write_layer(layer.layer if hasattr(layer, "layer") else layer.forward_layer)
        if name == "Bidirectional":
            config["layer"]["config"]["name"] = config["layer"]["config"]["name"].removeprefix("forward_")
            config.pop("backward_layer", None)
    if name in ("RNN", "StackedRNNCells"):
        config |= {"cell": write_layer(layer.cell)} if name == "RNN" else {"cells": [write_layer(cell) for cell in layer.cells]}
    if name in _SLOPE:
        config[_SLOPE[name][0]] = config.pop(_SLOPE[name][1])
    for key in _ACTIVATIONS:
        if getattr(layer, key, None) is keras2_hard_sigmoid:
            config[key] = "hard_sigmoid"
    config["dtype"] = "float32" if layer.quantization_mode else without_mixed({"dtype": layer._policy_at_path.name})["dtype"]
    return {"class_name": name, "config": {k: v for k, v in config.items() if k not in ("groups", "reset_after", "seed")}}


def write_layers(layer: Any, taken: Collection[str]) -> list[dict[str, Any]]:
    """As `write_layer`, but pooling that keeps the pooled axes is two layers there: pooling, and a Reshape with the layer's name.

    Args:
        layer: The layer.
        taken: Names that the pooling must not have.
    """
    if not (type(layer).__name__.startswith("Global") and getattr(layer, "keepdims", False)):
        return [write_layer(layer)]
    kept = layer.get_config()
    name = f"{layer.name}_flat"
    while name in taken:
        name += "_"
    pooling = write_layer(type(layer).from_config({**kept, "keepdims": False, "name": name}))
    shape = list(layer._inbound_nodes[0].output_tensors[0].shape[1:])  # in full: TensorFlow.js does not work out a -1 here
    config = {"name": layer.name, "trainable": layer.trainable, "dtype": "float32", "target_shape": shape}
    return [pooling, {"class_name": "Reshape", "config": config}]


def _check_writable(layer: Any, name: str, config: dict[str, Any]) -> None:
    """Raises Unwritable for what TensorFlow.js cannot express of a layer."""
    what = f'Layer "{layer.name}" ({name})'
    if layer.quantization_mode is not None:
        raise Unwritable(f"{what}: TensorFlow.js has no layers with weights of {layer.quantization_mode}.")
    if getattr(layer, "lora_enabled", False):
        raise Unwritable(f"{what}: TensorFlow.js has no low-rank adapters.")
    if config.get("groups", 1) != 1:
        raise Unwritable(f"{what}: TensorFlow.js has no convolution in groups (groups={config['groups']}).")
    if config.get("reset_after"):
        raise Unwritable(f"{what}: TensorFlow.js has only reset_after=False; for it, make the layer so before it is trained.")
    if config.get("return_state") and hasattr(getattr(layer, "cell", None), "cells"):
        raise Unwritable(f"{what}: TensorFlow.js returns the states of stacked cells in reverse (return_state=True).")
    if config.get("keepdims"):
        raise Unwritable(f"{what}: TensorFlow.js pools without keepdims; inside another layer, pool without it and put a Reshape after it.")
    for key in _ACTIVATIONS:
        value = getattr(layer, key, None)
        if value is not None and getattr(value, "__name__", "") == "hard_sigmoid" and value is not keras2_hard_sigmoid:
            raise Unwritable(
                f"{what}: hard_sigmoid is x / 6 + 0.5 here and 0.2 x + 0.5 in TensorFlow.js; "
                "use pyml.saving.keras2_hard_sigmoid, or another activation."
            )
        if isinstance(config.get(key), dict) and value is not keras2_hard_sigmoid and config[key].get("class_name") == "function":
            raise Unwritable(f"{what}: TensorFlow.js does not know the activation {config[key].get('config')!r}.")
    if name == "ReLU" and any(getattr(layer, key, 0) for key in ("negative_slope", "threshold")):
        raise Unwritable(f"{what}: TensorFlow.js has ReLU with max_value only; use LeakyReLU.")


def _write_value(value: Any) -> Any:
    """Objects by class name and arguments, without where the class is."""
    if isinstance(value, dict) and "class_name" in value:
        config = value.get("config")
        if isinstance(config, dict):
            config = {k: v for k, v in config.items() if k not in ("input_axes", "output_axes")}
            if config.get("distribution") == "truncated_normal":
                config["distribution"] = "normal"
        return {"class_name": value["class_name"], "config": config or {}}
    return list(value) if isinstance(value, tuple) else value
