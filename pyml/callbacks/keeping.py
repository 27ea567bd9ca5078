"""What callbacks share that read a model's state while it is trained: when they do, and where its values come from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml.callbacks.callback import Callback
from pyml.core import Variable

__all__: list[str] = []


class Reading:
    """Mixin: asks for the values of Variables ahead, where a hook cannot wait for them (a tab whose WebGPU only answers later)."""

    arrays: dict[int, np.ndarray] | None = None

    def reads(self, hook: str, number: int) -> Sequence[Variable]:
        """The Variables that this call of a hook reads; the loop hands them to `take` before, where the hook could not wait."""
        return ()

    def take(self, variables: Sequence[Variable], values: Sequence[np.ndarray]) -> None:
        """Called by the loop with the `variables` that `reads` asked for and their `values`."""
        self.arrays = {id(variable): value for variable, value in zip(variables, values, strict=True)}

    def value_of(self, variable: Variable) -> np.ndarray:
        """The value of `variable` on the host."""
        known = None if self.arrays is None else self.arrays.get(id(variable))
        return variable.numpy() if known is None else known


def state_of(model: Any) -> list[Variable]:
    """All that a file of a model holds: weights, states of random numbers, and the optimizer's state."""
    optimizer = getattr(model, "optimizer", None)
    return list({id(v): v for v in (*model.variables, *(optimizer.variables if optimizer is not None else ()))}.values())


def save(callback: Any, path: str, weights_only: bool) -> None:
    """Writes the model of a callback, by its own method where that can read."""
    model, arrays = callback.model, callback.arrays
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if arrays is not None:
        model._save_known(path, arrays | _rate_set_since(model, arrays), weights_only)
    elif weights_only:
        model.save_weights(path, overwrite=True)
    else:
        model.save(path, overwrite=True)
    callback.arrays = None


def _rate_set_since(model: Any, arrays: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The learning rate that another callback has set after the values were read."""
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(optimizer, "_learning_rate", None)
    if not isinstance(rate, Variable) or id(rate) not in arrays or rate._remembered is None:
        return {}
    return {id(rate): np.full_like(arrays[id(rate)], rate._remembered)}


class Batches:
    """Counts batches between two saves, also over the ends of epochs.

    Args:
        every: Batches from one save to the next; None never saves.
    """

    def __init__(self, every: int | None):
        self.every, self.seen, self.last = every, 0, -1

    def _seen(self, batch: int) -> int:
        return self.seen + (batch + 1 if batch <= self.last else batch - self.last)

    def due(self, batch: int) -> bool:
        """True where the end of this batch is one for a save."""
        return self.every is not None and self._seen(batch) >= self.every

    def count(self, batch: int) -> bool:
        """`due`; the batch has ended."""
        due = self.due(batch)
        self.seen, self.last = 0 if due else self._seen(batch), batch
        return due


def batches_of(owner: str, save_freq: Any) -> int | None:
    """`save_freq` as a number of batches, None for "epoch" or False.

    Raises:
        ValueError: It is neither.
    """
    if save_freq == "epoch" or save_freq is False:
        return None
    if isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1:
        raise ValueError(f"{owner}: unrecognized save_freq; give 'epoch' or a number of batches. Received: save_freq={save_freq!r}")
    return save_freq


def idle(callback: Callback, *hooks: Any) -> None:
    """Hooks of the class that this object does not need: the training loop leaves them out."""
    callback._idle_hooks = hooks
