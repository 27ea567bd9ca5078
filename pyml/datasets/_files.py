"""Finds a data file: on disk, or beside the Pyodide runtime of the page."""

import os
import sys
from pathlib import Path

from pyml.atomic import write

IN_BROWSER = sys.platform == "emscripten"


def folders() -> list[Path]:
    """Where data files are looked for, in order.

    `$PYML_DATA` when it is set; the set-up folder of the checkout; the user's cache; the working folder.
    """
    named = os.environ.get("PYML_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    found = [Path(named).expanduser()] if named and "://" not in named else []
    found += [
        Path(__file__).resolve().parents[2] / "build" / "assets" / "data",
        Path(cache).expanduser() / "pyml" / "assets" / "data",
        Path("data"),
        Path(),
    ]
    return found


def on_disk(name: str) -> Path | None:
    """The path of a data file, or None. An absolute `name` is taken as it is."""
    if Path(name).is_absolute():
        return Path(name) if Path(name).is_file() else None
    return next((folder / name for folder in folders() if (folder / name).is_file()), None)


def missing(name: str) -> FileNotFoundError:
    """The error for a data file that is nowhere."""
    places = ", ".join(str(folder) for folder in folders())
    return FileNotFoundError(
        f"{name} was not found in {places}. Run `make setup` in the pyml checkout, which makes it, "
        f"or set PYML_DATA to the folder that holds it."
    )


def address(name: str) -> str:
    """The address of a data file in the page's own site: `data/NAME` beside the folder of Pyodide."""
    named = os.environ.get("PYML_DATA", "")
    if "://" in named:
        return f"{named.rstrip('/')}/{name}"
    from js import URL
    from pyodide_js import _api

    return str(URL.new(f"../data/{name}", _api.config.indexURL).href)


async def download(url: str, name: str) -> Path:
    """Fetches `url` into the page's file system and returns the path.

    Raises:
        OSError: The server has no such file, or the connection failed; the message names the address.
    """
    from pyodide.ffi import JsException
    from pyodide.http import pyfetch

    try:
        response = await pyfetch(url)
    except OSError as error:
        raise OSError(f"{name}: could not be downloaded from {url}: {error}") from None
    if not response.ok:
        raise OSError(f"{name}: could not be downloaded from {url}: the server answered {response.status}")
    try:
        data = (await response.js_response.arrayBuffer()).to_bytes()  # Pyodide's own way breaks down where the answer does
    except JsException as error:
        raise OSError(f"{name}: could not be downloaded from {url}: it ended early ({error})") from None
    target = Path("data") / name
    target.parent.mkdir(exist_ok=True)
    write(target, data)
    return target


def fetch_and_wait(name: str) -> Path:
    """Fetches a data file in the browser without `await`.

    Raises:
        RuntimeError: This browser cannot wait here; the message names the call that can.
    """
    from pyodide.ffi import can_run_sync, run_sync

    if not can_run_sync():
        module = name.partition(".")[0]
        raise RuntimeError(
            f"this browser cannot wait for {name} to download; write `await {module}.load_data_async()`"
        )
    return run_sync(download(address(name), name))
