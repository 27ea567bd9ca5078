"""Policies of layers: in which dtype weights are kept and outputs are computed."""

from __future__ import annotations

from typing import Any

from ..dtypes import keras_name
from .configs import deserialize, serialize
from .map import DTypePolicyMap
from .policy import CLASSES, QUANTIZATION_MODES, DTypePolicy, FloatDTypePolicy, dtype_policy
from .quantized import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    by_name,
    set_dtype_policy,
)

__all__ = [
    "CLASSES", "AWQDTypePolicy", "DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "GPTQDTypePolicy", "Int4DTypePolicy",
    "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "deserialize", "dtype_policy", "get", "serialize", "set_dtype_policy",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """A policy: the one that is set for None, else of a name, a dtype, a config, or the policy itself.

    Args:
        identifier: None, a name such as `"mixed_float16"`, a config, or a policy.

    Raises:
        ValueError: It names no policy.

    Example:
        >>> pyml.dtype_policies.get("mixed_bfloat16").compute_dtype
        'bfloat16'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return by_name(identifier) if identifier.startswith(QUANTIZATION_MODES) else DTypePolicy(identifier)
    try:
        return DTypePolicy(keras_name(identifier))
    except ValueError:
        raise ValueError(f"dtype must be the name of a dtype or policy, or a DTypePolicy. Received: dtype={identifier!r}") from None
