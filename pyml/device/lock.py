"""The one lock: whoever traces, binds, runs or reads holds it, so that threads do so one after another.

Programs share scratch memory, plans and a device's queue, and write arguments into buffers of their own, so two of them
must never be half done at once. It is re-entrant (a program may be traced while another runs) and is never held across
an `await`. Finalizers do not take it: they may run inside any thread at any time. Forks do (`forks.py`).
"""

from __future__ import annotations

import threading

LOCK = threading.RLock()
