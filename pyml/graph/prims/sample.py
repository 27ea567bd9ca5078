"""Elements of an axis at evenly spaced positions: what resizing by the nearest neighbour is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..index import Index, Place
from ..node import Node
from ..op import Grads, Shape, movement
from .contract import matmul
from .elementwise import cast, equal
from .leaf import iota
from .move import broadcast_to, permute, reshape


def _shape(s: Shape, *, axis: int, count: int, mul: int, add: int, div: int) -> Shape:
    if not 0 <= axis < len(s) or count < 1 or div < 1 or mul < 0 or add < 0 or (mul * (count - 1) + add) // div >= s[axis]:
        raise ShapeError(f"sample: positions ({mul} * i + {add}) // {div} for i < {count} leave axis {axis} of shape {s}.")
    return (*s[:axis], count, *s[axis + 1 :])


def _index(c: Sequence[Index], s: Shape, axis: int, count: int, mul: int, add: int, div: int) -> list[Place]:
    return [([*c[:axis], (c[axis] * mul + add) // div, *c[axis + 1 :]], [], None)]


def _numpy(x: np.ndarray, axis: int, count: int, mul: int, add: int, div: int) -> np.ndarray:
    return np.take(x, (np.arange(count) * mul + add) // div, axis)


def _grad(g: Node, y: Node, x: Node, axis: int, count: int, mul: int, add: int, div: int) -> Grads:
    """A product with the matrix that has a 1 where output i comes from element j."""
    n, order = x.shape[axis], [i for i in range(x.ndim) if i != axis] + [axis]
    at = SAMPLE(iota(n), axis=0, count=count, mul=mul, add=add, div=div)
    picks = equal(broadcast_to(reshape(at, (count, 1)), (count, n)), broadcast_to(reshape(iota(n), (1, n)), (count, n)))
    moved = permute(g, order)
    spread = matmul(reshape(moved, (moved.size // count, count)), cast(picks, dtype="float32"))
    return (permute(reshape(spread, (*moved.shape[:-1], n)), [order.index(i) for i in range(x.ndim)]),)


_X = np.random.default_rng(5).uniform(-1, 1, (2, 5, 3)).astype(np.float32)

SAMPLE = movement(
    "sample",
    shape=_shape,
    index=_index,
    numpy=_numpy,
    grad=_grad,
    samples=[
        ((_X,), {"axis": 1, "count": 8, "mul": 5, "add": 0, "div": 8}),
        ((_X,), {"axis": 1, "count": 3, "mul": 10, "add": 5, "div": 6}),
        ((_X,), {"axis": 2, "count": 7, "mul": 2, "add": 3, "div": 7}),
    ],
)


def sample(x: Node, axis: int, count: int, mul: int, add: int = 0, div: int = 1) -> Node:
    """Along `axis`, `count` elements: number i is element `(mul * i + add) // div` of x.

    Raises:
        ShapeError: A position is outside x.
    """
    if mul == div and add == 0 and count == x.shape[axis]:
        return x
    return SAMPLE(x, axis=axis, count=count, mul=mul, add=add, div=div)
