"""`DTypePolicyMap`: policies by the path of the layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from .configs import deserialize, serialize
from .policy import QUANTIZATION_MODES, DTypePolicy, dtype_policy
from .quantized import by_name


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by the path of the layer, or by a pattern of paths; others get the default.

    Args:
        default_policy: Policy of all paths that no key fits; by default the one that is set.
        policy_map: Dict of paths, or regular expressions of whole paths, to policies.

    Raises:
        ValueError: `default_policy` is a map.
        TypeError: `policy_map` is not a dict.

    Example:
        >>> policies = pyml.dtype_policies.DTypePolicyMap()
        >>> policies["encoder/.*"] = pyml.dtype_policies.DTypePolicy("bfloat16")
        >>> policies["encoder/dense"].name, policies["decoder"].name
        ('bfloat16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("`default_policy` cannot be a `DTypePolicyMap`.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(f"If specified, `policy_map` must be a dict. Received: policy_map={policy_map!r}")
        self._given = default_policy
        self._policy_map: dict[str, Any] = policy_map or {}

    @property
    def default_policy(self) -> Any:
        """The policy of paths that no key fits."""
        return dtype_policy() if self._given is None else _policy(self._given)

    @property
    def name(self) -> str:
        """`map_` and the name of the default policy."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """That of the default policy."""
        return self.default_policy.quantization_mode

    def __getitem__(self, key: str) -> Any:
        if key in self._policy_map:
            return self._policy_map[key]
        fitting = [pattern for pattern in self._policy_map if re.fullmatch(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(f"Path '{key}' matches multiple dtype policy keys: {fitting}; make each path match at most one of them.")
        return self._policy_map[fitting[0]] if fitting else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policy_map:
            raise ValueError(f"{key} already exists in the DTypePolicyMap with value {self._policy_map[key]}; delete it first.")
        self._policy_map[key] = _policy(policy)

    def __delitem__(self, key: str) -> None:
        del self._policy_map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policy_map

    def __len__(self) -> int:
        return len(self._policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy_map)

    def get_config(self) -> dict[str, Any]:
        maps = {key: serialize(policy) for key, policy in self._policy_map.items()}
        given = self._given
        return {"default_policy": serialize(given) if isinstance(given, DTypePolicy) else given, "policy_map": maps}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> DTypePolicyMap:
        """A map from `config`, what `get_config` returned; `custom_objects` are your own policies by name."""
        maps = {key: _policy(value, custom_objects) for key, value in (config.get("policy_map") or {}).items()}
        given = config.get("default_policy")           # a name stays one, as in Keras
        return cls(_policy(given, custom_objects) if isinstance(given, dict) else given, maps)

    def __repr__(self) -> str:
        mapping = [(key, policy.name) for key, policy in self._policy_map.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={mapping}>"

    __hash__ = DTypePolicy.__hash__
    __eq__ = DTypePolicy.__eq__


def _policy(value: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    if isinstance(value, DTypePolicy):
        return value
    if isinstance(value, dict):
        return deserialize(value, custom_objects)
    if not isinstance(value, str):
        raise ValueError(f"A policy of the map must be a DTypePolicy or its name. Received: {value!r}")
    return by_name(value) if value.startswith(QUANTIZATION_MODES) else DTypePolicy(value)
