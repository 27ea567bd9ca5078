"""`DTypePolicy`, and the one that layers take where they name none."""

from __future__ import annotations

from typing import Any, Self

from .. import settings
from ..dtypes import FLOATS, keras_name
from ..tracebacks import is_ours, shown

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")
_MIXED = {"mixed_float16": ("float16", "float32"), "mixed_bfloat16": ("bfloat16", "float32")}


class DTypePolicy:
    """In which dtype a layer computes and in which it keeps its weights.

    Devices compute in 32 bits and store 32 bits a number, so a policy of 16 bits makes nothing faster or smaller: it
    names the dtype of what comes out, and is there so that code written for other devices runs.

    Args:
        name: A dtype, for both; or `"mixed_float16"` or `"mixed_bfloat16"`, which compute in 16 bits and keep weights
            in float32. By default the policy that is set.

    Raises:
        TypeError: `name` is not a string.
        ValueError: It names no policy.

    Example:
        >>> policy = pyml.dtype_policies.DTypePolicy("mixed_float16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('float16', 'float32')
    """

    @shown
    def __init__(self, name: str | None = None) -> None:
        self._name: str = dtype_policy().name if name is None else name
        self._compute_dtype, self._variable_dtype = self._parse_name(self._name)
        self._quantization_mode: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_ours(cls) and not cls.__name__.startswith("_"):
            CLASSES[cls.__name__] = cls

    def _parse_name(self, name: Any) -> tuple[str, str]:
        if not isinstance(name, str):
            raise TypeError(f"'name' must be a string, such as 'mixed_float16'. Received: name={name!r}")
        if name in _MIXED:
            return _MIXED[name]
        try:
            dtype = keras_name(name)
        except ValueError:
            raise ValueError(
                f"Cannot convert {name!r} to a DTypePolicy; use 'mixed_float16', 'mixed_bfloat16' or the name of a dtype."
            ) from None
        return dtype, dtype

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of what a layer returns."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of a layer's weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantized, or None."""
        return self._quantization_mode

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """`x` in `dtype` where it is a tensor or array of floats of another dtype and `autocast` holds; else as it is."""
        dtype = keras_name(dtype)
        mine = getattr(x, "dtype", None)
        if mine is None or not autocast or keras_name(mine) not in FLOATS or keras_name(mine) == dtype:
            return x
        return x.astype(dtype)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A policy from `config`, what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f'<{"DTypePolicy" if name == "FloatDTypePolicy" else name} "{self._name}">'

    def __eq__(self, other: object) -> bool:
        plain = (DTypePolicy, FloatDTypePolicy)
        if type(self) is not type(other) and not (type(self) in plain and type(other) in plain):
            return False
        return isinstance(other, DTypePolicy) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self.name)


CLASSES: dict[str, type] = {"DTypePolicy": DTypePolicy}  # all of pyml's own, by name


class FloatDTypePolicy(DTypePolicy):
    """Another name of `DTypePolicy`, and equal to one of the same name.

    Example:
        >>> pyml.dtype_policies.FloatDTypePolicy("float32") == pyml.dtype_policies.DTypePolicy("float32")
        True
    """


def dtype_policy() -> Any:
    """The policy of layers that name none: that of `floatx()` unless one was set.

    Example:
        >>> pyml.config.dtype_policy()
        <DTypePolicy "float32">
    """
    return settings.policy() or DTypePolicy(settings.floatx())
