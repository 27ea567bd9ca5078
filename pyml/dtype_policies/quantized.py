"""Policies of quantized layers: they are read from files and written to them; no layer of pyml computes so."""

from __future__ import annotations

from typing import Any

from .. import settings
from ..tracebacks import shown
from .policy import QUANTIZATION_MODES, DTypePolicy, dtype_policy


class QuantizedDTypePolicy(DTypePolicy):
    """Weights quantized by `mode`, from layers of the policy `source_name`.

    Args:
        mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`.
        source_name: Name of the policy before; by default the one that is set.

    Raises:
        ValueError: There is no such mode, or int8 is to come from float16.

    Example:
        >>> pyml.dtype_policies.QuantizedDTypePolicy("int8", "float32").name
        'int8_from_float32'
    """

    @shown
    def __init__(self, mode: str, source_name: str | None = None) -> None:
        source_name = dtype_policy().name if source_name is None else source_name
        self._compute_dtype, self._variable_dtype = self._parse_name(source_name)
        if mode not in QUANTIZATION_MODES:
            raise ValueError(f"Invalid quantization mode; expected one of {QUANTIZATION_MODES}. Received: mode={mode!r}")
        if mode == "int8" and self._compute_dtype == "float16":
            raise ValueError("Quantization mode='int8' does not work well with compute_dtype='float16'; use another source_name.")
        self._name = f"{mode}_from_{source_name}"
        self._source_name = source_name
        self._quantization_mode = mode

    def get_config(self) -> dict[str, Any]:
        return {"mode": self._quantization_mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Computation in 8-bit floats, scaled by the largest numbers of the steps before.

    Args:
        mode: `"float8"`.
        source_name: As for `QuantizedDTypePolicy`.
        amax_history_length: Of how many steps the largest numbers are kept.

    Raises:
        TypeError: `amax_history_length` is not an integer.

    Example:
        >>> pyml.dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32").amax_history_length
        1024
    """

    default_amax_history_length = 1024

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(f"`amax_history_length` must be an integer. Received: amax_history_length={amax_history_length!r}")
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """Of how many steps the largest numbers are kept."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self._amax_history_length}


class _Detailed(QuantizedDTypePolicy):
    """A mode with numbers, as in `"gptq/4/128"`: the bits of a weight and the size of a group, or the size alone."""

    _mode = ""
    _bits: tuple[int, ...] = ()  # allowed numbers; none where the mode has no bits

    @shown
    def __init__(self, mode: str, source_name: str | None = None) -> None:
        form = f"{self._mode}/<weight_bits>/<group_size>" if self._bits else f"{self._mode}/<block_size>"
        kind, *texts = str(mode).split("/")
        try:
            numbers = [int(text) for text in texts]
        except ValueError:
            numbers = []
        what = f"Invalid mode for {type(self).__name__}"
        if kind != self._mode or len(numbers) != form.count("/"):
            raise ValueError(f"{what}; expected the form '{form}' with integers. Received: mode={mode!r}")
        if self._bits and numbers[0] not in self._bits:
            raise ValueError(f"{what}; weight_bits must be one of {self._bits}. Received: mode={mode!r}")
        if numbers[-1] < -1 or numbers[-1] == 0:
            raise ValueError(f"{what}; the size must be -1 or a positive integer. Received: mode={mode!r}")
        super().__init__(kind, source_name)
        self._name = f"{mode}_from_{self._source_name}"
        self.mode = kind
        self._text = mode
        self._numbers = numbers

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self._text}


class Int4DTypePolicy(_Detailed):
    """Weights of 4 bits, in blocks.

    Args:
        mode: `"int4/<block_size>"`; -1 is one block for each channel.
        source_name: As for `QuantizedDTypePolicy`.

    Raises:
        ValueError: `mode` has another form.

    Example:
        >>> pyml.dtype_policies.Int4DTypePolicy("int4/128", "float32").block_size
        128
    """

    _mode = "int4"

    @property
    def block_size(self) -> int:
        """Weights of one block, or -1."""
        return self._numbers[-1]


class _Grouped(_Detailed):
    @property
    def weight_bits(self) -> int:
        """Bits of a weight."""
        return self._numbers[0]

    @property
    def group_size(self) -> int:
        """Weights of one group, or -1."""
        return self._numbers[-1]


class GPTQDTypePolicy(_Grouped):
    """Weights quantized by GPTQ.

    Args:
        mode: `"gptq/<weight_bits>/<group_size>"`, of 2, 3, 4 or 8 bits; -1 is one group.
        source_name: As for `QuantizedDTypePolicy`.

    Raises:
        ValueError: `mode` has another form.

    Source: Frantar et al. 2022, "GPTQ".

    Example:
        >>> pyml.dtype_policies.GPTQDTypePolicy("gptq/4/128", "float32").weight_bits
        4
    """

    _mode, _bits = "gptq", (2, 3, 4, 8)


class AWQDTypePolicy(_Grouped):
    """Weights quantized by AWQ.

    Args:
        mode: `"awq/4/<group_size>"`; -1 is a group for each channel.
        source_name: As for `QuantizedDTypePolicy`.

    Raises:
        ValueError: `mode` has another form.

    Source: Lin et al. 2023, "AWQ".

    Example:
        >>> pyml.dtype_policies.AWQDTypePolicy("awq/4/-1", "float32").group_size
        -1
    """

    _mode, _bits = "awq", (4,)


_BY_MODE = {"int8": QuantizedDTypePolicy, "int4": QuantizedDTypePolicy, "float8": QuantizedFloat8DTypePolicy, "gptq": GPTQDTypePolicy,
            "awq": AWQDTypePolicy}  # fmt: skip


def by_name(name: str) -> QuantizedDTypePolicy:
    """The policy of a name such as `"int8_from_float32"`.

    Raises:
        ValueError: The name has another form.
    """
    mode, middle, source = name.partition("_from_")
    kind = mode.partition("/")[0]
    if not middle or kind not in _BY_MODE:
        raise ValueError(f"A quantized policy's name has the form '<mode>_from_<policy>'. Received: {name!r}")
    return Int4DTypePolicy(mode, source) if mode.startswith("int4/") else _BY_MODE[kind](mode, source)


def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers that are made from now on and name none.

    Args:
        policy: A policy or its name, for example `"mixed_float16"`.

    Raises:
        ValueError: It names no policy.

    Example:
        >>> pyml.config.set_dtype_policy("float32")
    """
    if isinstance(policy, str):
        policy = by_name(policy) if policy.startswith(QUANTIZATION_MODES) else DTypePolicy(policy)
    if not isinstance(policy, DTypePolicy):
        raise ValueError(f"set_dtype_policy: policy must be a DTypePolicy or its name, such as 'mixed_float16'. Received: {policy!r}")
    settings.set_policy(policy)
