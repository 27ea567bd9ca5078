"""Where pyml's own files and its fetched assets are, in a checkout and in an installed package."""

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
MINIFIED = "exported.min.js"


def checkout() -> Path | None:
    """The root of the source checkout this package runs from, or None for an installed wheel."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "web").is_dir() else None


def build_dir() -> Path:
    """Where set-up and builds write: `build/` of a checkout, else the user's cache folder."""
    root = checkout()
    return root / "build" if root else user_cache()


def user_cache() -> Path:
    """The user's cache folder for pyml: `pyml` in `XDG_CACHE_HOME`, or in what the system has for that."""
    usual = {"win32": os.environ.get("LOCALAPPDATA") or "~/AppData/Local", "darwin": "~/Library/Caches"}
    base = os.environ.get("XDG_CACHE_HOME") or usual.get(sys.platform, "~/.cache")
    return Path(base).expanduser() / "pyml"


def assets_dir() -> Path:
    """Where `fetch_assets` leaves what it fetched, ready to serve."""
    return build_dir() / "assets"


def site_dir() -> Path:
    """Where `pyml serve` and the tests keep the built site."""
    return build_dir() / "site"


def web_dir() -> Path:
    """The folder with pyml's JavaScript: `web/` of a checkout, else the copy inside the package."""
    root = checkout()
    return root / "web" if root else PACKAGE / "_data" / "web"


def kernels_dir() -> Path:
    """The folder with the hand-written kernels."""
    root = checkout()
    return root / "kernels_wgsl" if root else PACKAGE / "_data" / "kernels_wgsl"


def minified() -> list[Path]:
    """Where the minified loader of exported models may lie: in an installed pyml, and in a checkout that was set up."""
    return [place / MINIFIED for place in (PACKAGE / "_data" / "web", build_dir())]
