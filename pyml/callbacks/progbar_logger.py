"""The progress bar as a callback."""



from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml import settings
from pyml.callbacks.callback import Callback
from pyml.utils.progbar import Progbar, is_dynamic_display

__all__ = ["ProgbarLogger"]


class ProgbarLogger(Callback):
    """Prints the progress of `fit`, `evaluate` and `predict`; `verbose` decides how."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.verbose = resolve_verbose(params["verbose"])
        self.epochs = params["epochs"]
        self.target = params["steps"]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._called_in_fit = True                     # validation inside fit prints nothing of its own

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._called_in_fit = False

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._called_in_fit:
            self._start()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._start()
        if self.verbose and self.epochs > 1:
            settings.print_msg(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._move(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not self._called_in_fit:
            self._move(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._move(batch, None)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._finish(logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if not self._called_in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._finish(None)

    def _start(self) -> Progbar:
        self.seen = 0
        self.progbar = Progbar(target=self.target, verbose=self.verbose, stateless_metrics=())
        return self.progbar

    def _move(self, batch: int, logs: Mapping[str, Any] | None) -> None:
        bar = self._start() if self.progbar is None else self.progbar
        self.seen = batch + 1
        if self.verbose == 1:
            bar.update(self.seen, list((logs or {}).items()), finalize=False)

    def _finish(self, logs: dict[str, Any] | None) -> None:
        bar = self._start() if self.progbar is None else self.progbar
        if self.target is None:
            self.target = bar.target = self.seen
        bar.update(self.target, list((logs or {}).items()), finalize=True)


def resolve_verbose(verbose: Any) -> int:
    """`"auto"` as 1 where a line can be overwritten (terminal, notebook), else 2: one line per epoch.

    Raises:
        ValueError: `verbose` is none of "auto", 0, 1, 2.
    """
    if verbose == "auto":
        return 1 if is_dynamic_display() and settings.is_interactive_logging_enabled() else 2
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 'auto', 0, 1 or 2. Received: verbose={verbose!r}")
    return int(verbose)
