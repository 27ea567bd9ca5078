"""CRC-32C, as the records of TensorFlow have it; numpy goes over many pieces of the data at a time."""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def _table() -> np.ndarray:
    values: np.ndarray = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = values >> 1 ^ np.where(values & 1, np.uint32(0x82F63B78), np.uint32(0))
    return values


@cache
def _listed() -> list[int]:
    return _table().tolist()


@cache
def _behind(length: int) -> np.ndarray:
    """Tables `(4, 256)` of what `length` zero bytes make of each byte of a checksum."""
    state = (np.arange(256, dtype=np.uint32)[None] << (8 * np.arange(4, dtype=np.uint32))[:, None]).astype(np.uint32)
    table = _table()
    for _ in range(length):
        state = state >> 8 ^ table[state & 255]
    return state


def crc32c(data: bytes | bytearray | memoryview) -> int:
    """The CRC-32C of some bytes.

    Example:
        >>> hex(pyml.data.crc.crc32c(b"123456789"))
        '0xe3069283'
    """
    if len(data) < 4096:
        listed, crc = _listed(), 0xFFFFFFFF
        for byte in bytes(data):
            crc = listed[(crc ^ byte) & 255] ^ crc >> 8
        return crc ^ 0xFFFFFFFF
    # The register starts with ones, which is the same as inverting the first four bytes and starting with zeros; zeros in
    # front change nothing then, so the data fills whole pieces. Pieces side by side, then their checksums one behind another.
    length = 256 if len(data) < 262144 else 2048
    pieces = -(-len(data) // length)
    padded = np.zeros(pieces * length, np.uint8)
    begin = len(padded) - len(data)
    padded[begin:] = np.frombuffer(data, np.uint8)
    padded[begin : begin + 4] ^= 255
    columns = np.ascontiguousarray(padded.reshape(pieces, length).T)
    table, state = _table(), np.zeros(pieces, np.uint32)
    for column in columns:
        state = state >> np.uint32(8) ^ table[(state ^ column) & 255]
    a, b, c, d = _behind(length).tolist()
    crc = 0
    for one in state.tolist():
        crc = a[crc & 255] ^ b[crc >> 8 & 255] ^ c[crc >> 16 & 255] ^ d[crc >> 24] ^ one
    return crc ^ 0xFFFFFFFF


def masked(data: bytes | bytearray | memoryview) -> int:
    """The checksum of a record: CRC-32C, rotated and offset."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
