"""`Config`: a dict whose keys are attributes, which can be frozen."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any


class Config:
    """Values under names, as attributes and as keys; once frozen, none changes.

    Args:
        **kwargs: The values.

    Raises:
        AttributeError: A name is unknown; the message has the nearest one.
        ValueError: A frozen Config is changed.

    Example:
        >>> config = pyml.utils.Config(learning_rate=0.1)
        >>> config.units = 3
        >>> config.freeze()
        >>> config.as_dict()
        {'learning_rate': 0.1, 'units': 3}
    """

    __attrs__ = ("_config", "_frozen")

    _config: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_config", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether changes are refused."""
        return self._frozen

    def freeze(self) -> None:
        """Refuses changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allows changes again."""
        object.__setattr__(self, "_frozen", False)

    def _changing(self) -> dict[str, Any]:
        if self.frozen:
            raise ValueError("Cannot mutate attribute(s) because the config is frozen.")
        return self._config

    def as_dict(self) -> dict[str, Any]:
        """The values, as a dict of their own."""
        return dict(self._config)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._config)

    def keys(self) -> Any:
        """The names."""
        return self._config.keys()

    def values(self) -> Any:
        """The values."""
        return self._config.values()

    def items(self) -> Any:
        """Pairs of names and values."""
        return self._config.items()

    def pop(self, *args: Any) -> Any:
        """Removes a value and returns it."""
        return self._changing().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets several values."""
        self._changing().update(*args, **kwargs)

    def get(self, keyname: str, value: Any = None) -> Any:
        """The value of the name `keyname`, or `value`."""
        return self._config.get(keyname, value)

    def __setattr__(self, name: str, value: Any) -> None:
        self._changing()[name] = value

    def __getattr__(self, name: str) -> Any:
        config = self.__dict__.get("_config", {})
        if name in config:
            return config[name]
        near = difflib.get_close_matches(name, config, n=1, cutoff=0.7)
        raise AttributeError(f"Unknown attribute: '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""), obj=self)

    def __setitem__(self, key: str, item: Any) -> None:
        self._changing()[key] = item

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __delitem__(self, key: str) -> None:
        del self._changing()[key]

    def __repr__(self) -> str:
        return f"<Config {self._config}>"

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __contains__(self, item: object) -> bool:
        return item in self._config
