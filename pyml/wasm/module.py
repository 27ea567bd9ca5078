"""Writes WebAssembly modules byte by byte: the little of the binary format that kernels need.

Source: WebAssembly Core Specification 3.0, chapter 5 (binary format); the `dylink.0` section is that of the
WebAssembly tool conventions, so that Emscripten's dynamic loader takes the module too.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

I32, I64, F32, V128 = 0x7F, 0x7E, 0x7D, 0x7B
PAGES = 65536  # most pages of a 32-bit memory


@functools.lru_cache(4096)
def leb(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if not value:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


@functools.lru_cache(4096)
def sleb(value: int) -> bytes:
    """Signed LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def f32_bytes(value: float) -> bytes:
    return struct.pack("<f", value)


@dataclass
class Function:
    """A function without results: parameter types, types of the other locals, its instructions without the last `end`."""

    params: tuple[int, ...]
    locals: list[int] = field(default_factory=list)
    code: bytes = b""


def _section(number: int, body: bytes) -> bytes:
    return bytes((number,)) + leb(len(body)) + body


def _vector(items: Sequence[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def _name(text: str) -> bytes:
    raw = text.encode()
    return leb(len(raw)) + raw


def _body(f: Function) -> bytes:
    runs = [(kind, len([*run])) for kind, run in groupby(f.locals)]
    body = _vector([leb(n) + bytes((kind,)) for kind, n in runs]) + bytes(f.code) + b"\x0b"
    return leb(len(body)) + body


def encode(functions: Sequence[Function], exports: dict[str, int], shared: bool = False) -> bytes:
    """The module with imported memory `env.memory`; `exports` maps names to positions in `functions`."""
    kinds = list(dict.fromkeys(f.params for f in functions))
    types = [b"\x60" + _vector([bytes((t,)) for t in kind]) + b"\x00" for kind in kinds]
    limits = b"\x03" + leb(1) + leb(PAGES) if shared else b"\x00" + leb(0)
    memory = _name("env") + _name("memory") + b"\x02" + limits
    return b"".join((
        b"\0asm\x01\0\0\0",
        _section(0, _name("dylink.0") + b"\x01" + leb(4) + b"\0\0\0\0"),  # no memory and no table of its own
        _section(1, _vector(types)),
        _section(2, _vector([memory])),
        _section(3, _vector([leb(kinds.index(f.params)) for f in functions])),
        _section(7, _vector([_name(n) + b"\x00" + leb(i) for n, i in exports.items()])),
        _section(10, _vector([_body(f) for f in functions])),
    ))  # fmt: skip
