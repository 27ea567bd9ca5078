"""Fourier transforms along an axis, any length: passes of small radices, or a convolution with a chirp where a factor is large.

Complex numbers are planar, `(2, rows, n, columns)`: real parts, then imaginary ones; or pairs, `(rows, n, columns, 2)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Routine, Shape, routine
from . import fft_text as text
from .choose import ceil_div, flat, is_register
from .contract import float_only, matmul
from .elementwise import add, mul, sub
from .move import broadcast_to, concat, flip, pad, permute, reshape, slice_

_ONE_TABLE = 4096  # a longer transform has its factors from two tables of about the root of its length
_LOW = 1024
_DIRECT = 64  # up to this length one product with a matrix takes the place of a chirp
_SPAN = 16  # fours of columns a thread of a processor
PLANAR, FROM_PAIRS, TO_PAIRS = "planar", "from pairs", "to pairs"


@lru_cache(maxsize=256)
def radices(n: int) -> tuple[int, ...]:
    """Radices whose product is `n`, powers of two first; empty where a prime factor is too large."""
    if n <= 16 and max(_primes(n), default=1) <= text.LARGEST:
        return (n,)
    primes = _primes(n)
    if max(primes, default=1) > text.LARGEST:
        return ()
    twos = primes.count(2)
    eights, rest = divmod(twos, 3)
    even = [8] * eights + ([4] if rest == 2 else []) if rest != 1 or not eights else [8] * (eights - 1) + [4, 4]
    if twos == 1:
        even = [2]
    threes = primes.count(3)
    odd = [9] * (threes // 2) + [3] * (threes % 2) + [p for p in primes if p > 3]
    return (*even, *odd)


@lru_cache(maxsize=256)
def _primes(n: int) -> list[int]:
    found, p = [], 2
    while p * p <= n:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    return [*found, n] if n > 1 else found


@lru_cache(maxsize=256)
def _convolved(n: int) -> int:
    """The least length of a convolution that holds that of a chirp of `n`: 16 times a product of 2, 3 and 5."""
    m = ceil_div(2 * n - 1, 16)
    while max(_primes(m), default=1) > 5:
        m += 1
    return 16 * m


def _tables(n: int) -> tuple[int, int]:
    """Sizes of the two tables of `e(k / n)`: k up to the first, and multiples of it."""
    return (ceil_div(n, 4) * 4, 1) if n <= _ONE_TABLE else (_LOW, ceil_div(n, _LOW))


@lru_cache(maxsize=32)
def table(n: int) -> np.ndarray:
    """The constants that a transform of `n` numbers reads, float32: factors, for a chirp also itself and its spectrum."""
    if not radices(n) and n <= _DIRECT:
        angles = np.outer(np.arange(n), np.arange(n)) % n * (2 * np.pi / n)
        c, d = np.cos(angles), np.sin(angles)
        return _frozen(np.block([[c, -d], [d, c]]).reshape(-1))
    m = n if radices(n) else _convolved(n)
    low, high = _tables(m)
    turns = np.concatenate([np.arange(low), np.arange(high) * low % m]) / m * (2 * np.pi)
    parts = [f for k in (turns[:low], turns[low:]) for f in (np.cos(k), -np.sin(k))]
    if m != n:
        chirp = np.exp(-1j * np.pi / n * (np.arange(n, dtype=np.int64) ** 2 % (2 * n)))
        back = np.zeros(m, np.complex128)
        back[:n] = chirp.conj()
        back[m - n + 1 :] = chirp.conj()[:0:-1]
        spectrum = np.fft.fft(back) / m
        parts += [chirp.real, chirp.imag, spectrum.real, spectrum.imag]
    return _frozen(np.concatenate(parts))


def _frozen(found: np.ndarray) -> np.ndarray:
    found = found.astype(np.float32)
    found.flags.writeable = False
    return found


def _numpy_planar(z: np.ndarray, to_pairs: bool, like: np.ndarray) -> np.ndarray:
    return np.stack([z.real, z.imag], -1 if to_pairs else 0).astype(like.dtype)


def _complex(x: np.ndarray, pairs: bool) -> np.ndarray:
    return x[..., 0] + 1j * x[..., 1] if pairs else x[0] + 1j * x[1]


def _inside(node: Node) -> tuple[int, ...]:
    """The shape of the complex numbers that go in."""
    shape = node.src[0].shape
    return shape[:-1] if node.attrs["form"] == FROM_PAIRS else shape[1:]


# ---- one pass
def _pass_shape(x: Shape, t: Shape, *, inner: int, inverse: bool, form: str) -> Shape:
    rows, radix, m, s = x[:4] if form == FROM_PAIRS else x[1:]
    return (rows, m, radix, s, 2) if form == TO_PAIRS else (2, rows, m, radix, s)


def _pass_numpy(x: np.ndarray, t: np.ndarray, inner: int, inverse: bool, form: str) -> np.ndarray:
    z = _complex(x, form == FROM_PAIRS)
    z = (np.fft.ifft(z, axis=1) * z.shape[1] if inverse else np.fft.fft(z, axis=1)).swapaxes(1, 2)
    m, radix = z.shape[1:3]
    factors = np.exp((2j if inverse else -2j) * np.pi / (m * radix) * np.outer(np.arange(m), np.arange(radix)))
    return _numpy_planar(z * factors[:, :, None], form == TO_PAIRS, x)


def _pass_kernel(profile: Profile, shape: Sequence[int], inner: int, inverse: bool, form: str) -> KernelSpec:
    rows, radix, m, s = shape
    low, high = _tables(radix * m * s // inner)
    params = {"ROWS": rows, "R": radix, "M": m, "LOW": low, "HIGH": high, "FIRST": int(inverse)}
    if is_register(profile) and s == 1 and m % 4 == 0 and radix % 4 == 0:
        body = {"work": text.rows(radix)}
        return flat("fft_first4", rows * m // 4, params | {"FROM_PAIRS": form == FROM_PAIRS}, profile, body)
    params |= {"S": s, "TURN": s // inner, "TO_PAIRS": form == TO_PAIRS}
    if is_register(profile) and s % 4 == 0 and form != FROM_PAIRS:
        params["SPAN"] = min(_SPAN, s // 4)
        return flat("fft_pass4", rows * m * ceil_div(s // 4, params["SPAN"]), params, profile, {"work": text.columns(radix, m > 1)})
    params["FROM_PAIRS"] = form == FROM_PAIRS
    return flat("fft_pass", rows * m * s, params, profile, {"work": text.one(radix, "M * S", "S", m > 1)})


def _flops(n: int) -> int:
    """The usual count, by which transforms are compared."""
    return 5 * n * max(1, n.bit_length() - 1)


_RNG = np.random.default_rng(0)


def _draw(*shape: int) -> np.ndarray:
    return _RNG.uniform(-1, 1, shape).astype(np.float32)


PASS = routine(
    "fft_pass",
    shape=_pass_shape,
    dtype=float_only("fft_pass"),
    numpy=_pass_numpy,
    grad=None,
    kernel=lambda node, profile: _pass_kernel(profile, _inside(node), **node.attrs),
    flops=lambda node: node.size // 2 * 5 * max(1, _inside(node)[1].bit_length() - 1),
    samples=[
        ((_draw(2, 2, 4, 4, 1), table(16)), {"inner": 1, "inverse": False, "form": PLANAR}),
        ((_draw(2, 8, 4, 1, 2), table(32)), {"inner": 1, "inverse": True, "form": FROM_PAIRS}),
        ((_draw(2, 2, 3, 5, 4), table(15)), {"inner": 4, "inverse": True, "form": PLANAR}),
        ((_draw(2, 1, 5, 1, 7), table(35)), {"inner": 1, "inverse": False, "form": TO_PAIRS}),
    ],
)


# ---- the transform
def _shape(x: Shape, t: Shape, *, inverse: bool, form: str) -> Shape:
    if len(x) != 4 or x[3 if form == FROM_PAIRS else 0] != 2 or (form != PLANAR and 1 not in x[2:3] + x[3:]):
        raise ShapeError(f"fft: input is {x}; expected (2, rows, n, columns), or (rows, n, 1, 2) for pairs.")
    rows, n, columns = x[:3] if form == FROM_PAIRS else x[1:]
    if n < 1 or t != table(n).shape:
        raise ShapeError(f"fft: a transform of {n} numbers has no table of the shape {t}.")
    return (rows, n, columns, 2) if form == TO_PAIRS else (2, rows, n, columns)


def _numpy(x: np.ndarray, t: np.ndarray, inverse: bool, form: str) -> np.ndarray:
    z = _complex(x, form == FROM_PAIRS)
    z = np.fft.ifft(z, axis=1, norm="forward") if inverse else np.fft.fft(z, axis=1)
    return _numpy_planar(z, form == TO_PAIRS, x)


def _grad(g: Node, y: Node, x: Node, t: Node, inverse: bool, form: str) -> Grads:
    back = {PLANAR: PLANAR, FROM_PAIRS: TO_PAIRS, TO_PAIRS: FROM_PAIRS}[form]
    return FFT(g, t, inverse=not inverse, form=back), None


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    rows, n, columns = _inside(node)
    return _pass_kernel(profile, (rows, n, 1, columns), columns, **node.attrs)


def _lower(node: Node, profile: Profile) -> Node | None:
    """A transform in passes of small radices; lengths with large prime factors by a matrix or by Bluestein's chirps."""
    rows, n, columns = _inside(node)
    x, t = node.src
    if profile.on_host:
        return None
    steps, inverse, form = radices(n), node.attrs["inverse"], node.attrs["form"]
    if not steps:
        x = permute(x, (3, 0, 1, 2)) if form == FROM_PAIRS else x
        x = flip(x, (0,)) if inverse else x
        x = _by_matrix(x, t, n) if n <= _DIRECT else _by_chirp(x, t, n)
        x = flip(x, (0,)) if inverse else x
        return permute(x, (1, 2, 3, 0)) if form == TO_PAIRS else x
    if len(steps) == 1:
        return None
    s = columns
    for i, radix in enumerate(steps):
        m = n * columns // (s * radix)
        now = form if (i == 0 and form == FROM_PAIRS) or (i == len(steps) - 1 and form == TO_PAIRS) else PLANAR
        shape = (rows, radix, m, s)
        x = PASS(reshape(x, (*shape, 2) if now == FROM_PAIRS else (2, *shape)), t, inner=columns, inverse=inverse, form=now)
        s *= radix
    return reshape(x, node.shape)


def _times(x: Node, factor: Node, n: int) -> Node:
    """Complex products along the axis; `factor` holds the real parts of `n` numbers, then the imaginary ones."""
    shape = (1, *x.shape[1:])
    real, imaginary = (slice_(x, (k, 0, 0, 0), (k + 1, *x.shape[1:])) for k in (0, 1))
    c, d = (broadcast_to(reshape(slice_(factor, (k * n,), (k * n + n,)), (1, 1, n, 1)), shape) for k in (0, 1))
    return concat([sub(mul(real, c), mul(imaginary, d)), add(mul(real, d), mul(imaginary, c))], 0)


def _by_matrix(x: Node, t: Node, n: int) -> Node:
    """The definition: as one row of 2 n numbers each, times a matrix."""
    _, rows, _, columns = x.shape
    y = matmul(reshape(permute(x, (1, 3, 0, 2)), (rows * columns, 2 * n)), reshape(t, (2 * n, 2 * n)))
    return permute(reshape(y, (rows, columns, 2, n)), (2, 0, 3, 1))


def _by_chirp(x: Node, t: Node, n: int) -> Node:
    """Bluestein 1970: `jk = (j² + k² - (k - j)²) / 2` makes the transform a convolution, of any length that is long enough."""
    m = _convolved(n)
    at = 2 * sum(_tables(m))
    factors, chirp, spectrum = (slice_(t, (a,), (b,)) for a, b in ((0, at), (at, at + 2 * n), (at + 2 * n, at + 2 * (n + m))))
    x = pad(_times(x, chirp, n), ((0, 0), (0, 0), (0, m - n), (0, 0)))
    x = FFT(x, factors, inverse=False, form=PLANAR)
    x = FFT(_times(x, spectrum, m), factors, inverse=True, form=PLANAR)
    return _times(slice_(x, (0, 0, 0, 0), (*x.shape[:2], n, x.shape[3])), chirp, n)


FFT: Routine = routine(
    "fft",
    shape=_shape,
    dtype=float_only("fft"),
    numpy=_numpy,
    grad=_grad,
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: node.size // (2 * max(1, _inside(node)[1])) * _flops(_inside(node)[1]),
    samples=[
        ((_draw(2, 3, 8, 1), table(8)), {"inverse": False, "form": PLANAR}),  # of one pass: others have a kernel when lowered only
        ((_draw(3, 12, 1, 2), table(12)), {"inverse": True, "form": FROM_PAIRS}),
        ((_draw(2, 2, 15, 4), table(15)), {"inverse": True, "form": PLANAR}),
        ((_draw(2, 1, 13, 1), table(13)), {"inverse": False, "form": TO_PAIRS}),
    ],
)


def fft(x: Node, t: Node, inverse: bool = False, form: str = PLANAR) -> Node:
    """Sums `sum_j x[j] exp(-2 pi i j k / n)` along an axis of complex numbers, the inverse with +i and not divided by n.

    Args:
        x: `(2, rows, n, columns)`, or `(rows, n, 1, 2)` where `form` is "from pairs".
        t: `table(n)`.
        inverse: The other sign.
        form: "planar"; or "from pairs" or "to pairs" for input or result with real and imaginary parts side by side.

    Raises:
        ShapeError: The shapes do not fit.
        DtypeError: Something is not float32.
    """
    return FFT(x, t, inverse=bool(inverse), form=form)
