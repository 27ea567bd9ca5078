"""`Operation`: what users write to stand in a symbolic graph, with a config."""

from __future__ import annotations

from typing import Any

from pyml.core import symbolic
from pyml.objects import registry
from pyml.objects.configured import Configured


class Operation(symbolic.Operation, Configured, kind=registry.NONE, abstract=True):
    """Base of everything that can stand in a symbolic graph: layers and ops. One's own writes `call`.

    Models with it are cloned and saved: its config has what its constructor was given.

    Args:
        name: Name of the operation; by default that of its class, with a number.

    Raises:
        Undefined: It is called and does not define `call`.
        ValueError: `name` is not a string without `/`.

    Source: `keras.Operation`.

    Example:
        >>> class Twice(pyml.Operation):
        ...     def call(self, x):
        ...         return x * 2
        >>> Twice()(pyml.Input((3,))).shape, Twice()(pyml.convert_to_tensor([1.0])).tolist()
        ((None, 3), [2.0])
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)

    def _base_config(self) -> dict[str, Any]:
        return {"name": self.name}
