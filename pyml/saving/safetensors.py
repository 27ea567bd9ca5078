"""Reading and writing `.safetensors`: a JSON header and raw arrays."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyml.atomic import write

from .files import ModelFileError, existing_file, parse_json, path_of

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
_MOST_HEADER = 100 << 20  # the format's own limit


def load_safetensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """All arrays of a `.safetensors` file by name; bfloat16 becomes float32.

    Args:
        path: The file.

    Raises:
        ModelFileError: There is no such file, or it is damaged: a size, dtype or offset in it cannot be right.

    Source: the safetensors format.

    Example:
        >>> pyml.saving.save_safetensors({"a": np.arange(3)}, "w.safetensors")
        >>> pyml.saving.load_safetensors("w.safetensors")["a"].tolist()
        [0, 1, 2]
    """
    path = existing_file(path, "load_safetensors")
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(_MOST_HEADER, size - 8):
                raise ModelFileError(f"{path}: the header would take {length:,} of {size:,} bytes; it is cut short.")
            header = parse_json(file.read(length), f"{path}, header")
            entries = _entries(header, size - 8 - length, path)
            data = file.read()
    except OSError as e:
        raise ModelFileError(f"{path}: cannot be read ({e.strerror}).") from None
    return {name: _array(data, dtype, shape, start) for name, dtype, shape, start in entries}


def _entries(header: dict[str, Any], room: int, path: str) -> list[tuple[str, str, list[int], int]]:
    """Name, dtype, shape and place of each tensor, checked against `room`, the bytes that the file has."""
    out = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            dtype, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
        except (TypeError, KeyError, ValueError):
            raise ModelFileError(f"{path}: tensor {name!r} needs dtype, shape and data_offsets; found {str(entry)[:80]}.") from None
        if dtype not in _DTYPES:
            raise ModelFileError(f"{path}: tensor {name!r} has dtype {dtype!r}; expected one of {', '.join(_DTYPES)}.")
        if not isinstance(shape, list) or len(shape) > 32 or any(type(n) is not int or n < 0 for n in [*shape, start, stop]):
            raise ModelFileError(f"{path}: tensor {name!r} has shape {str(shape)[:80]} at {start}:{stop}; expected integers of at least 0.")
        nbytes = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
        if stop - start != nbytes or stop > room:
            raise ModelFileError(
                f"{path}: tensor {name!r} of shape {shape} needs {nbytes:,} bytes; the header gives {start}:{stop} of {room:,}."
            )
        out.append((name, dtype, shape, start))
    return out


def _array(data: bytes, dtype: str, shape: list[int], start: int) -> np.ndarray:
    raw = np.frombuffer(data, _DTYPES[dtype], math.prod(shape), start).reshape(shape)
    return widen_bfloat16(raw) if dtype == "BF16" else raw


def widen_bfloat16(raw: np.ndarray) -> np.ndarray:
    """float32 of bfloat16 bits: they are its upper half."""
    return (raw.astype(np.uint32) << 16).view(np.float32)


def save_safetensors(arrays: Mapping[str, np.ndarray], path: str | os.PathLike[str]) -> None:
    """Writes arrays by name; numbers and booleans of numpy's dtypes up to 64 bits. An old file stays until the new one is whole.

    Args:
        arrays: Arrays by name.
        path: The file.

    Raises:
        TypeError: An array holds something else.
        OSError: The file cannot be written; the old one is as it was.

    Source: the safetensors format.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "w.safetensors")
        >>> pyml.saving.save_safetensors({"kernel": np.ones((2, 3), "float32")}, path)
        >>> pyml.saving.load_safetensors(path)["kernel"].shape
        (2, 3)
    """
    names = {np.dtype(v).newbyteorder("="): k for k, v in _DTYPES.items() if k != "BF16"}
    header, parts, offset = {}, [], 0
    for name, value in arrays.items():
        array = np.asarray(value)
        if array.dtype.newbyteorder("=") not in names:
            raise TypeError(f"save_safetensors: {name!r} is {array.dtype}; expected numbers or booleans.")
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        entry = {"dtype": names[array.dtype.newbyteorder("=")], "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
        header[str(name)] = entry
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the arrays start at a multiple of 8
    write(path_of(path, "save_safetensors"), [len(text).to_bytes(8, "little") + text, *parts])
