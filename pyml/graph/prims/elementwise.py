"""Elementwise primitives. WGSL built-ins are approximate, so `formulas` has forms that hold everywhere.

In `wgsl` and `preamble`, T is the operand's type, F, I and U are f32, i32 and u32 of the same width,
and a `$` at the end of a helper's name is replaced by that width. The numpy form is the judge of all others, special
values included: what WGSL may do otherwise is in docs/numerics.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ...dtypes import LIMITS, NUMPY
from ..node import ARITHMETIC, Node
from ..op import ZERO, Elementwise, elementwise, same_dtype
from . import formulas
from .leaf import const, full, is_const

_nan = formulas.NAN
T = TypeVar("T")


def _float_or_int(of_float: T, of_int: T) -> Callable[[str], T]:
    return lambda dtype: of_float if dtype == "float32" else of_int


def _by_kind(of_float: T, of_signed: T, of_unsigned: T) -> Callable[[str], T]:
    return lambda dtype: {"float32": of_float, "uint32": of_unsigned}.get(dtype, of_signed)


def _signed(node: Node, like: Any) -> Node:
    return neg(node) if np.signbit(like) else node


def _times_a_known_zero(node: Node) -> Node | None:
    """A product with a constant 0 by a test: shader compilers take it for 0, of infinity and NaN too."""
    a, b = node.src if is_const(node.src[1], 0) else node.src[::-1]
    return _signed(TIMES_ZERO(a), b.attrs["value"]) if node.dtype == "float32" and is_const(b, 0) else None


def _less_itself(node: Node) -> Node | None:
    """A difference of a float and itself, which shader compilers take for 0 as well."""
    a, b = node.src
    return abs_(TIMES_ZERO(a)) if a is b and node.dtype == "float32" else None


def _by_a_known_zero(node: Node) -> Node | None:
    """A float over a constant 0 as a product with infinity, which is the same: shader compilers store nothing for the quotient."""
    a, b = node.src
    if node.dtype == "float32" and is_const(a, 0) and node.op is div:
        return _signed(ZERO_OVER(b), a.attrs["value"])
    if node.dtype != "float32" or not is_const(b, 0):
        return None
    return MUL(a, full(b.shape, np.copysign(np.inf, b.attrs["value"]), "float32"))


def _constant_first(node: Node) -> Node | None:
    """The greater of a constant and x: of x and a constant compilers make a built-in max again, which loses a NaN."""
    a, b = node.src
    return node.op(b, a) if is_const(b) and not is_const(a) else None


# ---- arithmetic
ADD = elementwise("add", wgsl="a + b", numpy=np.add, grad=lambda g, y, a, b: (g, g))
SUB = elementwise("sub", wgsl="a - b", numpy=np.subtract, grad=lambda g, y, a, b: (g, -g), absorb=_less_itself)
MUL = elementwise("mul", wgsl="a * b", numpy=np.multiply, grad=lambda g, y, a, b: (g * b, g * a), absorb=_times_a_known_zero)
_SIZE, _SIGNED_ZERO = "(bitcast<I>(x) & I(0x7fffffff))", "bitcast<T>(bitcast<I>(x) & ~I(0x7fffffff))"
TIMES_ZERO: Elementwise = elementwise(
    "times_zero", wgsl=f"select({_SIGNED_ZERO}, T(bitcast<f32>(nan_bits)), {_SIZE} >= I(0x7f800000))", numpy=lambda x: x * 0,
    grad=lambda g, y, x: TIMES_ZERO(g),
)  # fmt: skip
ZERO_OVER = elementwise(
    "zero_over", wgsl=f"select({_SIGNED_ZERO}, T(bitcast<f32>(nan_bits)), ({_SIZE} > I(0x7f800000)) | ({_SIZE} == I(0)))",
    numpy=lambda x: np.zeros_like(x) / x, grad=lambda g, y, x: TIMES_ZERO(g), probe=(0.5, 2.0),
)  # fmt: skip
div = elementwise(
    "div", wgsl=_by_kind("a / b", "ifloor_divide_$(a, b)", "select(a / b, T(0), b == T(0))"),
    preamble=_by_kind((), formulas.INTEGER_FLOOR_DIVIDE, ()), cost=4, probe=(0.5, 2.0),
    numpy=lambda a, b: np.divide(a, b) if a.dtype.kind == "f" else np.floor_divide(a, b),
    grad=lambda g, y, a, b: (g / b, -g * y / b), absorb=_by_a_known_zero,
)  # fmt: skip
neg = elementwise("neg", wgsl=_by_kind("-x", "-x", "T(0) - x"), numpy=np.negative, grad=lambda g, y, x: -g)
abs_ = elementwise(
    "abs", wgsl=lambda dtype: "x" if dtype in ("bool", "uint32") else "abs(x)", numpy=np.abs, grad=lambda g, y, x: g * sign(x),
)  # fmt: skip
sign: Elementwise = elementwise(
    "sign", wgsl=_by_kind(f"select(sign(x), x, {_nan.format('x')})", "sign(x)", "min(x, T(1))"), numpy=np.sign, grad=ZERO,
)  # fmt: skip
square = elementwise("square", wgsl="x * x", numpy=np.square, grad=lambda g, y, x: g * x * 2)
sqrt = elementwise("sqrt", wgsl="sqrt(x)", numpy=np.sqrt, grad=lambda g, y, x: g * 0.5 / y, cost=4, probe=(0.1, 4))
rsqrt = elementwise(
    "rsqrt", wgsl="inverseSqrt(x)", numpy=lambda x: 1 / np.sqrt(x), grad=lambda g, y, x: g * -0.5 * y * y * y,
    cost=4, probe=(0.1, 4),
)  # fmt: skip
floor = elementwise("floor", wgsl="floor(x)", numpy=np.floor, grad=ZERO)
ceil = elementwise("ceil", wgsl="ceil(x)", numpy=np.ceil, grad=ZERO)
round_ = elementwise("round", wgsl="round(x)", numpy=np.rint, grad=ZERO)
trunc = elementwise("trunc", wgsl="trunc(x)", numpy=np.trunc, grad=ZERO)
# one choice by two tests together: compilers make min() and max(), which lose a NaN, of a choice by a comparison alone
minimum = elementwise(
    "minimum", wgsl=_float_or_int(f"select(a, b, (b < a) | {_nan.format('b')})", "min(a, b)"), numpy=np.minimum,
    grad=lambda g, y, a, b: _share(g, less(a, b), less(b, a)), absorb=_constant_first,
)  # fmt: skip
maximum = elementwise(
    "maximum", wgsl=_float_or_int(f"select(a, b, (b > a) | {_nan.format('b')})", "max(a, b)"), numpy=np.maximum,
    grad=lambda g, y, a, b: _share(g, greater(a, b), greater(b, a)), absorb=_constant_first,
)  # fmt: skip
# by its bits, as integers: from -0 to -infinity, and no NaN
relu = elementwise(
    "relu", wgsl=_by_kind("select(x, T(0), bitcast<I>(x) <= I(-8388608))", "max(x, T(0))", "x"),
    numpy=lambda x: np.maximum(x, 0).astype(x.dtype),
    grad=lambda g, y, x: where(greater(y, zeros_like(y)), g, zeros_like(g)),
)  # fmt: skip


def _share(g: Node, first: Node, second: Node) -> tuple[Node, Node]:
    half, zero = g * 0.5, zeros_like(g)  # a tie gives half to each operand, as Keras on torch and JAX
    return where(first, g, where(second, zero, half)), where(second, g, where(first, zero, half))


# ---- exponentials
exp = elementwise("exp", wgsl="exp_$(x)", numpy=np.exp, grad=lambda g, y, x: g * y, cost=8, preamble=formulas.EXP)
log = elementwise("log", wgsl="log_$(x)", numpy=np.log, grad=lambda g, y, x: g / x, cost=8, probe=(0.05, 5), preamble=formulas.LOG)
log2 = elementwise(
    "log2", wgsl="log2_$(x)", numpy=np.log2, grad=lambda g, y, x: g / x * 1.4426950408889634, cost=8, probe=(0.05, 5),
    preamble=formulas.LOG2,
)  # fmt: skip
log10 = elementwise(
    "log10", wgsl="log10_$(x)", numpy=np.log10, grad=lambda g, y, x: g / x * 0.4342944819032518, cost=8, probe=(0.05, 5),
    preamble=formulas.LOG10,
)  # fmt: skip
log1p = elementwise(
    "log1p", wgsl="log1p_$(x)", numpy=np.log1p, grad=lambda g, y, x: g / (x + 1), cost=16, probe=(-0.9, 5),
    samples=(-1e-6, 1e-6, 0.49, 0.51, 0.0), preamble=formulas.LOG1P,
)  # fmt: skip
expm1 = elementwise(
    "expm1", wgsl="expm1_$(x)", numpy=np.expm1, grad=lambda g, y, x: g * (y + 1), cost=16, samples=(-1e-6, 1e-6, 0.0, 0.5),
    preamble=formulas.EXPM1,
)  # fmt: skip
sigmoid = elementwise(
    "sigmoid", wgsl="sigmoid_$(x)", numpy=lambda x: np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x))),
    grad=lambda g, y, x: g * y * (1 - y), cost=12, samples=(-90.0, 90.0, 0.0), preamble=formulas.SIGMOID,
)  # fmt: skip
tanh = elementwise(
    "tanh", wgsl="tanh_$(x)", numpy=np.tanh, grad=lambda g, y, x: g * (1 - y * y), cost=16,
    samples=(-20.0, 20.0, 1e-4, 0.0, 7.9), tol=2e-6, preamble=formulas.TANH,
)  # fmt: skip
sinh = elementwise("sinh", wgsl="sinh_$(x)", numpy=np.sinh, grad=lambda g, y, x: g * cosh(x), cost=24, preamble=formulas.SINH)
cosh: Elementwise = elementwise("cosh", wgsl="cosh_$(x)", numpy=np.cosh, grad=lambda g, y, x: g * sinh(x), cost=16, preamble=formulas.COSH)


def _np_erf(x: np.ndarray) -> np.ndarray:
    v = np.clip(x.astype(np.float64), -3.7439211627767994, 3.7439211627767994)
    q = v * v
    near = np.clip(v * np.polyval(formulas.ERF_OVER, q) / np.polyval(formulas.ERF_UNDER, q), -1, 1)
    return np.where(np.abs(x) > 3.92, np.sign(x), near).astype(x.dtype)


erf = elementwise(
    "erf", wgsl="erf_$(x)", numpy=_np_erf, grad=lambda g, y, x: g * exp(-square(x)) * 1.1283791670955126, cost=24,
    samples=(1e-5, 0.5, 0.7, 4.0, -4.0), tol=3e-6, preamble=formulas.ERF,
)  # fmt: skip

# ---- trigonometry
sin = elementwise("sin", wgsl="sin_$(x)", numpy=np.sin, grad=lambda g, y, x: g * cos(x), cost=16, preamble=formulas.SIN,
                  samples=(0.0, 3.0, 40.0, -7.0, 1e6), tol=2e-6)  # fmt: skip
cos: Elementwise = elementwise("cos", wgsl="cos_$(x)", numpy=np.cos, grad=lambda g, y, x: -g * sin(x), cost=16, preamble=formulas.COS,
                  samples=(0.0, 3.0, 40.0, -7.0, 1e6), tol=2e-6)  # fmt: skip
atan = elementwise("arctan", wgsl="atan_$(x)", numpy=np.arctan, grad=lambda g, y, x: g / (x * x + 1), cost=12, tol=2e-6,
                   preamble=formulas.ATAN)  # fmt: skip


# ---- power
def _np_pow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        if a.dtype.kind == "f":
            return np.power(a, b)
        y = np.power(a, np.maximum(b, 0)).astype(a.dtype)
        of_one = np.where(a == 1, 1, np.where(b & 1, a, 1))  # 1 / a, which is whole for 1 and -1 only
        return np.where(b < 0, np.where((a == 1) | (a == ~a.dtype.type(0)), of_one, 0), y).astype(a.dtype)


def _of_base(g: Node, a: Node, b: Node) -> Node:
    """The slope along the base, 0 where the exponent is: 0 ** 0 is 1 as its neighbours are."""
    slope = g * b * POW(a, b - 1)
    return slope if is_const(b) and b.attrs["value"] != 0 else where(equal(b, zeros_like(b)), zeros_like(g), slope)


def _log_of_base(a: Node, b: Node) -> Node:
    """The logarithm of the base: 0 of a base of 0 that is raised to 0 or more, as there all exponents around give 0. NaN of
    negative ones, which have powers for whole exponents alone."""
    flat = logical_and(equal(a, zeros_like(a)), greater_equal(b, zeros_like(b)))
    return log(where(flat, zeros_like(a) + 1.0, a))


POW: Elementwise = elementwise(
    "pow", wgsl=_float_or_int("pow_$(a, b)", "ipow_$(a, b)"), numpy=_np_pow, params=("a", "b"), arity=2, cost=60,
    probe=(0.2, 3.0), tol=2e-6, preamble=_float_or_int(formulas.POW, formulas.INTEGER_POW),
    grad=lambda g, y, a, b: (_of_base(g, a, b), g * y * _log_of_base(a, b)),
)  # fmt: skip

# ---- comparisons and logic
def _to_bool(*dtypes: str, **attrs: Any) -> str:
    return "bool"


def _compare(name: str, symbol: str, fn: Callable[..., Any]) -> Elementwise:
    return elementwise(name, wgsl=f"a {symbol} b", numpy=fn, grad=ZERO, dtype=_to_bool)


equal = _compare("equal", "==", np.equal)
# some adapters' compilers take a NaN for equal to everything
not_equal = elementwise(
    "not_equal", wgsl=_float_or_int("!(a == b)", "a != b"), numpy=np.not_equal, grad=ZERO, dtype=_to_bool,
)  # fmt: skip
less: Elementwise = _compare("less", "<", np.less)
less_equal = _compare("less_equal", "<=", np.less_equal)
greater: Elementwise = _compare("greater", ">", np.greater)
greater_equal = _compare("greater_equal", ">=", np.greater_equal)
logical_and = elementwise("logical_and", wgsl="a & b", numpy=np.logical_and, grad=ZERO, dtype=_to_bool)
logical_or = elementwise("logical_or", wgsl="a | b", numpy=np.logical_or, grad=ZERO, dtype=_to_bool)
logical_not = elementwise("logical_not", wgsl="!x", numpy=np.logical_not, grad=ZERO, dtype=_to_bool)
isnan = elementwise("isnan", wgsl=_nan.format("x"), numpy=np.isnan, grad=ZERO, dtype=_to_bool)
isinf = elementwise("isinf", wgsl="(bitcast<I>(x) & I(0x7fffffff)) == I(0x7f800000)", numpy=np.isinf, grad=ZERO, dtype=_to_bool)
isfinite = elementwise("isfinite", wgsl="(bitcast<I>(x) & I(0x7fffffff)) < I(0x7f800000)", numpy=np.isfinite, grad=ZERO, dtype=_to_bool)
where: Elementwise = elementwise(
    "where", wgsl="select(b, a, c)", numpy=lambda c, a, b: np.where(c, a, b), params=("c", "a", "b"),
    grad=lambda g, y, c, a, b: (None, where(c, g, zeros_like(g)), where(c, zeros_like(g), g)),
    dtype=lambda c, a, b: same_dtype(a, b),
)  # fmt: skip


# ---- integers
mod = elementwise(
    "mod", wgsl=_by_kind("mod_$(a, b)", "imod_$(a, b)", "select(a % b, T(0), b == T(0))"), cost=40, probe=(0.5, 3.0),
    preamble=_by_kind(formulas.MOD, formulas.INTEGER_MOD, ()),
    numpy=lambda a, b: np.mod(a, b), grad=lambda g, y, a, b: (g, -g * floor_divide(a, b)),
)  # fmt: skip
floor_divide: Elementwise = elementwise(
    "floor_divide", cost=40, probe=(0.5, 3.0), numpy=lambda a, b: np.floor_divide(a, b), grad=ZERO,
    wgsl=_by_kind("floor_divide_$(a, b)", "ifloor_divide_$(a, b)", "select(a / b, T(0), b == T(0))"),
    preamble=_by_kind(formulas.FLOOR_DIVIDE, formulas.INTEGER_FLOOR_DIVIDE, ()), absorb=_by_a_known_zero,
)  # fmt: skip
bitwise_and = elementwise("bitwise_and", wgsl="a & b", numpy=np.bitwise_and, grad=ZERO)
bitwise_or = elementwise("bitwise_or", wgsl="a | b", numpy=np.bitwise_or, grad=ZERO)
bitwise_xor = elementwise("bitwise_xor", wgsl="a ^ b", numpy=np.bitwise_xor, grad=ZERO)
# numpy's and XLA's: all bits may leave, and what fills a right shift of a negative number is its sign
left_shift = elementwise(
    "left_shift", wgsl="select(a << (U(b) & U(31u)), T(0), (U(b) >> U(5u)) != U(0u))", numpy=np.left_shift, grad=ZERO,
)  # fmt: skip
right_shift = elementwise(
    "right_shift", numpy=np.right_shift, grad=ZERO,
    wgsl=_float_or_int("", "select(a >> (U(b) & U(31u)), (a >> U(16u)) >> U(16u), (U(b) >> U(5u)) != U(0u))"),
)  # fmt: skip


# ---- conversions
def _cast_dtype(source: str, *, dtype: str) -> str:
    return dtype


def _np_cast(x: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        if x.dtype.kind != "f" or dtype not in LIMITS:
            return x.astype(NUMPY[dtype])
        low, high = LIMITS[dtype]  # out of range is the nearest, and a NaN 0, on every device
        return np.where(np.isnan(x), 0, np.clip(np.trunc(x.astype(np.float64)), low, high)).astype(NUMPY[dtype])


# To 16 bits. The gradient is that of the line the steps follow, which is also what float64 is given: no differences show it.
def _np_float16(x: np.ndarray) -> np.ndarray:
    if x.dtype == np.float64:
        return x
    with np.errstate(over="ignore"):
        return x.astype(np.float16).astype(x.dtype)


def _np_bfloat16(x: np.ndarray) -> np.ndarray:
    if x.dtype == np.float64:
        return x
    bits = np.asarray(x, np.float32, order="C").view(np.uint32)  # a scalar, as in the step of a loop, stays one
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(x), x, rounded.view(np.float32)).astype(x.dtype)


CAST = elementwise(
    "cast", wgsl="", converts="value", numpy=_np_cast, arity=1, dtype=_cast_dtype,
    absorb=lambda node: node.src[0] if node.src[0].dtype == node.dtype else None,
    grad=lambda g, y, x, dtype: (cast(g, dtype=x.dtype) if x.dtype == "float32" else None,),
)  # fmt: skip
BITCAST = elementwise(
    "bitcast", wgsl="", converts="bits", numpy=lambda x, dtype: x.view(NUMPY[dtype]), arity=1, dtype=_cast_dtype, grad=ZERO,
)  # fmt: skip
round_float16 = elementwise(
    "round_float16", wgsl="float16_$(x)", numpy=_np_float16, grad=lambda g, y, x: g, cost=8, preamble=formulas.FLOAT16,
    samples=(65519.0, 65520.0, 1e-7, 3e-8, 6.1e-5, 1.0004883, 2049.0, 2051.0),
)  # fmt: skip
round_bfloat16 = elementwise(
    "round_bfloat16", wgsl="bfloat16_$(x)", numpy=_np_bfloat16, grad=lambda g, y, x: g, cost=4, preamble=formulas.BFLOAT16,
    samples=(1.00390625, 1.01171875, 3.0e38, 1e-30),
)  # fmt: skip
copy = elementwise("copy", wgsl="x", numpy=lambda x: np.array(x, order="C"), grad=lambda g, y, x: g)
# what is brought from memory, whatever it costs to compute
kept = elementwise("kept", wgsl="x", numpy=lambda x: np.array(x, order="C"), grad=lambda g, y, x: g, cost=99)
stop_gradient = elementwise("stop_gradient", wgsl="x", numpy=lambda x: x, grad=ZERO, transparent=True)
# `a` as a value that can only be computed when `b` is there: what is made of it is not what was made of `a` before
after = elementwise("after", wgsl="a", numpy=lambda a, b: a, dtype=lambda a, b: a, grad=lambda g, y, a, b: (g, None))
after.saves_memory = True


def cast(x: Node, dtype: str) -> Node:
    if x.dtype == dtype:
        return x
    if is_const(x) and x.attrs["value"] is not None:  # else it was lifted out of the kernels
        return full(x.shape, x.attrs["value"], dtype)
    return CAST(x, dtype=dtype)


def zeros_like(x: Node) -> Node:
    return full(x.shape, 0, x.dtype)


def add(a: Node, b: Node) -> Node:
    return a if is_const(b, 0) else b if is_const(a, 0) else ADD(a, b)


def sub(a: Node, b: Node) -> Node:
    return a if is_const(b, 0) else SUB(a, b)


def mul(a: Node, b: Node) -> Node:
    return a if is_const(b, 1) else b if is_const(a, 1) else MUL(a, b)


def pow_(a: Node, b: Node) -> Node:
    """a ** b; small whole constant exponents become products."""
    if is_const(b):
        n = b.attrs["value"]
        if n == 0:
            return zeros_like(a) + 1
        if n == 1:
            return a
        if n == 2:
            return square(a)
        if n == 3:
            return square(a) * a
        if n == 4:
            return square(square(a))
        if n == 0.5 and a.dtype == "float32":
            return sqrt(a)
        if n == -1 and a.dtype == "float32":
            return div(zeros_like(a) + 1, a)
    return POW(a, b)


def _operator(fn: Callable[[Node, Node], Node]) -> Callable[[Any, Any], Node]:
    """`fn` of two nodes, one of which may be a number."""

    def apply(a: Any, b: Any) -> Node:
        from .move import broadcast_to

        if not isinstance(b, Node):
            b = broadcast_to(const(b, a.dtype), a.shape)
        elif not isinstance(a, Node):
            a = broadcast_to(const(a, b.dtype), b.shape)
        return fn(a, b)

    return apply


ARITHMETIC.update(add=_operator(add), sub=_operator(sub), mul=_operator(mul), div=_operator(div), pow=_operator(pow_), neg=neg)
