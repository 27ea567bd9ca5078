"""What a call of `fit`, `evaluate` or `predict` asks for, checked before anything else happens."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyml import settings

_NUMBERS = (("batch_size", 1, True), ("validation_batch_size", 1, True), ("steps", 1, True), ("validation_steps", 1, True),
            ("epochs", 0, False), ("initial_epoch", 0, False))  # fmt: skip  # name, least value, whether it may be None


@dataclass(kw_only=True)
class Options:
    """The arguments of one call; names and defaults are Keras', and those that a call does not have keep theirs.

    Args:
        what: The method, for messages.
        steps: `steps_per_epoch` of `fit`, `steps` of the others.

    Raises:
        ValueError: An argument is out of range.
        TypeError: An argument is of another kind.
    """

    what: str
    x: Any = None
    y: Any = None
    sample_weight: Any = None
    class_weight: dict[int, float] | None = None
    batch_size: int | None = None
    epochs: int = 1
    initial_epoch: int = 0
    steps: int | None = None
    shuffle: bool = True
    verbose: int | str = "auto"
    callbacks: Any = None
    validation_split: float = 0.0
    validation_data: Any = None
    validation_batch_size: int | None = None
    validation_steps: int | None = None
    validation_freq: int | Sequence[int] = 1

    def __post_init__(self) -> None:
        for name, least, optional in _NUMBERS:
            value = getattr(self, name)
            if (value is not None or not optional) and not (type(value) is int and value >= least):
                whole_number(self.what, "steps_per_epoch" if name == "steps" and self.what == "fit" else name, value, least)
        most = settings.max_epochs()
        if most is not None and self.what == "fit":
            self.epochs = min(self.epochs, most)
        if not isinstance(self.validation_split, (int, float)) or not 0 <= self.validation_split < 1:
            raise ValueError(f"fit: validation_split must lie in (0, 1). Received: validation_split={self.validation_split!r}")
        if self.verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"{self.what}: verbose must be 0, 1, 2 or 'auto'. Received: verbose={self.verbose!r}")
        if self.class_weight is not None and not isinstance(self.class_weight, dict):
            raise TypeError(f"{self.what}: class_weight must be a dict of class to weight. Received: {self.class_weight!r}")
        if isinstance(self.validation_freq, (str, bytes)) or not hasattr(self.validation_freq, "__contains__"):
            self.validation_freq = whole_number(self.what, "validation_freq", self.validation_freq, 1)

    def validates_after(self, epoch: int) -> bool:
        """True where validation runs after epoch number `epoch`, counted from 1."""
        frequency = self.validation_freq
        return epoch % frequency == 0 if isinstance(frequency, int) else epoch in frequency


def whole_number(what: str, name: str, value: Any, least: int) -> int:
    """`value` as an integer; raises unless it is one of at least `least`."""
    kind = "a positive integer" if least == 1 else f"an integer from {least}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{what}: {name} must be {kind}. Received: {name}={value!r}") from None
    if number < least or isinstance(value, bool):
        raise ValueError(f"{what}: {name} must be {kind}. Received: {name}={value!r}")
    return number
