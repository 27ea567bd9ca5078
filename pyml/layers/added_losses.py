"""Losses that layers add while they are called, and the penalties of their weights."""

from __future__ import annotations

import weakref
from typing import Any

from pyml.core.trace import stateless_here
from pyml.core.tree import flatten
from pyml.errors import DtypeError, returned
from pyml.layers.kept_weights import KeptWeights

_holding: weakref.WeakSet[AddedLosses] = weakref.WeakSet()  # layers that hold losses of their last call: without any, no call looks


class AddedLosses(KeptWeights):
    """Part of Layer: what calls add to the loss."""

    _losses: list[Any]

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar tensor to the loss of this call."""
        losses = [x for x in flatten(loss) if x is not None]
        if any(isinstance(x, str) for x in losses):
            raise DtypeError(f"add_loss: expected a scalar tensor. Received: {loss!r}")
        scope = stateless_here()
        if scope is None:
            self._losses.extend(losses)
            _holding.add(self)
        elif scope.collect_losses:
            for x in losses:
                scope.add_loss(x, self)

    @property
    def losses(self) -> list[Any]:
        """Penalties of the last call and of the weights, of this layer and of all layers inside."""
        found: list[Any] = []
        scope = stateless_here()
        for layer in self._flatten_layers():
            found.extend(layer._losses if scope is None else scope.losses_of(layer))
        for variable in self.trainable_weights:
            regularizer = getattr(variable, "regularizer", None)
            if regularizer is not None:
                found.append(returned(regularizer(variable), f"the regularizer of {variable.path!r}"))
        return found

    def _clear_losses(self) -> None:
        scope = stateless_here()
        if scope is None and not _holding:
            return
        for layer in self._flatten_layers():
            if scope is not None:
                scope.clear_losses(layer)
                continue
            if layer._losses:
                layer._keep_apart(_losses=[])
            _holding.discard(layer)
