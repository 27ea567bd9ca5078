"""Layers whose weight may become integers of 8 or 4 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml import dtype_policies
from pyml.core import changes
from pyml.core.naming import name_scope
from pyml.core.packed import PackedVariable
from pyml.core.trace import tracing
from pyml.dtype_policies import DTypePolicy, Int4DTypePolicy
from pyml.layers.low_rank import LowRank
from pyml.objects.serialization import serialize_keras_object


class Quantizable(LowRank):
    """Mixin: `quantize`, and building and calling with quantized weights.

    A layer says which numbers replace its weight (`_quantized_values`), of which shapes (`quantized_build`), and how it computes
    with them (`_int8_call`, `_int4_call`).
    """

    _modes: tuple[str, ...] = ("int8", "int4")
    _is_quantized = False
    quantization_config: Any
    quantization_mode: str | None
    _policy_at_path: DTypePolicy
    inputs_quantizer: Any = None
    kernel_scale: Any  # weights that quantizing makes
    kernel_zero: Any
    embeddings_scale: Any
    embeddings_zero: Any
    g_idx: Any
    _int4_block_size: int | None = None

    # ---- making weights
    def _packed(self, name: str, shape: Sequence[int], kept_as: str | None = None) -> None:
        """A weight of int8 that takes a byte a number; zeros at first."""
        layer: Any = self
        with tracing(None):
            variable = PackedVariable(shape, name=name)
        variable.path = f"{layer.path}/{name}"
        layer._track_variable(variable)
        setattr(self, kept_as or name, variable)

    def _scales(self, name: str, shape: Sequence[int]) -> None:
        """The weight of that name: scales, ones at first."""
        layer: Any = self
        setattr(self, name, layer.add_weight(name=name, shape=tuple(shape), initializer="ones", trainable=False))

    def _scales_of_columns(self, rows: int, columns: int) -> None:
        """Scales of int4 for each column, or for each block of rows."""
        block = self._int4_block_size
        shape = (columns,) if block is None else (-(-rows // block), columns)
        self._scales(f"{self._adapted}_scale", shape)
        if block is not None:
            self._groups(self._adapted, shape, rows, block)

    def _groups(self, prefix: str, shape: Sequence[int], count: int, block: int) -> None:
        """Zero points of int4 in blocks, and the block of each of `count` rows."""
        layer: Any = self
        self._packed(f"{prefix}_zero", shape)
        self.g_idx = layer.add_weight(name="g_idx", shape=(count,), initializer="zeros", dtype="float32", trainable=False)
        self.g_idx.assign([i // block for i in range(count)])

    def _drop_weight(self) -> None:
        delattr(self, f"_{self._adapted}")

    def quantized_build(self, shape: Sequence[int], mode: str, config: Any = None) -> None:
        """Makes the quantized weights that take the place of one of `shape`.

        Raises:
            NotImplementedError: The layer has no such mode.
        """
        if mode not in self._modes:
            raise self._refusal(mode)
        self._int4_block_size = self._block_size(config) if mode == "int4" else None
        getattr(self, f"_{mode}_build")(tuple(shape), config)
        self._is_quantized = True

    def _block_size(self, config: Any) -> int | None:
        """How many inputs share a scale: of the config or of the policy, None for all."""
        policy = self._policy_at_path
        size = getattr(config, "block_size", None)
        if config is None and isinstance(policy, Int4DTypePolicy):
            size = policy.block_size
        return None if size == -1 else size

    # ---- quantizing
    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Replaces the weight by integers with scales; the layer cannot be trained any more, but for an adapter.

        Args:
            mode: `"int8"` or `"int4"`. `"float8"`, `"gptq"` and `"awq"` are refused.
            type_check: Refuse subclasses, whose `call` may know nothing of quantized weights.
            config: A `QuantizationConfig`; by default that of the mode.

        Raises:
            ValueError: The mode is none, contradicts the config, or the layer is not built or is quantized already, or its weight
                holds NaN or infinite numbers; nothing has changed then.
            NotImplementedError: The layer has no such mode, or is a subclass.

        Example:
            >>> layer = pyml.layers.Dense(4)
            >>> layer.build((None, 8))
            >>> layer.quantize("int8")
            >>> layer.dtype_policy.name, [weight.dtype for weight in layer.weights]
            ('int8_from_float32', ['float32', 'int8', 'float32'])
        """
        from pyml.quantizers.configs import resolved

        config = resolved(mode, config)
        check_quantizable(self, config.mode)
        if config.mode not in self._modes:
            raise self._refusal(config.mode)
        if type_check and "_quantized_values" not in vars(type(self)):
            raise not_quantizable(self)
        check_finite(self, self._adapted_weight.numpy(), self._adapted)
        self.quantization_config = config
        shape = self._weight_shape()
        values = self._quantized_values(config.mode, config)
        self._drop_weight()
        layer: Any = self
        with tracing(None), name_scope(self.name, self):
            self.quantized_build(shape, config.mode, config)
        for name, value in values.items():
            getattr(self, self._kept_as(name)).assign(value)
        policy = self._policy_at_path
        if policy.quantization_mode is None:
            text = config.mode if config.mode == "int8" else f"int4/{self._int4_block_size or -1}"
            layer.dtype_policy = dtype_policies.get(f"{text}_from_{policy.name}")
        changes.changed()

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        """The quantized weights by their names."""
        raise not_quantizable(self)

    def _refusal(self, mode: str | None) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__}: {why_not(mode)}")

    # ---- calling
    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """`call` with quantized weights."""
        return getattr(self, f"_{self.quantization_mode}_call")(*args, **kwargs)

    # ---- files and configs
    def _files_have(self) -> list[str]:
        stored = self._stored
        if self.quantization_mode is not None:
            at = stored.index(self._adapted) + 1 if self._adapted == "embeddings" else len(stored)
            more = (f"{self._adapted}_scale", f"{self._adapted}_zero", "g_idx")
            stored = (*stored[:at], *more, *stored[at:])
        return [name for name in stored if getattr(self, self._kept_as(name), None) is not None]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, and how weights are quantized where they are."""
        config = super().get_config()
        if self.quantization_config is not None:
            config["quantization_config"] = serialize_keras_object(self.quantization_config)
        return config


_WHY = {
    "float8": "float8 is refused: devices compute and store in 32 bits, so nothing would be smaller or faster; use 'int8' or 'int4'.",
    "gptq": "gptq is refused: weights are rounded by themselves here, not by calibration with data; use 'int8' or 'int4'.",
    "awq": "awq is refused: weights are rounded by themselves here, not by calibration with data; use 'int8' or 'int4'.",
}


def why_not(mode: str | None) -> str:
    """Why a mode is not computed, and which are."""
    return _WHY.get(str(mode), f"Invalid quantization mode. Expected 'int8' or 'int4'. Received: quantization_mode={mode}")


def not_quantizable(layer: Any, method: str = "quantize") -> NotImplementedError:
    return NotImplementedError(f"Layer {type(layer).__name__} does not have a `{method}` method implemented.")


def check_quantizable(layer: Any, mode: str) -> None:
    """Whether a layer can be quantized now.

    Raises:
        ValueError: It is not built, or quantized already, or computes in float16, where int8 overflows.
    """
    if not layer.built:
        raise ValueError(f"Cannot quantize a layer that isn't yet built. Layer '{layer.name}' (of type '{type(layer).__name__}') is "
                         "not built yet.")
    if getattr(layer, "_is_quantized", False):
        raise ValueError(f"Layer '{layer.name}' is already quantized with dtype_policy='{layer._policy_at_path.name}'. "
                         f"Received: mode={mode}")
    if mode == "int8" and layer.compute_dtype == "float16":
        raise ValueError("Quantization mode='int8' doesn't work well with compute_dtype='float16'; use a policy of 'float32' or "
                         "'mixed_bfloat16'.")


class NotFinite(ValueError):
    """A weight has numbers that integers with a scale cannot stand for."""


def check_finite(layer: Any, values: np.ndarray, what: str) -> None:
    """Whether values of a layer may become integers with a scale.

    Raises:
        NotFinite: Some are NaN or infinite: all that share their scale would be 0 or anything. Or float32 has no number for their extent.
    """
    if not np.isfinite(values).all():
        raise NotFinite(f"Layer '{layer.name}' (of type '{type(layer).__name__}') cannot be quantized: its {what} holds NaN or infinite "
                        "numbers. Train again with a smaller learning rate, or load weights that are finite.")
    least, most = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if most - least > float(np.finfo(np.float32).max):
        raise NotFinite(f"Layer '{layer.name}' (of type '{type(layer).__name__}') cannot be quantized: its {what} holds numbers from "
                        f"{least:.3g} to {most:.3g}, more apart than float32 holds. Train again with a smaller learning rate.")


__all__ = ["NotFinite", "Quantizable", "check_finite", "check_quantizable", "not_quantizable", "why_not"]
