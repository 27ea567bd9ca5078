"""What was compiled is kept in a page's storage: read when the page starts, written a moment after something new was compiled.

The page's loader says in `PYML_PAGE` which page this is and in `PYML_PROGRAMS` where `pyml build` lists the programs that it
made; on another Pyodide page it is the address of the script or page that Python runs in.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from . import kept
from .scripts import text_of

PAUSE = 1.0  # seconds after something was compiled until all is written, so that a model is written once


class PageStore(kept.MemoryStore):
    """Entries of one page, in memory and in the browser's Cache. Where the page has no storage, in memory only.

    Args:
        script: What `web/kept.js` gives.
        page: The name of the page.
    """

    def __init__(self, script: Any, page: str):
        super().__init__()
        self._script, self.page = script, page
        self._waiting = False
        self._writing: asyncio.Future[None] | None = None

    async def load(self, programs: str | None) -> None:
        """Takes what an earlier visit left; at a first visit, or after another version's, what came with the page."""
        raw = await self._script.load(self.page)
        if raw is None or not self.unpack(raw.to_bytes()):
            raw = await self._script.shipped(self.page, programs)
            if raw is not None:
                self.unpack(raw.to_bytes())

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        if not self._waiting:
            try:
                asyncio.get_running_loop().call_later(PAUSE, self._write)
            except RuntimeError:  # nothing would call it
                return
            self._waiting = True

    def _write(self) -> None:
        self._waiting = False
        self._writing = asyncio.ensure_future(self.save())

    async def save(self) -> None:
        """Writes what is new."""
        if not self.changed:
            return
        self.changed = False
        from pyodide.ffi import to_js

        why = await self._script.save(self.page, to_js(self.pack()))
        if why:
            kept.tell(f"compiled programs cannot be kept ({why}); they are compiled again at every visit.")

    async def clear(self) -> None:
        """Forgets all pages' entries."""
        self._entries.clear()
        self.changed = False
        await self._script.clear()


async def open_store() -> None:
    """Opens the page's storage, once; `PYML_CACHE=off` leaves it shut."""
    if kept.store() is not None or kept.folder() is None:
        return
    from pyodide.code import run_js

    page = os.environ.get("PYML_PAGE") or str(run_js("globalThis.location?.pathname ?? ''"))
    store = PageStore(run_js(text_of("kept.js")), page)
    await store.load(os.environ.get("PYML_PROGRAMS"))
    kept.use(store)
