"""Reading HDF5, the part of it that Keras, h5py and TensorFlow.js' converter write by default; anything else goes to h5py if it is there.

Nothing is taken on trust: every address, size and count is compared with the bytes of the file before it is used, each object is
read once, and arrays are made only when they are asked for.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any

import numpy as np

from ..files import MOST_WEIGHTS, ModelFileError
from . import hdf5_h5py
from .hdf5 import SIGNATURE, UNDEFINED, Group
from .hdf5_stored import MOST_DEEP, MOST_RATIO, Stored


class _Unusual(Exception):
    """A part of the format that is not read here."""


def read(data: Any, where: object) -> Group:
    """The groups and arrays of a file.

    Args:
        data: Its bytes.
        where: The file, for messages.

    Raises:
        ModelFileError: It is damaged, or no HDF5; or it uses what only h5py reads, which is not installed.
    """
    try:
        return _Reader(memoryview(data), where).root()
    except _Unusual as unusual:
        return hdf5_h5py.read(data, where, str(unusual))
    except (struct.error, IndexError, ValueError, OverflowError, UnicodeDecodeError, TypeError) as e:
        if isinstance(e, ModelFileError):
            raise
        raise ModelFileError(f"{where}: the file is damaged or is not an HDF5 file ({type(e).__name__}: {str(e)[:120]}).") from None


class _Reader:
    def __init__(self, data: memoryview, where: object) -> None:
        self.data, self.where = data, where
        self.seen: set[int] = set()
        self.collections: dict[int, dict[int, bytes]] = {}

    def bytes(self, at: int, size: int) -> memoryview:
        if at < 0 or size < 0 or at + size > len(self.data):
            raise ModelFileError(f"{self.where}: the file is damaged or cut short: it has {len(self.data):,} bytes, not {at + size:,}.")
        return self.data[at : at + size]

    def unpack(self, form: str, at: int) -> tuple[Any, ...]:
        return struct.unpack(f"<{form}", self.bytes(at, struct.calcsize(f"<{form}")))

    def root(self) -> Group:
        """The file's first group, found by its superblock."""
        if bytes(self.data[:8]) != SIGNATURE:
            raise ModelFileError(f"{self.where}: this is not an HDF5 file; it begins with {bytes(self.data[:8])!r}.")
        version = self.data[8]
        if version in (0, 1):
            if tuple(self.data[13:15]) != (8, 8):
                raise _Unusual("addresses of another size than 8 bytes")
            at = self.unpack("Q", (24 if version == 0 else 28) + 40)[0]
        elif version in (2, 3):
            if tuple(self.data[9:11]) != (8, 8):
                raise _Unusual("addresses of another size than 8 bytes")
            at = self.unpack("Q", 36)[0]
        else:
            raise ModelFileError(f"{self.where}: the file is damaged: HDF5 has no superblock of version {version}.")
        root = self.object(at, "/", 0)
        if not isinstance(root, Group):
            raise ModelFileError(f"{self.where}: the file is damaged: its root is not a group.")
        return root

    # ---- objects
    def object(self, at: int, name: str, depth: int) -> Any:
        """The group or array whose header is at `at`; no object is read twice."""
        if depth > MOST_DEEP or at in self.seen:
            raise ModelFileError(f"{self.where}: the file is damaged: {name[:80]!r} is inside itself, or nested too deeply.")
        self.seen.add(at)
        messages = self.messages(at)
        kinds = {kind for kind, _, _ in messages}
        attrs: dict[str, Any] = {}
        for kind, place, size in messages:
            if kind == 0xC:
                key, value = self.attribute(place, size)
                attrs[key] = value
            elif kind == 0x15 and self.unpack("Q", place + 2 + 2 * (self.data[place + 1] & 1))[0] != UNDEFINED:
                raise _Unusual("attributes in a heap of their own")
        if 8 in kinds:
            return self.array(messages, attrs, name)
        group = Group(attrs=attrs)
        for kind, place, size in messages:
            if kind == 0x11:
                links = self.symbols(*self.unpack("QQ", place))
            elif kind == 6:
                links = [self.link(place, size)]
            elif kind == 2 and self.unpack("Q", place + 2 + 8 * (self.data[place + 1] & 1))[0] != UNDEFINED:
                raise _Unusual("a group with its links in a heap")
            else:
                continue
            for key, address in links:
                if key in group.items:
                    raise ModelFileError(f"{self.where}: the file is damaged: {name[:80]!r} holds {key[:80]!r} twice.")
                group.items[key] = self.object(address, f"{name}{key}/", depth + 1)
        return group

    def messages(self, at: int) -> list[tuple[int, int, int]]:
        """Kind, place and size of every message of an object header."""
        new = bytes(self.bytes(at, 4)) == b"OHDR"
        if new:
            flags, place = self.data[at + 5], at + 6
            place += 16 * bool(flags & 0x20) + 4 * bool(flags & 0x10)
            width = 1 << (flags & 3)
            size = int.from_bytes(self.bytes(place, width), "little")
            blocks, head = [(place + width, size)], "BHB2x" if flags & 4 else "BHB"
        else:
            version, _, size = self.unpack("BxHxxxxI", at)
            if version != 1:
                raise ModelFileError(f"{self.where}: the file is damaged: at {at:,} there is no object.")
            blocks, head = [(at + 16, size)], "HHB3x"
        found: list[tuple[int, int, int]] = []
        while blocks:
            if len(found) > len(self.data) // 8:
                raise ModelFileError(f"{self.where}: the file is damaged: an object header at {at:,} refers back to itself.")
            place, left = blocks.pop(0)
            width = struct.calcsize(f"<{head}")
            while left >= width:
                kind, size, flags = self.unpack(head, place)
                place, left = place + width, left - width
                if size > left:
                    raise ModelFileError(f"{self.where}: the file is damaged: a message at {place:,} is longer than its header.")
                if flags & 2:
                    raise _Unusual("shared messages")
                if kind == 0x10:
                    address, length = self.unpack("QQ", place)
                    blocks.append((address + 4, length - 8) if new else (address, length))
                found.append((kind, place, size))
                place, left = place + size, left - size
        return found

    def symbols(self, tree: int, heap: int) -> list[tuple[str, int]]:
        """Names and addresses of a group's items, out of its tree and its heap of names."""
        if bytes(self.bytes(heap, 4)) != b"HEAP":
            raise ModelFileError(f"{self.where}: the file is damaged: a group has no names.")
        size, _, names = self.unpack("QQQ", heap + 8)
        text = bytes(self.bytes(names, size))
        links = []
        for node in self.leaves(tree, 0, "QQ"):
            if bytes(self.bytes(node, 4)) != b"SNOD":
                raise ModelFileError(f"{self.where}: the file is damaged: a group's table is not where it should be.")
            for i in range(self.unpack("H", node + 6)[0]):
                offset, address, cached = self.unpack("QQI", node + 8 + 40 * i)
                if cached == 2:
                    raise ModelFileError(f"{self.where}: it holds a link to somewhere else; links are never followed.")
                links.append((_text(text[offset:]), address))
        return links

    def leaves(self, tree: int, kind: int, key: str) -> list[Any]:
        """Addresses below a tree of the first kind; for arrays with their keys."""
        found: list[Any] = []
        waiting, width = [(tree, None)], struct.calcsize(f"<{key}") - 8
        while waiting:
            at, level = waiting.pop()
            if at in self.seen or bytes(self.bytes(at, 4)) != b"TREE" or self.data[at + 4] != kind:
                raise ModelFileError(f"{self.where}: the file is damaged: a tree is not where it should be.")
            self.seen.add(at)
            here, count = self.unpack("BH", at + 5)
            if level is not None and here != level - 1:
                raise ModelFileError(f"{self.where}: the file is damaged: a tree has no order.")
            for i in range(count):
                place = at + 24 + i * (width + 8)
                values = self.unpack(key, place)
                if here:
                    waiting.append((values[-1], here))
                else:
                    found.append(values[-1] if kind == 0 else values)
        return found

    def link(self, at: int, size: int) -> tuple[str, int]:
        flags, place = self.unpack("xB", at)[0], at + 2
        kind = self.data[place] if flags & 8 else 0
        place += bool(flags & 8) + 8 * bool(flags & 4) + bool(flags & 16)
        width = 1 << (flags & 3)
        length = int.from_bytes(self.bytes(place, width), "little")
        if kind != 0:
            raise ModelFileError(f"{self.where}: it holds a link to somewhere else; links are never followed.")
        if length > size:
            raise ModelFileError(f"{self.where}: the file is damaged: a name is longer than its link.")
        return bytes(self.bytes(place + width, length)).decode(), self.unpack("Q", place + width + length)[0]

    # ---- values
    def dataspace(self, at: int) -> tuple[int, ...]:
        version, rank, kind = self.unpack("BBxB", at)
        if version == 2 and kind == 2:
            raise _Unusual("an array without values")
        if rank > 32 or version not in (1, 2):
            raise ModelFileError(f"{self.where}: the file is damaged: an array has {rank} axes.")
        return self.unpack(f"{rank}Q", at + (8 if version == 1 else 4))

    def datatype(self, at: int) -> tuple[Any, int]:
        """A numpy dtype (or `"text"` for texts in the heap), and the bytes that its description takes."""
        kind, bits, high, size = self.unpack("BBH", at)[0] & 15, self.data[at + 1], self.data[at + 2], self.unpack("I", at + 4)[0]
        order = ">" if bits & 1 else "<"
        if kind == 0 and size in (1, 2, 4, 8):
            return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}"), 12
        if kind == 1 and size in (2, 4, 8):
            if self.unpack("HHBBBB", at + 8) == (0, 16, 7, 8, 0, 7):
                return np.dtype("V2"), 20  # bfloat16
            if self.unpack("BBBB", at + 12) != {2: (10, 5, 0, 10), 4: (23, 8, 0, 23), 8: (52, 11, 0, 52)}[size]:
                raise _Unusual("floats of an unusual form")
            return np.dtype(f"{order}f{size}"), 20
        if kind == 5 and size == 2:
            return np.dtype("V2"), 8 + bits + -bits % 8  # bfloat16, as Keras before 3.4 wrote it
        if kind == 3:
            return np.dtype(f"S{size}"), 8
        if kind == 8 and size == 1 and bits == 2 and not high:
            base, length = self.datatype(at + 8)
            if base.itemsize == 1 and b"TRUE\0" in bytes(self.bytes(at + 8 + length, 16)):
                return np.dtype(bool), 8 + length + 18
        if kind == 9 and bits & 15 == 1:
            return "text", 8 + self.datatype(at + 8)[1]
        raise _Unusual(f"values of class {kind} and {size} bytes")

    def attribute(self, at: int, room: int) -> tuple[str, Any]:
        """Name and value of an attribute: a text, a list of texts, a number or an array."""
        version, flags, named, typed, spaced = self.unpack("BBHHH", at)
        if version not in (1, 2, 3) or (version > 1 and flags):
            raise _Unusual("attributes of shared types")
        padded = (lambda n: n + -n % 8) if version == 1 else (lambda n: n)
        place = at + 8 + (version == 3)
        name = _text(bytes(self.bytes(place, named)))
        place += padded(named)
        dtype, _ = self.datatype(place)
        shape = self.dataspace(place + padded(typed))
        place += padded(typed) + padded(spaced)
        count = math.prod(shape)
        width = 16 if dtype == "text" else dtype.itemsize
        if place + count * width > at + room:
            raise ModelFileError(f"{self.where}: the file is damaged: the attribute {name[:80]!r} is cut short.")
        if dtype == "text":
            texts = [self.heap_text(place + 16 * i) for i in range(count)]
            return name, texts if shape else texts[0]
        array = np.frombuffer(self.bytes(place, count * width), dtype).reshape(shape)
        if dtype.kind == "S":
            texts = [text.decode() for text in array.ravel().tolist()]
            return name, texts if shape else texts[0]
        return name, array.item() if not shape else array.copy()

    def heap_text(self, at: int) -> str:
        """A text of variable length, out of a heap that is read once."""
        length, where, number = self.unpack("IQI", at)
        if length == 0:
            return ""
        if where not in self.collections:
            objects: dict[int, bytes] = {}
            if bytes(self.bytes(where, 4)) != b"GCOL":
                raise ModelFileError(f"{self.where}: the file is damaged: texts are not where they should be.")
            end = where + self.unpack("Q", where + 8)[0]
            place = where + 16
            while place + 16 <= end:
                index, _, size = self.unpack("HHxxxxQ", place)
                if index == 0:
                    break
                objects[index] = bytes(self.bytes(place + 16, size))
                place += 16 + size + -size % 8
            self.collections[where] = objects
        text = self.collections[where].get(number, b"")
        if len(text) < length:
            raise ModelFileError(f"{self.where}: the file is damaged: a text is missing.")
        return text[:length].decode()

    # ---- arrays
    def array(self, messages: list[tuple[int, int, int]], attrs: dict[str, Any], name: str) -> Stored:
        """An array, contiguous or in chunks, whose values are read when they are asked for."""
        places = {kind: place for kind, place, _ in messages}
        if not {1, 3} <= places.keys():
            raise ModelFileError(f"{self.where}: the file is damaged: the array {name[:80]!r} has no shape or type.")
        if 7 in places:
            raise ModelFileError(f"{self.where}: the array {name[:80]!r} is stored in another file, and such arrays are never opened.")
        shape, (dtype, _) = self.dataspace(places[1]), self.datatype(places[3])
        if dtype == "text":
            raise _Unusual("arrays of texts")
        nbytes = math.prod(shape) * dtype.itemsize
        layout = places[8]
        version, kind = self.unpack("BB", layout)
        if version != 3:
            raise _Unusual(f"arrays of layout version {version}")
        if nbytes > min(MOST_WEIGHTS, MOST_RATIO * len(self.data)):
            raise ModelFileError(
                f"{self.where}: the array {name[:80]!r} of shape {shape} would take {nbytes:,} bytes; the file has {len(self.data):,}.")
        if kind == 2:
            rank, tree = self.unpack("BQ", layout + 2)
            chunk = self.unpack(f"{rank}I", layout + 11)
            filters = self.filters(places[0xB]) if 0xB in places else []
            if rank != len(shape) + 1 or 0 in chunk or math.prod(chunk) > max(64 << 20, 2 * nbytes):
                raise ModelFileError(f"{self.where}: the file is damaged: the array {name[:80]!r} has parts of shape {chunk}.")
            pieces = [] if tree == UNDEFINED else self.leaves(tree, 1, f"II{rank}QQ")
            return _stored(shape, dtype, lambda: self.joined(shape, dtype, chunk[:-1], pieces, filters, name), attrs)
        at, size = self.unpack("QQ", layout + 2) if kind == 1 else (layout + 4, self.unpack("H", layout + 2)[0])
        if nbytes and (at == UNDEFINED or size < nbytes):
            raise ModelFileError(f"{self.where}: the file is damaged: the array {name[:80]!r} needs {nbytes:,} bytes.")
        view = self.bytes(at, nbytes) if nbytes else memoryview(b"")
        return _stored(shape, dtype, lambda: np.frombuffer(view, dtype).reshape(shape), attrs)

    def filters(self, at: int) -> list[int]:
        version, count = self.unpack("BB", at)
        place, found = at + (8 if version == 1 else 2), []
        for _ in range(count):
            number, second, values = self.unpack("HHxxH", place)
            named = second if version == 1 or number >= 256 else 0
            if version != 1 and number < 256:
                values = self.unpack("H", place + 4)[0]
                place -= 2
            if number not in (1, 2, 3):
                raise _Unusual(f"the filter {number}")
            place += 8 + named + 4 * values + 4 * (values % 2 if version == 1 else 0)
            found.append(number)
        return found

    def joined(self, shape: Any, dtype: np.dtype, chunk: Any, pieces: list[Any], filters: list[int], name: str) -> np.ndarray:
        """The values of an array in chunks, its filters undone."""
        whole = np.zeros(shape, dtype)
        size = math.prod(chunk) * dtype.itemsize
        for stored, mask, *starts, at in pieces:
            data: Any = self.bytes(at, stored)
            for i in reversed(range(len(filters))):
                if mask >> i & 1:
                    continue
                if filters[i] == 1:
                    data = _inflated(data, size, self.where, name)
                elif filters[i] == 2:
                    whole_part = len(data) // dtype.itemsize * dtype.itemsize
                    mixed = np.frombuffer(data, np.uint8)[:whole_part].reshape(dtype.itemsize, -1)
                    data = mixed.T.tobytes() + bytes(data[whole_part:])
                else:
                    data = data[:-4]  # a checksum
            if len(data) != size or any(s < 0 or s >= n for s, n in zip(starts, shape, strict=False)):
                raise ModelFileError(
                    f"{self.where}: the file is damaged: a part of the array {name[:80]!r} has {len(data):,} bytes, not {size:,}.")
            to = tuple(slice(s, min(s + c, n)) for s, c, n in zip(starts, chunk, shape, strict=False))
            part = np.frombuffer(data, dtype).reshape(chunk)
            whole[to] = part[tuple(slice(0, t.stop - t.start) for t in to)]
        return whole


def _stored(shape: tuple[int, ...], dtype: np.dtype, read: Any, attrs: dict[str, Any]) -> Stored:
    """An array; numpy has no bfloat16, so its values are read as float32."""
    if dtype != np.dtype("V2"):
        return Stored(shape, dtype, read, attrs)
    return Stored(shape, np.dtype(np.float32), lambda: (read().view(np.uint16).astype(np.uint32) << 16).view(np.float32), attrs)


def _inflated(data: Any, size: int, where: object, name: str) -> bytes:
    try:
        unpacker = zlib.decompressobj()
        return unpacker.decompress(bytes(data), size + 16)
    except zlib.error as e:
        raise ModelFileError(f"{where}: the file is damaged: the array {name[:80]!r} cannot be unpacked ({e}).") from None


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode()
