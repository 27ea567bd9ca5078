"""Networks that a page of the local server asks for: downloaded one after the other, with their progress."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

from pyml.cli.request import Refused
from pyml.hub.fetch import AssetError, fetch_models, is_ready, models_dir
from pyml.hub.registry import REGISTRY, Entry

Fetch = Callable[[Entry, Callable[[int, int], object]], object]


def fetch_entry(entry: Entry, progress: Callable[[int, int], object]) -> Path:
    """Downloads and converts one network."""
    return fetch_models([entry.name], say=lambda line: None, progress=progress)


class Fetching:
    """What pages may ask for and how far it is.

    Args:
        after: Called when a network has come, to bring the site up to date.
        fetch: What brings one; `fetch(entry, progress)`.
    """

    def __init__(self, after: Callable[[], object], fetch: Fetch = fetch_entry):
        self.after, self.fetch = after, fetch
        self.one_at_a_time, self.lock = threading.Lock(), threading.Lock()
        self.states: dict[str, dict[str, object]] = {}  # of those that were asked for

    def entry(self, parts: list[str]) -> Entry:
        """The network that `/hub/NAME` means.

        Raises:
            Refused: There is none of that name.
        """
        entry = REGISTRY.get(parts[1]) if len(parts) == 2 else None
        if entry is None or not entry.served:
            raise Refused(404, "there is no such network; `pyml hub list` shows all.")
        return entry

    def describe(self, parts: list[str]) -> str:
        """JSON: `name`, `state` (`absent`, `fetching`, `here` or `failed`), `size` and `download` in bytes, and meanwhile
        `received`, `total`, or the `error`."""
        entry = self.entry(parts)
        with self.lock:
            state = dict(self.states.get(entry.name) or {"state": "here" if is_ready(entry, models_dir() / entry.name) else "absent"})
        return json.dumps({"name": entry.name, "size": entry.size, "download": entry.download, **state})

    def begin(self, parts: list[str]) -> None:
        """Starts a download, unless it is under way."""
        entry = self.entry(parts)
        with self.lock:
            if self.states.get(entry.name, {}).get("state") == "fetching":
                return
            self.states[entry.name] = {"state": "fetching", "received": 0, "total": entry.download}
        threading.Thread(target=self.bring, args=(entry,), daemon=True).start()

    def bring(self, entry: Entry) -> None:
        def progress(received: int, total: int) -> None:
            self.states[entry.name] = {"state": "fetching", "received": received, "total": total}

        try:
            with self.one_at_a_time:
                self.fetch(entry, progress)
                self.after()
        except (AssetError, OSError) as error:
            self.states[entry.name] = {"state": "failed", "error": str(error)}
        else:
            self.states[entry.name] = {"state": "here"}
