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

    def convert_weight(self, weight: Any) -> Any:
        """A weight as `self.backend` takes it, which is as it is: there is one backend, also where data is read.

        Source: `keras.layers.DataLayer.convert_weight`, for subclasses that call it.

        Example:
            >>> pyml.layers.Rescaling(2.0).convert_weight(pyml.Variable([1.0])).shape
            (1,)
        """
        return weight


__all__ = ["DataLayer"]
