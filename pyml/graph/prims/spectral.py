"""Eigenvalues and singular values of batches of matrices.

Vectors are known up to a sign. One rule settles it on every device: of the elements within a tenth of the largest, the first
is positive (`eig`, whose vectors have a phase, leaves it to LAPACK).
"""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import KernelSpec, Profile, Shape, routine
from .choose import flat
from .contract import float_only
from .factor import SOLVE
from .leaf import full
from .matrices import (
    diagonal_part,
    each_finite,
    exactly,
    part,
    product,
    reciprocal_or_zero,
    rounds_at_most,
    square_batch,
    transposed,
)  # fmt: skip
from .move import broadcast_to, concat

SWEEPS = 10  # of Jacobi's rotations over all pairs at most; 32 columns of random float32 settle in 7


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def _signs(v: np.ndarray) -> np.ndarray:
    """For each column 1 or -1, which makes the column what the rule above says."""
    size = np.abs(v)
    first = np.argmax(size >= 0.9 * size.max(1, keepdims=True), 1)
    return np.where(np.take_along_axis(v, first[:, None], 1) < 0, -1, 1)


# ---- symmetric matrices
def _eigh_shape(x: Shape) -> Shape:
    square_batch("eigh", x)
    return (x[0], x[1] + 1, x[2])


def _eigh_of_matrices(x: np.ndarray) -> np.ndarray:
    w, v = np.linalg.eigh(x)
    return np.concatenate([v, w[..., None, :]], -2)


def _eigh_numpy(x: np.ndarray) -> np.ndarray:
    """The vectors as columns, and in a row below them the values, the least first."""
    b, n, _ = x.shape
    x = exactly(x)
    y = each_finite(_eigh_of_matrices, (b, n + 1, n), (x + np.swapaxes(x, 1, 2)) / 2)
    y[:, :n] *= _signs(y[:, :n])
    return y


def _eigh_grad(g: Node, y: Node, x: Node) -> Node:
    """V (diag(gw) + F * (V^T gV)) V^T, F_ij = 1 / (w_j - w_i); nothing between equal values."""
    n = x.shape[1]
    v, w = part(y, (0, n), (0, n)), part(y, (n, n + 1), (0, n))
    gv, gw = part(g, (0, n), (0, n)), part(g, (n, n + 1), (0, n))
    gaps = broadcast_to(w, x.shape) - broadcast_to(transposed(w), x.shape)
    inner = reciprocal_or_zero(gaps) * product(v, gv, ta=True) + diagonal_part(broadcast_to(gw, x.shape))
    out = product(product(v, inner), v, tb=True)
    return (out + transposed(out)) * 0.5


EIGH = routine(
    "eigh",
    shape=_eigh_shape,
    dtype=float_only("eigh"),
    numpy=_eigh_numpy,
    grad=_eigh_grad,
    kernel=lambda node, profile: flat("eigh", node.shape[0], {"B": node.shape[0], "N": node.shape[2], "SWEEPS": SWEEPS}, profile),
    host=rounds_at_most(lambda node: SWEEPS * node.shape[2] ** 2 * (node.shape[2] + 1) // 2),
    flops=lambda node: 12 * SWEEPS * node.shape[0] * node.shape[2] ** 3 // 2,
    samples=[((_random(0, 3, 4, 4),), {}), ((_random(2, 1, 9, 9),), {}), ((_random(3, 1, 35, 35),), {})],
)


# ---- singular values
def _svd_shape(x: Shape) -> Shape:
    if len(x) != 3 or x[1] < x[2]:
        raise ShapeError(f"svd: expected a batch of matrices (batch, rows, columns) with no fewer rows than columns. Received: {x}")
    return (x[0], x[1] + x[2] + 1, x[2])


def _svd_of_matrices(x: np.ndarray) -> np.ndarray:
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u, np.swapaxes(vt, -1, -2), s[..., None, :]], -2)


def _svd_numpy(x: np.ndarray) -> np.ndarray:
    """Left vectors as columns, below them the right ones as columns, below them the values, the largest first."""
    b, m, n = x.shape
    y = each_finite(_svd_of_matrices, (b, m + n + 1, n), exactly(x))
    y[:, : m + n] *= _signs(y[:, m : m + n])
    return y


def _skew(x: Node) -> Node:
    return x - transposed(x)


def _svd_grad(g: Node, y: Node, x: Node) -> Node:
    """As in Townsend 2016, "Differentiating the singular value decomposition"; nothing between equal values."""
    b, m, n = x.shape
    square = (b, n, n)
    cut = lambda of: (part(of, (0, m), (0, n)), part(of, (m, m + n), (0, n)), part(of, (m + n, m + n + 1), (0, n)))
    (u, v, s), (gu, gv, gs) = cut(y), cut(g)
    values = broadcast_to(s, square)
    f = reciprocal_or_zero(values * values - transposed(values * values))
    inner = _skew(product(u, gu, ta=True)) * f * values + _skew(product(v, gv, ta=True)) * f * transposed(values)
    inner = inner + diagonal_part(broadcast_to(gs, square))
    left = product(u, inner)
    inverse = reciprocal_or_zero(s)
    if m > n:
        scaled = gu * broadcast_to(inverse, gu.shape)
        left = left + scaled - product(u, product(u, scaled, ta=True))
    return product(left, v, tb=True)


def _svd_rounds(node: Node) -> int:
    m, n = node.src[0].shape[1:]
    return SWEEPS * n * n * (2 * m + n) // 2 + 5 * m * n * n


def _svd_kernel(node: Node, profile: Profile) -> KernelSpec:
    b, m, n = node.src[0].shape
    return flat("svd", b, {"B": b, "M": m, "N": n, "SWEEPS": SWEEPS}, profile)


SVD = routine(
    "svd",
    shape=_svd_shape,
    dtype=float_only("svd"),
    numpy=_svd_numpy,
    grad=_svd_grad,
    kernel=_svd_kernel,
    host=rounds_at_most(_svd_rounds),
    flops=lambda node: 5 * _svd_rounds(node) * node.shape[0],
    samples=[((_random(0, 3, 4, 4),), {}), ((_random(1, 2, 5, 2),), {}), ((_random(3, 1, 34, 33),), {})],
)


# ---- any square matrix
Pair = tuple[Node, Node]  # real and imaginary parts


def _eig_shape(x: Shape) -> Shape:
    square_batch("eig", x)
    return (x[0], 2 * x[1] + 2, x[2])


def _eig_of_matrices(x: np.ndarray) -> np.ndarray:
    w, v = np.linalg.eig(x)
    return np.concatenate([v.real, v.imag, w.real[..., None, :], w.imag[..., None, :]], -2)


def _times(a: Pair, b: Pair, ta: bool = False) -> Pair:
    """The product of complex matrices; with `ta` of the conjugate transpose of the first one."""
    sign = -1.0 if ta else 1.0
    real = product(a[0], b[0], ta) - product(a[1], b[1], ta) * sign
    return real, product(a[0], b[1], ta) + product(a[1], b[0], ta) * sign


def _eig_grad(g: Node, y: Node, x: Node) -> Node:
    """V^-H (diag(gw) + (V^H gV - V^H V diag(Re V^H gV)) / conj(w_j - w_i)) V^H, of which x, being real, gets the real part."""
    n = x.shape[1]
    cut = lambda of, first, rows: (part(of, (first, first + rows), (0, n)), part(of, (first + rows, first + 2 * rows), (0, n)))
    v, w, gv, gw = cut(y, 0, n), cut(y, 2 * n, 1), cut(g, 0, n), cut(g, 2 * n, 1)
    inner = _times(v, gv, ta=True)
    lengths = product(full((x.shape[0], 1, n), 1.0, "float32"), diagonal_part(inner[0]))
    norms = _times(v, (v[0] * broadcast_to(lengths, x.shape), v[1] * broadcast_to(lengths, x.shape)), ta=True)
    inner = inner[0] - norms[0], inner[1] - norms[1]
    gaps = [broadcast_to(part_, x.shape) - broadcast_to(transposed(part_), x.shape) for part_ in w]
    over = reciprocal_or_zero(gaps[0] * gaps[0] + gaps[1] * gaps[1])  # (a + ib) / (c - id) = (a + ib)(c + id) / (cc + dd)
    wide = [diagonal_part(broadcast_to(part_, x.shape)) for part_ in gw]
    real = (inner[0] * gaps[0] - inner[1] * gaps[1]) * over + wide[0]
    imaginary = (inner[0] * gaps[1] + inner[1] * gaps[0]) * over + wide[1]
    back = transposed(v[0]), -transposed(v[1])
    right = _times((real, imaginary), back)
    whole = concat([concat([back[0], -back[1]], 2), concat([back[1], back[0]], 2)], 1)  # a complex system as a real one
    return part(SOLVE(whole, concat(right, 1)), (0, n), (0, n))


EIG = routine(
    "eig",
    shape=_eig_shape,
    dtype=float_only("eig"),
    numpy=lambda x: each_finite(_eig_of_matrices, (x.shape[0], 2 * x.shape[1] + 2, x.shape[2]), exactly(x)),
    grad=_eig_grad,
    kernel=None,
    flops=lambda node: 25 * node.src[0].size * node.shape[2],
    # with real eigenvalues, as finite differences do not know that a phase is free
    samples=[((np.triu(_random(0, 2, 4, 4)) + 0.1 * _random(1, 2, 4, 4) + np.diag([0.0, 3, 6, 9]).astype(np.float32),), {})],
)

