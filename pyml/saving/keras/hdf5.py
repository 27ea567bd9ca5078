"""HDF5 as far as Keras' files use it: groups, arrays of numbers, attributes of text. Writing is all here, reading in `hdf5_read`.

What is written is the oldest form of the format, which every HDF5 library opens: superblock 0, groups as symbol tables, arrays in
one piece, attributes inside object headers and their texts in a global heap.

Source: "HDF5 File Format Specification Version 3.0", The HDF Group.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..files import ModelFileError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 0xFFFFFFFFFFFFFFFF
MOST_ATTRIBUTE = 64512  # bytes; object headers hold no larger one. Keras splits lists of names at this size
_LEAF = 4  # half the entries of a symbol table node
_COLLECTION = 4096  # least bytes of a global heap collection
_MOST_TEXTS = 60000  # objects of a collection are numbered in 16 bits


@dataclass
class Group:
    """What a group holds, by name: groups and arrays."""

    items: dict[str, Group | Any] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)

    def group(self, path: str) -> Group:
        """The group at `path`, made with those above it where it is not there."""
        here = self
        for name in filter(None, path.split("/")):
            below = here.items.setdefault(name, Group())
            if not isinstance(below, Group):
                raise ModelFileError(f"{path!r} leads through {name!r}, which is not a group.")
            here = below
        return here

    def find(self, path: str) -> Group | None:
        """The group at `path`, or None."""
        here: Any = self
        for name in filter(None, path.split("/")):
            here = here.items.get(name) if isinstance(here, Group) else None
        return here if isinstance(here, Group) else None

    def walk(self, path: str = "") -> Iterator[tuple[str, Any]]:
        """Every array in this group and below, with its path."""
        waiting = [(path, self)]
        while waiting:
            where, group = waiting.pop()
            for name, item in group.items.items():
                inside = f"{where}/{name}" if where else name
                if isinstance(item, Group):
                    waiting.append((inside, item))
                else:
                    yield inside, item


def write(root: Group) -> list[Any]:
    """The file that holds `root`, as runs of bytes in order.

    Args:
        root: Groups and numpy arrays. Attributes are texts, numbers, lists of texts, or arrays of numbers.

    Raises:
        ValueError: An array holds something else than numbers, or an attribute is larger than a header may be.
    """
    return _Writer(root).pieces


class _Writer:
    def __init__(self, root: Group) -> None:
        self.pieces: list[Any] = [b""]  # the superblock, known at last
        self.end = 96
        widest = max(len(group.items) for group in _groups(root))
        self.internal = min(max(16, -(-widest // (4 * _LEAF))), 0x7FFF)  # half the children of a tree node: one is enough for every group
        self.texts = self._heap([text for group in _groups(root) for text in group.attrs.values() if isinstance(text, str)])
        header, tree, heap = self._group(root)
        self.pieces[0] = b"".join((
            SIGNATURE, bytes((0, 0, 0, 0, 0, 8, 8, 0)), struct.pack("<HHI", _LEAF, self.internal, 0),
            struct.pack("<QQQQ", 0, UNDEFINED, self.end, UNDEFINED), struct.pack("<QQIIQQ", 0, header, 1, 0, tree, heap),
        ))

    def put(self, data: Any, nbytes: int | None = None) -> int:
        """Adds bytes at a multiple of 8, and returns where."""
        size = len(data) if nbytes is None else nbytes
        at = self.end
        self.pieces.append(data)
        if size % 8:
            self.pieces.append(bytes(-size % 8))
        self.end += size + -size % 8
        return at

    def _heap(self, texts: list[str]) -> dict[str, bytes]:
        """The global heap; for each text what an attribute holds in its place: length, collection, number."""
        found: dict[str, bytes] = {}
        unique = list(dict.fromkeys(texts))
        for start in range(0, len(unique), _MOST_TEXTS):
            objects, at = [], self.end
            for number, text in enumerate(unique[start : start + _MOST_TEXTS], 1):
                data = text.encode()
                objects.append(struct.pack("<HHIQ", number, 1, 0, len(data)) + _padded(data))
                found[text] = struct.pack("<IQI", len(data), at, number)
            body = b"".join(objects)
            free = max(_COLLECTION - 16 - len(body), 16)
            head, rest = b"GCOL\x01\0\0\0" + struct.pack("<Q", 16 + len(body) + free), struct.pack("<HHIQ", 0, 0, 0, free)
            self.put(head + body + rest + bytes(free - 16))
        return found

    def _group(self, group: Group) -> tuple[int, int, int]:
        """Writes a group, what is below it first, and returns where its header, tree and names are."""
        names = sorted(group.items, key=str.encode)
        heap, offsets = bytearray(8), {}
        for name in names:
            if not name or "/" in name or "\0" in name:
                raise ValueError(f"HDF5: {name!r} can be no name in a file.")
            offsets[name] = len(heap)
            heap += _padded(name.encode() + b"\0")
        entries = []
        for name in names:
            item = group.items[name]
            if isinstance(item, Group):
                header, tree, below = self._group(item)
                entries.append(struct.pack("<QQIIQQ", offsets[name], header, 1, 0, tree, below))
            else:
                entries.append(struct.pack("<QQIIQQ", offsets[name], self._array(np.asarray(item), name), 0, 0, 0, 0))
        keys, children = [0], []
        for start in range(0, len(entries), 2 * _LEAF):
            part = entries[start : start + 2 * _LEAF]
            children.append(self.put(b"SNOD\x01\0" + struct.pack("<H", len(part)) + b"".join(part) + bytes(40 * (2 * _LEAF - len(part)))))
            keys.append(offsets[names[start + len(part) - 1]])
        if len(children) > 2 * self.internal:
            raise ValueError(f"HDF5: a group of {len(names):,} items is too wide for one file.")
        pairs = b"".join(struct.pack("<QQ", key, child) for key, child in zip(keys, children, strict=False)) + struct.pack("<Q", keys[-1])
        node = b"TREE\0\0" + struct.pack("<HQQ", len(children), UNDEFINED, UNDEFINED) + pairs
        tree_at = self.put(node + bytes(24 + 8 * (4 * self.internal + 1) - len(node)))
        names_at = self.put(bytes(heap))
        heap_at = self.put(b"HEAP\0\0\0\0" + struct.pack("<QQQ", len(heap), 1, names_at))
        return self._header([(0x11, struct.pack("<QQ", tree_at, heap_at)), *self._attributes(group.attrs)]), tree_at, heap_at

    def _array(self, array: np.ndarray, name: str) -> int:
        shape = array.shape
        dtype = _datatype(array.dtype, name)
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        flat: Any = array.reshape(-1).view(np.uint8)
        at = self.put(memoryview(flat), array.nbytes) if array.nbytes else UNDEFINED
        layout = bytes((3, 1)) + struct.pack("<QQ", at, array.nbytes)
        return self._header([(1, _dataspace(shape)), (3, dtype), (5, bytes((2, 2, 2, 0))), (8, layout)])

    def _attributes(self, attrs: Mapping[str, Any]) -> Iterator[tuple[int, bytes]]:
        """Kind and bytes of a header's message for each attribute: a text, texts of equal length, or numbers."""
        for key, value in attrs.items():
            if isinstance(value, str):
                dtype, space, data = bytes((0x19, 1, 1, 0)) + struct.pack("<I", 16) + _text(1), _dataspace(()), self.texts[value]
            elif isinstance(value, (list, tuple)) and all(isinstance(item, (str, bytes)) for item in value):
                texts = [item.encode() if isinstance(item, str) else item for item in value]
                size = max((len(text) for text in texts), default=0) or 1
                dtype, space, data = _text(size), _dataspace((len(texts),)), b"".join(text.ljust(size, b"\0") for text in texts)
            else:
                array = np.asarray(value)
                dtype, space = _datatype(array.dtype, key), _dataspace(array.shape)
                data = array.astype(array.dtype.newbyteorder("<")).tobytes()
            if len(data) > MOST_ATTRIBUTE:
                raise ValueError(f"HDF5: the attribute {key[:80]!r} has {len(data):,} bytes; at most {MOST_ATTRIBUTE:,} fit into a header.")
            name = key.encode() + b"\0"
            sizes = struct.pack("<BBHHH", 1, 0, len(name), len(dtype), len(space))
            yield 0xC, sizes + _padded(name) + _padded(dtype) + _padded(space) + data

    def _header(self, messages: list[tuple[int, bytes]]) -> int:
        body = b""
        for kind, data in messages:
            data = _padded(data)
            body += struct.pack("<HHB3x", kind, len(data), 0) + data
        return self.put(struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body)


def _groups(root: Group) -> Iterator[Group]:
    waiting = [root]
    while waiting:
        group = waiting.pop()
        yield group
        waiting += [item for item in group.items.values() if isinstance(item, Group)]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def _dataspace(shape: tuple[int, ...]) -> bytes:
    return struct.pack("<BBB5x", 1, len(shape), 0) + struct.pack(f"<{len(shape)}Q", *shape)


def _text(size: int) -> bytes:
    return bytes((0x13, 0x11, 0, 0)) + struct.pack("<I", size)  # UTF-8, filled up with zeros


_FLOATS = {2: (10, 5, 15), 4: (23, 8, 127), 8: (52, 11, 1023)}  # bytes: mantissa, exponent, bias


def _datatype(dtype: np.dtype, name: str) -> bytes:
    size = dtype.itemsize
    if dtype.kind == "f" and size in _FLOATS:
        mantissa, exponent, bias = _FLOATS[size]
        return bytes((0x11, 0x20, 8 * size - 1, 0)) + struct.pack("<IHHBBBBI", size, 0, 8 * size, mantissa, exponent, 0, mantissa, bias)
    if dtype.kind in "iu":
        return bytes((0x10, 8 * (dtype.kind == "i"), 0, 0)) + struct.pack("<IHH", size, 0, 8 * size)
    if dtype.kind == "b":  # as h5py has it: an enumeration over int8
        names = _padded(b"FALSE\0") + _padded(b"TRUE\0") + b"\0\1"
        return bytes((0x18, 2, 0, 0)) + struct.pack("<I", 1) + _datatype(np.dtype("i1"), name) + names
    raise ValueError(f"HDF5: {name!r} holds {dtype}; expected numbers or booleans.")
