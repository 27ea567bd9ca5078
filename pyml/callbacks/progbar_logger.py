"""The progress bar as a callback."""


from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml import settings
from pyml.callbacks.callback import Callback
from pyml.utils import notebooks
from pyml.utils.notebook_progress import NotebookProgress, stopped
from pyml.utils.progbar import Progbar, is_dynamic_display

__all__ = ["ProgbarLogger"]


class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict`: `verbose` decides how.

    A notebook draws it in one place below the cell, unless the environment says `PYML_PROGRESS=text`; elsewhere it is printed.

    Example:
        >>> isinstance(pyml.callbacks.ProgbarLogger(), pyml.callbacks.Callback)
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False
        self._drawn: NotebookProgress | None = None    # in a notebook

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.verbose = resolve_verbose(params["verbose"])
        self.epochs = params["epochs"]
        self.target = params["steps"]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._called_in_fit = True                     # validation inside fit prints nothing of its own
        self._draw("fit", self.epochs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._called_in_fit = False
        if self._drawn is not None:
            self._drawn.finished()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._called_in_fit:
            self._draw("evaluate")
            self._start()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._draw("predict")
        self._start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._start(epoch)
        if self.verbose and self.epochs > 1 and self._drawn is None:
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

    def broke(self, error: BaseException) -> None:
        """The call ended with an error, or was interrupted."""
        stopped(self._drawn, error)

    def _draw(self, what: str, epochs: int = 1) -> None:
        drawn = self.verbose == 1 and settings.is_interactive_logging_enabled() and notebooks.shows_progress()
        self._drawn = NotebookProgress(what, epochs) if drawn else None

    def _start(self, epoch: int = 0) -> Progbar:
        self.seen = 0
        if self._drawn is not None:
            self.progbar = self._drawn.bar(self.target, epoch)
        else:
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
    """`"auto"` as 1 where progress can change in its place (terminal, notebook), else 2: one line per epoch.

    Raises:
        ValueError: `verbose` is none of "auto", 0, 1, 2.
    """
    if verbose == "auto":
        return 1 if (is_dynamic_display() or notebooks.shows_progress()) and settings.is_interactive_logging_enabled() else 2
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 'auto', 0, 1 or 2. Received: verbose={verbose!r}")
    return int(verbose)
