"""The base of callbacks, with every hook that Keras has."""


from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.objects.configured import Registered
from pyml.objects.registry import CALLBACKS

__all__ = ["Callback"]


class Callback(Registered, kind=CALLBACKS):
    """Base: override the hooks you need; `self.model` is the model, `self.params` holds verbose, epochs, steps.

    `logs` of epoch hooks is a dict of floats. `logs` of batch hooks is a mapping that is read from the device
    when it is looked at, so a hook that looks only at some batches costs nothing at the others.

    Example:
        >>> class Epochs(pyml.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print("epoch", epoch, "of", self.params["epochs"])
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[Epochs()])
        epoch 0 of 2
        epoch 1 of 2
    """

    _ends_last = False  # whether its `on_epoch_end` comes after those of the others, wherever it stands among them

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None
        self._idle_hooks: tuple[Any, ...] = ()

    def set_params(self, params: dict[str, Any]) -> None:
        """Called by `fit` with a dict of `verbose`, `epochs` and `steps`."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called by `fit` with the model."""
        self._model = model

    def _set_others(self, callbacks: list[Callback]) -> None:
        """Called by `fit` with all callbacks."""

    def _progress_names(self) -> tuple[str, ...]:
        """Attributes of numbers that a training which goes on after a kill needs again."""
        return ()

    @property
    def model(self) -> Any:
        """The model that is trained, evaluated or asked for predictions."""
        return self._model

    def on_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before each epoch of `fit`."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after each epoch of `fit`, validation included: `logs` holds `loss`, `val_loss`, ..."""

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each training batch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each training batch; `logs` are the means since the epoch began."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each batch of `evaluate` or of validation."""

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each batch of `evaluate` or of validation."""

    def on_predict_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each batch of `predict`; `logs["outputs"]` holds the predictions."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called once when `fit` begins."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called once when `fit` ends; `logs` are those of the last epoch."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `evaluate` or validation begins."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `evaluate` or validation ends."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `predict` begins."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `predict` ends."""


def rated(model: Any) -> dict[str, Any]:
    """The optimizers of a model that have a learning rate, by the name of the rate in logs."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    several = getattr(optimizer, "optimizers", None)
    return {"learning_rate": optimizer} if several is None else {f"learning_rate_{one.name}": one for one in several}


def log_rates(model: Any, logs: dict[str, Any] | None) -> None:
    """Puts the learning rates into the logs of an epoch."""
    if logs is not None:
        logs.update({name: optimizer.host_learning_rate for name, optimizer in rated(model).items()})


def overrides(callback: Any, *hooks: Any) -> bool:
    """True where the callback's class, or the object itself, writes one of the hooks."""
    idle = getattr(callback, "_idle_hooks", ())
    for hook in hooks:
        method = getattr(callback, hook)
        if getattr(method, "__func__", method) not in (getattr(Callback, hook), *idle):
            return True
    return False
