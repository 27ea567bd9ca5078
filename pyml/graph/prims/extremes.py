"""Rows with the same index, multiplied, or the largest or smallest of them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .choose import ceil_div, is_core
from .elementwise import cast, div, equal, mul, where, zeros_like
from .gather import GATHER, SCATTER_ADD
from .keys import ELEMENT
from .leaf import full
from .segments import UFUNCS, in_order, joined_hook

_SUMS = 1 << 22  # elements that a processor core keeps in memory of its own


def _shape(indices: Shape, updates: Shape, *, rows: int, by: str) -> Shape:
    if len(indices) != 1 or not indices[0] or indices != updates[:1]:
        raise ShapeError(f"scatter_by: indices are {indices} and updates {updates}; expected a vector with elements, and a row for each.")
    return (rows, *updates[1:])


def _dtype(indices: str, updates: str, *, rows: int, by: str) -> str:
    if indices != "int32" or updates == "bool":
        raise DtypeError(f"scatter_by: indices are {indices} and updates {updates}; expected int32, and numbers.")
    return updates


def _numpy(indices: np.ndarray, updates: np.ndarray, rows: int, by: str) -> np.ndarray:
    (inside,) = np.nonzero((indices >= 0) & (indices < rows))
    y = np.zeros((rows, *updates.shape[1:]), updates.dtype)
    y[indices[inside[::-1]]] = updates[inside[::-1]]  # the first of each row
    _, firsts = np.unique(indices[inside], return_index=True)
    others = np.delete(inside, firsts)
    UFUNCS[by].at(y, indices[others], updates[others])
    return y


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    rows, width = node.shape[0], prod(node.shape[1:])
    block = min(rows, max(1, _SUMS // max(1, width)))
    params = {"ROWS": rows, "WIDTH": width, "COUNT": node.src[0].size, "BLOCK": block, "T": ELEMENT[node.dtype]}
    by = node.attrs["by"]
    return KernelSpec("scatter_core", params, (ceil_div(rows, block), 1, 1), joined_hook(by, node.dtype) if by != "prod" else {})


def _lower(node: Node, profile: Profile) -> Node | None:
    indices, updates = node.src
    return None if is_core(profile) else in_order(indices, updates, **node.attrs)


def _grad(g: Node, y: Node, indices: Node, updates: Node, rows: int, by: str) -> Grads:
    mine = lambda v: GATHER(v, indices)
    if by != "prod":  # ties share the gradient equally, as in reduce_max
        hit = cast(equal(updates, mine(y)), dtype=g.dtype)
        return None, mul(hit, mine(div(g, SCATTER_ADD(indices, hit, rows=rows))))
    # the product of the others: y / x, but where there is a 0 the product of all but that, for that one alone
    number = lambda n: full(updates.shape, n, g.dtype)
    none = equal(updates, number(0))
    zeros = mine(SCATTER_ADD(indices, cast(none, dtype=g.dtype), rows=rows))
    rest = where(none, number(1), updates)
    others = div(mine(SCATTER_BY(indices, rest, rows=rows, by=by)), rest)
    counts = equal(zeros, cast(none, dtype=g.dtype))  # no other one is 0
    return None, where(counts, mul(others, mine(g)), zeros_like(others))


_PICKS = np.array([4, 0, 0, 3, -1, 5, 2], np.int32)  # two of them out of range
_UPDATES = np.random.default_rng(3).uniform(-1, 1, (7, 3)).astype(np.float32)
_ZEROS = np.array([2, 0, 3, 0, 5, 7, 0], np.float32)
_SAMPLES: list[Any] = [((_PICKS, _UPDATES), {"rows": 5, "by": by}) for by in ("prod", "max", "min")]

SCATTER_BY = routine(
    "scatter_by",
    shape=_shape,
    dtype=_dtype,
    numpy=_numpy,
    grad=_grad,
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: node.src[1].size,
    samples=[*_SAMPLES, ((np.array([0, 0, 0, 1, 1, 2, 2], np.int32), _ZEROS), {"rows": 3, "by": "prod"})],
)


def scatter_by(indices: Node, updates: Node, rows: int, by: str) -> Node:
    """`(rows, …)`: the `updates[i]` with `indices[i] == r` multiplied (by="prod"), or the largest ("max") or smallest ("min"); 0 if none.

    Raises:
        ShapeError: The indices are not a vector with elements, or there is not a row of updates for each.
        DtypeError: The indices are not int32, or the updates are bool.
    """
    return SCATTER_BY(indices, updates, rows=int(rows), by=by)
