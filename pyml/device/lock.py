"""The one lock: whoever traces, binds, runs or reads holds it, so that threads do so one after another.

Programs share scratch memory, plans and a device's queue, and write arguments into buffers of their own, so two of them
must never be half done at once. It is re-entrant (a program may be traced while another runs) and is never held across
an `await`. Finalizers do not take it: they may run inside any thread at any time.
"""

from __future__ import annotations

import os
import threading

LOCK = threading.RLock()


def _renew() -> None:
    """In a forked child: the thread that may have held the lock does not live here."""
    LOCK._at_fork_reinit()  # type: ignore[attr-defined]  # threading has it for its own use, and typeshed does not


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
