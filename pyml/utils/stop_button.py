"""A button below a cell that ends `fit`: in a tab the kernel of a notebook (JupyterLite's) hears no interrupt while a cell runs."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import Any

from pyml.utils.notebooks import in_notebook


class StopButton:
    """Heard by the Python of a tab while it waits; use it in `check` between steps, and close it.

    The page is another thread than Python, and its output may come from anywhere: the two find each other by the name of a channel.
    """

    def __init__(self) -> None:
        from js import BroadcastChannel
        from pyodide.ffi import create_proxy

        self.pressed = False
        self._name = f"pyml-stop-{secrets.token_hex(8)}"
        self._heard = create_proxy(self._press)
        self._channel: Any = BroadcastChannel.new(self._name)
        self._channel.onmessage = self._heard

    def _press(self, event: Any) -> None:
        self.pressed = True

    @property
    def html(self) -> str:
        """The button, for the output of a cell."""
        script = f"const to = new BroadcastChannel('{self._name}'); to.postMessage(1); to.close(); this.disabled = true"
        # The output is drawn anew between the press and the release of a button, and a click is both on one element.
        return f'<button type="button" onpointerdown="{script}" onclick="{script}">Stop</button>'

    def check(self) -> None:
        """Lets messages arrive, and raises KeyboardInterrupt if one of them is the button's."""
        from pyodide.ffi import run_sync

        run_sync(asyncio.sleep(0))
        if self.pressed:
            self.pressed = False
            raise KeyboardInterrupt

    def close(self) -> None:
        """Hears no more."""
        self._channel.close()
        self._heard.destroy()


def stop_button() -> StopButton | None:
    """A new button where one is needed and Python can hear it: a notebook in a tab whose browser has JSPI."""
    if sys.platform != "emscripten" or not in_notebook():
        return None
    from pyodide.ffi import can_run_sync

    return StopButton() if can_run_sync() else None
