"""Elements made ahead in a thread, for a plain `for` on the desktop."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

from pyml.data.waiting import driven


def in_thread(source: Any, size: int) -> Iterator[Any]:
    """The elements of a stream, up to `size` of them made ahead; the thread ends with the iterator.

    In a browser, which has no threads for Python, each is made when it is asked for.
    """
    if sys.platform == "emscripten":
        yield from driven(source())
        return
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(size)
    left = threading.Event()

    def put(kind: str, value: Any) -> bool:
        while not left.is_set():
            try:
                ready.put((kind, value), timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def fill() -> None:
        stream = driven(source())
        try:
            for element in stream:
                if not put("element", element):
                    return
                del element                            # the queue may be all that holds it
            put("end", None)
        except BaseException as error:
            put("error", error)
        finally:
            stream.close()                             # type: ignore[attr-defined]

    thread = threading.Thread(target=copy_context().run, args=(fill,), daemon=True, name="pyml-prefetch")
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        left.set()
        while not ready.empty():                       # makes room for a put that waits
            ready.get_nowait()
        thread.join()
