"""Reading and writing `.npz`: numpy's arrays in a zip, their sizes checked before they are unpacked, nothing in them run."""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO

import numpy as np

from pyml.atomic import replacing
from pyml.saving.files import MOST_WEIGHTS, ModelFileError, check_members, existing_file

_FREE = 32 << 20  # bytes that may always be unpacked
_RATIO = 32  # how much larger than the file all arrays may be; weights of trained networks compress to 60 to 95 percent
_PART = 1 << 20
_BROKEN = (ValueError, OSError, EOFError, RuntimeError, NotImplementedError, MemoryError, SyntaxError, TypeError, KeyError, OverflowError,
           zipfile.BadZipFile, zlib.error, struct.error)  # fmt: skip


def read_npz(path: str | os.PathLike[str], what: str = "load_state_dict") -> dict[str, np.ndarray]:
    """All arrays of a `.npz` file by name, in native byte order.

    Args:
        path: The file.
        what: The caller's name, for the message about a file that is not there.

    Raises:
        ModelFileError: There is no such file; it is damaged, cut short, holds Python objects or two arrays of one name, or would
            unpack to far more than its size.

    Source: numpy.lib.format.
    """
    path = existing_file(path, what)
    return parse_npz(path, path, os.path.getsize(path))


def parse_npz(file: str | IO[bytes], where: object, size: int) -> dict[str, np.ndarray]:
    """`read_npz` of a file that is open, or known to be there, and has `size` bytes; `where` is its name in messages."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(archive, size)
    except ModelFileError as e:
        raise ModelFileError(f"{where}: {e}") from None
    except _BROKEN as e:
        raise ModelFileError(f"{where}: the file is damaged or is not an .npz file ({type(e).__name__}: {str(e)[:120]}).") from None


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], compressed: bool = False) -> None:
    """Writes arrays by name; the old file stays until the new one is whole.

    Raises:
        OSError: The file cannot be written.
    """
    with replacing(path) as part, open(part, "wb") as file:
        if compressed:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's stubs think of allow_pickle
        else:
            np.savez(file, **arrays)  # type: ignore[arg-type]


def _read(archive: zipfile.ZipFile, size: int) -> dict[str, np.ndarray]:
    members = archive.infolist()
    total, most = sum(member.file_size for member in members), max(_FREE, _RATIO * size)
    check_members(archive, size)
    if total > min(most, MOST_WEIGHTS):
        raise ModelFileError(f"its {size:,} bytes would unpack to {total:,}; write it with np.savez, which does not compress.")
    out: dict[str, np.ndarray] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name == member.filename or name in out:
            raise ModelFileError(f"it holds {member.filename[:80]!r}, " + ("twice." if name in out else "which is not a numpy array."))
        with archive.open(member) as file:
            out[name] = _array(file, name, member.file_size)
    return out


def _array(file: IO[bytes], name: str, size: int) -> np.ndarray:
    """The array of a member, its header checked before memory is taken."""
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read_header is None:
        raise ModelFileError(f"array {name[:80]!r} is of version {version} of numpy's format; expected (1, 0) or (2, 0).")
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject or dtype.kind not in "biufcUS":
        raise ModelFileError(f"array {name[:80]!r} holds {dtype}; expected numbers, booleans or text. Objects are never unpacked.")
    nbytes = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or nbytes != size - file.tell():
        raise ModelFileError(f"array {name[:80]!r} of shape {str(shape)[:80]} needs {nbytes:,} bytes; it has {size - file.tell():,}.")
    flat = np.empty(math.prod(shape), dtype)
    raw, at = flat.view(np.uint8) if nbytes else np.empty(0, np.uint8), 0
    while part := file.read(_PART):  # to the end, where the checksum is compared
        raw[at : at + len(part)] = np.frombuffer(part, np.uint8)
        at += len(part)
    return flat.astype(dtype.newbyteorder("="), copy=False).reshape(shape, order="F" if fortran else "C")
