"""Packs what further chapters of the demos read: a novel, small pictures, and a package of pure Python."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from pyml.assets.checks import tar_member
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
    with tarfile.open(tarball) as archive:
        names = (f"data/chapter_{number}.txt" for number in range(1, CHAPTERS + 1))
        parts = [tar_member(archive, name).decode("utf-8").strip() for name in names]
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


def photo(name: str, size: tuple[int, int], part: tuple[slice, slice]) -> Callable[[Path, Path], None]:
    """A function that writes a square part of `skimage/data/NAME.png`, halved, as uint8 `(side, side, 3)`.

    It raises AssetError where the picture is not of that `size`, height and width, in three colours.
    """

    def pack(wheel: Path, target: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            picture = decoded(archive.read(f"skimage/data/{name}.png"))
        if picture.shape != (*size, 3):
            raise AssetError(f"{wheel.name}: expected {name}.png of {size[1]} x {size[0]}. Received: {picture.shape}")
        square = picture[part]
        side = len(square) // 2
        made = square.reshape(side, 2, side, 2, 3).mean(axis=(1, 3)).round().astype("uint8")
        with replacing(target) as beside, beside.open("wb") as file:
            np.savez_compressed(file, picture=made)

    return pack


# What the chapters take out of the wheel with the pictures, by the name of the file that is made of it.
PICTURES: dict[str, Callable[[Path, Path], None]] = {
    "faces.npz": faces,
    "cat.npz": photo("chelsea", (300, 451), (slice(22, 278), slice(97, 353))),
    "coffee.npz": photo("coffee", (400, 600), (slice(0, 400), slice(100, 500))),
}


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a PNG file of three colours, eight bits each, without interlacing: uint8 `(height, width, 3)`.

    Source: the PNG specification, third edition, chapter 9, "Filtering".
    """
    parts, place = [], 8
    while place < len(data):
        (length,), kind = struct.unpack(">I", data[place : place + 4]), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", body)
            if form[:2] != [8, 2] or form[4]:
                raise AssetError(f"expected a PNG file of three colours, not interlaced. Received: {form}")
        parts += [body] if kind == b"IDAT" else []
        place += length + 12
    lines = np.frombuffer(zlib.decompress(b"".join(parts)), "uint8").reshape(height, 3 * width + 1)
    above = np.zeros(3 * width + 3, int)  # three bytes that are not there stand before each line
    made = np.zeros((height, 3 * width), "uint8")
    for row, (kind, *given) in enumerate(lines.tolist()):
        line = [0, 0, 0, *given]
        up = above.tolist()
        for i in range(3, len(line)):
            a, b, c = line[i - 3], up[i], up[i - 3]
            if kind == 4:
                far = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
                guess = (a, b, c)[far.index(min(far))]
            else:
                guess = (0, a, b, (a + b) // 2)[kind]
            line[i] = (line[i] + guess) & 255
        above = np.array(line)
        made[row] = line[3:]
    return made.reshape(height, width, 3)


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
