"""Several callbacks called as one; batch hooks nobody wrote are left out of the training loop."""

from __future__ import annotations

import inspect
from typing import Any

from pyml.callbacks.callback import Callback, overrides
from pyml.callbacks.history import History
from pyml.callbacks.progbar_logger import ProgbarLogger

__all__ = ["CallbackList"]


def _forward(name: str) -> Any:
    """A hook that calls the one of that name on each callback."""
    arguments = inspect.signature(getattr(Callback, name))

    def hook(self: CallbackList, *args: Any, **kwargs: Any) -> None:
        bound = arguments.bind(self, *args, **kwargs)
        bound.arguments["logs"] = {} if bound.arguments.get("logs") is None else bound.arguments["logs"]
        for callback in self.callbacks if name != "on_epoch_end" else sorted(self.callbacks, key=lambda one: one._ends_last):
            getattr(callback, name)(*bound.args[1:])

    hook.__name__ = name
    hook.__doc__ = getattr(Callback, name).__doc__
    return hook


class CallbackList(Callback):
    """Calls each hook on every callback, in order.

    Args:
        callbacks: List of callbacks, or one.
        add_history: Add a `History` where there is none.
        add_progbar: Add a progress bar where there is none.
        model: The model handed to the callbacks.
        params: `verbose`, `epochs` and `steps`, handed to the callbacks.

    Raises:
        TypeError: One of them is not a `Callback`.

    Example:
        >>> heard = pyml.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: print("epoch", epoch))
        >>> pyml.callbacks.CallbackList([heard]).on_epoch_begin(3)
        epoch 3
    """

    def __init__(self, callbacks: Any = None, add_history: bool = False, add_progbar: bool = False, model: Any = None,
                 **params: Any) -> None:
        super().__init__()
        callbacks = [] if callbacks is None else callbacks
        self.callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must be pyml.callbacks.Callback objects. Received: {callback!r}")
        self._history = next((c for c in self.callbacks if isinstance(c, History)), None)
        self._progbar = next((c for c in self.callbacks if isinstance(c, ProgbarLogger)), None)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if self._progbar is None and add_progbar:
            self._progbar = ProgbarLogger()
            self.callbacks.append(self._progbar)
        self.set_model(model)
        if params:
            self.set_params(params)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)
            callback._set_others(self.callbacks)

    def batch_hooks(self, kind: Any) -> Any:
        """Callbacks with a begin hook and callbacks with an end hook for batches of `kind`, in order.

        The progress bar is not among them: the loop moves it a few times a second instead.
        """
        names = {"train": (("on_train_batch_begin", "on_batch_begin"), ("on_train_batch_end", "on_batch_end")),
                 "test": (("on_test_batch_begin",), ("on_test_batch_end",)),
                 "predict": (("on_predict_batch_begin",), ("on_predict_batch_end",))}[kind]
        others = [c for c in self.callbacks if c is not self._progbar]
        return tuple([getattr(c, hooks[0]) for c in others if overrides(c, *hooks)] for hooks in names)

    def notify_nonfinite(self, batch: int) -> None:
        """Tells callbacks that care (TerminateOnNaN) at which batch the loss stopped being finite."""
        for callback in self.callbacks:
            hook = getattr(callback, "on_nonfinite_loss", None)
            if hook is not None:
                hook(batch)

    def broke(self, error: BaseException) -> None:
        """Tells the progress bar that the call ends with an error."""
        if self._progbar is not None:
            self._progbar.broke(error)

    def __iter__(self) -> Any:
        return iter(self.callbacks)

    on_epoch_end = _forward("on_epoch_end")
    on_batch_begin = _forward("on_batch_begin")
    on_batch_end = _forward("on_batch_end")
    on_epoch_begin = _forward("on_epoch_begin")
    on_train_batch_begin = _forward("on_train_batch_begin")
    on_train_batch_end = _forward("on_train_batch_end")
    on_test_batch_begin = _forward("on_test_batch_begin")
    on_test_batch_end = _forward("on_test_batch_end")
    on_predict_batch_begin = _forward("on_predict_batch_begin")
    on_predict_batch_end = _forward("on_predict_batch_end")
    on_train_begin = _forward("on_train_begin")
    on_train_end = _forward("on_train_end")
    on_test_begin = _forward("on_test_begin")
    on_test_end = _forward("on_test_end")
    on_predict_begin = _forward("on_predict_begin")
    on_predict_end = _forward("on_predict_end")
