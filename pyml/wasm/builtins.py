"""WGSL's built-in functions as instructions; those without one come from library.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import KernelError
from . import operators
from .library import library, names_for
from .opcodes import (
    ALL_TRUE,
    BR_IF,
    GETS,
    I32_CONST,
    MADD,
    PMAX,
    PMIN,
    SCALAR,
    SHUFFLE,
    UNARY,
    V_ANY,
    V_DOT,
    V_HIGH_BYTES,
    V_INT_ABS,
    V_LOW_BYTES,
    V_SELECT,
    VECTOR,
    simd,
)
from .values import ELEMENT, Value, aggregate, concrete, constant, fields_of

if TYPE_CHECKING:
    from .expressions import Expressions
    from .syntax import Expression

_SELECT = {"vec": b"\x1c\x01\x7b", "scalar": b"\x1b"}


def call(c: Expressions, name: str, args: list[Expression]) -> Value:
    found = _TABLE.get(name)
    values = [c.expression(a) for a in args]
    if found is not None:
        return found(c, *values)
    if name in UNARY:
        return _unary(c, name, values[0])
    p = library().procedures.get(name)
    if p is None:
        raise KernelError(f"WGSL: the function {name!r} is not known.")
    values = [concrete(v) for v in values]
    kind = values[0].type
    if name == "sign" and (ELEMENT.get(kind) or kind) == "i32":
        p = library().procedures["isign"]
    return c.inline(p, values, names_for(4 if kind in ELEMENT else 1))


def _unary(c: Expressions, name: str, v: Value) -> Value:
    v = concrete(v)
    element = ELEMENT.get(v.type)
    if name == "abs" and (element or v.type) != "f32":
        if (element or v.type) == "u32":
            return v
        if element:
            return Value(v.type, v.code + V_INT_ABS)
        v = c.keep(v)
        return select(c, v, operators.unary(c, "-", v), operators.binary(c, "<", v, constant("i32", 0)))
    scalar, vector = UNARY[name]
    return Value(v.type, v.code + (simd(vector) if element else bytes((scalar,))))


def _extreme(name: str) -> Callable[[Expressions, Value, Value], Value]:
    """The builder of `min` or `max`."""

    def build(c: Expressions, a: Value, b: Value) -> Value:
        if a.type == b.type == "int":
            return constant("int", min(a.const, b.const) if name == "min" else max(a.const, b.const))
        a, b = operators.unify(c, a, b)
        kind = a.type
        element = ELEMENT.get(kind)
        if a.const is not None and b.const is not None and element is None:
            return constant(kind, min(a.const, b.const) if name == "min" else max(a.const, b.const))
        if kind == "f32":
            return Value(kind, a.code + b.code + SCALAR["f32"][name])
        if element == "f32":  # the first operand survives when it is NaN
            return Value(kind, a.code + b.code + (PMIN if name == "min" else PMAX))
        if element:
            return Value(kind, a.code + b.code + VECTOR[element][name])
        a, b = c.keep(a), c.keep(b)
        less = SCALAR[kind]["<" if name == "min" else ">"]
        return Value(kind, a.code + b.code + a.code + b.code + less + b"\x1b")

    return build


def select(c: Expressions, otherwise: Value, then: Value, test: Value) -> Value:
    """`then` where the test holds."""
    otherwise, then = operators.unify(c, otherwise, then)
    if test.const is not None and not isinstance(test.const, tuple):
        return then if test.const else otherwise
    if isinstance(test.const, tuple) and len(set(test.const)) == 1:
        return then if test.const[0] else otherwise
    if test.type == "vec4<bool>":
        kind = then.type if then.type in ELEMENT else f"vec4<{then.type}>"
        return Value(kind, c.convert(then, kind).code + c.convert(otherwise, kind).code + test.code + V_SELECT)
    code = then.code + otherwise.code + test.code + _SELECT["vec" if then.type in ELEMENT else "scalar"]
    out = Value(then.type, code)
    out.wraps = then.wraps or otherwise.wraps
    return out


def _clamp(c: Expressions, x: Value, low: Value, high: Value) -> Value:
    return _extreme("min")(c, _extreme("max")(c, x, low), high)


def _fma(c: Expressions, a: Value, b: Value, d: Value) -> Value:
    a, b = operators.unify(c, a, b)
    a, d = operators.unify(c, a, d)
    if a.type in ELEMENT and c.relaxed:
        return Value(a.type, a.code + b.code + d.code + MADD)
    return operators.binary(c, "+", operators.binary(c, "*", a, b), d)


def _any(c: Expressions, v: Value) -> Value:
    return Value("bool", v.code + V_ANY) if v.type in ELEMENT else v


def _all(c: Expressions, v: Value) -> Value:
    return Value("bool", v.code + ALL_TRUE) if v.type in ELEMENT else v


def _dot(c: Expressions, a: Value, b: Value) -> Value:
    p = c.keep(operators.binary(c, "*", a, b))
    x, y, z, w = (c.extract(p, k) for k in range(4))
    return operators.binary(c, "+", operators.binary(c, "+", x, y), operators.binary(c, "+", z, w))


def _lanes(*lanes: int) -> bytes:
    return SHUFFLE + bytes(4 * k + i for k in lanes for i in range(4))


def _transpose(c: Expressions, m: Value) -> Value:
    columns = [c.keep(fields_of(m)[k]) for k in "0123"]

    def mix(a: Value, b: Value, *lanes: int) -> Value:
        return c.keep(Value("vec4<f32>", a.code + b.code + _lanes(*lanes)))

    a, b, d, e = columns
    ab, de = mix(a, b, 0, 4, 1, 5), mix(d, e, 0, 4, 1, 5)
    AB, DE = mix(a, b, 2, 6, 3, 7), mix(d, e, 2, 6, 3, 7)
    out = (mix(ab, de, 0, 1, 4, 5), mix(ab, de, 2, 3, 6, 7), mix(AB, DE, 0, 1, 4, 5), mix(AB, DE, 2, 3, 6, 7))
    return aggregate(m.type, dict(zip("0123", out, strict=True)))


_TABLE: dict[str, Callable[..., Value]] = {
    "min": _extreme("min"), "max": _extreme("max"), "select": select, "clamp": _clamp, "fma": _fma,
    "any": _any, "all": _all, "dot": _dot, "transpose": _transpose,
}  # fmt: skip


def _dot_i16x8(c: Expressions, a: Value, b: Value) -> Value:
    return Value(a.type, a.code + b.code + V_DOT)


def _pairs(quarter: int) -> Callable[[Expressions, Value, Value], Value]:
    """A quarter of the bytes of two vectors in turns, each of which becomes a half."""
    turns = bytes(16 * (k % 2) + k // 2 + quarter // 2 * 8 for k in range(16))
    widened = V_LOW_BYTES if quarter % 2 == 0 else V_HIGH_BYTES
    return lambda c, p, q: Value("vec4<i32>", p.code + q.code + SHUFFLE + turns + widened)


def _apart(c: Expressions) -> Value:
    """A branch to the next round of the loop that is never taken (no scratch memory begins at the last address).

    What it would take along has to be there first, so no load of what follows is moved before the sums so far.
    """
    if c.sinks and c.loops:
        c.emit(GETS[c.scratch_base], I32_CONST, b"\x7f", SCALAR["i32"]["=="])
        c.branch(c.loops[-1][2], BR_IF)
    return Value("none")


# functions that kernels declare for the other compilers, and that are an instruction or a few here
INSTRUCTIONS: dict[str, Callable[..., Value]] = {"dot_i16x8": _dot_i16x8, **{f"pairs_{k}": _pairs(k) for k in range(4)}, "apart": _apart}
