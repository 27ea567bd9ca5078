"""Files that are written beside and renamed at the end: whoever reads one finds the old content or the new, never a mixture."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_FORSAKEN = 3600  # seconds after which nobody is still writing what lies beside
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside `path` for a new file, which takes the place of the old one when the block ends without an error.

    A full disk, an error in the block or the end of the process leave the old file as it was; what a process that ended has left
    beside goes with a later writing, an hour later or more. A link stays a link, and its target is replaced; the permissions of the
    old file stay too. Pipes and devices are written to directly.

    Args:
        path: The file to write, whether it exists or not; its folder must exist.

    Raises:
        OSError: The folder is missing or may not be written to, the disk is full, or `path` is a folder.

    Example:
        >>> import os, tempfile
        >>> target = os.path.join(tempfile.mkdtemp(), "notes.txt")
        >>> with replacing(target) as part:
        ...     _ = part.write_text("all of it")
        >>> os.listdir(os.path.dirname(target))
        ['notes.txt']
    """
    target = Path(os.path.realpath(path))
    mode = _mode(target)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{target} is a folder; give the path of a file.")
    if mode is not None and not stat.S_ISREG(mode):
        yield target
        return
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(f"{target} may not be written to.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} for {target.name}; make it first, or give another path.")
    short = target.name[-40:]  # names end at 255 bytes
    part = target.with_name(f".{os.urandom(4).hex()}.{short}.part")
    with telling_of_no_room(target):
        try:
            yield part
            if mode is not None:
                shutil.copymode(target, part)
            flush(part, os.O_RDWR)
            os.replace(part, target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    with suppress(OSError):  # some systems cannot flush a folder; the content is safe by now
        flush(target.parent)
    _tidy(target.parent, rf"{re.escape(short)}\.part")


@contextmanager
def telling_of_no_room(target: Path) -> Iterator[None]:
    """Where a full disk ends the block, the error names what was to be written and says that the old one is there."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        told = f"the disk has no room for {target.name!r}, and what it held before is as it was; make room, or give a path elsewhere"
        raise OSError(error.errno, told, str(target)) from error


def write(path: str | os.PathLike[str], parts: bytes | Iterable[bytes]) -> None:
    """Writes a whole file as `replacing` does.

    Args:
        path: The file.
        parts: Its content, or runs of it.

    Raises:
        OSError: As `replacing`.
    """
    with replacing(path) as part, open(part, "wb") as file:
        for data in (parts,) if isinstance(parts, bytes) else parts:
            file.write(data)


def write_together(folder: str | os.PathLike[str], files: Mapping[str, bytes], says: str) -> None:
    """Writes files that belong together into a folder, in the place of older ones of their names; other files there stay.

    All are written beside before the first is renamed, so a full disk or a process that ends while it writes leaves the old ones.
    Between the renames there is no file `says`: whoever reads the folder of a process that ended just then finds none, and no mixture.
    What it has left goes with the next writing, an hour later or more.

    Args:
        folder: It is made if need be.
        files: Contents by names.
        says: The name of the file that says what the others are.

    Raises:
        OSError: It cannot be written; old files are as they were.
    """
    target = Path(os.path.realpath(folder))
    target.mkdir(parents=True, exist_ok=True)
    order = [says, *(name for name in files if name != says)]
    mark = os.urandom(4).hex()
    parts, olds = ({name: target / f".{mark}.{name}.{end}" for name in order} for end in ("part", "old"))
    aside, put = [], []
    with telling_of_no_room(target):
        try:
            for name in order:
                with open(parts[name], "wb") as file:
                    file.write(files[name])
                if (target / name).exists():
                    shutil.copymode(target / name, parts[name])
                flush(parts[name], os.O_RDWR)
            for name in order:
                if (target / name).exists():
                    os.replace(target / name, olds[name])
                    aside.append(name)
            for name in reversed(order):
                os.replace(parts[name], target / name)
                put.append(name)
        except BaseException:
            with suppress(OSError):
                for name in put:
                    (target / name).unlink()
                for name in reversed(aside):
                    os.replace(olds[name], target / name)
            for part in parts.values():
                with suppress(OSError):
                    part.unlink()
            raise
    with suppress(OSError):
        flush(target)
    _tidy(target, rf"({'|'.join(map(re.escape, order))})\.(part|old)", mark)


def _tidy(folder: Path, names: str, ours: str = "-") -> None:
    """Removes what lies beside files and nobody is still writing, and what has our own mark."""
    forsaken = re.compile(rf"\.[0-9a-f]{{8}}\.{names}")
    with suppress(OSError):
        for entry in os.scandir(folder):
            if not forsaken.fullmatch(entry.name):
                continue
            with suppress(OSError):
                if entry.name.startswith(f".{ours}.") or time.time() - entry.stat(follow_symlinks=False).st_mtime > _FORSAKEN:
                    os.unlink(entry)


def append(path: str | os.PathLike[str], data: bytes) -> None:
    """Adds to the end of a file, all of `data` or nothing.

    Args:
        path: A file that is there.
        data: What to add.

    Raises:
        OSError: There is no such file, or no room; the file is as it was.
    """
    with telling_of_no_room(Path(path)), open(path, "r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(data):
                written += file.write(data[written:])
        except BaseException:
            file.truncate(end)
            raise


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def flush(path: Path, flags: int = os.O_RDONLY) -> None:
    """Until the disk has it: a rename may otherwise reach the disk before the content does."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
