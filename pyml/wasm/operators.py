"""WGSL's operators and conversions as instructions, with constants folded and products kept for multiply-adds."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING

from ..errors import KernelError
from .module import sleb
from .opcodes import (
    BITS,
    CONVERT,
    EQZ,
    I32_CONST,
    MADD,
    NMADD,
    SCALAR,
    UNARY,
    V_AND,
    V_INT_NEG,
    V_NOT,
    VECTOR,
    simd,
)  # fmt: skip
from .values import ELEMENT, KNOWN, STORAGE, Number, Value, concrete, constant, fields_of, reread, rounded

if TYPE_CHECKING:
    from .expressions import Expressions

_COMPARE = {"==", "!=", "<", ">", "<=", ">="}
_FOLD = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    ">": operator.gt, "<=": operator.le, ">=": operator.ge, "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip


# ---- conversions
def convert(c: Expressions, v: Value, kind: str) -> Value:
    """`v` as a value of type `kind`, as the constructor of that type makes it."""
    if v.type == kind:
        return v
    if v.type in ("int", "float"):
        return constant(kind, v.const)
    target = ELEMENT.get(kind)
    if target is not None and v.type not in ELEMENT:
        return c.splat(v if v.type == target else convert(c, v, target), kind)
    if target is not None:
        return _convert_vector(c, v, ELEMENT[v.type], target, kind)
    if v.fields is not None or v.type in ELEMENT or kind not in SCALAR:
        raise KernelError(f"WGSL: a {v.type} is not a {kind}.")
    if v.const is not None:
        return constant(kind, _cast(v.const, kind))
    if kind == "bool":
        return binary(c, "!=", v, constant(v.type, 0))
    if v.type == "bool":
        return Value(kind, v.code + (CONVERT["i32", "f32"][0] if kind == "f32" else b""))
    if "f32" in (v.type, kind):
        return Value(kind, v.code + CONVERT[v.type, kind][0])
    out = Value(kind, v.code, simple=v.simple)
    out.load = v.load
    out.wraps = kind == "u32"
    return out


def _cast(n: Number, kind: str) -> Number:
    if kind == "bool":
        return bool(n)
    if kind == "f32":
        return float(n)
    if isinstance(n, float):
        low, high = (0, 2**32 - 1) if kind == "u32" else (-(2**31), 2**31 - 1)
        return 0 if math.isnan(n) else int(max(low, min(high, n)))
    return int(n)


def _convert_vector(c: Expressions, v: Value, source: str, target: str, kind: str) -> Value:
    if v.const is not None:
        return constant(kind, tuple(_cast(n, target) for n in v.const))
    if target == "bool":
        return binary(c, "!=", v, constant(v.type, 0))
    if source == "bool":
        one = constant(kind, 1)
        return Value(kind, v.code + one.code + V_AND)
    if "f32" in (source, target):
        return Value(kind, v.code + CONVERT[source, target][1])
    return Value(kind, v.code, simple=v.simple)


def bitcast(c: Expressions, v: Value, kind: str) -> Value:
    v = concrete(v)
    target = ELEMENT.get(kind)
    if v.const is not None:
        return constant(kind, tuple(reread(ELEMENT[v.type], n, target) for n in v.const) if target else reread(v.type, v.const, kind))
    if target is not None and v.type not in ELEMENT:
        return c.splat(bitcast(c, v, target), kind)
    if target is not None:
        return Value(kind, v.code, simple=v.simple)
    return Value(kind, v.code + BITS.get((v.type, kind), b""))


def unify(c: Expressions, a: Value, b: Value) -> tuple[Value, Value]:
    """Both operands in one type: abstract numbers take the other's, scalars are spread over vectors."""
    if a.type == b.type:
        return (a, b) if a.type in STORAGE else (concrete(a), concrete(b))
    if a.type in ("int", "float"):
        if b.type in ("int", "float"):
            return constant("f32", a.const), constant("f32", b.const)
        return constant(b.type, a.const), b
    if b.type in ("int", "float"):
        return a, constant(a.type, b.const)
    if a.type in ELEMENT and b.type == ELEMENT[a.type]:
        return a, c.splat(b, a.type)
    if b.type in ELEMENT and a.type == ELEMENT[b.type]:
        return c.splat(a, b.type), b
    raise KernelError(f"WGSL: operands of types {a.type} and {b.type}.")


def _one(name: str, vector: object) -> bytes:
    scalar, four = UNARY[name]
    return simd(four) if vector else bytes((scalar,))


def _plain(kind: str) -> dict[str, tuple[str, bytes]]:
    """The type of the result and the instruction by operator, where that is all there is to it."""
    element = ELEMENT.get(kind)
    known = VECTOR[element] if element else SCALAR[kind]
    if kind != "f32":
        known = {op: code for op, code in known.items() if op not in ("+", "-", "*", "/") or (element == "f32" and op == "/")}
    truth = "vec4<bool>" if element else "bool"
    return {op: (truth if op in _COMPARE else kind, code) for op, code in known.items() if op not in ("%", "<<", ">>", "min", "max")}


_PLAIN = {kind: _plain(kind) for kind in STORAGE}


# ---- operators
def binary(c: Expressions, op: str, a: Value, b: Value) -> Value:
    """`a op b`: folded where both are constants, otherwise the instructions of their type."""
    kind = a.type
    if kind != b.type or kind not in STORAGE:
        if op == "<<" or op == ">>":
            return _shift(c, op, concrete(a), concrete(b))
        if kind == "mat4x4<f32>" and op == "*":
            return _matrix_times(c, a, b)
        if kind == b.type == "int" and op in "+-*":
            return constant("int", _FOLD[op](a.const, b.const))
        a, b = unify(c, a, b)
        kind = a.type
        if kind not in STORAGE:
            raise KernelError(f"WGSL: no operator {op} for {kind}.")
    if a.const is not None and b.const is not None:
        return _known(c, op, a, b)
    plain = _PLAIN[kind].get(op)
    if plain is not None:
        return Value(plain[0], a.code + b.code + plain[1])
    if kind == "vec4<f32>":
        if op == "*":
            v = Value(kind, a.code + b.code + VECTOR["f32"]["*"])
            v.product = [(a, b)]
            return v
        if op == "%":
            return binary(c, "-", a, binary(c, "*", b, c_trunc(c, binary(c, "/", a, b))))
        if op in "+-" and c.relaxed and (a.product or b.product):
            return _multiply_add(op, kind, a, b)
    elif op == "<<" or op == ">>":
        return _shift(c, op, a, b)
    element = ELEMENT.get(kind)
    if element is None:
        return _sum(kind, a, b) if op == "+" and kind != "bool" else _scalar(c, op, kind, a, b)
    if op == "/" or op == "%":
        return _by_lane(c, op, a, b)
    try:
        return Value(kind, a.code + b.code + VECTOR[element][op])
    except KeyError:
        raise KernelError(f"WGSL: no operator {op} for {kind}.") from None


def _known(c: Expressions, op: str, a: Value, b: Value) -> Value:
    """`a op b` of constants of one type."""
    if op == "<<" or op == ">>":
        return _shift(c, op, a, b)
    kind = a.type
    element = ELEMENT.get(kind)
    result = kind if op not in _COMPARE else "vec4<bool>" if element else "bool"
    fold = _FOLD.get(op)
    if element is None:
        number = fold(a.const, b.const) if fold is not None else _fold(op, kind, a.const, b.const)
        return KNOWN.get((result, number.__class__, number)) or constant(result, number)
    return constant(result, tuple(_fold(op, element, x, y) for x, y in zip(a.const, b.const, strict=True)))


FOLDED: dict[tuple[str, Value, Value], Value] = {}  # what constants give: the same few in every copy of a loop's body
_MOST = 4096


def folded(c: Expressions, op: str, a: Value, b: Value) -> Value:
    """`a op b` of two constants."""
    known = FOLDED.get((op, a, b))
    if known is None:
        if len(FOLDED) > _MOST:
            FOLDED.clear()
        known = FOLDED[op, a, b] = binary(c, op, a, b)
    return known


def _fold(op: str, kind: str, x: Number, y: Number) -> Number:
    if op in _FOLD:
        return _FOLD[op](x, y)
    if kind == "f32":
        if op == "/":
            return rounded(x / y) if y else math.copysign(math.inf, x) if x else math.nan
        return math.fmod(x, y)
    if op == "/":
        return int(x / y) if abs(x) < 2**50 and y else x if not y else x // y
    return int(math.fmod(x, y)) if y else 0


def _multiply_add(op: str, kind: str, a: Value, b: Value) -> Value:
    if b.product:
        code = a.code
        for x, y in b.product:
            code = x.code + y.code + code + (MADD if op == "+" else NMADD)
        return Value(kind, code)
    if op == "+":
        return _multiply_add("+", kind, b, a)
    code = b.code + simd(UNARY["neg"][1])  # a * b - c
    for x, y in a.product:
        code = x.code + y.code + code + MADD
    return Value(kind, code)


def _scalar(c: Expressions, op: str, kind: str, a: Value, b: Value) -> Value:
    """`a - b`, `a * b`, `a / b` or `a % b` of scalars; powers of two become shifts."""
    if kind == "u32" and b.const is not None and op in "/%*" and b.const > 0 and b.const & (b.const - 1) == 0:
        k = b.const.bit_length() - 1
        if op == "%":
            return Value(kind, a.code + I32_CONST + sleb(b.const - 1) + SCALAR["u32"]["&"])
        if k == 0:
            return a
        v = Value(kind, a.code + I32_CONST + sleb(k) + (SCALAR["u32"][">>"] if op == "/" else SCALAR["u32"]["<<"]))
        v.wraps = a.wraps
        return v
    if op in "/%" and kind in ("i32", "u32") and b.const in (None, 0, -1):
        a, b = _safe_divisor(c, kind, a, b)
    if kind == "f32" and op == "%":
        return binary(c, "-", a, binary(c, "*", b, c_trunc(c, binary(c, "/", a, b))))
    if op == "*" and (b.const == 1 or a.const == 1):
        return a if b.const == 1 else b
    try:
        v = Value(kind, a.code + b.code + SCALAR[kind][op])
    except KeyError:
        raise KernelError(f"WGSL: no operator {op} for {kind}.") from None
    if kind == "u32":
        v.wraps = op == "-" or (op in "*/" and (a.wraps or b.wraps))
    return v


def _sum(kind: str, a: Value, b: Value) -> Value:
    """`a + b` of integers; it remembers its constant part for addresses."""
    if b.const == 0:
        return a
    if a.const == 0:
        return b
    v = Value(kind, a.code + b.code + SCALAR[kind]["+"])
    if kind == "u32":
        if a.wraps or b.wraps:
            v.wraps = True
        elif b.const is not None and b.const < 1 << 24:
            v.plus = (a.plus[0], a.plus[1] + b.const) if a.plus else (a, b.const)
        elif a.plus or b.plus:
            x, p = a.plus or (a, 0)
            y, q = b.plus or (b, 0)
            v.plus = (Value("u32", x.code + y.code + SCALAR["u32"]["+"]), p + q)
    return v


def _safe_divisor(c: Expressions, kind: str, a: Value, b: Value) -> tuple[Value, Value]:
    """Dividing by zero, or the least integer by -1, gives what WGSL says instead of a trap: the divisor becomes 1."""
    a, b = c.keep(a), c.keep(b)
    bad = b.code + EQZ
    if kind == "i32":
        least = a.code + I32_CONST + sleb(-(2**31)) + SCALAR["i32"]["=="] + b.code + I32_CONST + sleb(-1) + SCALAR["i32"]["=="]
        bad += least + SCALAR["i32"]["&"] + SCALAR["i32"]["|"]
    return a, c.keep(Value(kind, I32_CONST + b"\x01" + b.code + bad + b"\x1b"))


def _by_lane(c: Expressions, op: str, a: Value, b: Value) -> Value:
    kind, element = a.type, ELEMENT[a.type]
    if element == "u32" and b.const is not None and len(set(b.const)) == 1 and b.const[0] > 0 and b.const[0] & (b.const[0] - 1) == 0:
        n = b.const[0]
        if op == "%":
            return Value(kind, a.code + constant(kind, n - 1).code + V_AND)
        return Value(kind, a.code + I32_CONST + sleb(n.bit_length() - 1) + VECTOR["u32"][">>"])
    a, b = c.keep(a), c.keep(b)
    lanes = [c.keep(binary(c, op, c.extract(a, k), c.extract(b, k))) for k in range(4)]
    return c.gathered(kind, lanes)


def _shift(c: Expressions, op: str, a: Value, b: Value) -> Value:
    element = ELEMENT.get(a.type)
    if element is None:
        if a.const is not None and b.const is not None:
            n = b.const & 31
            return constant(a.type, a.const << n if op == "<<" else a.const >> n)
        return Value(a.type, a.code + b.code + SCALAR[a.type][op])
    if b.const is not None and (not isinstance(b.const, tuple) or len(set(b.const)) == 1):
        n = (b.const[0] if isinstance(b.const, tuple) else b.const) & 31
        if a.const is not None:
            return constant(a.type, tuple(x << n if op == "<<" else x >> n for x in a.const))
        return Value(a.type, a.code + I32_CONST + sleb(n) + VECTOR[element][op])
    a, b = c.keep(a), c.keep(b if b.type in ELEMENT else c.splat(b, "vec4<u32>"))
    return c.gathered(a.type, [c.keep(_shift(c, op, c.extract(a, k), c.extract(b, k))) for k in range(4)])


def _matrix_times(c: Expressions, m: Value, v: Value) -> Value:
    if v.type != "vec4<f32>":
        raise KernelError(f"WGSL: a matrix times a {v.type}.")
    v = c.keep(v)
    pairs = [(fields_of(m)[str(k)], c.splat(c.extract(v, k), "vec4<f32>")) for k in range(4)]
    code = pairs[0][0].code + pairs[0][1].code + VECTOR["f32"]["*"]
    for x, y in pairs[1:]:
        code = x.code + y.code + code + MADD if c.relaxed else code + x.code + y.code + VECTOR["f32"]["*"] + VECTOR["f32"]["+"]
    out = Value("vec4<f32>", code)
    out.product = pairs
    return out


def unary(c: Expressions, op: str, v: Value) -> Value:
    """`-v`, `!v` or `~v`."""
    element = ELEMENT.get(v.type)
    if op == "-":
        if v.const is not None:
            return constant(v.type, tuple(-n for n in v.const)) if element else constant(v.type, -v.const)
        if (element or v.type) == "f32":
            return Value(v.type, v.code + _one("neg", element))
        if element:
            return Value(v.type, v.code + V_INT_NEG)
        return Value(v.type, I32_CONST + b"\x00" + v.code + SCALAR["i32"]["-"])
    if op == "!":
        if v.const is not None:
            return constant(v.type, tuple(not n for n in v.const) if element else not v.const)
        return Value(v.type, v.code + (V_NOT if element else EQZ))
    if v.const is not None:
        return constant(v.type, tuple(~n for n in v.const) if element else ~v.const)
    return Value(v.type, v.code + (V_NOT if element else I32_CONST + sleb(-1) + SCALAR["i32"]["^"]))


def c_trunc(c: Expressions, v: Value) -> Value:
    return Value(v.type, v.code + _one("trunc", v.type in ELEMENT))
