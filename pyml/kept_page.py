"""What was compiled is kept in a page's storage: read when the page starts, written a moment after something new was compiled.

What came with the page is asked for when something is missing first, in the way that stops Python until it is there: it is sooner
here than compiled. The page begins to load it as soon as the device is open, after which no other file is waited for.

The page's loader says in `PYML_PAGE` which page this is and in `PYML_PROGRAMS` where `pyml build` lists the programs that it
made; on another Pyodide page it is the address of the script or page that Python runs in.
"""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import Callable
from typing import Any

from . import kept
from .scripts import text_of

PAUSE = 1.0  # seconds after something was compiled until all is written, so that a model is written once


class PageStore(kept.MemoryStore):
    """Entries of one page, in memory and in the browser's Cache. Where the page has no storage, in memory only.

    Args:
        script: What `web/kept.js` gives.
        page: The name of the page.
        shipped: The address of the list of what came with pages.
        machine: Says which of that is for this device.
    """

    def __init__(self, script: Any, page: str, shipped: str | None = None, machine: Callable[[], str] = str):
        super().__init__()
        self._script, self.page = script, page
        self._shipped, self._machine = shipped, machine
        self._asked: set[str] = set()
        self._waiting = False
        self._writing: asyncio.Future[None] | None = None

    async def load(self) -> None:
        """Takes what an earlier visit left."""
        raw = await self._script.load(self.page)
        if raw is not None:
            self.unpack(raw.to_bytes())

    def expect(self) -> None:
        """Has the page load what came with it, where an earlier visit left nothing."""
        if self._shipped and not len(self):
            self._script.begin(self.page, self._shipped, self._machine())

    def get(self, key: str) -> bytes | None:
        found = super().get(key)
        if found is None and self._shipped and (machine := self._machine()) not in self._asked:
            self._asked.add(machine)
            raw = self._script.shipped(self.page, self._shipped, machine)
            if raw is not None and self._take(raw.to_bytes()):
                found = super().get(key)
        return found

    def _take(self, raw: bytes) -> bool:
        """Takes what came with the page; some hosts unpack it, others do not."""
        try:
            return self.unpack(zlib.decompress(raw, 31) if raw[:2] == b"\x1f\x8b" else raw)
        except zlib.error:
            return False

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


async def open_store(machine: Callable[[], str]) -> PageStore | None:
    """Opens the page's storage, once; `PYML_CACHE=off` leaves it shut. `machine` says which of the programs that came with the page
    are for the device in use."""
    if kept.store() is not None or kept.folder() is None:
        return None
    from pyodide.code import run_js

    page = os.environ.get("PYML_PAGE") or str(run_js("globalThis.location?.pathname ?? ''"))
    store = PageStore(run_js(text_of("kept.js")), page, os.environ.get("PYML_PROGRAMS"), machine)
    await store.load()
    kept.use(store)
    return store
