"""WGSL functions of one variable (and powers), right to a few units in the last place on every adapter.

WGSL's own are approximate: exp and log may be off by 60 ulp or lose a NaN, pow of 0 may be a number, sin and cos are only
promised up to pi. In these texts F, I, U, B are f32, i32, u32, bool and T the operand's type, all of one width, `$` is that width,
and ANY is `any` for vectors and nothing for scalars. Comparisons are of bits where a NaN could meet them, since
compilers may assume that there is none.

Source: exp, log, sin, cos, arctan: Cephes (Moshier 1989), single precision. pow: FreeBSD's e_powf (Sun 1993). erf: the
rational fit of XLA. Large angles: Payne and Hanek 1983, "Radian reduction for trigonometric functions".
"""

from __future__ import annotations

from collections.abc import Sequence

NAN = "((bitcast<I>({0}) & I(0x7fffffff)) > I(0x7f800000))"
_NAN, _INFINITY = "F(bitcast<f32>(nan_bits))", "F(bitcast<f32>(highest_bits))"

EXP = f"""fn exp_$(v: F) -> F {{
  let x = clamp(v, F(-104.0), F(88.75));
  let n = round(x * F(1.44269504));
  let r = (x - n * F(0.693359375)) + n * F(2.12194440e-4);
  let p = ((((F(1.9875691500e-4) * r + F(1.3981999507e-3)) * r + F(8.3334519073e-3)) * r + F(4.1665795894e-2)) * r
    + F(1.6666665459e-1)) * r + F(5.0000001201e-1);
  let k = I(n); let half = k >> U(1u);  // two factors, as one would overflow where the result does not
  let near = ((p * (r * r) + r) + F(1.0)) * bitcast<F>((half + I(127)) << U(23u)) * bitcast<F>((k - half + I(127)) << U(23u));
  return select(select(near, {_INFINITY}, v > F(88.7228394)), v, {NAN.format("v")});
}}"""

# the fraction of x in sqrt(1/2) .. sqrt(2), less one, and the exponent that belongs to it
_SPLIT = """struct Split_$ { m: F, e: F }
fn split_$(v: F) -> Split_$ {
  let tiny = v < F(1.17549435e-38);
  let bits = bitcast<I>(select(v, v * F(8388608.0), tiny)) - I(0x3f3504f3);
  return Split_$(bitcast<F>((bits & I(0x7fffff)) + I(0x3f3504f3)) - F(1.0), F(bits >> U(23u)) - select(F(0.0), F(23.0), tiny));
}
fn log_tail_$(m: F) -> F {  // log(1 + m) - m + m^2 / 2
  return ((((((((F(7.0376836292e-2) * m + F(-1.1514610310e-1)) * m + F(1.1676998740e-1)) * m + F(-1.2420140846e-1)) * m
    + F(1.4249322787e-1)) * m + F(-1.6668057665e-1)) * m + F(2.0000714765e-1)) * m + F(-2.4999993993e-1)) * m
    + F(3.3333331174e-1)) * m * (m * m);
}"""
_ENDS = f"""fn log_ends_$(v: F, near: F) -> F {{
  let inside = select(near, v, (bitcast<I>(v) & I(0x7fffffff)) >= I(0x7f800000));
  let some = select(inside, {_NAN}, v < F(0.0));
  return select(some, -{_INFINITY}, v == F(0.0));
}}"""
_LOG = """fn log_$(v: F) -> F {
  let s = split_$(v);
  return log_ends_$(v, (s.m + ((log_tail_$(s.m) + s.e * F(-2.12194440e-4)) - s.m * s.m * F(0.5))) + s.e * F(0.693359375));
}"""
LOG = (_SPLIT, _ENDS, _LOG)
LOG2 = (_SPLIT, _ENDS, """fn log2_$(v: F) -> F {
  let s = split_$(v); let y = log_tail_$(s.m) - s.m * s.m * F(0.5);
  return log_ends_$(v, (((y * F(0.44269504) + s.m * F(0.44269504)) + y) + s.m) + s.e);
}""")  # fmt: skip
LOG10 = (_SPLIT, _ENDS, """fn log10_$(v: F) -> F {
  let s = split_$(v); let y = log_tail_$(s.m) - s.m * s.m * F(0.5);
  let small = (y * F(7.00731903e-4) + s.m * F(7.00731903e-4)) + s.e * F(2.48745664e-4);
  return log_ends_$(v, ((small + y * F(0.43359375)) + s.m * F(0.43359375)) + s.e * F(0.30078125));
}""")  # fmt: skip
LOG1P = (*LOG, """fn log1p_$(x: F) -> F {
  let s = x / (F(2.0) + x); let q = s * s;  // log1p(x) = 2 atanh(x / (2 + x))
  let p = F(0.33333333) + q * (F(0.2) + q * (F(0.14285714) + q * (F(0.11111111) + q * (F(0.09090909) + q * F(0.07692308)))));
  return select(select(log_$(F(1.0) + x), F(2.0) * s + F(2.0) * s * q * p, abs(x) < F(0.5)), x, abs(x) < F(1e-8));
}""")  # fmt: skip
EXPM1 = (EXP, """fn expm1_$(x: F) -> F {
  let p = F(0.5) + x * (F(0.16666667) + x * (F(0.041666668) + x * (F(0.0083333338) + x * (F(0.0013888889)
    + x * (F(0.00019841270) + x * F(0.000024801587))))));
  return select(select(exp_$(x) - F(1.0), x + x * x * p, abs(x) < F(0.5)), x, x == F(0.0));
}""")  # fmt: skip
SIGMOID = (EXP, """fn sigmoid_$(x: F) -> F {
  let z = exp_$(-abs(x));  // never overflows, and a NaN stays one
  return select(z, F(1.0), x >= F(0.0)) / (F(1.0) + z);
}""")  # fmt: skip
# half of w w, where w * w overflows and its half does not: halved by its bits, as compilers change the order of products
_HALF_SQUARE = """fn half_square_$(w: F) -> F { return bitcast<F>(bitcast<I>(w) - I(0x800000)) * w; }"""
SINH = (*EXPM1, _HALF_SQUARE, f"""fn sinh_$(x: F) -> F {{
  let a = abs(x); let t = expm1_$(min(a, F(40.0))); let w = exp_$(a * F(0.5));
  let y = select(F(0.5) * t + F(0.5) * (t / (t + F(1.0))), half_square_$(w), a > F(40.0));
  return select(select(y, -y, x < F(0.0)), x, {NAN.format("x")} | (x == F(0.0)));
}}""")  # fmt: skip
COSH = (EXP, _HALF_SQUARE, """fn cosh_$(x: F) -> F {
  let t = half_square_$(exp_$(abs(x) * F(0.5)));  // exp(89) overflows and cosh(89) does not
  return t + F(0.25) / t;
}""")  # fmt: skip

# ---- angles
_WORDS = ("28be60db", "9391054a", "7f09d5f4", "7d4d3770", "36d8a566", "4f10e410")  # 2 / pi, from bit -2 on
_WORD = "U(0u)"
for _k, _digits in enumerate(_WORDS):
    _WORD = f"select({_WORD}, U(0x{_digits}u), k == I({_k}))"
_TURN = f"""struct Turn_$ {{ q: I, r: F }}
fn word_$(k: I) -> U {{ return {_WORD}; }}
fn high_$(a: U, b: U) -> U {{  // the upper half of a product
  let low = U(0xffffu); let s = U(16u);
  let u = (a >> s) * (b & low) + (((a & low) * (b & low)) >> s);
  let v = (a & low) * (b >> s) + (u & low);
  return (a >> s) * (b >> s) + (u >> s) + (v >> s);
}}
fn far_turn_$(x: F) -> Turn_$ {{  // x * 2/pi modulo 4, from the 96 bits of 2/pi that matter for the exponent of x
  let bits = bitcast<I>(x);
  let m = bitcast<U>((bits & I(0x7fffff)) | I(0x800000)) << U(8u);
  let e = ((bits >> U(23u)) & I(0xff)) - I(126);
  let i = e >> U(5u); let s = bitcast<U>(e & I(31)); let rest = U(31u) - s;
  let a = word_$(i - I(1)); let b = word_$(i); let c = word_$(i + I(1)); let d = word_$(i + I(2));
  let high = (a << s) | ((b >> U(1u)) >> rest);
  let middle = (b << s) | ((c >> U(1u)) >> rest);
  let carried = high_$(m, (c << s) | ((d >> U(1u)) >> rest));
  let low = m * middle + carried;
  let p = m * high + high_$(m, middle) + select(U(0u), U(1u), low < carried);
  let up = (p >> U(29u)) & U(1u);  // a fraction of one half or more belongs to the next quarter
  let whole = bitcast<I>((p >> U(30u)) + up);
  let part = bitcast<I>(p & U(0x3fffffffu)) - bitcast<I>(up << U(30u));
  let r = (F(part) * F(9.31322575e-10) + F(low) * F(2.16840434e-19)) * F(1.57079633);
  let negative = bits < I(0);
  return Turn_$(select(whole, -whole, negative), select(r, -r, negative));
}}
// x = (k + h) * pi + r, where h is 0 or 1/2; three parts of pi, whose products with k + h are exact
fn turn_$(x: F, h: F) -> Turn_$ {{
  let n = round(x * F(0.31830989) - h);
  let m = n + h;
  var q = I(n);
  var r = ((x - m * F(3.140625)) - m * F(9.6750259399e-4)) - m * F(1.50995799e-7);
  let far = abs(x) > F(1024.0);
  if (ANY(far)) {{
    let quarters = far_turn_$(x);
    let t = quarters.q + I(h + h); let odd = (t & I(1)) == I(1);
    r = select(r, select(quarters.r, F(1.57079633) - abs(quarters.r), odd), far);
    q = select(q, (t >> U(1u)) - I(h + h), far);
    r = select(r, {_NAN}, (bitcast<I>(x) & I(0x7fffffff)) == I(0x7f800000));
  }}
  return Turn_$(q, r);
}}
fn wave_$(q: I, r: F) -> F {{  // sin(q * pi + r), r at most a quarter turn
  let z = r * r;
  let s = r + r * z * (F(-1.66666595e-1) + z * (F(8.33306543e-3) + z * (F(-1.98095389e-4) + z * F(2.60563090e-6))));
  return select(s, -s, (q & I(1)) == I(1));
}}"""
SIN = (_TURN, """fn sin_$(x: F) -> F {
  let t = turn_$(x, F(0.0));
  return select(wave_$(t.q, t.r), x, x == F(0.0));
}""")  # fmt: skip
COS = (_TURN, """fn cos_$(x: F) -> F {
  let t = turn_$(x, F(0.5));
  return wave_$(t.q + I(1), t.r);
}""")  # fmt: skip
ATAN = f"""fn atan_$(v: F) -> F {{
  let a = abs(v); let far = a > F(2.41421356); let middle = a > F(0.41421356);
  let x = select(select(a, (a - F(1.0)) / (a + F(1.0)), middle), F(-1.0) / max(a, F(1e-30)), far);
  let base = select(select(F(0.0), F(0.78539816), middle), F(1.57079633), far);
  let q = x * x;
  let y = base + ((((F(8.05374449538e-2) * q + F(-1.38776856032e-1)) * q + F(1.99777106478e-1)) * q + F(-3.33329491539e-1)) * q * x + x);
  return select(select(y, -y, v < F(0.0)), v, {NAN.format("v")} | (v == F(0.0)));
}}"""
# the rational minimax fit that Eigen uses: a few ulp everywhere, and no exponential; at 9.5 it is 4 ulp beyond 1, so that everything
# from there on is 1, as the slope of gelu's tanh at 100 needs it (a comparison, with 1 beyond it, takes a fifth longer for 1M numbers)
TANH = f"""fn tanh_$(v: F) -> F {{
  let x = clamp(v, F(-9.5), F(9.5)); let q = x * x;
  let p = x * fma(q, fma(q, fma(q,
    fma(q, fma(q, fma(q, F(-2.76076848e-16), F(2.00018790e-13)), F(-8.60467152e-11)), F(5.12229709e-8)), F(1.48572236e-5)),
    F(6.37261929e-4)), F(4.89352456e-3));
  let d = fma(q, fma(q, fma(q, F(1.19825840e-6), F(1.18534706e-4)), F(2.26843463e-3)), F(4.89352519e-3));
  return select(clamp(p / d, F(-1.0), F(1.0)), v, {NAN.format("v")});
}}"""
ERF_OVER = (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
            -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02)  # fmt: skip
ERF_UNDER = (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02)


def _polynomial(coefficients: Sequence[float], q: str) -> str:
    """WGSL of a polynomial in q, the highest power first."""
    text = f"F({coefficients[0]:.9e})"
    for c in coefficients[1:]:
        text = f"({text} * {q} + F({c:.9e}))"
    return text


ERF = f"""fn erf_$(v: F) -> F {{
  let x = clamp(v, F(-3.7439211), F(3.7439211)); let q = x * x;
  let y = x * ({_polynomial(ERF_OVER, "q")} / {_polynomial(ERF_UNDER, "q")});
  let near = select(clamp(y, F(-1.0), F(1.0)), sign(v), abs(v) > F(3.92));  // from there on it is 1: gelu of -1e4 is 0
  return select(near, v, {NAN.format("v")});
}}"""

# ---- powers
# log2 of the base in two parts, times the exponent in two parts, and 2 to that. Whole exponents keep the sign of a
# negative base, others give NaN.
POW = f"""fn upper_$(x: F) -> F {{ return bitcast<F>(bitcast<I>(x) & I(-4096)); }}  // the leading 12 bits: products of two are exact
fn pow_abs_$(a: F, y: F) -> F {{
  let tiny = a < F(1.17549435e-38);
  let bits = bitcast<I>(select(a, a * F(16777216.0), tiny));
  let j = bits & I(0x7fffff);
  let over = j >= I(0x5db3d7); let one = (j > I(0x1cc471)) & !over;
  let n = F((bits >> U(23u)) - I(127) + select(I(0), I(1), over)) - select(F(0.0), F(24.0), tiny);
  let ix = (j | I(0x3f800000)) - select(I(0), I(0x800000), over);
  let x = bitcast<F>(ix); let b = select(F(1.0), F(1.5), one);
  let v = F(1.0) / (x + b); let s = (x - b) * v; let sh = upper_$(s);
  let th = bitcast<F>((((ix >> U(1u)) & I(-4096)) | I(0x20000000)) + I(0x400000) + select(I(0), I(0x200000), one));
  let tl = x - (th - b);
  let sl = v * (((x - b) - sh * th) - sh * tl);
  let s2 = s * s;
  let r = s2 * s2 * (F(0.60000002384) + s2 * (F(0.42857143283) + s2 * (F(0.33333334327) + s2 * (F(0.27272811532)
    + s2 * (F(0.23066075146) + s2 * F(0.20697501302)))))) + sl * (sh + s);
  let h2 = sh * sh; let wh = upper_$(F(3.0) + h2 + r); let wl = r - ((wh - F(3.0)) - h2);
  let u = sh * wh; let w = sl * wh + wl * s; let ph = upper_$(u + w); let pl = w - (ph - u);
  let zh = F(0.96191406250) * ph;
  let zl = F(-1.1736857402e-4) * ph + pl * F(0.96179670095) + select(F(0.0), F(1.56322085e-6), one);
  let dh = select(F(0.0), F(0.584960938), one);
  let t1 = upper_$(((zh + zl) + dh) + n); let t2 = zl - (((t1 - n) - dh) - zh);
  let y1 = upper_$(y); let low = (y - y1) * t1 + y * t2; let high = y1 * t1;
  let z = clamp(low + high, F(-160.0), F(128.5));
  let k = round(z); let g = upper_$(low + (high - k)); let gl = low - (g - (high - k));
  let e = g * F(0.693145752); let f = gl * F(0.69314718246) + g * F(1.42860654e-6);
  let c = e + f; let cl = f - (c - e); let q = c * c;
  let p = c - q * (F(0.16666667163) + q * (F(-2.7777778450e-3) + q * (F(6.6137559770e-5) + q * (F(-1.6533901999e-6)
    + q * F(4.1381369442e-8)))));
  let m = F(1.0) - (((c * p) / (p - F(2.0)) - (cl + c * cl)) - c);
  let i = I(k); let half = i >> U(1u);
  let y2 = m * bitcast<F>((half + I(127)) << U(23u)) * bitcast<F>((i - half + I(127)) << U(23u));
  return select(select(y2, F(0.0), low + high < F(-155.0)), {_INFINITY}, low + high > F(128.5));
}}
fn pow_ends_$(a: F, b: F, power: F) -> F {{  // where the base is negative, 0, infinite or NaN, or the exponent infinite or NaN
  let ia = bitcast<I>(a) & I(0x7fffffff); let ib = bitcast<I>(b) & I(0x7fffffff);
  let top = I(0x7f800000); let unit = I(0x3f800000);
  let whole = (floor(b) == b) & (ib < top); let odd = whole & ((abs(b) - F(2.0) * floor(abs(b) * F(0.5))) > F(0.5));
  let rising = bitcast<I>(b) > I(0);
  // of 0 and infinity, then by infinity: the larger side grows, the smaller one shrinks
  var r = select(power, select(F(0.0), {_INFINITY}, (ia >= top) == rising), (ia == I(0)) | (ia >= top));
  r = select(r, select(F(0.0), {_INFINITY}, (ia > unit) == rising), ib == top);
  r = select(r, F(1.0), (ib == top) & (ia == unit));
  let minus = bitcast<I>(a) < I(0);
  r = select(r, -r, minus & odd);
  r = select(r, {_NAN}, (minus & (ia != I(0)) & (ia < top) & !whole & (ib < top)) | (ia > top) | (ib > top));
  return select(r, F(1.0), (ib == I(0)) | (bitcast<I>(a) == unit));
}}
fn pow_$(a: F, b: F) -> F {{
  let size = bitcast<F>(clamp(bitcast<I>(a) & I(0x7fffffff), I(1), I(0x7f7fffff)));
  let endless = (bitcast<I>(b) & I(0x7fffffff)) >= I(0x7f800000);
  var r = pow_abs_$(size, select(b, F(0.0), endless));
  let ends = (bitcast<I>(a) <= I(0)) | (bitcast<I>(a) >= I(0x7f800000)) | endless;
  if (ANY(ends)) {{ r = select(r, pow_ends_$(a, b, r), ends); }}
  return r;
}}"""
INTEGER_POW = """fn ipow_$(a: T, b: T) -> T {
  var r = T(1); var p = a; var n = b;
  for (var i = 0; i < 32; i++) { r = select(r, r * p, (n & T(1)) == T(1)); p = p * p; n = n >> U(1u); }
  let of_one = select(T(1), select(T(1), a, (b & T(1)) == T(1)), a == ~T(0));
  return select(r, select(T(0), of_one, (a == T(1)) | (a == ~T(0))), b < T(0));
}"""

# ---- to the nearest number of 16 bits, ties to even
FLOAT16 = f"""fn float16_$(x: F) -> F {{
  let b = bitcast<U>(x);
  let r = (b + U(0xfffu) + ((b >> U(13u)) & U(1u))) & U(0xffffe000u);
  let far = select(bitcast<F>(r), bitcast<F>((b & U(0x80000000u)) | U(0x7f800000u)), (r & U(0x7fffffffu)) >= U(0x47800000u));
  let near = round(x * F(16777216.0)) * F(5.9604644775390625e-8);
  return select(select(far, near, (b & U(0x7fffffffu)) < U(0x38800000u)), x, {NAN.format("x")});
}}"""
BFLOAT16 = f"""fn bfloat16_$(x: F) -> F {{
  let b = bitcast<U>(x);
  return select(bitcast<F>((b + U(0x7fffu) + ((b >> U(16u)) & U(1u))) & U(0xffff0000u)), x, {NAN.format("x")});
}}"""

# ---- remainders
_SAME_SIGN = "bitcast<F>((bitcast<U>({0}) & U(0x7fffffffu)) | (bitcast<U>({1}) & U(0x80000000u)))"
# long division of the fractions, seven bits at a time: exact for any quotient
_FMOD = f"""fn fmod_$(a: F, b: F) -> F {{
  let x = bitcast<I>(a) & I(0x7fffffff); let y = bitcast<I>(b) & I(0x7fffffff);
  let ey = max(y >> U(23u), I(1));
  let n = max((y & I(0x7fffff)) | select(I(0x800000), I(0), y < I(0x800000)), I(1));
  var m = (x & I(0x7fffff)) | select(I(0x800000), I(0), x < I(0x800000));
  let first = max(x >> U(23u), I(1)) - ey;
  var d = max(first, I(0));
  m = m % n;
  while (ANY(d > I(0))) {{
    let s = min(d, I(7));
    m = (m << bitcast<U>(s)) % n;
    d = d - s;
  }}
  let k = ey - I(150); let half = k >> U(1u);
  let r = F(m) * bitcast<F>((half + I(127)) << U(23u)) * bitcast<F>((k - half + I(127)) << U(23u));
  let top = I(0x7f800000);
  let kept = select(select(r, -r, bitcast<I>(a) < I(0)), a, (first < I(0)) | (y == top));
  return select(kept, {_NAN}, (x >= top) | (y > top) | (y == I(0)));
}}"""
# a / b to the nearest integer n, and what remains; the products with the two parts of b are exact
_DIVISION = """struct Division_$ { n: F, r: F, plain: B }
fn division_$(a: F, b: F) -> Division_$ {
  let n = round(a / b);
  let high = bitcast<F>(bitcast<I>(b) & I(-2048));
  return Division_$(n, (a - n * high) - n * (b - high), (abs(n) <= F(2048.0)) & (abs(b) > F(1e-30)) & (abs(b) < F(1e30)));
}"""
MOD = (_FMOD, _DIVISION, f"""fn mod_$(a: F, b: F) -> F {{
  let d = division_$(a, b);
  var r = d.r;
  if (ANY(!d.plain)) {{ r = select(fmod_$(a, b), r, d.plain); }}
  let moved = select(r, r + b, (r < F(0.0)) != (b < F(0.0)));
  return select(moved, {_SAME_SIGN.format("F(0.0)", "b")}, r == F(0.0));
}}""")  # fmt: skip
FLOOR_DIVIDE = (_FMOD, _DIVISION, f"""fn floor_divide_$(a: F, b: F) -> F {{
  let d = division_$(a, b);
  var r = d.r; var n = d.n;
  if (ANY(!d.plain)) {{
    r = select(fmod_$(a, b), r, d.plain);
    n = select(round((a - r) / b), n, d.plain);
    n = select(n, a / b, b == F(0.0));
  }}
  let q = n - select(F(0.0), F(1.0), (r != F(0.0)) & ((r < F(0.0)) != (b < F(0.0))));
  let some = select(q, {_SAME_SIGN.format("F(0.0)", "(a / b)")}, q == F(0.0));
  return select(some, {_NAN}, {NAN.format("r")} & (b != F(0.0)));
}}""")  # fmt: skip
# No remainder of a negative number is asked for: Vulkan leaves it open, and some GPUs take the operands for unsigned ones.
# Nor a quotient that no integer holds: divisors of 0 and -1 (of the lowest integer) are made 1.
_INTEGER_DIVISOR = """fn divisor_$(a: T, b: T) -> T {
  return select(b, T(1), (b == T(0)) | ((b == T(-1)) & (a == ~T(0x7fffffff))));
}"""
INTEGER_MOD = (_INTEGER_DIVISOR, """fn imod_$(a: T, b: T) -> T {
  let d = divisor_$(a, b);
  let r = a - a / d * d;
  return select(r, r + b, (r != T(0)) & ((r ^ b) < T(0)));
}""")  # fmt: skip
INTEGER_FLOOR_DIVIDE = (_INTEGER_DIVISOR, """fn ifloor_divide_$(a: T, b: T) -> T {
  let d = divisor_$(a, b);
  let q = a / d;
  let r = a - q * d;
  return select(q - select(T(0), T(1), (r != T(0)) & ((r ^ b) < T(0))), T(0), b == T(0));
}""")  # fmt: skip
