"""The weights manifest: which arrays lie in which shards, checked before anything is allocated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..asking import Asking
from ..files import MOST_WEIGHTS, ModelFileError, Readable

Group: TypeAlias = tuple[list[str], list[dict[str, Any]], int]  # names of the shards, specs of the weights in them, and their bytes
ITEM = {"float32": 4, "int32": 4, "bool": 1, "uint8": 1, "uint16": 2, "float16": 2, "int16": 2, "int8": 1}
QUANTIZED = {"uint8": 1, "uint16": 2, "float16": 2}


def read_manifest(groups: Any, where: object) -> list[Group]:
    """For each group its shard names, its checked weight specs and the bytes they take.

    Raises:
        ModelFileError: The manifest does not describe arrays of known dtypes and sane sizes.
    """
    if not isinstance(groups, list):
        raise ModelFileError(f"{where}: weightsManifest must be a list, found {type(groups).__name__}.")
    out, total, names = [], 0, set()
    for group in groups:
        paths = group.get("paths") if isinstance(group, dict) else None
        specs = group.get("weights") if isinstance(group, dict) else None
        if not isinstance(paths, list) or not isinstance(specs, list):
            raise ModelFileError(f"{where}: a weight group must have lists 'paths' and 'weights'.")
        nbytes = 0
        for spec in specs:
            nbytes += _check(spec, where)
            if spec["name"] in names:
                raise ModelFileError(f"{where}: weight {spec['name']!r} is listed twice.")
            names.add(spec["name"])
        total += nbytes
        if total > MOST_WEIGHTS:
            raise ModelFileError(f"{where}: the weights take more than {MOST_WEIGHTS:,} bytes; the sizes cannot be right.")
        out.append((paths, specs, nbytes))
    return out


def _check(spec: Any, where: object) -> int:
    """The bytes of one weight in its shard; strings count 0 because only the data says how long they are."""
    name = spec.get("name") if isinstance(spec, dict) else None
    if not isinstance(name, str):
        raise ModelFileError(f"{where}: a weight has no name: {str(spec)[:80]}.")
    shape, dtype = spec.get("shape"), spec.get("dtype")
    if not isinstance(shape, list) or len(shape) > 8 or any(type(n) is not int or n < 0 for n in shape):
        raise ModelFileError(f"{where}: weight {name!r} has shape {str(shape)[:80]}; expected up to 8 integers of at least 0.")
    if dtype == "string":
        return 0
    stored = spec.get("quantization")
    if stored is not None:
        if not isinstance(stored, dict) or stored.get("dtype") not in QUANTIZED:
            raise ModelFileError(f"{where}: weight {name!r} is quantized as {str(stored)[:80]}; expected one of {', '.join(QUANTIZED)}.")
        if stored["dtype"] != "float16" and not all(_finite(stored.get(k)) for k in ("scale", "min")):
            raise ModelFileError(f"{where}: weight {name!r} needs finite numbers 'scale' and 'min' in its quantization.")
        if dtype not in ("float32", "int32"):
            raise ModelFileError(f"{where}: weight {name!r} is quantized, which needs float32 or int32, not {dtype!r}.")
        dtype = stored["dtype"]
    if not isinstance(dtype, str) or dtype not in ITEM:
        raise ModelFileError(f"{where}: weight {name!r} has dtype {dtype!r}; expected one of {', '.join(ITEM)}.")
    return math.prod(shape) * ITEM[dtype]


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def decode(shards: Sequence[bytes], specs: list[dict[str, Any]], nbytes: int, where: object) -> dict[str, np.ndarray]:
    """The arrays of one group; `shards` are the bytes of its files.

    Raises:
        ModelFileError: The shards are shorter than the manifest says.
    """
    have = sum(len(s) for s in shards)
    if have < nbytes:
        raise ModelFileError(f"{where}: the weight files hold {have:,} bytes, the manifest needs {nbytes:,}; a file is cut short.")
    data = shards[0] if len(shards) == 1 else b"".join(bytes(s) for s in shards)
    out, offset = {}, 0
    for spec in specs:
        if spec["dtype"] == "string":
            out[spec["name"]], offset = _strings(data, offset, spec, where)
            continue
        stored = spec.get("quantization")
        dtype = stored["dtype"] if stored else spec["dtype"]
        count = math.prod(spec["shape"])
        if offset + count * ITEM[dtype] > len(data):
            raise ModelFileError(f"{where}: weight {spec['name']!r} ends after the data; a file is cut short.")
        raw = np.frombuffer(data, np.dtype(dtype).newbyteorder("<"), count, offset)
        offset += count * ITEM[dtype]
        out[spec["name"]] = _widen(raw, spec["dtype"], stored).reshape(spec["shape"])
    return out


def _widen(raw: np.ndarray, dtype: str, stored: dict[str, Any] | None) -> np.ndarray:
    if stored and stored["dtype"] != "float16":
        scaled = raw.astype(np.float32) * np.float32(stored["scale"]) + np.float32(stored["min"])
        return scaled if dtype == "float32" else np.rint(scaled).astype(np.int32)
    target = {"float32": np.float32, "float16": np.float32, "bool": np.bool_}.get(dtype, np.int32)
    return raw.astype(target)


def _strings(data: bytes, offset: int, spec: dict[str, Any], where: object) -> tuple[np.ndarray, int]:
    """Strings are stored as their length, 4 bytes, and their bytes."""
    out = []
    count = math.prod(spec["shape"])
    if count * 4 > len(data) - offset:
        raise ModelFileError(f"{where}: weight {spec['name']!r} holds {count:,} strings, more than the file has bytes for.")
    for _ in range(count):
        length = int.from_bytes(data[offset : offset + 4], "little")
        if offset + 4 + length > len(data):
            raise ModelFileError(f"{where}: weight {spec['name']!r} ends after the data; a file is cut short.")
        out.append(bytes(data[offset + 4 : offset + 4 + length]))
        offset += 4 + length
    array = np.empty(count, object)
    array[:] = out
    return array.reshape(spec["shape"]), offset


def requests(groups: list[Group], place: Readable) -> Asking[dict[str, np.ndarray]]:
    """A generator that asks for files by `(place, name, most bytes)`, is sent their bytes, and returns all arrays."""
    arrays: dict[str, np.ndarray] = {}
    for paths, specs, nbytes in groups:
        strings = any(s["dtype"] == "string" for s in specs)
        most = (64 << 20) if strings else nbytes + 4096  # a little more is padding, a lot more is another file
        shards = []
        for path in paths:
            shards.append((yield place, path, most))
        arrays |= decode(shards or [b""], specs, nbytes, place)
    return arrays
