"""In which dtypes a layer keeps weights and computes, and integers of few bits in their place."""

from __future__ import annotations

from typing import Any

from pyml.dtype_policies import DTypePolicy, DTypePolicyMap
from pyml.dtype_policies.policy import QUANTIZATION_MODES
from pyml.dtypes import standardize
from pyml.layers.quantizable import check_quantizable, not_quantizable
from pyml.layers.signature import policy_of
from pyml.layers.tracking import Tracking


class InDtypes(Tracking):
    """Part of Layer: its path and its dtype policy, and what follows from that."""

    name: str
    built: bool
    _path: str | None
    _dtype_policy: Any

    @property
    def path(self) -> str:
        """Names of the enclosing models and of the layer, joined by `/`."""
        return self._path or self.name

    @property
    def dtype_policy(self) -> DTypePolicy:
        """In which dtypes the layer keeps weights and computes; a map where it was made with one, so that layers inside find theirs."""
        policy: DTypePolicy = self._dtype_policy
        return policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = policy_of(value, self)
        held = self._dtype_policy
        if isinstance(held, DTypePolicyMap) and not isinstance(policy, DTypePolicyMap):
            if self.path in held:
                del held[self.path]
            held[self.path] = policy
        else:
            self._dtype_policy = policy
        if policy.quantization_mode is not None and self.built and not getattr(self, "_is_quantized", False):
            self.quantize(policy.quantization_mode)

    @property
    def _policy_at_path(self) -> DTypePolicy:
        """The policy of this layer: of a map the one at its path."""
        policy = self._dtype_policy
        if type(policy) is DTypePolicy:
            return policy
        return policy[self.path] if isinstance(policy, DTypePolicyMap) else policy

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self._policy_at_path.variable_dtype

    @property
    def dtype(self) -> str:
        """Dtype of the weights, the same as `variable_dtype`."""
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype that the layer's policy computes in; devices compute in 32 bits."""
        return self._policy_at_path.compute_dtype

    @property
    def input_dtype(self) -> str:
        """Dtype that inputs are brought to, that of `compute_dtype`."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """`"int8"` or `"int4"` where the layer computes with quantized weights, else None."""
        return self._policy_at_path.quantization_mode

    @property
    def _device_dtype(self) -> str:
        """The dtype on the device."""
        return standardize(self._policy_at_path.variable_dtype)

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Replaces weights by integers of few bits: what `Dense`, `EinsumDense` and `Embedding` can do.

        Args:
            mode: `"int8"` or `"int4"`.
            type_check: Refuse a subclass, whose `call` may know nothing of such weights.
            config: A `pyml.quantizers.QuantizationConfig`; by default that of the mode.

        Raises:
            NotImplementedError: The layer cannot.
            ValueError: There is no such mode.
        """
        if isinstance(mode, str) and mode not in QUANTIZATION_MODES:
            raise ValueError(f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. Received: mode={mode}")
        check_quantizable(self, str(mode))
        raise not_quantizable(self)

    def quantized_build(self, input_shape: Any, mode: str) -> None:
        """Makes quantized weights in the place of those that `build` makes."""
        raise not_quantizable(self, "quantized_build")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """`call` with quantized weights."""
        raise not_quantizable(self, "quantized_call")
