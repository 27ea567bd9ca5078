"""Logs that a step of one's own returns, kept on the device: those of the last step count, as in Keras."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.core.trace import tracing


def flat_logs(logs: dict[str, Any]) -> dict[str, Any]:
    """Logs in the order of their names; dicts among them are taken apart."""
    found: dict[str, Any] = {}
    for name, value in sorted(logs.items()):
        found.update(flat_logs(value) if isinstance(value, dict) else {name: value})
    return found


def joined(values: Sequence[Any]) -> Tensor:
    """Numbers and tensors as one float32 vector."""
    return ops.concatenate([ops.reshape(ops.cast(ops.convert_to_tensor(v), "float32"), (-1,)) for v in values], axis=0)


def is_number(value: Any) -> bool:
    """Whether a log can be kept on the device."""
    return hasattr(value, "shape") or isinstance(value, (int, float, np.generic))


class LastLogs:
    """The numbers among some logs as a vector in a Variable; texts and the like are left out.

    Args:
        logs: Flat logs; while a program is traced, tensors of it.
    """

    def __init__(self, logs: dict[str, Any]):
        self.shapes = {name: tuple(np.shape(value) if not hasattr(value, "shape") else value.shape)
                       for name, value in logs.items() if is_number(value)}  # fmt: skip
        size = sum(math.prod(shape) for shape in self.shapes.values())
        with tracing(None):
            self.values = Variable(np.zeros(max(size, 1), "float32"), name="logs", trainable=False)

    def fits(self, logs: dict[str, Any]) -> bool:
        """Whether other logs have the same names and shapes."""
        numbers = {name: value for name, value in logs.items() if is_number(value)}
        return self.shapes == {name: tuple(getattr(value, "shape", ())) for name, value in numbers.items()}

    def assign(self, logs: dict[str, Any]) -> None:
        """These are the last logs. For use inside a program."""
        if self.shapes:
            self.values.assign(joined([logs[name] for name in self.shapes]))

    def vector(self, first_bad: Any) -> Tensor:
        """The numbers and the first bad step. For use inside a program."""
        return joined([self.values, first_bad] if self.shapes else [first_bad])
