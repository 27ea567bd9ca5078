"""WGSL functions that WebAssembly has no instructions for, in WGSL; F, I, U, B are f32, i32, u32, bool of either width.

Branch-free, so that they run four lanes at a time. Errors are a few units in the last place over the whole range.
Source: the polynomials of Cephes (Moshier 1989), single precision.
"""

from __future__ import annotations

import functools

from .parse import parse
from .syntax import Source

TEXT = """
fn exp(v: F) -> F {
  let x = max(min(v, F(88.75)), F(-104.0));
  let n = round(x * F(1.44269504));
  let r = (x - n * F(0.693359375)) + n * F(2.12194440e-4);
  let p = ((((F(1.9875691500e-4) * r + F(1.3981999507e-3)) * r + F(8.3334519073e-3)) * r + F(4.1665795894e-2)) * r
    + F(1.6666665459e-1)) * r + F(5.0000001201e-1);
  let k = I(n);
  let half = k >> U(1u);  // two factors, as one would overflow where the result does not
  let near = ((p * (r * r) + r) + F(1.0)) * bitcast<F>((half + I(127)) << U(23u)) * bitcast<F>((k - half + I(127)) << U(23u));
  return select(near, bitcast<F>(I(0x7f800000)), v > F(88.7228394));
}
fn log(v: F) -> F {
  let tiny = v < F(1.17549435e-38);
  let x = select(v, v * F(8388608.0), tiny);
  let bits = bitcast<I>(x) - I(0x3f3504f3);  // the fraction lies in sqrt(1/2) .. sqrt(2)
  let e = F(bits >> U(23u)) - select(F(0.0), F(23.0), tiny);
  let m = bitcast<F>((bits & I(0x7fffff)) + I(0x3f3504f3)) - F(1.0);
  let q = m * m;
  let p = ((((((((F(7.0376836292e-2) * m + F(-1.1514610310e-1)) * m + F(1.1676998740e-1)) * m + F(-1.2420140846e-1)) * m
    + F(1.4249322787e-1)) * m + F(-1.6668057665e-1)) * m + F(2.0000714765e-1)) * m + F(-2.4999993993e-1)) * m
    + F(3.3333331174e-1)) * m * q;
  let near = (m + ((p + e * F(-2.12194440e-4)) - q * F(0.5))) + e * F(0.693359375);
  let inside = select(near, v, (bitcast<I>(v) & I(0x7fffffff)) >= I(0x7f800000));
  let some = select(inside, bitcast<F>(I(0x7fc00000)), v < F(0.0));
  return select(some, bitcast<F>(I(-8388608)), v == F(0.0));
}
fn pow(a: F, b: F) -> F { return exp(b * log(a)); }
fn exp2(x: F) -> F { return exp(x * F(0.69314718)); }
fn log2(x: F) -> F { return log(x) * F(1.44269504); }
fn tanh(x: F) -> F { let e = exp(F(-2.0) * abs(x)); return sign(x) * ((F(1.0) - e) / (F(1.0) + e)); }
fn inverseSqrt(x: F) -> F { return F(1.0) / sqrt(x); }
fn sign(x: F) -> F { return select(select(select(F(0.0), F(1.0), x > F(0.0)), F(-1.0), x < F(0.0)), x, x != x); }
fn isign(x: I) -> I { return select(select(I(0), I(1), x > I(0)), I(-1), x < I(0)); }
fn atan(v: F) -> F {
  let a = abs(v);
  let far = a > F(2.41421356); let middle = a > F(0.41421356);
  let x = select(select(a, (a - F(1.0)) / (a + F(1.0)), middle), F(-1.0) / max(a, F(1e-30)), far);
  let base = select(select(F(0.0), F(0.78539816), middle), F(1.57079633), far);
  let q = x * x;
  let y = base + ((((F(8.05374449538e-2) * q + F(-1.38776856032e-1)) * q + F(1.99777106478e-1)) * q + F(-3.33329491539e-1)) * q * x + x);
  return select(y, -y, v < F(0.0));
}
"""


@functools.cache
def library() -> Source:
    return parse(TEXT)


@functools.cache
def names_for(width: int) -> dict[str, str]:
    """What F, I, U and B are in a call with vectors of four, or with single numbers."""
    wide = (lambda t: f"vec4<{t}>") if width == 4 else (lambda t: t)
    return {"F": wide("f32"), "I": wide("i32"), "U": wide("u32"), "B": wide("bool")}
