"""Numbers of few bits in the place of floats: quantizers of weights and activations, and configs of `Layer.quantize`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.objects.registry import QUANTIZERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.quantizers.absmax import AbsMaxQuantizer, Quantizer, abs_max_quantize, abs_max_quantize_grouped_with_zero_point
from pyml.quantizers.configs import (
    AWQConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
)
from pyml.quantizers.fake import fake_quant_with_min_max_vars
from pyml.quantizers.float8 import compute_float8_amax_history, compute_float8_scale, quantize_and_dequantize
from pyml.quantizers.int4 import pack_int4, unpack_int4

__all__ = [
    "AWQConfig", "AbsMaxQuantizer", "Float8QuantizationConfig", "GPTQConfig", "Int4QuantizationConfig", "Int8QuantizationConfig",
    "QuantizationConfig", "Quantizer", "abs_max_quantize", "abs_max_quantize_grouped_with_zero_point", "compute_float8_amax_history",
    "compute_float8_scale", "deserialize", "fake_quant_with_min_max_vars", "get", "pack_int4", "quantize_and_dequantize", "serialize",
    "unpack_int4",
]  # fmt: skip


def serialize(initializer: Any) -> Any:
    """A quantizer as a dict of plain values.

    Args:
        initializer: The quantizer; Keras has the argument under this name.

    Example:
        >>> pyml.quantizers.serialize(pyml.quantizers.AbsMaxQuantizer(axis=0))["config"]["axis"]
        (0,)
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The quantizer that `serialize` described.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes and functions of your own by the names that the config has for them.

    Raises:
        ValueError: Nothing is known under the config's class name.

    Example:
        >>> described = pyml.quantizers.serialize(pyml.quantizers.AbsMaxQuantizer(axis=0))
        >>> pyml.quantizers.deserialize(described).axis
        (0,)
    """
    return deserialize_keras_object(config, custom_objects, kind=QUANTIZERS)


def get(identifier: Any, **kwargs: Any) -> Any:
    """A quantizer by its name, its config or class, or itself; None for None.

    Args:
        identifier: Any of these.
        kwargs: Arguments where a class is named.

    Raises:
        ValueError: It is none of these.

    Example:
        >>> pyml.quantizers.get("abs_max_quantizer", axis=-1).axis
        (-1,)
    """
    if identifier is None:
        return None
    described = {"class_name": identifier, "config": kwargs} if isinstance(identifier, str) and kwargs else identifier
    found = deserialize(described) if isinstance(described, (str, dict)) else described
    if isinstance(found, type):
        found = found(**kwargs)
    if not callable(found) and not isinstance(found, QuantizationConfig):
        raise ValueError(f"Could not interpret quantizer identifier: {identifier!r}. Known names: {', '.join(QUANTIZERS.names)}.")
    return found
