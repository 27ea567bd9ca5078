"""HDF5 files with parts that `hdf5_read` does not know, read by h5py where it is installed."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np

from ...errors import to_install
from ..files import MOST_WEIGHTS, ModelFileError
from .hdf5 import Group
from .hdf5_stored import MOST_DEEP, MOST_RATIO, Stored


def read(data: Any, where: object, unusual: str) -> Group:
    """The groups and arrays of a file.

    Args:
        data: Its bytes.
        where: The file, for messages.
        unusual: What in it only h5py reads.

    Raises:
        ModelFileError: The file is damaged, or h5py is not installed.
    """
    try:
        h5py = import_module("h5py")
    except ImportError:
        raise ModelFileError(f"{where}: the file uses {unusual}, which only h5py reads here; `{to_install('h5py')}`.") from None

    def group(source: Any, depth: int) -> Group:
        """A group with all below it; links are refused."""
        if depth > MOST_DEEP:
            raise ModelFileError(f"{where}: groups are nested too deeply.")
        made = Group(attrs={key: _plain(value) for key, value in source.attrs.items()})
        for key in source:
            if not isinstance(source.get(key, getlink=True), h5py.HardLink):
                raise ModelFileError(f"{where}: it holds a link to somewhere else; links are never followed.")
            item = source[key]
            if isinstance(item, h5py.Group):
                made.items[key] = group(item, depth + 1)
                continue
            if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
                raise ModelFileError(f"{where}: {key[:80]!r} is not an array in this file.")
            if item.nbytes > min(MOST_WEIGHTS, MOST_RATIO * len(data)):
                raise ModelFileError(f"{where}: the array {key[:80]!r} would take {item.nbytes:,} bytes; the file has {len(data):,}.")
            made.items[key] = Stored(item.shape, item.dtype, item.__getitem__(()).__array__, {k: _plain(v) for k, v in item.attrs.items()})
        return made

    try:
        with h5py.File(io.BytesIO(bytes(data)), "r") as file:
            return group(file, 0)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as e:
        if isinstance(e, ModelFileError):
            raise
        raise ModelFileError(f"{where}: the file is damaged or is not an HDF5 file ({type(e).__name__}: {str(e)[:120]}).") from None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [item.decode() if isinstance(item, bytes) else item for item in value.ravel().tolist()]
    return value
