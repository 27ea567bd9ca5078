"""Matrices as products of simpler ones: Cholesky, LU, QR; and systems of equations."""

from __future__ import annotations

import numpy as np

from ...errors import NotDifferentiable, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .choose import LOOP_ROUNDS, flat
from .contract import float_only
from .elementwise import cast, equal
from .leaf import iota
from .matrices import (
    diagonal_part,
    each,
    exactly,
    eye,
    lower_part,
    part,
    product,
    rounds_at_most,
    square_batch,
    too_large,
    transposed,
    upper_part,
)
from .move import broadcast_to, concat, reshape


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def _positive(seed: int, b: int, n: int) -> np.ndarray:
    x = _random(seed, b, n, n)
    return (x @ x.transpose(0, 2, 1) + np.eye(n)).astype(np.float32)


# ---- Cholesky
def _cholesky_shape(x: Shape) -> Shape:
    square_batch("cholesky", x)
    return x


def _cholesky_numpy(x: np.ndarray) -> np.ndarray:
    x = exactly(x)
    return each(np.linalg.cholesky, x.shape, (x + np.swapaxes(x, 1, 2)) / 2)


def _cholesky_grad(g: Node, y: Node, x: Node) -> Node:
    """S = L^-T Phi(L^T g) L^-1, Phi the lower triangle with half the diagonal; the mean of S and its transpose."""
    inner = product(y, lower_part(g), ta=True)
    inner = lower_part(inner) - diagonal_part(inner) * 0.5
    left = TRIANGULAR(y, inner, lower=True, transposed=True, unit=False)
    s = transposed(TRIANGULAR(y, transposed(left), lower=True, transposed=True, unit=False))
    return (s + transposed(s)) * 0.5


CHOLESKY = routine(
    "cholesky",
    shape=_cholesky_shape,
    dtype=float_only("cholesky"),
    numpy=_cholesky_numpy,
    grad=_cholesky_grad,
    kernel=lambda node, profile: flat("cholesky", node.shape[0], {"B": node.shape[0], "N": node.shape[1]}, profile),
    host=too_large,
    flops=lambda node: node.size * node.shape[1] // 3,
    samples=[((_positive(0, 3, 5),), {}), ((_positive(1, 1, 1),), {}), ((_positive(2, 1, 37),), {})],
)


# ---- triangular systems
def _triangular_shape(a: Shape, y: Shape, *, lower: bool, transposed: bool, unit: bool) -> Shape:
    square_batch("solve_triangular", a)
    if len(y) != 3 or y[:2] != a[:2]:
        raise ShapeError(f"solve_triangular: expected right-hand sides (batch, n, columns) for {a}. Received: {y}")
    return y


def _triangular_numpy(a: np.ndarray, y: np.ndarray, lower: bool, transposed: bool, unit: bool) -> np.ndarray:
    a = exactly(np.swapaxes(a, 1, 2) if transposed else a)
    x, n = np.array(exactly(y)), a.shape[1]
    forward = lower != transposed
    for i in range(n) if forward else reversed(range(n)):
        known = slice(0, i) if forward else slice(i + 1, n)
        x[:, i] -= np.einsum("bk,bkc->bc", a[:, i, known], x[:, known])
        if not unit:
            x[:, i] /= a[:, i, i][:, None]
    return x


def _triangular_grad(g: Node, y: Node, a: Node, b: Node, lower: bool, transposed: bool, unit: bool) -> Grads:
    gb = TRIANGULAR(a, g, lower=lower, transposed=not transposed, unit=unit)
    ga = -product(y, gb, tb=True) if transposed else -product(gb, y, tb=True)
    ga = lower_part(ga, below=unit) if lower else upper_part(ga)
    return (ga - diagonal_part(ga) if unit and not lower else ga), gb


def _triangular_kernel(node: Node, profile: Profile) -> KernelSpec:
    b, n, columns = node.shape
    params = {"B": b, "N": n, "K": columns, "LOWER": node.attrs["lower"] != node.attrs["transposed"], "UNIT": node.attrs["unit"]}
    params |= {"ROW": 1, "COLUMN": n} if node.attrs["transposed"] else {"ROW": n, "COLUMN": 1}
    return flat("solve_triangular", b * columns, params, profile)


def _triangular_host(node: Node, profile: Profile) -> bool:
    """A thread solves for one column, and so can take longer ones than a matrix would allow."""
    n = node.shape[1]
    return n * n // 2 + 2 * n > LOOP_ROUNDS


def _triangle(seed: int, b: int, n: int) -> np.ndarray:
    return (_random(seed, b, n, n) / n + np.eye(n)).astype(np.float32)


_FORWARD = {"lower": True, "transposed": False, "unit": False}
TRIANGULAR = routine(
    "solve_triangular",
    shape=_triangular_shape,
    dtype=float_only("solve_triangular"),
    numpy=_triangular_numpy,
    grad=_triangular_grad,
    kernel=_triangular_kernel,
    host=_triangular_host,
    flops=lambda node: node.size * node.shape[1],
    samples=[
        ((_triangle(0, 3, 5), _random(1, 3, 5, 2)), _FORWARD),
        ((_triangle(2, 2, 4), _random(3, 2, 4, 1)), {**_FORWARD, "transposed": True}),
        ((_triangle(4, 2, 3), _random(5, 2, 3, 3)), {**_FORWARD, "lower": False}),
        ((_triangle(6, 2, 3), _random(7, 2, 3, 2)), {"lower": False, "transposed": True, "unit": True}),
        ((_triangle(8, 1, 70), _random(9, 1, 70, 2)), {**_FORWARD, "unit": True}),
    ],
)


# ---- LU
def _lu_shape(x: Shape) -> Shape:
    if len(x) != 3:
        raise ShapeError(f"lu_factor: expected a batch of matrices (batch, rows, columns). Received: {x}")
    return (x[0], x[1], x[2] + 2)


def lu_of(a: np.ndarray) -> np.ndarray:
    """L below the diagonal, U from it on; then the row that each step exchanged its own with, and where each row came from."""
    b, m, n = a.shape
    a, all_ = a.copy(), np.arange(b)
    swaps, order = np.zeros((b, m)), np.broadcast_to(np.arange(m), (b, m)).copy()
    for k in range(min(m, n)):
        column = a[:, k:, k]
        found = k + np.argmax(np.abs(column.real) + np.abs(column.imag), 1)  # what LAPACK takes for the size of complex numbers
        for rows in (a, order):
            one, other = rows[:, k].copy(), rows[all_, found].copy()
            rows[:, k], rows[all_, found] = other, one
        swaps[:, k] = found
        pivot = a[:, k, k][:, None]
        a[:, k + 1 :, k] /= np.where(pivot == 0, 1, pivot)
        a[:, k + 1 :, k + 1 :] -= a[:, k + 1 :, k : k + 1] * a[:, k : k + 1, k + 1 :]
    return np.concatenate([a, swaps[..., None], order[..., None]], 2)


def rows_ordered(order: Node, x: Node, back: bool = False) -> Node:
    """Row `order[i]` of x as row i, or the other way; `order` is a column `(b, m, 1)` of floats."""
    b, m = x.shape[:2]
    shape = (b, m, m)
    matrix = cast(equal(broadcast_to(order, shape), broadcast_to(reshape(cast(iota(m), "float32"), (1, 1, m)), shape)), "float32")
    return product(matrix, x, ta=back)


def _lu_grad(g: Node, y: Node, x: Node) -> Node:
    """Of the square part as usual; rows and columns beyond it are systems with L or U, whose gradients join."""
    m, n = x.shape[1:]
    k = min(m, n)
    square = lambda of: part(of, (0, k), (0, k))
    a, u, ga = square(y), upper_part(square(y)), square(g)
    gl, gu = lower_part(ga, below=True), upper_part(ga)
    inner_l = product(lower_part(a, below=True) + eye(a), gl, ta=True)
    inner_u = product(gu, u, tb=True)
    beside = None
    if m > n:  # L2 = A2 U^-1
        right = transposed(TRIANGULAR(a, transposed(part(g, (k, m), (0, n))), lower=False, transposed=False, unit=False))
        inner_u = inner_u - product(part(y, (k, m), (0, n)), part(g, (k, m), (0, n)), ta=True)
        beside = right
    if n > m:  # U2 = L^-1 A2
        beside = TRIANGULAR(a, part(g, (0, m), (k, n)), lower=True, transposed=True, unit=True)
        inner_l = inner_l - product(part(g, (0, m), (k, n)), part(y, (0, m), (k, n)), tb=True)
    middle = lower_part(inner_l, below=True) + upper_part(inner_u)
    left = TRIANGULAR(a, middle, lower=True, transposed=True, unit=True)
    out = transposed(TRIANGULAR(a, transposed(left), lower=False, transposed=False, unit=False))
    if beside is not None:
        out = concat([out, beside], 1 if m > n else 2)
    return rows_ordered(part(y, (0, m), (n + 1, n + 2)), out, back=True)


def _lu_kernel(node: Node, profile: Profile) -> KernelSpec:
    b, m, n = node.src[0].shape
    return flat("lu_factor", b, {"B": b, "M": m, "N": n, "K": min(m, n)}, profile)


def _lu_rounds(node: Node) -> int:
    m, n = node.src[0].shape[1:]
    k = min(m, n)
    return m * n * k // 2 + k * (m + n) + 2 * m * n


LU = routine(
    "lu_factor",
    shape=_lu_shape,
    dtype=float_only("lu_factor"),
    numpy=lambda x: lu_of(exactly(x)),
    grad=_lu_grad,
    kernel=_lu_kernel,
    host=too_large,
    flops=lambda node: 2 * _lu_rounds(node) * node.shape[0],
    samples=[((_random(0, 3, 4, 4),), {}), ((_random(1, 2, 5, 3),), {}), ((_random(2, 2, 3, 5),), {}), ((_random(3, 1, 40, 40),), {})],
)


# ---- systems of equations
def _solve_shape(a: Shape, y: Shape) -> Shape:
    square_batch("solve", a)
    if len(y) != 3 or y[:2] != a[:2]:
        raise ShapeError(f"solve: expected right-hand sides (batch, n, columns) for {a}. Received: {y}")
    return y


def _solve_lower(node: Node, profile: Profile) -> Node | None:
    """Small systems by their LU factors, on the device."""
    a, y = node.src
    factors = LU(a)
    if LU.on_host(factors, profile):
        return None
    n = a.shape[1]
    factor = part(factors, (0, n), (0, n))
    inner = TRIANGULAR(factor, rows_ordered(part(factors, (0, n), (n + 1, n + 2)), y), lower=True, transposed=False, unit=True)
    return TRIANGULAR(factor, inner, lower=False, transposed=False, unit=False)


def _solve_grad(g: Node, y: Node, a: Node, b: Node) -> Grads:
    gb = SOLVE(transposed(a), g)
    return -product(gb, y, tb=True), gb


SOLVE = routine(
    "solve",
    shape=_solve_shape,
    dtype=float_only("solve"),
    numpy=lambda a, y: each(np.linalg.solve, y.shape, exactly(a), exactly(y)),
    grad=_solve_grad,
    kernel=None,
    lower=_solve_lower,
    flops=lambda node: node.shape[0] * node.shape[1] ** 2 * (node.shape[1] + 2 * node.shape[2]),
    samples=[((_triangle(0, 3, 4), _random(1, 3, 4, 2)), {}), ((_triangle(2, 1, 35), _random(3, 1, 35, 1)), {})],
)


# ---- QR
def _qr_shape(x: Shape, *, complete: bool) -> Shape:
    if len(x) != 3:
        raise ShapeError(f"qr: expected a batch of matrices (batch, rows, columns). Received: {x}")
    return (x[0], x[1], (x[1] if complete else min(x[1], x[2])) + x[2])


def _qr_numpy(x: np.ndarray, complete: bool) -> np.ndarray:
    """Q, and beside it R with zeros beneath."""
    q, r = np.linalg.qr(exactly(x), "complete" if complete else "reduced")
    return np.concatenate([q, np.pad(r, [(0, 0), (0, q.shape[1] - r.shape[1]), (0, 0)])], 2)


def _qr_grad(g: Node, y: Node, x: Node, complete: bool) -> Node:
    m, n = x.shape[1:]
    k = y.shape[2] - n
    if k > n or m < n:
        raise NotDifferentiable(f"qr: the complete Q of a matrix with more rows than columns has no gradient. Received: {(m, n)}")
    q, r = part(y, (0, m), (0, k)), part(y, (0, k), (k, k + n))
    gq, gr = part(g, (0, m), (0, k)), upper_part(part(g, (0, k), (k, k + n)))
    inner = upper_part(product(gr, r, tb=True) - product(q, gq, ta=True))
    inner = inner + transposed(inner) - diagonal_part(inner)
    left = gq + product(q, inner)
    return transposed(TRIANGULAR(r, transposed(left), lower=False, transposed=False, unit=False))


def _qr_kernel(node: Node, profile: Profile) -> KernelSpec:
    b, m, n = node.src[0].shape
    return flat("qr", b, {"B": b, "M": m, "N": n, "K": node.shape[2] - n, "STEPS": min(m, n)}, profile)


def _qr_rounds(node: Node) -> int:
    m, n = node.src[0].shape[1:]
    k = node.shape[2] - n
    return min(m, n) * (m * n + 2 * m * k + 2 * m) + m * (n + k)


QR = routine(
    "qr",
    shape=_qr_shape,
    dtype=float_only("qr"),
    numpy=_qr_numpy,
    grad=_qr_grad,
    kernel=_qr_kernel,
    host=rounds_at_most(_qr_rounds),
    flops=lambda node: 2 * _qr_rounds(node) * node.shape[0],
    samples=[
        ((_random(0, 3, 4, 4),), {"complete": False}), ((_random(1, 2, 5, 3),), {"complete": False}),
        ((_random(2, 2, 3, 3),), {"complete": True}), ((_random(3, 1, 40, 33),), {"complete": False}),
    ],
)  # fmt: skip
