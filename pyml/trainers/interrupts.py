"""Ctrl-C during training: the step in progress is finished first, so the weights belong to a whole step."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Notes the first Ctrl-C; `check()` raises it between steps. A second one is raised at once."""

    def __init__(self) -> None:
        self.pending = False

    def check(self) -> None:
        """Raises KeyboardInterrupt if Ctrl-C was pressed."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt


@contextmanager
def deferred() -> Iterator[Interrupts]:
    """Inside, Ctrl-C waits for `check()`; where signals cannot be caught (other threads) nothing changes."""
    interrupts = Interrupts()

    def handler(number: int, frame: FrameType | None) -> None:
        if interrupts.pending:
            raise KeyboardInterrupt
        interrupts.pending = True

    try:
        before = signal.signal(signal.SIGINT, handler)
    except (ValueError, OSError):
        yield interrupts
        return
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
