"""Values while a kernel is compiled: a WGSL type, and either a constant or the instructions that push it."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from typing import Any, TypeAlias

from ..errors import KernelError
from .module import F32, I32, V128, f32_bytes, sleb
from .opcodes import F32_CONST, GETS, I32_CONST, V_CONST

ELEMENT = {f"vec4<{t}>": t for t in ("f32", "i32", "u32", "bool")}
STORAGE = {"f32": F32, "i32": I32, "u32": I32, "bool": I32, **dict.fromkeys(ELEMENT, V128)}
LANES = "xyzw"
_FOUR = struct.Struct("<4f").pack
Number: TypeAlias = Any  # what a value is known to be: a number, a truth value, four of them in a tuple, or None


class Value:
    """`code` pushes the value; `const` is a number, or four of them, where the value is known now.

    The other fields say how a value came about, for the instructions that do two things at once.
    """

    # most values have none of these; kernels make ten thousands of values
    fields: dict[str, Value] | None = None  # of a struct, a matrix, a short vector
    lane: tuple[Value, int] | None = None  # (vector, k): an extracted lane
    load: tuple[bytes, int] | None = None  # (address code, offset): an element just loaded
    plus: tuple[Value, int] | None = None  # (value, k): value + k that cannot wrap around
    index = -1  # of the local of a variable, which `code` reads
    product: Sequence[tuple[Value, Value]] = ()  # the value is the sum of a * b, in float vectors
    wraps = False  # u32 arithmetic that may have gone below zero, or a quotient of such, so that it may be near 2^32

    def __init__(self, kind: str, code: bytes = b"", const: Number = None, simple: bool = False):
        self.type, self.code, self.const, self.simple = kind, code, const, simple


KNOWN: dict[tuple, Value] = {}  # constants by type, class and number; nobody changes one
_MOST = 4096


def constant(kind: str, number: Number) -> Value:
    """A number, or four of them, of this type; one number is spread over a vector."""
    cls = number.__class__
    if cls is int or cls is bool or (cls is float and number):  # not 0.0, which is equal to -0.0
        key = kind, cls, number
        known = KNOWN.get(key)
        if known is None:
            if len(KNOWN) > _MOST:
                KNOWN.clear()
            known = KNOWN[key] = _constant(kind, number)
        return known
    return _constant(kind, number)


def _constant(kind: str, number: Number) -> Value:
    if kind == "u32":
        number &= 0xFFFFFFFF
    elif kind == "i32":
        number = (number + 0x80000000 & 0xFFFFFFFF) - 0x80000000
    elif kind == "f32":
        number = rounded(number)
    elif kind in ELEMENT:
        e = ELEMENT[kind]
        number = tuple(constant(e, n).const for n in number) if isinstance(number, tuple) else (constant(e, number).const,) * 4
    v = Value(kind, b"", number, True)
    v.code = push(v)
    return v


def variable(kind: str, index: int) -> Value:
    """A mutable variable in a local."""
    v = Value(kind, GETS[index], simple=True)
    v.index = index
    return v


def rounded(x: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def push(v: Value) -> bytes:
    """Instructions that push a constant; abstract numbers become i32 and f32."""
    kind, c = v.type, v.const
    if kind in ("i32", "u32", "int"):
        return I32_CONST + sleb(_signed(c))
    if kind == "bool":
        return I32_CONST + (b"\x01" if c else b"\x00")
    if kind in ("f32", "float"):
        return F32_CONST + f32_bytes(c)
    e = ELEMENT[kind]
    if e == "f32":
        return V_CONST + _FOUR(*c)
    return V_CONST + b"".join([word(e, n) for n in c])


def word(kind: str, n: Number) -> bytes:
    if kind == "f32":
        return f32_bytes(n)
    if kind == "bool":
        return b"\xff\xff\xff\xff" if n else b"\0\0\0\0"
    return struct.pack("<I", n & 0xFFFFFFFF)


def _signed(n: int) -> int:
    return (n + 0x80000000 & 0xFFFFFFFF) - 0x80000000


@functools.lru_cache(1024)
def number(text: str) -> Value:
    """A literal."""
    if text[:2] in ("0x", "0X"):
        tail = text[-1] if text[-1] in "iu" else ""
        return constant({"i": "i32", "u": "u32", "": "int"}[tail], int(text[2 : len(text) - len(tail)], 16))
    tail = text[-1] if text[-1] in "iuf" else ""
    body = text[: len(text) - len(tail)]
    if tail in ("i", "u"):
        return constant(f"{tail}32", int(body))
    if tail == "f" or not body.isdigit():
        return constant("f32" if tail else "float", float(body))
    return constant("int", int(body))


def concrete(v: Value) -> Value:
    """An abstract number as i32 or f32."""
    return constant({"int": "i32", "float": "f32"}[v.type], v.const) if v.type in ("int", "float") else v


def fields_of(v: Value) -> dict[str, Value]:
    """The members of a struct, matrix or short vector."""
    if v.fields is None:
        raise KernelError(f"WGSL: a {v.type} has no members of that kind.")
    return v.fields


def aggregate(kind: str, fields: dict[str, Value]) -> Value:
    v = Value(kind)
    v.fields = fields
    return v


def reread(source: str, number: Number, target: str) -> Number:
    """The 32 bits of a constant read as another type."""
    return struct.unpack({"f32": "<f", "i32": "<i", "u32": "<I"}[target], word(source, number))[0]
