"""The browser's half of the store: a file from the page's cache, or from its site with progress, and then cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

from pyml.errors import HubError

_SOURCE = """
(() => {
  const open = async () => {                           // without a secure context there is no cache: every visit loads
    try { return await caches.open("pyml-models"); } catch { return null; }
  };
  const label = (url, sha256) => `${url}${url.includes("?") ? "&" : "?"}sha256=${sha256}`;

  async function load(url, total, tell) {
    const given = new AbortController(), { signal } = given;
    let quiet = 0;                                     // seconds in which nothing comes
    const clock = setInterval(() => { if (++quiet > 30) given.abort(new Error("nothing came for 30 seconds")); }, 1000);
    const heard = () => { quiet = 0; };
    try { return await loadWith(url, total, tell, signal, heard); } finally { clearInterval(clock); }
  }

  async function loadWith(url, total, tell, signal, heard) {
    let answer;
    const why = (error, told) => signal.reason?.message ?? told(String(error.message ?? error));
    try { answer = await fetch(url, { signal }); } catch (error) { return { failed: why(error, (text) => text) }; }
    if (!answer.ok) return { failed: `the server answered ${answer.status}`, absent: answer.status === 404 };
    const bytes = new Uint8Array(total);
    let received = 0;
    const reader = answer.body.getReader();
    for (;;) {
      let part;
      try { part = await reader.read(); } catch (error) { return { failed: why(error, (text) => `it ended early (${text})`) }; }
      heard();
      const { done, value } = part;
      if (done) break;
      if (received + value.length > total) { reader.cancel(); return { failed: "it is longer than it should be" }; }
      bytes.set(value, received);
      received += value.length;
      tell?.(received);
    }
    return received === total ? { bytes } : { failed: `it ends after ${received} of ${total} bytes` };
  }

  return {
    load,
    async cached(url, sha256) {
      const hit = await (await open())?.match(label(url, sha256));
      return hit ? new Uint8Array(await hit.arrayBuffer()) : undefined;  // null would not become None
    },
    async keep(url, sha256, bytes) {                   // a full disk is no reason to fail: the file is there already
      try {
        const store = await open();
        if (store === null) return;
        for (const key of await store.keys()) if (key.url.startsWith(label(url, ""))) await store.delete(key);
        await store.put(label(url, sha256), new Response(bytes, { headers: { "Content-Length": String(bytes.length) } }));
      } catch { /* loaded again on the next visit */ }
    },
    async forget(url, sha256) { await (await open())?.delete(label(url, sha256)); },
  };
})()
"""


class Absent(Exception):
    """The site holds no such file."""


@cache
def _script() -> Any:
    from pyodide.code import run_js

    return run_js(_SOURCE)


async def bring(url: str, sha256: str, size: int, progress: Callable[[int], object] | None = None) -> bytes:
    """A file of the page's site, checked.

    Args:
        url: Its address.
        sha256, size: What it must be.
        progress: Called with the bytes received so far.

    Raises:
        Absent: The site does not hold it.
        HubError: It cannot be loaded, or it is another file.
    """
    script = _script()
    held = await script.cached(url, sha256)
    if held is not None:
        data = held.to_bytes()
        if hashlib.sha256(data).hexdigest() == sha256:
            if progress is not None:
                progress(size)
            return data
        await script.forget(url, sha256)
    tell = None
    if progress is not None:
        from pyodide.ffi import create_proxy

        tell = create_proxy(progress)
    try:
        found = await script.load(url, size, tell)
    finally:
        if tell is not None:
            tell.destroy()
    if getattr(found, "absent", False):
        raise Absent(f"{url} could not be loaded, {found.failed}")
    if getattr(found, "failed", None) is not None:
        raise HubError(f"hub: {url} could not be loaded: {found.failed}.")
    data = found.bytes.to_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise HubError(f"hub: {url} is not the file that this version of pyml needs; build the site again.")
    await script.keep(url, sha256, found.bytes)
    return data


async def status(url: str) -> int:
    """What the site's server answers when asked for a file without its bytes; 0 where it cannot be reached."""
    from pyodide.http import pyfetch  # type: ignore[import-not-found]

    try:
        return int((await pyfetch(url, method="HEAD")).status)
    except OSError:                                    # no network: what the page has kept may do
        return 0
