"""Logs of a batch, read from the device only when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pyml.core import Tensor


class BatchLogs(Mapping[str, Any]):
    """A mapping like the dict that Keras passes to batch hooks.

    Args:
        names: The keys.
        tensor: The values on the device; they do not change when training goes on.
        unpack: Turns the host copy into a dict.
    """

    def __init__(self, names: Sequence[str], tensor: Tensor, unpack: Callable[[np.ndarray], tuple[dict[str, Any], int]]):
        self._names = names
        self._tensor: Tensor | None = tensor
        self._unpack = unpack
        self._values: dict[str, Any] = {}

    def _read(self) -> dict[str, Any]:
        if self._tensor is not None:
            self._values, self._tensor = self._unpack(self._tensor.numpy())[0], None
        return self._values

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __repr__(self) -> str:
        return repr(self._read())
