"""Cameras and microphones of a page, and what can go wrong with them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Generator
from functools import cache
from typing import Any, ClassVar, Self

from pyml.scripts import body_of

IN_BROWSER = sys.platform == "emscripten"

_REASONS = {                                            # on the desktop; those of pages are in web/media.js
    "missing": "There is no {what}; plug one in and try again.",
    "unplugged": "The {what} was unplugged; start it again when it is there.",
    "stopped": "The {what} was stopped; start it first.",
    "rate": "The {what} cannot be read at the sample rate asked for; leave out sample_rate_hz.",
    "other": "The {what} could not be used.",
}


class MediaError(OSError):
    """A camera or microphone cannot be used.

    `kind` says why: "denied", "policy", "missing", "unmatched", "busy", "unplugged", "hidden", "silent", "stopped",
    "insecure", "unsupported", "rate", "gesture", "page" or "other".

    Args:
        what: `"camera"` or `"microphone"`.
        kind: The word that says why.
        detail: What the browser said.
        text: The message, in place of that of the kind.
    """

    def __init__(self, what: str, kind: str, detail: str = "", text: str = ""):
        text = text or _REASONS[kind].format(what=what)
        super().__init__(f"{text} ({detail})" if detail else text)
        self.kind = kind


@cache
def _script() -> Any:
    from pyodide.code import run_js

    return run_js(f"(() => {{ {body_of('media.js')}\n return {{ local, remote }}; }})()")


class PageDevice:
    """A camera or microphone of the page, also from a worker.

    Args:
        what: `"camera"` or `"microphone"`.
        element: A `<video>` to show the camera in; on the page's own thread only.
    """

    def __init__(self, what: str, element: Any = None):
        import js

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
            raise MediaError(self.what, failed, text=answer.message)
        return answer.value

    def stop(self) -> None:
        """Releases the device at once."""
        self._device.stop()


@cache
def _list_of(what: str) -> PageDevice:
    return PageDevice(what)


async def page_devices(what: str) -> list[dict[str, str]]:
    """The cameras or microphones of the page, also from a worker."""
    if not IN_BROWSER:
        raise RuntimeError(f"{what}s are listed in a page only; on the desktop give the number of a camera, or let the system choose.")
    found = await _list_of(what).call("list")
    return [{"device_id": device.deviceId, "label": device.label} for device in found]


def whole(what: str, name: str, value: Any, least: int = 1) -> None:
    """Raises ValueError unless `value` is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{what}: {name} must be an integer of at least {least}. Received: {name}={value!r}")


class Captured:
    """Part of Webcam and Microphone: loops over what a device captures, which rest while the page is hidden, and its release."""

    _ends: ClassVar[tuple[str, ...]] = ("ended",)      # kinds of errors that end a loop: that of a file is over
    _device: Any
    _running: bool

    async def start(self) -> Self:
        """Starts the device, if it is not running."""
        raise NotImplementedError

    async def capture(self) -> Any:
        """The next element."""
        raise NotImplementedError

    async def _next(self, **wanted: Any) -> Any:
        """What the device has next."""
        await self.start()
        try:
            return await self._device.call("next", **wanted)
        except MediaError as error:
            if error.kind != "hidden":                 # then the same device goes on later
                self.stop()
            raise

    def stop(self) -> None:
        """Releases the device; loops over it end."""
        self._running = False
        self._device.stop()

    def __await__(self) -> Generator[Any, Any, Self]:
        return self.start().__await__()

    async def __aiter__(self) -> AsyncIterator[Any]:
        await self.start()
        while self._running:
            try:
                element = await self.capture()
            except MediaError as error:
                if error.kind in self._ends:
                    return
                if error.kind != "hidden":
                    raise
                await self._device.call("visible")
                continue
            yield element

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *error: object) -> None:
        self.stop()

    def __del__(self) -> None:
        if getattr(self, "_running", False):
            self.stop()
