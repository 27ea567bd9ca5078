"""What training notes on the device about itself, and which weights it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable, changes

if TYPE_CHECKING:
    from pyml.layers.layer import Layer


class Watch:
    """Counts the steps of a fit, and notes the first whose loss was not finite, without telling the host."""

    def __init__(self) -> None:
        self.step = Variable(np.int32(0), name="step", dtype="int32", trainable=False)
        self.first_bad = Variable(np.int32(-1), name="first_bad_step", dtype="int32", trainable=False)
        self.seen = False  # whether the step being traced has been counted

    def begin(self) -> None:
        """Counts anew. For use inside a program."""
        self.step.assign(0)
        self.first_bad.assign(-1)

    def see(self, loss: Tensor) -> None:
        """One more step, with this loss. For use inside a program."""
        self.seen = True
        bad = ops.logical_and(ops.less(self.first_bad, 0), ops.logical_not(ops.isfinite(loss)))
        self.first_bad.assign(ops.where(bad, self.step, self.first_bad))
        self.step.assign_add(1)


class Trained:
    """The weights that steps change: those trainable at the first step after `compile`, and what was made since."""

    def __init__(self) -> None:
        self._first: list[Variable] | None = None
        self._known: set[int] = set()  # and all that there were then
        self._flags: dict[int, bool] = {}  # of the layers when the model was compiled
        self._freezings = 0  # when these were last compared

    def note(self, model: Layer) -> None:
        """The model is compiled with its layers trainable as they are now."""
        self._flags = {id(layer): layer.trainable for layer in model._flatten_layers()}
        self._freezings = changes.freezings

    def changed(self, model: Layer) -> list[str]:
        """Names of layers that have been frozen or unfrozen since; told once."""
        if self._freezings == changes.freezings:  # every step asks, and large models have many layers
            return []
        self._freezings = changes.freezings
        layers = model._flatten_layers()
        found = [layer.name for layer in layers if self._flags.get(id(layer), layer.trainable) != layer.trainable]
        if found:
            self.note(model)
        return found

    def of(self, model: Layer) -> list[Variable]:
        """The weights of `model` that the step being traced changes."""
        weights, now = model.weights, model.trainable_variables
        if self._first is None:
            self._first, self._known = list(now), {id(v) for v in weights}
        still = {id(v) for v in weights}
        return [v for v in self._first if id(v) in still] + [v for v in now if id(v) not in self._known]
