"""Takes pictures of clothes, those of Fashion-MNIST, out of the package that Debian has of them; nothing is installed."""

import gzip
import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import numpy as np

from pyml.assets import pins
from pyml.assets.download import AssetError, replacing, run_client, scratch

COUNT = 5500  # pictures, of the ten thousand of the test
INSTALLED = Path("/")  # below it the files lie where the package is installed


def fetch(target: Path, cache: Path) -> None:
    """Writes `target`, an npz file with `pictures` and `kinds`, unless it is there.

    Raises:
        AssetError: apt is missing, knows no such package or cannot fetch it; or a file is not the one pinned.
    """
    if target.is_file():
        return
    if all((INSTALLED / name).is_file() for name, _ in pins.CLOTHES_FILES):
        return pack([(INSTALLED / name).read_bytes() for name, _ in pins.CLOTHES_FILES], target)
    with scratch(cache) as folder:
        run_client(["apt-get", "download", pins.CLOTHES], pins.CLOTHES, folder, pins.CLOTHES_SIZE)
        packages = list(folder.glob("*.deb"))
        if len(packages) != 1:
            raise AssetError(f"{pins.CLOTHES}: apt-get left {len(packages)} files where one was expected.")
        pack(members(packages[0]), target)


def members(package: Path) -> list[bytes]:
    """The two files of a Debian package that are wanted."""
    try:
        opened = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(opened)) as archive:
            found = [archive.extractfile(f"./{name}") for name, _ in pins.CLOTHES_FILES]
            return [file.read() for file in found if file is not None]
    except (OSError, subprocess.CalledProcessError, tarfile.TarError, KeyError) as error:
        raise AssetError(f"{package.name}: cannot be read as the package of {pins.CLOTHES} ({error}).") from None


def pack(files: list[bytes], target: Path) -> None:
    """Writes the first pictures, uint8 `(n, 28, 28)`, and their kinds, uint8 `(n,)`, of the compressed files of both.

    Raises:
        AssetError: A file is not the one pinned.
    """
    for (name, expected), data in zip(pins.CLOTHES_FILES, files, strict=True):
        if (found := hashlib.sha256(data).hexdigest()) != expected:
            raise AssetError(f"{name}: checksum differs: expected sha256 {expected}, received {found}.")
    pictures, kinds = (np.frombuffer(gzip.decompress(data), np.uint8, offset=offset) for data, offset in zip(files, (16, 8)))
    with replacing(target) as part, part.open("wb") as file:
        np.savez_compressed(file, pictures=pictures.reshape(-1, 28, 28)[:COUNT], kinds=kinds[:COUNT])
