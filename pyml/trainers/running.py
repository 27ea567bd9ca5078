"""Which calls on a model are in progress: its metrics, weights and data on the device serve one of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyml.device.lock import LOCK
from pyml.trainers.io import IO

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer


_ENDED = threading.Condition(LOCK)


def _evaluated_by_another(model: Trainer, thread: int) -> bool:
    """Whether all that runs on the model is `evaluate`, in a thread that ends without this one."""
    return bool(model._running_calls) and all(call == "evaluate" and where != thread for call, where in model._running_calls)


@contextmanager
def in_progress(model: Trainer, what: str, io: IO) -> Iterator[bool]:
    """`fit` or `evaluate` of a model; gives True within another one, whose metrics come back at the end.

    Only `evaluate` may run within another call, and only from the same thread without letting others run: from a callback,
    or from a handler of a page while `fit_async` trains. While another thread evaluates, `evaluate` waits.

    Raises:
        RuntimeError: Another call is in progress that would get wrong numbers.
    """
    thread = threading.get_ident()
    with _ENDED:
        while what == "evaluate" and not io.suspends and _evaluated_by_another(model, thread):
            _ENDED.wait()
        others = model._running_calls
        nested = bool(others)
        if nested and (what == "fit" or io.suspends or others[-1][1] != thread):
            other, where = others[-1]
            place = "" if where == thread else " in another thread"
            raise RuntimeError(
                f"{what}: model '{model.name}' is already running a call of {other}{place}; wait until that has ended, "
                f"{'or end it with model.stop_training = True' if other == 'fit' else 'or use a model of its own'}."
            )
        model._running_calls = (*others, (what, thread))
    kept = [(v, v.value) for metric in model.metrics for v in metric.variables] if nested else []
    try:
        yield nested
    finally:
        for variable, value in kept:
            variable.assign(value)
        with _ENDED:
            model._running_calls = others
            _ENDED.notify_all()
