"""What the browser's own places have in common: whether this is a browser, their errors, and waiting for them."""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import PymlError, SyncReadError

IN_BROWSER = sys.platform == "emscripten"


class ModelStoreError(PymlError, OSError):
    """A place of the browser cannot be used here, or has no room."""


def in_browser(target: str) -> None:
    """Raises ModelStoreError on the desktop."""
    if not IN_BROWSER:
        raise ModelStoreError(
            f"{target}: only a browser has such a place; on the desktop use the path of a folder, such as 'models/digits'."
        )


def wait(work: Coroutine[Any, Any, Any], instead: str) -> Any:
    """The result of a coroutine, by suspending this call.

    Raises:
        SyncReadError: This browser cannot do that; the message says what to write.
    """
    if IN_BROWSER:
        from pyodide.ffi import can_run_sync, run_sync

        if can_run_sync():
            return run_sync(work)
    work.close()
    raise SyncReadError(f"This browser cannot wait here; write `{instead}`.")


@contextmanager
def naming(instead: str) -> Iterator[None]:
    """Errors of a browser that cannot wait for values say what to write for this call."""
    try:
        yield
    except SyncReadError:
        raise SyncReadError(f"This browser cannot wait here; write `{instead}`.") from None
