"""Folders that are written beside and take the place of an old one in one step, so that nobody finds a mixture or nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pyml.atomic import flush, telling_of_no_room

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FORSAKEN = 3600  # seconds after which nobody still writes a folder, where the system cannot say whether somebody does
_NOT_OFFERED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}  # the last from sandboxes that know no such call


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new folder beside `path`, which takes the place of the old one when the block ends without an error.

    Linux and macOS exchange the two in one step: `path` is there at every moment, old or new, and stays old where the block raises or
    the process ends. Where system or file system have no such step (Windows, some network disks), the old folder steps aside for the
    new one. A process that ends between these two renames leaves both, whole, beside `path`, and the next writing puts the old one
    back first. What processes that ended have left is removed then too.

    Args:
        path: The folder, whether it exists or not; those above it are made.

    Raises:
        FileExistsError: `path` is a file.
        OSError: It cannot be written; the old folder is as it was.

    Example:
        >>> import os, tempfile
        >>> target = os.path.join(tempfile.mkdtemp(), "notes")
        >>> with replacing_folder(target) as part:
        ...     _ = (part / "first.txt").write_text("all of it")
        >>> os.listdir(target)
        ['first.txt']
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_dir():
        raise FileExistsError(f"{target} is a file; give the path of a folder.")
    _make(target.parent)
    _tidy(target)
    with telling_of_no_room(target):
        part, handle = _begun(target)
        try:
            yield part
            if target.exists():
                shutil.copymode(target, part)
            for folder, _, _ in os.walk(part):
                _reached(Path(folder))
            old = _put(part, target)
            _reached(target.parent)  # before the old one goes
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        finally:
            if handle is not None:
                os.close(handle)
    shutil.rmtree(old, ignore_errors=True)


def write_folder(path: str | os.PathLike[str], files: Mapping[str, bytes | Iterable[bytes]]) -> None:
    """Writes a folder as `replacing_folder` does; an old one goes with all that is in it.

    Args:
        path: The folder; those above it are made.
        files: Contents, or runs of them, by names with `/` for folders inside.

    Raises:
        OSError: As `replacing_folder`.
    """
    with replacing_folder(path) as part:
        for name, data in files.items():
            place = part.joinpath(*name.split("/"))
            place.parent.mkdir(parents=True, exist_ok=True)
            with open(place, "wb") as file:
                for run in (data,) if isinstance(data, bytes) else data:
                    file.write(run)
            flush(place, os.O_RDWR)


def stamp(path: str | os.PathLike[str]) -> tuple[int, int, int]:
    """What is another for another folder at `path`: whoever reads several files of one compares it before and after.

    Raises:
        OSError: There is no such folder.
    """
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_ctime_ns


def exchange(one: Path, other: Path) -> bool:
    """Gives two paths each other's name in one step; False where this system, or its file system, has no such step.

    Raises:
        OSError: One of them is missing, or its folder may not be written to.

    Source: renameat2(2) of Linux, renamex_np(2) of macOS.
    """
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "linux":
        name, given = "renameat2", (-100, names[0], -100, names[1], 2)  # AT_FDCWD, RENAME_EXCHANGE
    elif sys.platform == "darwin":
        name, given = "renamex_np", (*names, 2)  # RENAME_SWAP
    else:
        return False
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if call is None:  # a C library older than the call
        return False
    if call(*given) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_OFFERED:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))


def _put(part: Path, target: Path) -> Path:
    """Gives a whole folder its name; where the old one is now."""
    if target.exists() and exchange(part, target):
        return part
    old = part.with_suffix(".old")
    if target.exists():
        os.rename(target, old)
    try:
        os.rename(part, target)
    except BaseException:
        with suppress(OSError):
            os.rename(old, target)
        raise
    return old


# ---- folders of processes that ended
def _begun(target: Path) -> tuple[Path, int | None]:
    """A folder beside, and the handle that shows others that somebody is at work in it, while it is open."""
    while True:
        part = target.with_name(f".{os.urandom(4).hex()}.{_short(target)}.new")
        part.mkdir()
        with suppress(BlockingIOError, FileNotFoundError):  # another process took it for forsaken before it was locked
            handle = _locked(part)
            if handle is None or part.exists():
                return part, handle
            os.close(handle)


def _tidy(target: Path) -> None:
    """Removes what processes that ended have left; an old folder whose place is empty goes back to it."""
    known = re.compile(rf"\.[0-9a-f]{{8}}\.{re.escape(_short(target))}\.(new|old)")
    for left in {entry.path[:-4] for entry in os.scandir(target.parent) if known.fullmatch(entry.name)}:
        new, old = Path(f"{left}.new"), Path(f"{left}.old")
        handle = None
        with suppress(OSError):
            if new.exists():
                handle = _locked(new)  # BlockingIOError: somebody is at work
                if handle is None and time.time() - new.stat().st_mtime < _FORSAKEN:
                    continue
            if old.exists() and not target.exists():
                os.rename(old, target)
            shutil.rmtree(new, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _locked(folder: Path) -> int | None:
    """A handle that keeps others from locking a folder until it is closed or the process ends; None where there are no locks.

    Raises:
        BlockingIOError: Another one has locked it.
        FileNotFoundError: It is gone.
    """
    if fcntl is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # network disks
        os.close(handle)
        return None
    return handle


def _short(target: Path) -> str:
    """The name of a folder; of a long one what stands for it, as names end at 255 bytes."""
    name = os.fsencode(target.name)
    return target.name if len(name) <= 200 else hashlib.sha256(name).hexdigest()[:32]


def _make(folder: Path) -> None:
    """Makes a folder and those above it, and waits until the disk knows of them."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _reached(path.parent)


def _reached(folder: Path) -> None:
    """Waits until the disk has the names in a folder; some systems cannot."""
    with suppress(OSError):
        flush(folder)
