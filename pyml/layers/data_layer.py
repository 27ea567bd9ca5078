"""What layers of preprocessing that were written for Keras compute with: `self.backend`."""

from __future__ import annotations

from typing import Any

from pyml import ops, random


class _Backend:
    """The ops, with `numpy`, `nn`, `image` and `random` below, as Keras' backends have them."""

    random = random

    def __getattr__(self, name: str) -> Any:
        return getattr(ops, name)


class DataLayer:
    """Part of layers that prepare data: subclasses find the ops as `self.backend`."""

    backend: Any = _Backend()


__all__ = ["DataLayer"]
