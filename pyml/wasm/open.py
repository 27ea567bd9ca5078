"""Which engine this interpreter has: with threads where they are wanted and can be had."""

from __future__ import annotations

import sys

from ..errors import BackendUnavailable
from .engine import Engine, PyodideEngine, WasmtimeEngine, has_simd
from .threads import open_threads, wanted


def open_engine() -> Engine:
    """This interpreter's engine.

    Raises:
        BackendUnavailable: there is none, or it has no 128-bit SIMD.
    """
    threads, why = wanted()
    if threads > 1:
        try:
            return _checked(open_threads(threads))
        except BackendUnavailable as e:
            why = str(e)
    return one_thread(why)


def one_thread(why: str) -> Engine:
    """This interpreter's engine that needs no threads; `why` is what its `state` says.

    Raises:
        BackendUnavailable: there is none, or it has no 128-bit SIMD.
    """
    engine: PyodideEngine | WasmtimeEngine = PyodideEngine() if sys.platform == "emscripten" else WasmtimeEngine()
    engine.why = why
    return _checked(engine)


def _checked(engine: Engine) -> Engine:
    if why := has_simd(engine):
        raise BackendUnavailable(f"this WebAssembly engine has no SIMD ({why}); use a newer browser or the cpu backend.")
    return engine
