"""RemoteMonitor: the logs of every epoch for a server."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
import urllib.request
from typing import Any

import numpy as np

from pyml import config
from pyml.callbacks.callback import Callback
from pyml.tracebacks import warn

__all__ = ["RemoteMonitor"]


class RemoteMonitor(Callback):
    """Sends epoch and logs to `root + path` by HTTP POST at the end of every epoch; a server that is not there is a warning.

    In a tab the page sends them, beside the training; the server must allow that (CORS).

    Args:
        root: URL of the server.
        path: What follows in it.
        field: Name of the form's field that holds the JSON.
        headers: Dict of more HTTP headers.
        send_as_json: Send the JSON itself instead of a form.

    Source: keras.callbacks.RemoteMonitor.

    Example:
        model.fit(x, y, callbacks=[pyml.callbacks.RemoteMonitor("http://localhost:9000", send_as_json=True)])
    """

    def __init__(self, root: str = "http://localhost:9000", path: str = "/publish/epoch/end/", field: str = "data",
                 headers: dict[str, str] | None = None, send_as_json: bool = False) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json
        self._sending: set[Any] = set()  # the event loop itself keeps no task alive

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = {"epoch": epoch, **(logs or {})}
        text = json.dumps({k: v.item() if isinstance(v, np.generic | np.ndarray) else v for k, v in values.items()})
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        if config.IN_BROWSER:
            task = asyncio.ensure_future(self._fetch(body, headers))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            return
        try:
            request = urllib.request.Request(self.root + self.path, body.encode(), headers, method="POST")
            with urllib.request.urlopen(request, timeout=10):
                pass
        except (OSError, ValueError) as error:
            if getattr(error, "code", None) is None:  # an answer that is an error was an answer
                self._unreachable(error)

    async def _fetch(self, body: str, headers: dict[str, str]) -> None:
        from pyodide.http import pyfetch

        try:
            await pyfetch(self.root + self.path, method="POST", body=body, headers=headers)
        except Exception as error:  # of JavaScript too, which has no common base with those of Python
            self._unreachable(error)

    def _unreachable(self, error: Exception) -> None:
        warn(f"Could not reach RemoteMonitor root server at {self.root} ({error}).")
