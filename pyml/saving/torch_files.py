"""PyTorch state dicts without PyTorch, and without running what is pickled in them.

A `.pt` or `.pth` file is a zip of a pickle and of raw storages; before PyTorch 1.6 it was one pickle after another, then the
storages. Pickles are read by an interpreter that knows only the opcodes that build plain values, and a handful of names
that stand for tensors; anything else is refused.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from .files import MOST_WEIGHTS, ModelFileError, check_members, existing_file
from .safetensors import widen_bfloat16

_STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "bf16", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
_MOST_PICKLE = 64 << 20
_FREE = 1 << 20  # bytes that a compressed pickle may always have
_OLD_MAGIC = 0x1950A86A20F9469CFC6C
_OPCODES = (
    "MARK", "STOP", "POP", "POP_MARK", "DUP", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT", "NONE",
    "NEWTRUE", "NEWFALSE", "BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
    "EMPTY_LIST", "EMPTY_TUPLE", "EMPTY_DICT", "EMPTY_SET", "LIST", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "DICT", "APPEND", "APPENDS",
    "SETITEM", "SETITEMS", "ADDITEMS", "GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "PROTO", "FRAME",
    "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "BINPERSID",
)  # fmt: skip


class _Storage:
    def __init__(self, key: str, dtype: str, count: int):
        self.key, self.dtype, self.count = key, dtype, count


class _Stored:
    """A tensor as the pickle describes it: a view of a storage."""

    def __init__(self, storage: Any, offset: Any, size: Any, stride: Any, *others: Any):
        whole = all(isinstance(v, tuple) and all(type(n) is int and n >= 0 for n in v) for v in (size, stride))
        if not isinstance(storage, _Storage) or not whole or len(size) != len(stride) or type(offset) is not int or offset < 0:
            raise ModelFileError(f"a tensor of size {str(size)[:60]} and stride {str(stride)[:60]} cannot be right.")
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else 0
        if last >= max(storage.count, 1) or math.prod(size) > storage.count:
            raise ModelFileError(f"a tensor of size {size} and stride {stride} needs more than its {storage.count:,} numbers.")
        self.storage, self.offset, self.size, self.stride, self.last = storage, offset, size, stride, last


def _parameter(data: Any, *others: Any) -> Any:
    return data


class _Ordered(OrderedDict):
    pass


_NAMES = {
    ("collections", "OrderedDict"): _Ordered,
    ("torch._utils", "_rebuild_tensor_v2"): _Stored,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch", "Size"): tuple,
    **{("torch", name): dtype for name, dtype in _STORAGES.items()},
}


class _Reader(pickle._Unpickler):  # the Python one: its memory grows with the input only
    dispatch = {ord(getattr(pickle, name)): pickle._Unpickler.dispatch[ord(getattr(pickle, name))] for name in _OPCODES}

    stack: list[Any]  # made by load

    def load_build(self) -> None:
        self.stack.pop()  # metadata of state dicts; nothing here needs it
        if not isinstance(self.stack[-1], (_Ordered, _Stored)):
            raise ModelFileError("it sets attributes of something that is not a tensor.")

    dispatch[ord(pickle.BUILD)] = load_build  # type: ignore[assignment]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise ModelFileError(f"it asks for {module}.{name}, which is not part of a state dict; it was not run.")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        if not (isinstance(pid, tuple) and len(pid) in (5, 6) and pid[0] == "storage" and pid[1] in _STORAGES.values()):
            raise ModelFileError(f"it refers to {str(pid)[:60]}; expected a storage of numbers.")
        _, dtype, key, _, count = pid[:5]
        if not isinstance(key, str) or type(count) is not int or not 0 <= count <= MOST_WEIGHTS:
            raise ModelFileError(f"it refers to storage {str(key)[:60]} of {str(count)[:30]} numbers.")
        if len(pid) == 6 and pid[5] is not None:
            raise ModelFileError("it has a storage inside another one, as PyTorch before 0.4 wrote; save it again.")
        return _Storage(key, dtype, count)


def load_torch(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """All tensors of a PyTorch state dict by name; bfloat16 becomes float32.

    Args:
        path: A `.pt` or `.pth` file that `torch.save` wrote. Dicts inside dicts get names joined by
            dots; whatever is not a tensor is left out.

    Raises:
        ModelFileError: There is no such file, it is damaged, or its pickle asks for anything but tensors; nothing in it is run.

    Example:
        >>> weights = pyml.saving.load_torch("efficientnet_lite0.pth")     # doctest: +SKIP
        >>> weights["stem.0.weight"].shape                                  # doctest: +SKIP
        (32, 3, 3, 3)
    """
    path = existing_file(path, "load_torch")
    size = os.path.getsize(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _read(archive, size)
        with open(path, "rb") as file:
            return _read_old(file, size)
    except ModelFileError as e:
        raise ModelFileError(f"{path}: {e}") from None
    except Exception as e:  # the zip or the pickle is damaged; there are many ways
        raise ModelFileError(f"{path}: the file is damaged ({type(e).__name__}: {str(e)[:120]}).") from None


class _Bounded:
    """A file that refuses to read more than it has: asked for n bytes, Python would take n bytes of memory first."""

    def __init__(self, file: IO[bytes], size: int):
        self.file, self.size = file, size
        self.tell, self.readline = file.tell, file.readline

    def read(self, count: int) -> bytes:
        if count > self.size - self.tell():
            raise ModelFileError("the file is cut short.")
        return self.file.read(count)


def _read_old(raw: IO[bytes], size: int) -> dict[str, np.ndarray]:
    """Magic number, version, platform, the value, the keys of the storages, then each storage's length and bytes."""
    if raw.read(2) != b"\x80\x02":
        raise ModelFileError("it is not a PyTorch file.")
    raw.seek(0)
    file = _Bounded(raw, size)
    if _Reader(file).load() != _OLD_MAGIC:
        raise ModelFileError("it is not a PyTorch file.")
    _Reader(file).load()
    platform = _Reader(file).load()
    if not isinstance(platform, dict) or not platform.get("little_endian", True):
        raise ModelFileError("it was written on a big-endian machine, which is not supported.")
    stored = _tensors(_Reader(file).load())
    known = {s.storage.key: s.storage for _, s in stored}
    storages = {}
    for key in _Reader(file).load():
        count = int.from_bytes(file.read(8), "little")
        storage = known.get(key)
        if storage is None or count != storage.count:
            raise ModelFileError(f"storage {str(key)[:60]!r} is not one that the tensors need.")
        nbytes = count * _numpy_dtype(storage).itemsize
        if nbytes > size - file.tell():
            raise ModelFileError(f"storage {key!r} needs {nbytes:,} bytes; the file is cut short.")
        storages[key] = np.frombuffer(file.read(nbytes), _numpy_dtype(storage), count)
    missing = [k for k in known if k not in storages]
    if missing:
        raise ModelFileError(f"storage {missing[0]!r} is missing.")
    return _views(stored, lambda storage: storages[storage.key])


def _numpy_dtype(storage: _Storage) -> np.dtype:
    return np.dtype("<u2" if storage.dtype == "bf16" else storage.dtype)


def _read(archive: zipfile.ZipFile, size: int) -> dict[str, np.ndarray]:
    """The tensors of an opened file as arrays."""
    check_members(archive, size)
    pickles = [i for i in archive.infolist() if i.filename.count("/") == 1 and i.filename.endswith("/data.pkl")]
    if len(pickles) != 1 or pickles[0].file_size > min(_MOST_PICKLE, max(size, _FREE)):
        raise ModelFileError("it does not hold one data.pkl of a sane size, as PyTorch files do.")
    folder = pickles[0].filename.removesuffix("data.pkl")
    if archive.NameToInfo.get(f"{folder}byteorder") and archive.read(f"{folder}byteorder") == b"big":
        raise ModelFileError("it was written on a big-endian machine, which is not supported.")
    value = _Reader(io.BytesIO(archive.read(pickles[0]))).load()
    storages: dict[str, np.ndarray] = {}

    def array_of(storage: _Storage) -> np.ndarray:
        if storage.key not in storages:
            storages[storage.key] = _storage(archive, folder, storage, size)
        return storages[storage.key]

    return _views(_tensors(value), array_of)


def _views(tensors: list[tuple[str, _Stored]], array_of: Callable[[_Storage], np.ndarray]) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    total = 0
    for name, stored in tensors:
        array, storage = array_of(stored.storage), stored.storage
        if stored.last >= max(array.size, 1):
            raise ModelFileError(f"tensor {name!r} lies outside its storage.")
        total += math.prod(stored.size) * array.itemsize
        if total > MOST_WEIGHTS:
            raise ModelFileError(f"its tensors take more than {MOST_WEIGHTS:,} bytes.")
        strides = tuple(s * array.itemsize for s in stored.stride)
        view = np.lib.stride_tricks.as_strided(array[stored.offset :], stored.size, strides, writeable=False)
        out[name] = widen_bfloat16(view) if storage.dtype == "bf16" else np.ascontiguousarray(view).reshape(stored.size)
    return out


def _storage(archive: zipfile.ZipFile, folder: str, storage: _Storage, size: int) -> np.ndarray:
    dtype = _numpy_dtype(storage)
    info = archive.NameToInfo.get(f"{folder}data/{storage.key}")
    if info is None or info.file_size < storage.count * dtype.itemsize:
        have = "missing" if info is None else f"{info.file_size:,} bytes long"
        raise ModelFileError(f"storage {storage.key!r} is {have}; {storage.count * dtype.itemsize:,} bytes are needed.")
    if info.file_size > size:
        raise ModelFileError(f"storage {storage.key!r} is larger than the whole file; compressed storages are refused.")
    return np.frombuffer(archive.read(info), dtype, storage.count)


def _tensors(value: Any) -> list[tuple[str, _Stored]]:
    """Tensors of nested dicts and lists with their names; nothing is visited twice."""
    stack, seen = [("", value)], set()
    found = []
    while stack:
        name, item = stack.pop()
        if isinstance(item, _Stored):
            found.append((name or "tensor", item))
        elif isinstance(item, (dict, list, tuple)) and id(item) not in seen:
            seen.add(id(item))
            pairs = list(item.items()) if isinstance(item, dict) else list(enumerate(item))
            stack += [(f"{name}.{k}" if name else str(k), v) for k, v in reversed(pairs)]
    return found
