"""Hashes of text of 64 bits that are the same everywhere: FarmHash's fingerprint, SipHash-2-4, and the hash of several hashes.

They are computed for many texts at a time: texts of the same length are the rows of a matrix of bytes.

Sources: G. Pike, "FarmHash" (the fingerprint of 64 bits), after "CityHash"; Aumasson and Bernstein 2012, "SipHash: a fast
short-input PRF".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

Words = Any  # uint64, one for each text, or one for all

_K0, _K1, _K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
_CAT = np.uint64(0xC6A4A7935BD1E995)
CROSS_KEY = 0xDECAFCAFFE  # what TensorFlow starts the hash of several with


def fingerprint64(texts: Sequence[bytes]) -> Words:
    """The FarmHash fingerprint of each text."""
    return _by_length(texts, _fingerprint)


def siphash64(texts: Sequence[bytes], key: Sequence[int]) -> Words:
    """SipHash-2-4 of each text under a key of two integers."""
    halves = [np.uint64(int(half) % 2**64) for half in key]
    return _by_length(texts, lambda rows: _siphash(rows, halves))


def combined(hashes: Iterable[Words], key: int = CROSS_KEY) -> Words:
    """One hash of several, in their order."""
    total = np.uint64(key)
    for one in hashes:
        total = (total ^ _CAT) ^ (_mixed(one * _CAT) * _CAT)
        total = _mixed(_mixed(total * _CAT) * _CAT)
    return np.asarray(total)


def buckets(hashes: Words, count: int) -> np.ndarray:
    """Which of `count` buckets each hash falls into, int32."""
    return (hashes % np.uint64(count)).astype(np.int32)


def _by_length(texts: Sequence[bytes], of_rows: Callable[[np.ndarray], Words]) -> Words:
    out = np.zeros(len(texts), np.uint64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        joined = b"".join([texts[i] for i in places.tolist()])
        with np.errstate(over="ignore"):
            out[places] = of_rows(np.frombuffer(joined, np.uint8).reshape(len(places), length))
    return out


def _word(rows: np.ndarray, start: int, size: int = 8) -> Words:
    """`size` bytes of each row as a little-endian integer."""
    return np.ascontiguousarray(rows[:, start : start + size]).view(f"<u{size}")[:, 0].astype(np.uint64)


def _turned(x: Words, right: int) -> Words:
    return (x >> np.uint64(right)) | (x << np.uint64(64 - right))


def _mixed(x: Words) -> Words:
    return x ^ (x >> np.uint64(47))


def _two(u: Words, v: Words, factor: Words) -> Words:
    """Two words as one."""
    a = _mixed((u ^ v) * factor)
    return _mixed((v ^ a) * factor) * factor


def _fingerprint(rows: np.ndarray) -> Words:
    """Farm hash 64 of each row of bytes."""
    n = rows.shape[1]
    if n > 64:
        return _of_long(rows)
    size = np.uint64(n)
    factor = _K2 + size * np.uint64(2)
    if n > 16:
        a, b = _word(rows, 0) * (_K1 if n <= 32 else _K2), _word(rows, 8)
        c, d = _word(rows, n - 8) * factor, _word(rows, n - 16) * _K2
        y = _turned(a + b, 43) + _turned(c, 30) + d
        z = _two(y, a + _turned(b + _K2, 18) + c, factor)
        if n <= 32:
            return z
        e, f = _word(rows, 16) * factor, _word(rows, 24)
        g, h = (y + _word(rows, n - 32)) * factor, (z + _word(rows, n - 24)) * factor
        return _two(_turned(e + f, 43) + _turned(g, 30) + h, e + _turned(f + a, 18) + g, factor)
    if n >= 8:
        a, b = _word(rows, 0) + _K2, _word(rows, n - 8)
        return _two(_turned(b, 37) * factor + a, (_turned(a, 25) + b) * factor, factor)
    if n >= 4:
        return _two(size + (_word(rows, 0, 4) << np.uint64(3)), _word(rows, n - 4, 4), factor)
    if n > 0:
        first, middle, last = (rows[:, i].astype(np.uint64) for i in (0, n >> 1, n - 1))
        y, z = first + (middle << np.uint64(8)), size + (last << np.uint64(2))
        return _mixed(y * _K2 ^ z * _K0) * _K2
    return np.full(len(rows), _K2)


def _of_long(rows: np.ndarray) -> Words:
    """The fingerprint of more than 64 bytes: blocks of 64, then the last 64 once more."""
    n = rows.shape[1]
    zero = np.zeros(len(rows), np.uint64)
    start = np.uint64(81)
    y = zero + (start * _K1 + np.uint64(113))
    z = _mixed(y * _K2 + np.uint64(113)) * _K2
    x = start * _K2 + _word(rows, 0)
    v, w = (zero, zero), (zero, zero)

    def block(at: int, x: Words, y: Words, z: Words, v: tuple[Words, Words], w: tuple[Words, Words], factor: Words, nine: int) -> Any:
        x = _turned(x + y + v[0] + _word(rows, at + 8), 37) * factor
        y = _turned(y + v[1] + _word(rows, at + 48), 42) * factor
        x = x ^ (w[1] * np.uint64(nine))
        y = y + v[0] * np.uint64(nine) + _word(rows, at + 40)
        z = _turned(z + w[0], 33) * factor
        v = _half(rows, at, v[1] * factor, x + w[0])
        w = _half(rows, at + 32, z + w[1], y + _word(rows, at + 16))
        return z, y, x, v, w

    for at in range(0, (n - 1) // 64 * 64, 64):
        x, y, z, v, w = block(at, x, y, z, v, w, _K1, 1)
    factor = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w = (w[0] + np.uint64((n - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = block(n - 64, x, y, z, v, w, factor, 9)
    return _two(_two(v[0], w[0], factor) + _mixed(y) * _K0 + z, _two(v[1], w[1], factor) + x, factor)


def _half(rows: np.ndarray, at: int, a: Words, b: Words) -> tuple[Words, Words]:
    """32 bytes and two words as two words."""
    one, two, three, four = (_word(rows, at + i) for i in (0, 8, 16, 24))
    a = a + one
    b = _turned(b + a + four, 21)
    total = a + two + three
    return total + four, b + _turned(total, 44) + a


def _siphash(rows: np.ndarray, key: Sequence[np.uint64]) -> Words:
    """SipHash-2-4 of each row of bytes under a key of two words."""
    n = rows.shape[1]
    padded = np.zeros((len(rows), n // 8 * 8 + 8), np.uint8)
    padded[:, :n] = rows
    padded[:, -1] = n % 256
    v = [np.zeros(len(rows), np.uint64) + (half ^ np.uint64(start)) for half, start in zip(
        (*key, *key), (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573), strict=True)]
    for at in range(0, padded.shape[1], 8):
        word = _word(padded, at)
        v[3] = v[3] ^ word
        _rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[Words], count: int) -> None:
    for _ in range(count):
        v[0] = v[0] + v[1]
        v[2] = v[2] + v[3]
        v[1] = _turned(v[1], 51) ^ v[0]
        v[3] = _turned(v[3], 48) ^ v[2]
        v[0] = _turned(v[0], 32)
        v[2] = v[2] + v[1]
        v[0] = v[0] + v[3]
        v[1] = _turned(v[1], 47) ^ v[2]
        v[3] = _turned(v[3], 43) ^ v[0]
        v[2] = _turned(v[2], 32)
