"""Cameras and microphones of a page, and what can go wrong with them."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

IN_BROWSER = sys.platform == "emscripten"

_REASONS = {
    "denied": "the use of the {what} was not allowed; allow it in the site settings of the browser and try again.",
    "policy": "the frame that holds this page may not use the {what}; add allow=\"{what}\" to the <iframe>, or open the page itself.",
    "missing": "there is no {what}; plug one in and try again.",
    "unmatched": "no {what} has what was asked for; leave out device_id, or choose another one.",
    "busy": "the {what} could not be started; another program may be using it.",
    "unplugged": "the {what} was unplugged, or its use is no longer allowed; call start() when it is there again.",
    "hidden": "the page is hidden, and browsers pause the {what} then; go on when it is visible.",
    "silent": "the {what} gives nothing any more; call stop() and start() it anew.",
    "stopped": "the {what} was stopped; call start() first.",
    "insecure": "browsers give the {what} only to pages from https:// or localhost.",
    "unsupported": "this browser offers no {what} to pages.",
    "rate": "the {what} cannot be read at the sample rate asked for; leave out sample_rate_hz.",
    "gesture": "the browser waits for a click on the page before it starts sound; call start() when a button is pressed.",
    "page": "the page of this worker does not offer its {what}; load Python with web/pyml.js, or run it on the page's own thread.",
    "other": "the {what} could not be used.",
}


class MediaError(OSError):
    """A camera or microphone cannot be used.

    `kind` says why: "denied", "policy", "missing", "unmatched", "busy", "unplugged", "hidden", "silent", "stopped",
    "insecure", "unsupported", "rate", "gesture", "page" or "other".
    """

    def __init__(self, what: str, kind: str, detail: str = ""):
        kind = kind if kind in _REASONS else "other"
        text = _REASONS[kind].format(what=what)
        super().__init__(f"{text} ({detail})" if detail and kind in ("other", "busy", "unmatched", "rate") else text)
        self.kind = kind


@cache
def _script() -> Any:
    from pyodide.code import run_js

    package = Path(__file__).resolve().parent.parent
    shipped, checkout = package / "_data" / "web" / "media.js", package.parent / "web" / "media.js"
    source = (shipped if shipped.is_file() else checkout).read_text(encoding="utf-8")
    body = source.rpartition("export {")[0]            # a module of the page, a plain script here
    return run_js(f"(() => {{ {body}\n return {{ devices, local, remote }}; }})()")


class PageDevice:
    """A camera or microphone of the page, also from a worker.

    Args:
        what: `"camera"` or `"microphone"`.
        element: A `<video>` to show the camera in; on the page's own thread only.
    """

    def __init__(self, what: str, element: Any = None):
        import js  # type: ignore[import-not-found]

        self.what = what
        on_page = hasattr(js, "document")
        if element is not None and not on_page:
            raise ValueError("webcam: a worker cannot reach a <video> of the page; leave it out, or run Python on the page's own thread.")
        self._device = _script().local(what, element) if on_page else _script().remote(what)

    async def call(self, method: str, **options: Any) -> Any:
        """What a method of the device resolves to.

        Raises:
            MediaError: It failed.
        """
        from js import Object
        from pyodide.ffi import to_js

        answer = await getattr(self._device, method)(to_js(options, dict_converter=Object.fromEntries))
        failed = getattr(answer, "failed", None)
        if failed is not None:
            raise MediaError(self.what, failed, getattr(answer, "message", "") or "")
        return answer.value

    def stop(self) -> None:
        """Releases the device at once."""
        self._device.stop()


async def page_devices(kind: str) -> list[dict[str, str]]:
    """The devices of the page of a kind, `"videoinput"` or `"audioinput"`."""
    found = await _script().devices(kind)
    return [{"device_id": device.deviceId, "label": device.label} for device in found]


def whole(what: str, name: str, value: Any, least: int = 1) -> None:
    """Raises ValueError unless `value` is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{what}: {name} must be an integer of at least {least}. Received: {name}={value!r}")
