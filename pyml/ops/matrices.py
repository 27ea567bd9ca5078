"""What the ops of linear algebra share: batches of matrices for the primitives, and errors for those without an answer."""

from __future__ import annotations

from math import prod

import numpy as np

from ..core import trace
from ..core.custom import custom_gradient
from ..core.tensor import Tensor, broadcast_shapes
from ..core.types import TensorLike
from ..errors import ShapeError, SyncReadError
from ..graph import prims
from ..graph.node import Node
from ..graph.prims.matrices import lower_part, transposed
from .apply import as_float

SINGULAR = "a matrix is singular (its determinant is 0, but for rounding); use lstsq or pinv, or add a little to its diagonal."


def matrices(x: TensorLike, what: str, square: bool = False) -> Node:
    """x as float32, checked."""
    node = as_float(x)._node
    if node.ndim < 2:
        raise ShapeError(f"{what}: expected matrices, with at least two axes. Received: shape {node.shape}")
    if square and node.shape[-1] != node.shape[-2]:
        raise ShapeError(f"{what}: expected square matrices. Received: shape {node.shape}")
    return node


def flat(x: Node) -> Node:
    """`(..., rows, columns)` as `(batch, rows, columns)`."""
    return prims.reshape(x, (prod(x.shape[:-2]), *x.shape[-2:]))


def back(x: Node, lead: tuple[int, ...]) -> Tensor:
    """A batch of matrices, or of their parts, with its leading axes again."""
    return Tensor(prims.reshape(x, (*lead, *x.shape[1:])))


def one_batch(a: Node, b: Node, what: str) -> tuple[Node, Node, tuple[int, ...]]:
    """Two batches of matrices, their leading axes broadcast, as flat ones; and these axes."""
    lead = broadcast_shapes(a.shape[:-2], b.shape[:-2], what=f"{what}: batches")
    wide = (prims.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b))
    first, second = (flat(x) for x in wide)
    return first, second, lead


def unit(batch: int, rows: int, columns: int) -> Node:
    """Unit matrices, with zeros where they are not square."""
    shape = (batch, rows, columns)
    place = lambda axis: prims.broadcast_to(prims.reshape(prims.iota(shape[axis]), (1, rows, 1) if axis == 1 else (1, 1, columns)), shape)
    return prims.cast(prims.equal(place(1), place(2)), dtype="float32")


def lower_mirrored(x: Node) -> Node:
    """The lower triangles of a batch and their mirror images; gradients go to x as if it had been so already."""
    whole = lambda t: Tensor(prims.add(lower_part(t._node), transposed(lower_part(t._node, below=True))))
    return custom_gradient(lambda t: (whole(t), lambda g: g))(Tensor(x))._node


def checked(found: Node, given: tuple[Node, ...], what: str, problem: str, nan_too: bool = False) -> Node:
    """`found`, unless it holds NaN or infinity though what was given does not.

    Values exist outside of programs only, and a browser may be unable to wait for them: then NaN or infinity is the answer.

    Raises:
        numpy.linalg.LinAlgError: `problem`; with `nan_too` also where NaN or infinity was given.
    """
    if trace.current() is not None or not found.size or _finite(found):
        return found
    if all(_finite(x) for x in given):
        raise np.linalg.LinAlgError(f"{what}: {problem}")
    if nan_too:
        raise np.linalg.LinAlgError(f"{what}: the matrices hold NaN or infinity, for which there is no answer; replace them first.")
    return found


def _finite(x: Node) -> bool:
    least = prims.reduce_min(prims.cast(prims.isfinite(x), dtype="int32"), tuple(range(x.ndim)))
    try:
        return bool(Tensor(least).item()) if x.size else True
    except SyncReadError:
        return True
