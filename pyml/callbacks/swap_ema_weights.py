"""SwapEMAWeights: validation and predictions with the averaged weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml.callbacks.callback import Callback
from pyml.core import Variable

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Exchanges the weights and their moving averages while the model is evaluated; for optimizers with `use_ema=True`.

    Args:
        swap_on_epoch: Also exchange them at the end of each epoch until the next begins, so that callbacks behind this one, such as
            ModelCheckpoint, meet the averages.

    Raises:
        ValueError: The optimizer keeps no averages.

    Source: keras.callbacks.SwapEMAWeights.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile(pyml.optimizers.SGD(0.1, use_ema=True), "mse")
        >>> x, y = np.ones((8, 2)), np.ones((8, 1))
        >>> history = model.fit(x, y, verbose=0, validation_data=(x, y), callbacks=[pyml.callbacks.SwapEMAWeights()])
        >>> sorted(history.history)
        ['loss', 'val_loss']
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(to=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.swap_on_epoch:
            return
        self._swap(to=True)
        if epoch + 1 == (self.params or {}).get("epochs") or self.model.stop_training:
            for variable, average in self._pairs():  # `fit` takes over the averages at its end, which must not be the old weights
                average.assign(variable.value)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._swap(to=True)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._swap(to=False)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._swap(to=True)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._swap(to=False)

    def _swap(self, to: bool) -> None:
        if self._swapped is to:
            return
        for variable, average in self._pairs():
            value, mean = variable.value, average.value
            variable.assign(mean)
            average.assign(value)
        self._swapped = to

    def _pairs(self) -> Iterator[tuple[Variable, Variable]]:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        several = getattr(optimizer, "optimizers", None)
        kept = [one for one in ([optimizer] if several is None else several) if getattr(one, "use_ema", False)]
        if not kept or any(not one.built for one in kept):
            which = "the optimizer" if several is None else "at least one inner optimizer"
            why = "which has taken no step yet" if kept else "which is not"
            raise ValueError(f"SwapEMAWeights must be used when `use_ema=True` is set on {which}, {why}.")
        for one in kept:
            yield from zip(one._trainable_variables, one._averages, strict=True)
