"""Keeps a served site as new as the files it is made from."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pyml import paths

BETWEEN_LOOKS = 0.5  # seconds


class Renewer:
    """Rebuilds a site when a file it is made from changed; looks at most twice a second."""

    def __init__(self, rebuild: Callable[[], object], say: Callable[[str], None] = print):
        self.rebuild, self.say = rebuild, say
        self.lock = threading.Lock()
        self.seen = source_state()
        self.looked = time.monotonic()

    def __call__(self, at_once: bool = False) -> bool:
        """Looks, and rebuilds if need be; says whether it did.

        Args:
            at_once: Look even if somebody has only just looked.
        """
        with self.lock:
            if not at_once and time.monotonic() - self.looked < BETWEEN_LOOKS:
                return False
            state = source_state()
            changed = state != self.seen
            if changed:
                self.seen = state
                try:
                    self.rebuild()
                except Exception as error:  # a file half-saved in an editor must not end the server
                    self.say(f"rebuild failed, serving the last good build: {error}")
            self.looked = time.monotonic()
            return changed


def source_state() -> frozenset[tuple[str, int, int]]:
    """Name, size and time of every file a site is built from, the networks that were fetched among them."""
    root = paths.checkout()
    folders = [paths.PACKAGE, paths.kernels_dir(), paths.web_dir(), *([root / "demos"] if root else []), paths.assets_dir() / "models"]
    return frozenset(entry for folder in folders for path in folder.rglob("*.*") for entry in described(path))


def described(path: Path) -> Iterator[tuple[str, int, int]]:
    """What is remembered of a file; nothing of folders, of what Python writes itself, and of files not yet whole."""
    if path.suffix in (".pyc", ".part"):
        return
    try:
        if path.is_file():
            stat = path.stat()
            yield str(path), stat.st_size, stat.st_mtime_ns
    except OSError:                                    # it went away between the two looks
        return
