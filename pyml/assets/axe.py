"""axe-core, with which tests look for what keeps people from using a page; neither pyml nor its pages use it."""

from collections.abc import Callable
from pathlib import Path

from pyml import paths
from pyml.assets import pins
from pyml.assets.download import AssetError, npm_pack, unpack


def script() -> Path:
    """The file that tests put into pages.

    Raises:
        AssetError: It has not been fetched.
    """
    path = paths.build_dir() / "axe-core" / "axe.min.js"
    if not path.is_file():
        raise AssetError("axe-core is not here; `make test` fetches it (python3 tools/setup.py --tests).")
    return path


def fetch(cache: Path, say: Callable[[str], None] = print) -> None:
    """Puts it where `script` finds it.

    Raises:
        AssetError: It could not be fetched, or is not the one pinned.
    """
    pin = pins.AXE
    folder = paths.build_dir() / "axe-core"
    unpack(npm_pack(pin.spec, pin.integrity, cache, pin.size), pin.files, folder, lambda member: Path(member).name)
    say(f"{pin.spec}: axe.min.js")
