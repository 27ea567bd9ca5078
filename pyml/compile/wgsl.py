"""Spelling WGSL: types, literals, index expressions, and the op table's expressions."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable

import numpy as np

from ..dtypes import LIMITS
from ..graph.index import Index, Known, Quotient, Var

REGISTER = {"float32": "f32", "int32": "i32", "uint32": "u32", "bool": "bool"}
MEMORY = {**REGISTER, "bool": "u32"}
_TOKEN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
# private variables are not constant expressions, so no compiler objects to infinities and NaNs made from them
PRIVATE = {
    "lowest_bits": "var<private> lowest_bits: u32 = 0xff800000u;",
    "highest_bits": "var<private> highest_bits: u32 = 0x7f800000u;",
    "nan_bits": "var<private> nan_bits: u32 = 0x7fc00000u;",
}


@functools.cache
def typename(dtype: str, width: int) -> str:
    return REGISTER[dtype] if width == 1 else f"vec4<{REGISTER[dtype]}>"


def literal(value: float, dtype: str) -> str:
    """A scalar constant."""
    if dtype == "bool":
        return "true" if value else "false"
    if dtype == "uint32":
        return f"{int(value) & 0xFFFFFFFF}u"
    if dtype == "int32":
        return f"{int(value)}i" if value > -(2**31) else "i32(-2147483647 - 1)"
    return _float(value) if value else f"{float(value)}f"  # 0.0f or -0.0f, which are one key


@functools.lru_cache(1024)
def _float(value: float) -> str:
    with np.errstate(over="ignore"):
        v = float(np.float32(value))
    if math.isnan(v):
        return "bitcast<f32>(nan_bits)"
    if math.isinf(v):
        return f"bitcast<f32>({'highest_bits' if v > 0 else 'lowest_bits'})"
    return f"{np.format_float_scientific(np.float32(v), unique=True)}f" if v else f"{v}f"


def expand(text: str, names: dict[str, str], dtype: str, width: int) -> str:
    """An op's expression with operand names and the types T, F, I, U filled in; `$` becomes the width."""
    parts, end = _parts(text, dtype, width)
    return "".join([part for before, name, meant in parts for part in (before, names.get(name, meant))]) + end


@functools.lru_cache(1024)
def _parts(text: str, dtype: str, width: int) -> tuple[list[tuple[str, str, str]], str]:
    """What comes before each name of an expression, the name, and what it means where nobody says otherwise; then the rest."""
    types = {
        "T": typename(dtype, width), "F": typename("float32", width),
        "I": typename("int32", width), "U": typename("uint32", width), "B": typename("bool", width),
        "ANY": "any" if width > 1 else "",
    }  # fmt: skip
    text, found, at = text.replace("$", str(width)), [], 0
    for match in _TOKEN.finditer(text):
        found.append((text[at : match.start()], match.group(), types.get(match.group(), match.group())))
        at = match.end()
    return found, text[at:]


def cast(x: str, source: str, target: str, width: int, saturates: bool = False) -> str:
    """`x` of dtype `source` as `target`; `saturates` says that float to integer conversions hold for any float."""
    if source == "float32" and target == "bool":  # by its bits: compilers may take a NaN for 0
        bits = typename("int32", width)
        return f"((bitcast<{bits}>({x}) & {bits}(0x7fffffff)) != {bits}(0))"
    if source == "float32" and target in LIMITS and not saturates:  # the nearest integer there is; a NaN gives 0
        kind, high = typename(target, width), LIMITS[target][1]
        over = f"{x} >= {typename(source, width)}({float(high + 1)!r})"
        bits = typename("int32", width)
        nan = f"(bitcast<{bits}>({x}) & {bits}(0x7fffffff)) > {bits}(0x7f800000)"
        return f"select(select({kind}({x}), {kind}({literal(high, target)}), {over}), {kind}(0), {nan})"
    if target == "bool":
        return f"({x} != {typename(source, width)}({literal(0, source)}))"
    return f"{typename(target, width)}({x})"


def index_text(e: Index, name_of: Callable[[Var | Quotient], str]) -> str:
    """An index expression in u32 arithmetic; `name_of(atom)` names a variable or a shared quotient."""
    text = taken = ""
    for key, c in e.terms.items():
        part = name_of(e.atoms[key])
        if abs(c) != 1:
            part = f"{part} * {abs(c) % 2**32}u"  # what is larger belongs to elements that a test leaves out, and has no literal
        if c < 0:
            taken += f" - {part}"
        else:
            text += f" + {part}"
    text += taken
    if e.const or not text:
        text += f" {'-' if e.const < 0 else '+'} {abs(e.const) % 2**32}u"
    return f"0u{text}" if text[1] == "-" else text[3:]


def lane_split(e: Index, lane: str) -> tuple[int, Index] | None:
    """`(coefficient, rest)` if e is coefficient * lane + rest with no other use of the lane, else None."""
    found = _split.get((lane, e.text), e)
    if found is e:
        found = _split[lane, e.text] = _lane_split(e, lane)
    return found


_split = Known()


def _lane_split(e: Index, lane: str) -> tuple[int, Index] | None:
    coefficient, rest = 0, {}
    for key, c in e.terms.items():
        atom = e.atoms[key]
        if isinstance(atom, Var):
            if atom.name == lane:
                coefficient = c
                continue
        elif lane in atom.expr.variables():
            return None
        rest[key] = c
    return coefficient, Index(rest, e.const, e.atoms)
