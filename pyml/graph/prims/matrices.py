"""What the primitives of linear algebra share: batches of matrices `(b, rows, columns)`, and who computes them.

A thread computes one matrix in memory of its own, so small ones are the device's work; larger ones are the host's, where
numpy has LAPACK. On the host and in the gradients' tests numpy computes in float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import Profile
from .choose import LOOP_ROUNDS
from .contract import matmul
from .elementwise import equal, greater_equal, less, less_equal, where, zeros_like
from .leaf import full, iota
from .move import broadcast_to, permute, reshape, slice_

MOST = 32  # rows or columns of a matrix in a thread's own memory: 4 KiB, or 8 with a second one


def too_large(node: Node, profile: Profile) -> bool:
    """The rule that a node is the host's: a side is longer than MOST."""
    return max(node.src[0].shape[1:]) > MOST


def rounds_at_most(rounds: Callable[[Node], int]) -> Callable[[Node, Profile], bool]:
    """The same rule where a thread may need too many loop rounds for smaller ones."""
    return lambda node, profile: too_large(node, profile) or rounds(node) > LOOP_ROUNDS


def square_batch(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or shape[1] != shape[2]:
        raise ShapeError(f"{name}: expected a batch of square matrices (batch, n, n). Received: {shape}")


def exactly(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, np.float64)


def each(compute: Callable[..., np.ndarray], shape: tuple[int, ...], *operands: np.ndarray) -> np.ndarray:
    """`compute` for a batch of matrices; NaN for those of which LAPACK says that there is no answer."""
    try:
        return compute(*operands)
    except np.linalg.LinAlgError:  # it says so of a whole batch: one after the other
        out = np.full(shape, np.nan)
    for i, parts in enumerate(zip(*operands, strict=True)):
        try:
            out[i] = compute(*parts)
        except np.linalg.LinAlgError:
            pass
    return out


def each_finite(compute: Callable[..., np.ndarray], shape: tuple[int, ...], x: np.ndarray) -> np.ndarray:
    """The same, and NaN for matrices with NaN or infinity, with which LAPACK's iterations may not end."""
    odd = ~np.isfinite(x).all((1, 2))
    out = each(compute, shape, np.where(odd[:, None, None], 0.0, x) if odd.any() else x)
    out[odd] = np.nan
    return out


# ---- for gradients
def transposed(x: Node) -> Node:
    return permute(x, (0, 2, 1))


def product(a: Node, b: Node, ta: bool = False, tb: bool = False) -> Node:
    return matmul(a, b, ta, tb)


def part(x: Node, rows: tuple[int, int], columns: tuple[int, int]) -> Node:
    """Some rows and columns of every matrix."""
    return slice_(x, (0, rows[0], columns[0]), (x.shape[0], rows[1], columns[1]))


def _kept(x: Node, keep: Callable[[Node, Node], Node]) -> Node:
    """The elements for whose (column, row) `keep` is true; zeros elsewhere, whatever was there."""
    rows = broadcast_to(reshape(iota(x.shape[1]), (1, x.shape[1], 1)), x.shape)
    columns = broadcast_to(reshape(iota(x.shape[2]), (1, 1, x.shape[2])), x.shape)
    return where(keep(columns, rows), x, zeros_like(x))


def lower_part(x: Node, below: bool = False) -> Node:
    """The triangle with the diagonal, or `below` it only."""
    return _kept(x, less if below else less_equal)


def upper_part(x: Node) -> Node:
    return _kept(x, greater_equal)


def diagonal_part(x: Node) -> Node:
    return _kept(x, equal)


def eye(like: Node) -> Node:
    """The unit matrix in the shape of `like`."""
    return diagonal_part(full(like.shape, 1.0, "float32"))


def reciprocal_or_zero(x: Node) -> Node:
    """1 / x, and 0 where x is 0."""
    nothing, one = equal(x, zeros_like(x)), full(x.shape, 1.0, "float32")
    return where(nothing, zeros_like(x), one / where(nothing, one, x))
