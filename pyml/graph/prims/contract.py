"""Matrix products: 2-D by 2-D, or batches of them, with either operand transposed."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .choose import LONG_SUM, Gemm, Operand, ceil_div, chunk_of, flat, fold, gemm, is_core, is_register, is_software, product_splits
from .conv_panel import columns, fit, in_lanes, unroll
from .elementwise import add, mul
from .leaf import full
from .move import broadcast_to, permute, reshape, slice_
from .reduce import reduce_sum


def float_only(name: str) -> Callable[..., str]:
    """The dtype rule of routines that compute in float32."""

    def rule(*dtypes: str, **attrs: Any) -> str:
        if set(dtypes) != {"float32"}:
            raise DtypeError(f"{name}: operands have dtypes {', '.join(dtypes)}; only float32 is supported, so cast them first.")
        return "float32"

    return rule


def _array(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def _swap(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, -1, -2)


def _sizes(a: Shape, b: Shape, ta: bool, tb: bool) -> tuple[int, int, int]:
    """(M, N, K) of op(a) @ op(b)."""
    m, k = (a[-1], a[-2]) if ta else (a[-2], a[-1])
    return m, b[-2] if tb else b[-1], k


def _inner(node: Node) -> int:
    """The length of the sums."""
    return _sizes(node.src[0].shape, node.src[1].shape, node.attrs["ta"], node.attrs["tb"])[2]


def _matmul_shape(a: Shape, b: Shape, *, ta: bool, tb: bool) -> Shape:
    if len(a) != len(b) or len(a) not in (2, 3) or a[:-2] != b[:-2]:
        raise ShapeError(f"matmul: shapes {a} and {b}; expected two matrices, or two equal batches of matrices.")
    m, n, k = _sizes(a, b, ta, tb)
    inner = b[-1] if tb else b[-2]
    if inner != k:
        how = f" (a transposed: {ta}, b transposed: {tb})" if ta or tb else ""
        raise ShapeError(f"matmul: shapes {a} and {b}{how} do not fit; {k} != {inner}.")
    return (*a[:-2], m, n)


def _matmul_grad(g: Node, y: Node, a: Node, b: Node, ta: bool, tb: bool) -> Grads:
    da = MATMUL(b, g, ta=tb, tb=True) if ta else MATMUL(g, b, ta=False, tb=not tb)
    db = MATMUL(g, a, ta=True, tb=ta) if tb else MATMUL(a, g, ta=not ta, tb=False)
    return da, db


def _absorb(node: Node) -> Node | None:
    """matmul(transpose(x), b) reads x itself."""
    (a, b), attrs, swapped = node.src, dict(node.attrs), (*range(len(node.shape) - 2), len(node.shape) - 1, len(node.shape) - 2)
    for name, operand in (("ta", a), ("tb", b)):
        if operand.op.name == "permute" and operand.buffer is None and operand.attrs["axes"] == swapped:
            attrs[name] = not attrs[name]
            a, b = (operand.src[0], b) if name == "ta" else (a, operand.src[0])
    return MATMUL(a, b, **attrs) if attrs != node.attrs else None


def _general(m: int, n: int, k: int, z: int, ta: bool, tb: bool, splits: int = 1) -> Gemm:
    """The product for the kernels that take any layout; with splits, z counts partial sums over k."""
    chunk = chunk_of(k, splits)
    step, matrix, guard = "k", "z", ""
    if splits > 1:
        step, matrix = f"(z * {chunk}u + k)", "0u"
        guard = f"if ({step} >= {k}u) {{ return ZERO; }} " if chunk * splits != k else ""
    at_a = f"({matrix} * {k}u + {step}) * {m}u + m" if ta else f"({matrix} * {m}u + m) * {k}u + {step}"
    at_b = f"({matrix} * {n}u + n) * {k}u + {step}" if tb else f"({matrix} * {k}u + {step}) * {n}u + n"
    a = Operand("a", at_a, guard, not ta, (m if ta else k) % 4 == 0)
    b = Operand("b", at_b, guard, tb, (k if tb else n) % 4 == 0)
    return Gemm(m, n, chunk, z * splits, a, b, f"return (z * {m}u + m) * {n}u + n;")


def _matmul_kernel(node: Node, profile: Profile) -> KernelSpec:
    ta, tb = node.attrs["ta"], node.attrs["tb"]
    m, n, k = _sizes(node.src[0].shape, node.src[1].shape, ta, tb)
    z = node.shape[0] if node.ndim == 3 else 1
    if is_core(profile) and n % 4 == 0:
        return _row(n, k, z, profile) if m == 1 and not tb else _panel(m, n, k, z, ta, tb, profile)
    aligned = n % 4 == 0 and k % 4 == 0 and (m % 4 == 0 if ta else m >= 4)
    if is_register(profile) and aligned:
        params = {"M": m, "N": n, "K": k, "Z": z, "TA": ta, "TB": tb}
        return flat("matmul_reg", z * ceil_div(m, 8) * ceil_div(n, 8), params, profile)
    return gemm(_general(m, n, k, z, ta, tb), profile)


_CACHED = 1 << 17  # numbers that stay in a core's second cache


def rows_of_block(m: int, rows: int, most: int) -> int:
    """How many of m rows a block of panels has: whole tiles, at most about so many, shared evenly, as each block packs all panels anew."""
    return ceil_div(m, rows * max(1, round(m / max(rows, min(most, 240))))) * rows


def _row(n: int, k: int, z: int, profile: Profile) -> KernelSpec:
    """A product of one row, as a single prediction is."""
    cols = columns(n, z, profile, least=8)
    grid, across = fold(z * ceil_div(n, cols))
    together = next(u for u in (8, 6, 7, 5, 4, 3, 2, 1) if k % u == 0)
    return KernelSpec("matmul_row", {"N": n, "K": k, "Z": z, "COLS": cols, "U": together, "X": across}, grid)


def _panel(m: int, n: int, k: int, z: int, ta: bool, tb: bool, profile: Profile) -> KernelSpec:
    pack = ta and n > 16  # a column of a is far apart in memory: worth a copy that several panels read
    rows = min(profile.rows, m)
    block = min(240 // rows * rows, ceil_div(m, rows) * rows)
    if pack:
        block = max(rows, min(block, _CACHED // k // rows * rows))
    blocks = z * ceil_div(m, block)
    cols = columns(n, blocks, profile, least=4 if pack else 1)
    grid, across = fold(blocks * ceil_div(n, cols))
    lanes = in_lanes(profile) and rows == 4 and k % 4 == 0
    params = {"M": m, "N": n, "K": k, "Z": z, "TA": ta, "TB": tb, "PACK": pack, "R": rows, "BLOCK": block, "COLS": cols, "X": across}
    params |= {"U": unroll(k), "LANES": lanes}
    return KernelSpec("matmul_panel", params, grid)


def _in_parts(a: Node, b: Node, ta: bool, tb: bool, k: int) -> Node:
    """A long sum as a sum of shorter ones, which are one batch of products, and a rest."""
    parts = ceil_div(k, LONG_SUM // 2)
    each = next((k // p for p in range(parts, 2 * parts) if k % (4 * p) == 0), k // parts // 4 * 4)
    parts = k // each
    y = MATMUL(_batch(a, not ta, parts, each), _batch(b, tb, parts, each), ta=ta, tb=tb)
    z = a.shape[:-2]
    total = reduce_sum(reshape(y, (*z, parts, *y.shape[1:])), axis=(len(z),))
    if parts * each == k:
        return total
    rest = (_cut(x, x.ndim - (1 if last else 2), parts * each, k) for x, last in ((a, not ta), (b, tb)))
    return add(total, MATMUL(*rest, ta=ta, tb=tb))


def _batch(x: Node, last: bool, parts: int, each: int) -> Node:
    """So many parts of the last axis, or the one before, of all matrices, as a batch."""
    x = _cut(x, x.ndim - (1 if last else 2), 0, parts * each)
    z, (m, n) = x.shape[:-2], x.shape[-2:]
    if not last:
        return reshape(x, (prod(z) * parts, each, n))
    i = len(z)
    return reshape(permute(reshape(x, (*z, m, parts, each)), (*range(i), i + 1, i, i + 2)), (prod(z) * parts, m, each))


def _cut(x: Node, axis: int, first: int, last: int) -> Node:
    start = tuple(first if i == axis else 0 for i in range(x.ndim))
    return slice_(x, start, tuple(last if i == axis else n for i, n in enumerate(x.shape)))


def _matmul_lower(node: Node, profile: Profile) -> Node | None:
    ta, tb = node.attrs["ta"], node.attrs["tb"]
    a, b = node.src
    m, n, k = _sizes(a.shape, b.shape, ta, tb)
    z = a.shape[:-2]
    if k == 1 and is_core(profile):  # each number with each: kernels of products add up nothing there
        return mul(broadcast_to(reshape(a, (*z, m, 1)), node.shape), broadcast_to(reshape(b, (*z, 1, n)), node.shape))
    if is_core(profile) and n == 1 and (m == 1 or not ta):  # one column is no vector of them, and rows of a are
        rows = (*z, m, k)
        return reshape(reduce_sum(mul(reshape(a, rows), broadcast_to(reshape(b, (*z, 1, k)), rows)), axis=(len(z) + 1,)), node.shape)
    if k > LONG_SUM and (is_core(profile) or node.ndim == 3):
        return _in_parts(a, b, ta, tb, k)
    if is_core(profile) and n == 1 and m % 4 == 0:
        return reshape(MATMUL(reshape(b, (*z, 1, k)), a, ta=False, tb=False), node.shape)
    if is_core(profile) and n % 4 and m > 1:  # whole vectors of columns
        y = MATMUL(a, fit(b, b.ndim - (2 if tb else 1), 0, -n % 4), ta=ta, tb=tb)
        return slice_(y, (0,) * y.ndim, node.shape)
    four = (m if ta else k) % 4 == 0 and (k if tb else n) % 4 == 0
    long = LONG_SUM // 4 if k > LONG_SUM and is_software(profile) else LONG_SUM
    splits = max(product_splits(m, n, k, four, profile), ceil_div(k, long)) if node.ndim == 2 else 1
    return reduce_sum(PARTIALS(*node.src, ta=ta, tb=tb, splits=splits), axis=(0,)) if splits > 1 else None


def product_numpy(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`a @ b`, in float64 where sums are long."""
    if a.shape[-1] > LONG_SUM and a.dtype == np.float32:  # the library adds up a vector in one chain
        return np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
    return np.matmul(a, b)


MATMUL = routine(
    "matmul",
    shape=_matmul_shape,
    dtype=float_only("matmul"),
    numpy=lambda a, b, ta, tb: product_numpy(_swap(a) if ta else a, _swap(b) if tb else b),
    grad=_matmul_grad,
    kernel=_matmul_kernel,
    lower=_matmul_lower,
    absorb=_absorb,
    flops=lambda node: 2 * node.size * _inner(node),
    samples=[
        ((_array(0, 5, 7), _array(1, 7, 3)), {"ta": False, "tb": False}),
        ((_array(2, 8, 12), _array(3, 16, 8)), {"ta": True, "tb": True}),
        ((_array(4, 2, 3, 4), _array(5, 2, 3, 4)), {"ta": True, "tb": False}),
        ((_array(6, 3, 9, 8), _array(7, 3, 4, 8)), {"ta": False, "tb": True}),
    ],
)


def _partials_numpy(a: np.ndarray, b: np.ndarray, ta: bool, tb: bool, splits: int) -> np.ndarray:
    a, b = _swap(a) if ta else a, _swap(b) if tb else b
    chunk = chunk_of(a.shape[1], splits)
    return np.stack([a[:, i * chunk : (i + 1) * chunk] @ b[i * chunk : (i + 1) * chunk] for i in range(splits)])


def _partials_kernel(node: Node, profile: Profile) -> KernelSpec:
    ta, tb = node.attrs["ta"], node.attrs["tb"]
    m, n, k = _sizes(node.src[0].shape, node.src[1].shape, ta, tb)
    return gemm(_general(m, n, k, 1, ta, tb, node.attrs["splits"]), profile)


# sums over parts of k, for products whose result is too small to fill the adapter
PARTIALS = routine(
    "matmul_partials",
    shape=lambda a, b, *, ta, tb, splits: (splits, *_matmul_shape(a, b, ta=ta, tb=tb)),
    dtype=float_only("matmul"),
    numpy=_partials_numpy,
    grad=None,
    kernel=_partials_kernel,
    flops=lambda node: 2 * node.size // node.attrs["splits"] * _inner(node),
    samples=[((_array(8, 3, 50), _array(9, 50, 2)), {"ta": False, "tb": False, "splits": 4})],
)


def matmul(a: Node, b: Node, ta: bool = False, tb: bool = False) -> Node:
    """op(a) @ op(b) for matrices, or for equal batches of matrices; `ta` and `tb` transpose the last two axes.

    Raises:
        ShapeError: The inner sizes or the batches differ.
        DtypeError: An operand is not float32.
    """
    y = MATMUL(a, b, ta=bool(ta), tb=bool(tb))
    return full(y.shape, 0.0, y.dtype) if a.size == 0 and y.size else y
