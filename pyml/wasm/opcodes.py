"""Instruction numbers, by WGSL operator and element type."""

from __future__ import annotations

from .module import leb

GET, SET, TEE = b"\x20", b"\x21", b"\x22"
BLOCK, LOOP, IF, ELSE, END = b"\x02\x40", b"\x03\x40", b"\x04\x40", b"\x05", b"\x0b"
BR, BR_IF, CALL = b"\x0c", b"\x0d", b"\x10"
I32_CONST, F32_CONST = b"\x41", b"\x43"
ADD, SUB, SHL, EQZ = b"\x6a", b"\x6b", b"\x74", b"\x45"


class Numbered(dict):
    """An instruction with a number behind it, by the number: most of them come up again and again."""

    def __init__(self, head: bytes = b""):
        self.head = head

    def __missing__(self, number: int) -> bytes:
        if len(self) >= 4096:
            self.clear()
        code = self[number] = self.head + leb(number)
        return code


LEB, GETS, SETS = Numbered(), Numbered(GET), Numbered(SET)


def simd(number: int) -> bytes:
    return b"\xfd" + leb(number)


V_CONST, V_LOAD, V_STORE, V_SPLAT_LOAD, V_ZERO_LOAD = simd(12), simd(0), simd(11), simd(9), simd(92)
V_NOT, V_AND, V_SELECT, V_ANY, SHUFFLE = simd(77), simd(78), simd(82), simd(83), simd(13)
ALL_TRUE = simd(163)
MADD, NMADD = simd(0x105), simd(0x106)

SPLAT = {"f32": simd(19), "i32": simd(17), "u32": simd(17)}
EXTRACT = {"f32": simd(31), "i32": simd(27), "u32": simd(27)}
REPLACE = {"f32": simd(32), "i32": simd(28), "u32": simd(28)}
LOAD_LANE = simd(0x56)

_FLOAT = {"+": 0x92, "-": 0x93, "*": 0x94, "/": 0x95, "==": 0x5B, "!=": 0x5C, "<": 0x5D, ">": 0x5E, "<=": 0x5F, ">=": 0x60,
          "min": 0x96, "max": 0x97}  # fmt: skip
_INT = {"+": 0x6A, "-": 0x6B, "*": 0x6C, "&": 0x71, "|": 0x72, "^": 0x73, "<<": 0x74, "==": 0x46, "!=": 0x47}
_SIGNED = {"/": 0x6D, "%": 0x6F, ">>": 0x75, "<": 0x48, ">": 0x4A, "<=": 0x4C, ">=": 0x4E}
_UNSIGNED = {"/": 0x6E, "%": 0x70, ">>": 0x76, "<": 0x49, ">": 0x4B, "<=": 0x4D, ">=": 0x4F}
SCALAR = {
    "f32": {k: bytes((v,)) for k, v in _FLOAT.items()},
    "i32": {k: bytes((v,)) for k, v in (_INT | _SIGNED).items()},
    "u32": {k: bytes((v,)) for k, v in (_INT | _UNSIGNED).items()},
    "bool": {k: bytes((_INT[k],)) for k in ("&", "|", "^", "==", "!=")},
}
_VFLOAT = {"+": 228, "-": 229, "*": 230, "/": 231, "==": 65, "!=": 66, "<": 67, ">": 68, "<=": 69, ">=": 70}
_VINT = {"+": 174, "-": 177, "*": 181, "&": 78, "|": 80, "^": 81, "<<": 171, "==": 55, "!=": 56}
_VSIGNED = {">>": 172, "<": 57, ">": 59, "<=": 61, ">=": 63, "min": 182, "max": 184}
_VUNSIGNED = {">>": 173, "<": 58, ">": 60, "<=": 62, ">=": 64, "min": 183, "max": 185}
VECTOR = {
    "f32": {k: simd(v) for k, v in _VFLOAT.items()},
    "i32": {k: simd(v) for k, v in (_VINT | _VSIGNED).items()},
    "u32": {k: simd(v) for k, v in (_VINT | _VUNSIGNED).items()},
    "bool": {k: simd(v) for k, v in {"&": 78, "|": 80, "^": 81, "!=": 81}.items()} | {"==": simd(81) + simd(77)},
}
PMIN, PMAX = simd(234), simd(235)
UNARY = {"abs": (0x8B, 224), "neg": (0x8C, 225), "ceil": (0x8D, 103), "floor": (0x8E, 104), "trunc": (0x8F, 105),
         "round": (0x90, 106), "sqrt": (0x91, 227)}  # fmt: skip
V_INT_ABS, V_INT_NEG = simd(160), simd(161)
V_LOW_BYTES, V_HIGH_BYTES = simd(135), simd(136)  # i16x8.extend_low_i8x16_s and its like
V_DOT = simd(186)  # i32x4.dot_i16x8_s
# (from, to) -> scalar and vector instruction
CONVERT = {
    ("i32", "f32"): (b"\xb2", simd(250)), ("u32", "f32"): (b"\xb3", simd(251)),
    ("f32", "i32"): (b"\xfc\x00", simd(248)), ("f32", "u32"): (b"\xfc\x01", simd(249)),
}  # fmt: skip
BITS = {("i32", "f32"): b"\xbe", ("u32", "f32"): b"\xbe", ("f32", "i32"): b"\xbc", ("f32", "u32"): b"\xbc"}


def lanes_of(k: int) -> bytes:
    """A shuffle that copies lane k of its first operand to all four."""
    return SHUFFLE + bytes(4 * k + i for _ in range(4) for i in range(4))
