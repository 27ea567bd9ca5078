"""Event files of TensorBoard: records with checksums, which hold messages in protobuf's encoding."""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
import zlib
from collections.abc import Sequence

import numpy as np

from pyml.data.tfrecord import record

__all__: list[str] = []

_NUMBERS = itertools.count()
_TYPES = {"float32": 1, "float64": 2}  # DataType of TensorFlow
_TEXT = 7


# ---- protobuf: every field is a key, its number and a kind, and a value
def varint(value: int) -> bytes:
    """An integer in groups of seven bits, the lowest first."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def integer(number: int, value: int) -> bytes:
    """A field with an integer."""
    return varint(number << 3) + varint(value)


def text(number: int, value: bytes | str) -> bytes:
    """A field with text, bytes or another message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


# ---- messages
def tensor(value: np.ndarray | Sequence[bytes]) -> bytes:
    """A TensorProto of floats, or of byte strings; one string alone is a scalar."""
    if isinstance(value, np.ndarray):
        shape = b"".join(text(2, integer(1, size)) for size in value.shape)
        return integer(1, _TYPES[value.dtype.name]) + text(2, shape) + text(4, value.astype(value.dtype.newbyteorder("<")).tobytes())
    shape = b"" if len(value) == 1 else text(2, integer(1, len(value)))
    return integer(1, _TEXT) + text(2, shape) + b"".join(text(8, one) for one in value)


def png(pixels: np.ndarray) -> bytes:
    """A picture `(height, width, 1, 3 or 4)` of uint8 as a PNG file."""
    height, width, channels = pixels.shape
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # the first byte of a row names its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")


class EventFile:
    """A new event file in a folder, which is made; records are added whole.

    Args:
        folder: Folder of one run.

    Source: tensorflow/core/util/event.proto, summary.proto; TFRecord; the plugins' metadata of TensorBoard.
    """

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname() or 'tab'}.{os.getpid()}.{next(_NUMBERS)}.v2"
        self.path = os.path.join(folder, name)
        self._file = open(self.path, "wb")  # noqa: SIM115  # closed with the training
        self._event(text(3, "brain.Event:2"))
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """One number."""
        self._summary(tag, step, "scalars", 1, tensor(np.array(value, "float32")))

    def histogram(self, tag: str, values: np.ndarray, step: int, buckets: int = 30) -> None:
        """How values are distributed: left, right and count of buckets of one width."""
        values = np.asarray(values, "float64").ravel()
        values = values[np.isfinite(values)]
        if values.size and values.min() == values.max():
            rows = np.zeros((buckets, 3))
            rows[:, :2] = values[0]
            rows[-1, 2] = values.size
        elif values.size:
            counts, edges = np.histogram(values, buckets)
            rows = np.stack([edges[:-1], edges[1:], counts], 1)
        else:
            rows = np.zeros((0, 3))
        self._summary(tag, step, "histograms", 2, tensor(rows))

    def images(self, tag: str, images: np.ndarray, step: int, most: int = 3) -> None:
        """The first pictures of `(count, height, width, 1, 3 or 4)`, numbers from 0 to 1."""
        pixels = (np.clip(np.nan_to_num(images[:most]), 0, 1) * 255 + 0.5).astype(np.uint8)
        size = [str(images.shape[2]).encode(), str(images.shape[1]).encode()]
        self._summary(tag, step, "images", 3, tensor([*size, *(png(one) for one in pixels)]))

    def model(self, tag: str, config: str) -> None:
        """The config of a model, which TensorBoard draws."""
        self._summary(tag, 0, "graph_keras_model", 0, tensor([config.encode()]), b"1")

    def flush(self) -> None:
        """Hands what was added to the operating system, so that TensorBoard shows it."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        self._file.close()

    def _summary(self, tag: str, step: int, plugin: str, kind: int, value: bytes, content: bytes = b"") -> None:
        metadata = text(1, text(1, plugin) + (text(2, content) if content else b"")) + (integer(4, kind) if kind else b"")
        self._event((integer(2, step) if step else b"") + text(5, text(1, text(1, tag) + text(9, metadata) + text(8, value))))

    def _event(self, rest: bytes) -> None:
        self._file.write(record(struct.pack("<Bd", 1 << 3 | 1, time.time()) + rest))
