"""Opening a browser's device from a plain call: by suspending Python where the browser and the caller allow that (JSPI)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

SAID = (
    "this page offers WebGPU, but the call that needed a device cannot wait until it is open, so pyml computes on {name}; "
    "write `await pyml.config.init_async()` once before the first model to use the GPU."
)


def is_offered() -> bool:
    """Whether this page or worker has WebGPU to ask for."""
    try:
        from pyodide.code import run_js
    except ImportError:  # a desktop
        return False
    return bool(run_js("globalThis.navigator?.gpu != null"))


def can_wait() -> bool:
    """Whether this call may suspend: Python was started by `runPythonAsync`, or as a promise, in a browser with JSPI."""
    try:
        from pyodide.ffi import can_run_sync
    except ImportError:  # a desktop
        return False
    return bool(can_run_sync())


def waited(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine, by suspending this call; only where `can_wait()`."""
    from pyodide.ffi import run_sync

    return run_sync(work)
