"""Elementwise primitives. WGSL built-ins are approximate, so the stable forms are written out here.

In `wgsl` and `preamble`, T is the operand's type, F, I and U are f32, i32 and u32 of the same width,
and a `$` at the end of a helper's name is replaced by that width.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import NUMPY
from ..node import ARITHMETIC, Node
from ..op import ZERO, elementwise
from .leaf import const, is_const

# signed, because processors without unsigned vector comparisons run kernels too
_nan = "(bitcast<I>({0}) & I(0x7fffffff)) > I(0x7f800000)"


def _float_or_int(of_float, of_int):
    return lambda dtype: of_float if dtype == "float32" else of_int


# ---- arithmetic
ADD = elementwise("add", wgsl="a + b", numpy=np.add, grad=lambda g, y, a, b: (g, g))
SUB = elementwise("sub", wgsl="a - b", numpy=np.subtract, grad=lambda g, y, a, b: (g, -g))
MUL = elementwise("mul", wgsl="a * b", numpy=np.multiply, grad=lambda g, y, a, b: (g * b, g * a))
div = elementwise(
    "div", wgsl="a / b", numpy=lambda a, b: np.divide(a, b) if a.dtype.kind == "f" else (a // np.where(b == 0, 1, b)),
    grad=lambda g, y, a, b: (g / b, -g * y / b), cost=4, probe=(0.5, 2.0),
)  # fmt: skip
neg = elementwise("neg", wgsl="-x", numpy=np.negative, grad=lambda g, y, x: -g)
abs_ = elementwise("abs", wgsl="abs(x)", numpy=np.abs, grad=lambda g, y, x: g * sign(x))
sign = elementwise("sign", wgsl="sign(x)", numpy=np.sign, grad=ZERO)
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
minimum = elementwise(
    "minimum", wgsl=_float_or_int(f"select(select(a, b, b < a), b, {_nan.format('b')})", "min(a, b)"), numpy=np.minimum,
    grad=lambda g, y, a, b: _share(g, less(a, b), less(b, a)),
)  # fmt: skip
maximum = elementwise(
    "maximum", wgsl=_float_or_int(f"select(select(a, b, b > a), b, {_nan.format('b')})", "max(a, b)"), numpy=np.maximum,
    grad=lambda g, y, a, b: _share(g, greater(a, b), greater(b, a)),
)  # fmt: skip
relu = elementwise(
    "relu", wgsl="select(x, T(0), x < T(0))", numpy=lambda x: np.maximum(x, 0).astype(x.dtype),
    grad=lambda g, y, x: where(greater(y, zeros_like(y)), g, zeros_like(g)),
)  # fmt: skip


def _share(g, first, second):
    half, zero = g * 0.5, zeros_like(g)  # a tie gives half to each operand, as Keras on torch and JAX
    return where(first, g, where(second, zero, half)), where(second, g, where(first, zero, half))


# ---- exponentials
# some adapters' exp and log make a number of a NaN
exp = elementwise("exp", wgsl=f"select(exp(x), x, {_nan.format('x')})", numpy=np.exp, grad=lambda g, y, x: g * y, cost=8)
log = elementwise(
    "log", wgsl="select(T(bitcast<f32>(nan_bits)), log(x), x >= T(0))", numpy=np.log, grad=lambda g, y, x: g / x,
    cost=8, probe=(0.05, 5),
)  # fmt: skip
log1p = elementwise(
    "log1p", wgsl="log1p_$(x)", numpy=np.log1p, grad=lambda g, y, x: g / (x + 1), cost=16, probe=(-0.9, 5),
    samples=(-1e-6, 1e-6, 0.49, 0.51, 0.0),
    preamble="""fn log1p_$(x: F) -> F {
  let s = x / (F(2.0) + x); let q = s * s;  // log1p(x) = 2 atanh(x / (2 + x))
  let near = F(2.0) * s * (F(1.0) + q * (F(0.33333333) + q * (F(0.2) + q * (F(0.14285714) + q * F(0.11111111)))));
  return select(log(F(1.0) + x), near, abs(x) < F(0.5));
}""",
)  # fmt: skip
expm1 = elementwise(
    "expm1", wgsl="expm1_$(x)", numpy=np.expm1, grad=lambda g, y, x: g * (y + 1), cost=16, samples=(-1e-6, 1e-6, 0.0, 0.5),
    preamble="""fn expm1_$(x: F) -> F {
  let near = x * (F(1.0) + x * (F(0.5) + x * (F(0.16666667) + x * (F(0.041666668) + x * (F(0.0083333338)
    + x * (F(0.0013888889) + x * F(0.00019841270)))))));
  return select(exp(x) - F(1.0), near, abs(x) < F(0.5));
}""",
)  # fmt: skip
sigmoid = elementwise(
    "sigmoid", wgsl="sigmoid_$(x)", numpy=lambda x: np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x))),
    grad=lambda g, y, x: g * y * (1 - y), cost=12, samples=(-90.0, 90.0, 0.0),
    preamble="""fn sigmoid_$(x: F) -> F {
  let z = exp(-abs(x));  // never overflows, and a NaN stays one
  return select(z, F(1.0), x >= F(0.0)) / (F(1.0) + z);
}""",
)  # fmt: skip
tanh = elementwise(
    "tanh", wgsl="tanh_$(x)", numpy=np.tanh, grad=lambda g, y, x: g * (1 - y * y), cost=16,
    samples=(-20.0, 20.0, 1e-4, 0.0, 7.9), tol=2e-6,
    # the rational minimax fit that Eigen uses: a few ulp everywhere, and no exponential
    preamble="""fn tanh_$(v: F) -> F {
  let x = clamp(v, F(-7.9053111), F(7.9053111)); let q = x * x;
  let p = x * fma(q, fma(q, fma(q,
    fma(q, fma(q, fma(q, F(-2.76076848e-16), F(2.00018790e-13)), F(-8.60467152e-11)), F(5.12229709e-8)), F(1.48572236e-5)),
    F(6.37261929e-4)), F(4.89352456e-3));
  let d = fma(q, fma(q, fma(q, F(1.19825840e-6), F(1.18534706e-4)), F(2.26843463e-3)), F(4.89352519e-3));
  return select(p / d, v, (bitcast<I>(v) & I(0x7fffffff)) > I(0x7f800000));
}""",
)  # fmt: skip


def _np_erf(x):
    a = np.abs(x.astype(np.float64))
    t = 1 / (1 + 0.3275911 * a)
    far = 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * np.exp(-a * a)
    q = a * a
    near = 1.1283791670955126 * a * (1 - q / 3 + q**2 / 10 - q**3 / 42 + q**4 / 216 - q**5 / 1320 + q**6 / 9360)
    return (np.sign(x) * np.where(a < 0.6, near, far)).astype(x.dtype)


erf = elementwise(
    "erf", wgsl="erf_$(x)", numpy=_np_erf, grad=lambda g, y, x: g * exp(-square(x)) * 1.1283791670955126, cost=24,
    samples=(1e-5, 0.5, 0.7, 4.0, -4.0), tol=3e-6,
    # Abramowitz and Stegun 7.1.26, and the series where that loses relative accuracy
    preamble="""fn erf_$(x: F) -> F {
  let a = abs(x); let q = a * a; let t = F(1.0) / (F(1.0) + F(0.3275911) * a);
  let far = F(1.0) - t * (F(0.254829592) + t * (F(-0.284496736) + t * (F(1.421413741) + t * (F(-1.453152027)
    + t * F(1.061405429))))) * exp(-q);
  let near = F(1.1283792) * a * (F(1.0) + q * (F(-0.33333333) + q * (F(0.1) + q * (F(-0.023809524)
    + q * (F(0.0046296296) + q * (F(-0.00075757576) + q * F(0.00010683761)))))));
  return sign(x) * select(far, near, a < F(0.6));
}""",
)  # fmt: skip

# ---- trigonometry: the built-ins are only good to 2^-11, so the arguments are reduced here
_SIN = """fn sin_core_$(r: F) -> F {
  let q = r * r;
  return r * (F(1.0) + q * (F(-0.16666667) + q * (F(0.0083333310) + q * (F(-0.00019840874) + q * F(2.7525562e-6)))));
}
fn sin_$(x: F) -> F {
  let n = round(x * F(0.31830989));
  let r = (x - n * F(3.140625)) - n * F(0.00096765358);
  return select(sin_core_$(r), -sin_core_$(r), (n - F(2.0) * floor(n * F(0.5))) > F(0.5));
}"""
_COS = _SIN.replace("sin_core", "cos_core").replace("fn sin_$(x: F) -> F {", "fn cos_$(x: F) -> F {").replace(
    "let n = round(x * F(0.31830989));", "let n = round(x * F(0.31830989) - F(0.5)) + F(0.5);"
).replace("select(cos_core_$(r), -cos_core_$(r), (n - F(2.0) * floor(n * F(0.5))) > F(0.5))",
          "select(cos_core_$(r), -cos_core_$(r), (n - F(2.0) * floor(n * F(0.5))) < F(1.0))")  # fmt: skip
sin = elementwise("sin", wgsl="sin_$(x)", numpy=np.sin, grad=lambda g, y, x: g * cos(x), cost=12, preamble=_SIN,
                  samples=(0.0, 3.0, 40.0, -7.0), tol=2e-5)  # fmt: skip
cos = elementwise("cos", wgsl="cos_$(x)", numpy=np.cos, grad=lambda g, y, x: -g * sin(x), cost=12, preamble=_COS,
                  samples=(0.0, 3.0, 40.0, -7.0), tol=2e-5)  # fmt: skip
atan = elementwise("arctan", wgsl="atan(x)", numpy=np.arctan, grad=lambda g, y, x: g / (x * x + 1), cost=12, tol=1e-3)


# ---- power
def _np_pow(a, b):
    with np.errstate(all="ignore"):
        return np.power(a, b) if a.dtype.kind == "f" else np.power(a, np.maximum(b, 0)).astype(a.dtype)


POW = elementwise(
    "pow", wgsl="pow_$(a, b)", numpy=_np_pow, params=("a", "b"), arity=2, cost=20, probe=(0.2, 3.0), tol=5e-5,
    grad=lambda g, y, a, b: (
        g * b * POW(a, b - 1),
        where(greater(a, zeros_like(a)), g * y * log(maximum(a, a * 0 + 1e-30)), zeros_like(g)),
    ),
    # WGSL leaves negative bases undefined; whole exponents keep the sign, others give NaN as numpy does
    preamble="""fn pow_$(a: F, b: F) -> F {
  let whole = floor(b) == b; let odd = (b - F(2.0) * floor(b * F(0.5))) > F(0.5);
  var quiet = 0x7fc00000u; let nan = F(bitcast<f32>(quiet));
  let r = select(pow(abs(a), b), F(1.0), b == F(0.0));
  return select(r, select(nan, select(r, -r, odd), whole), a < F(0.0));
}""",
)  # fmt: skip

# ---- comparisons and logic
def _to_bool(*dtypes, **attrs):
    return "bool"


def _compare(name, symbol, fn):
    return elementwise(name, wgsl=f"a {symbol} b", numpy=fn, grad=ZERO, dtype=_to_bool)


equal = _compare("equal", "==", np.equal)
not_equal = _compare("not_equal", "!=", np.not_equal)
less = _compare("less", "<", np.less)
less_equal = _compare("less_equal", "<=", np.less_equal)
greater = _compare("greater", ">", np.greater)
greater_equal = _compare("greater_equal", ">=", np.greater_equal)
logical_and = elementwise("logical_and", wgsl="a & b", numpy=np.logical_and, grad=ZERO, dtype=_to_bool)
logical_or = elementwise("logical_or", wgsl="a | b", numpy=np.logical_or, grad=ZERO, dtype=_to_bool)
logical_not = elementwise("logical_not", wgsl="!x", numpy=np.logical_not, grad=ZERO, dtype=_to_bool)
isnan = elementwise("isnan", wgsl=_nan.format("x"), numpy=np.isnan, grad=ZERO, dtype=_to_bool)
isinf = elementwise("isinf", wgsl="(bitcast<I>(x) & I(0x7fffffff)) == I(0x7f800000)", numpy=np.isinf, grad=ZERO, dtype=_to_bool)
isfinite = elementwise("isfinite", wgsl="(bitcast<I>(x) & I(0x7fffffff)) < I(0x7f800000)", numpy=np.isfinite, grad=ZERO, dtype=_to_bool)
where = elementwise(
    "where", wgsl="select(b, a, c)", numpy=lambda c, a, b: np.where(c, a, b), params=("c", "a", "b"),
    grad=lambda g, y, c, a, b: (None, where(c, g, zeros_like(g)), where(c, zeros_like(g), g)),
    dtype=lambda c, a, b: _same(a, b),
)  # fmt: skip


def _same(a, b):
    from ..op import same_dtype

    return same_dtype(a, b)


# ---- integers
mod = elementwise(
    "mod", wgsl=_float_or_int("a - floor(a / b) * b", "((a % b) + b) % b"), cost=4, probe=(0.5, 3.0),
    numpy=lambda a, b: np.mod(a, b), grad=lambda g, y, a, b: (g, -g * floor(a / b)),
)  # fmt: skip
floor_divide = elementwise(
    "floor_divide", cost=4, probe=(0.5, 3.0), numpy=lambda a, b: np.floor_divide(a, b), grad=ZERO,
    wgsl=lambda dtype: {"float32": "floor(a / b)", "uint32": "a / b"}.get(dtype, "(a - (((a % b) + b) % b)) / b"),
)  # fmt: skip
bitwise_and = elementwise("bitwise_and", wgsl="a & b", numpy=np.bitwise_and, grad=ZERO)
bitwise_or = elementwise("bitwise_or", wgsl="a | b", numpy=np.bitwise_or, grad=ZERO)
bitwise_xor = elementwise("bitwise_xor", wgsl="a ^ b", numpy=np.bitwise_xor, grad=ZERO)
left_shift = elementwise("left_shift", wgsl="a << (U(b) & U(31u))", numpy=np.left_shift, grad=ZERO)
right_shift = elementwise("right_shift", wgsl="a >> (U(b) & U(31u))", numpy=np.right_shift, grad=ZERO)


# ---- conversions
def _cast_dtype(source, *, dtype):
    return dtype


def _np_cast(x, dtype):
    with np.errstate(invalid="ignore"):
        return x.astype(NUMPY[dtype])


CAST = elementwise(
    "cast", wgsl="cast", numpy=_np_cast, arity=1, dtype=_cast_dtype,
    grad=lambda g, y, x, dtype: (cast(g, dtype=x.dtype) if x.dtype == "float32" else None,),
)  # fmt: skip
BITCAST = elementwise(
    "bitcast", wgsl="bitcast", numpy=lambda x, dtype: x.view(NUMPY[dtype]), arity=1, dtype=_cast_dtype, grad=ZERO,
)  # fmt: skip
copy = elementwise("copy", wgsl="x", numpy=lambda x: np.array(x, order="C"), grad=lambda g, y, x: g)
stop_gradient = elementwise("stop_gradient", wgsl="x", numpy=lambda x: x, grad=ZERO)


def cast(x: Node, dtype: str) -> Node:
    if x.dtype == dtype:
        return x
    if is_const(x):
        from .leaf import full

        return full(x.shape, x.attrs["value"], dtype)
    return CAST(x, dtype=dtype)


def zeros_like(x: Node) -> Node:
    from .leaf import full

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
        if n == 2:
            return square(a)
        if n in (0, 1, 3, 4):
            s = square(a) if n > 1 else a
            return {0: lambda: zeros_like(a) + 1, 1: lambda: a, 3: lambda: s * a, 4: lambda: square(s)}[int(n)]()
        if n == 0.5 and a.dtype == "float32":
            return sqrt(a)
        if n == -1 and a.dtype == "float32":
            return div(zeros_like(a) + 1, a)
    return POW(a, b) if a.dtype == "float32" else cast(round_(POW(cast(a, "float32"), cast(b, "float32"))), a.dtype)


def _operator(fn):
    """`fn` of two nodes, one of which may be a number."""

    def apply(a, b):
        from .move import broadcast_to

        if not isinstance(b, Node):
            b = broadcast_to(const(b, a.dtype), a.shape)
        elif not isinstance(a, Node):
            a = broadcast_to(const(a, b.dtype), b.shape)
        return fn(a, b)

    return apply


ARITHMETIC.update({name: _operator(fn) for name, fn in {"add": add, "sub": sub, "mul": mul, "div": div, "pow": pow_}.items()})
ARITHMETIC["neg"] = neg
