"""Elements as bytes and back: their form as JSON, their values as arrays. Nothing in a file can run code."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np

from pyml.data.structure import is_tensor, leaves
from pyml.data.waiting import settled


async def packed(element: Any) -> bytes:
    """An element as bytes; tensors as arrays.

    Raises:
        TypeError: It holds something that is not a number, string, bytes or array.
    """
    host = {id(leaf): await settled(leaf.data()) for leaf in leaves(element) if is_tensor(leaf)}
    parts: list[bytes] = []
    form = json.dumps(_form(element, host, parts)).encode()
    sizes = struct.pack(f"<{len(parts) + 2}Q", len(form), len(parts), *map(len, parts))
    return b"".join((sizes, form, *parts))


def unpacked(data: bytes) -> Any:
    """The element of `packed`."""
    length, count = struct.unpack_from("<2Q", data)
    sizes = struct.unpack_from(f"<{count}Q", data, 16)
    place = 16 + 8 * count
    form, place = json.loads(data[place : place + length]), place + length
    parts = []
    for size in sizes:
        parts.append(data[place : place + size])
        place += size
    return _element(form, parts)


def _form(value: Any, host: dict[int, Any], parts: list[bytes]) -> Any:
    """A description of a value as JSON; its arrays and bytes go into `parts`."""
    value = host.get(id(value), value)
    if isinstance(value, dict):
        return ["dict", [[key, _form(one, host, parts)] for key, one in value.items()]]
    if isinstance(value, tuple):
        return ["tuple", [_form(one, host, parts) for one in value]]
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return ["plain", value]
    if isinstance(value, bytes):
        parts.append(value)
        return ["bytes", len(parts) - 1]
    array = np.asarray(value)
    if array.dtype.kind == "O":
        if not all(isinstance(one, str) for one in array.flat):
            raise TypeError(f"cache, snapshot and save keep numbers, strings, bytes and arrays of them. Received a {type(value).__name__}.")
        array = array.astype("U")
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    parts.append(file.getvalue())
    return ["list" if isinstance(value, list) else "array" if isinstance(value, np.ndarray) else "scalar", len(parts) - 1]


def _element(form: Any, parts: list[bytes]) -> Any:
    kind, value = form
    if kind == "dict":
        return {key: _element(one, parts) for key, one in value}
    if kind == "tuple":
        return tuple(_element(one, parts) for one in value)
    if kind == "plain":
        return value
    if kind == "bytes":
        return parts[value]
    array = np.load(io.BytesIO(parts[value]), allow_pickle=False)
    return array.tolist() if kind == "list" else array if kind == "array" else array[()]
