"""The arithmetic of one pass of a Fourier transform as WGSL: sums of a few complex numbers, straight-line text for any radix.

Numbers are pairs of names or expressions, real and imaginary; `f32` or `vec4f` alike.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin

Pair = tuple[str, str]
LARGEST = 13  # the largest prime radix: a prime takes about as many operations as its square


class Writer:
    """Lines of `let`, each name once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def let(self, text: str) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(f"let {name} = {text};")
        return name

    def pair(self, real: str, imaginary: str) -> Pair:
        return self.let(real), self.let(imaginary)

    def add(self, a: Pair, b: Pair) -> Pair:
        return self.pair(f"{a[0]} + {b[0]}", f"{a[1]} + {b[1]}")

    def sub(self, a: Pair, b: Pair) -> Pair:
        return self.pair(f"{a[0]} - {b[0]}", f"{a[1]} - {b[1]}")

    def times(self, a: Pair, b: Pair) -> Pair:
        return self.pair(f"{a[0]} * {b[0]} - {a[1]} * {b[1]}", f"{a[0]} * {b[1]} + {a[1]} * {b[0]}")

    def turned(self, a: Pair, k: int, n: int) -> Pair:
        """`a * e(k / n)`, e(t) = exp(-2 pi i t)."""
        k %= n
        if k == 0:
            return a
        if 4 * k == n:  # by -i
            return self.pair(a[1], f"-{a[0]}")
        if 2 * k == n:
            return self.pair(f"-{a[0]}", f"-{a[1]}")
        if 4 * k == 3 * n:
            return self.pair(f"-{a[1]}", a[0])
        c, s = cos(2 * pi * k / n), -sin(2 * pi * k / n)
        if 8 * k == n:  # by (1 - i) / sqrt(2)
            return self.pair(f"{c!r} * ({a[0]} + {a[1]})", f"{c!r} * ({a[1]} - {a[0]})")
        if 8 * k == 3 * n:
            return self.pair(f"{-c!r} * ({a[1]} - {a[0]})", f"{c!r} * ({a[0]} + {a[1]})")
        return self.pair(f"{c!r} * {a[0]} - ({s!r}) * {a[1]}", f"{c!r} * {a[1]} + ({s!r}) * {a[0]}")

    def transform(self, a: list[Pair]) -> list[Pair]:
        """Of a few numbers, by factors."""
        n = len(a)
        if n == 1:
            return a
        if n == 2:
            return [self.add(*a), self.sub(*a)]
        if n == 4:
            even, odd = self.transform([a[0], a[2]]), self.transform([a[1], a[3]])
            low, high = even[1], odd[1]
            return [
                self.add(even[0], odd[0]), self.pair(f"{low[0]} + {high[1]}", f"{low[1]} - {high[0]}"),
                self.sub(even[0], odd[0]), self.pair(f"{low[0]} - {high[1]}", f"{low[1]} + {high[0]}"),
            ]  # fmt: skip
        factor = next((f for f in (4, 2, 3) if n % f == 0 and n > f), n)  # no radix above 16 comes here: 25 would need more
        if factor == n:
            return self._prime(a)
        rest = n // factor
        columns = [self.transform(a[k::rest]) for k in range(rest)]
        out: list[Pair] = [a[0]] * n
        for r in range(factor):
            row = self.transform([self.turned(columns[k][r], k * r, n) for k in range(rest)])
            out[r::factor] = row
        return out

    def _prime(self, a: list[Pair]) -> list[Pair]:
        """Of an odd number of numbers: those that a cosine is common to are taken together."""
        n = len(a)
        half = range(1, n // 2 + 1)
        sums = [self.add(a[k], a[n - k]) for k in half]
        differences = [self.sub(a[k], a[n - k]) for k in half]
        out = [self.pair(*(" + ".join([a[0][part], *(s[part] for s in sums)]) for part in (0, 1)))] + [a[0]] * (n - 1)
        for j in half:
            c = [repr(cos(2 * pi * (j * k % n) / n)) for k in half]
            s = [repr(sin(2 * pi * (j * k % n) / n)) for k in half]
            even = self.pair(*(" + ".join([a[0][part], *(f"({c[i]}) * {v[part]}" for i, v in enumerate(sums))]) for part in (0, 1)))
            odd = self.pair(*(" + ".join(f"({s[i]}) * {v[part]}" for i, v in enumerate(differences)) for part in (0, 1)))
            out[j] = self.pair(f"{even[0]} + {odd[1]}", f"{even[1]} - {odd[0]}")
            out[n - j] = self.pair(f"{even[0]} - {odd[1]}", f"{even[1]} + {odd[0]}")
        return out

    def powers(self, w: Pair, n: int) -> list[Pair]:
        """The powers of `w` from 1 to `n - 1`, each of two about half as high."""
        found = [w, w]
        for k in range(2, n):
            found.append(self.times(found[k // 2], found[k - k // 2]))
        return found[1:n]


@lru_cache(maxsize=256)
def one(radix: int, step: str, apart: str, turns: bool) -> str:
    """The body of `work` in `fft_pass`: numbers `step` apart become numbers `apart` apart."""
    w = Writer()
    out = w.transform([w.pair(f"re(at + {r}u * {step})", f"im(at + {r}u * {step})") for r in range(radix)])
    if turns:
        factor = w.let("turned(p * TURN)")
        for r, power in enumerate(w.powers((f"{factor}.x", f"{factor}.y"), radix), 1):
            out[r] = w.times(out[r], power)
    return "\n".join([*w.lines, *(f"put(to + {r}u * {apart}, {a}, {b});" for r, (a, b) in enumerate(out))])


@lru_cache(maxsize=256)
def columns(radix: int, turns: bool) -> str:
    """The body of `work` in `fft_pass4`: the factors once, then all columns."""
    w = Writer()
    powers: list[Pair] = []
    if turns:
        factor = w.let("turned(p * TURN)")
        powers = w.powers((f"{factor}.x", f"{factor}.y"), radix)
    before = len(w.lines)
    out = w.transform([w.pair(f"re(at + {r}u * M * S4)", f"im(at + {r}u * M * S4)") for r in range(radix)])
    for r, power in enumerate(powers, 1):
        out[r] = w.times(out[r], power)
    inside = [*w.lines[before:], *(f"put(to + {r}u * S4, {a}, {b});" for r, (a, b) in enumerate(out))]
    head = "for (var q = first; q < last; q++) {\nlet at = row + p * S4 + q;\nlet to = row + p * R * S4 + q;"
    return "\n".join([*w.lines[:before], head, *inside, "}"])


@lru_cache(maxsize=256)
def rows(radix: int) -> str:
    """The body of `work` in `fft_first4`."""
    w = Writer()
    out = w.transform([w.pair(f"re(at + {r}u * M4)", f"im(at + {r}u * M4)") for r in range(radix)])
    for r, power in enumerate(w.powers(w.pair("turned_re(p)", "turned_im(p)"), radix), 1):
        out[r] = w.times(out[r], power)
    puts = []
    for r in range(0, radix, 4):
        for part in (0, 1):
            puts.append(f"put(to + {r}u, {part}u, {', '.join(v[part] for v in out[r : r + 4])});")
    return "\n".join([*w.lines, *puts])
