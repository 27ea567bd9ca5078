"""What `fit` returns."""



from __future__ import annotations

from typing import Any

from pyml.callbacks.callback import Callback

__all__ = ["History"]


class History(Callback):
    """Keeps the logs of every epoch: `history.history["loss"][epoch]`, `history.epoch`."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
