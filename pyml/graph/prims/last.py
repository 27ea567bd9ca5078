"""Which of several rows for the same place comes last."""

from __future__ import annotations

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import ZERO, KernelSpec, Profile, Shape, routine
from .choose import flat, is_core, sums_by_order
from .segments import order_of


def _shape(indices: Shape, *, rows: int) -> Shape:
    if len(indices) != 1 or not indices[0]:
        raise ShapeError(f"last: indices are {indices}; expected a vector with elements.")
    return (rows,)


def _dtype(indices: str, *, rows: int) -> str:
    if indices != "int32":
        raise DtypeError(f"last: indices are {indices}; expected int32.")
    return "int32"


def _numpy(indices: np.ndarray, rows: int) -> np.ndarray:
    y = np.full(rows, -1, np.int32)
    inside = (indices >= 0) & (indices < rows)
    np.maximum.at(y, indices[inside], np.arange(indices.size, dtype=np.int32)[inside])
    return y


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    params = {"ROWS": node.size, "COUNT": node.src[0].size}
    return KernelSpec("last_core", params, (1, 1, 1)) if is_core(profile) else flat("last_rows", node.size, params, profile)


def _lower(node: Node, profile: Profile) -> Node | None:
    """By the order of the indices, where every row would look at too many."""
    (indices,), rows = node.src, node.attrs["rows"]
    if not sums_by_order(rows, indices.size, profile):
        return None
    return LAST_SORTED(order_of(indices, rows), indices, rows=rows)


def _sorted_kernel(node: Node, profile: Profile) -> KernelSpec:
    return flat("last_sorted", node.size, {"ROWS": node.size, "COUNT": node.src[1].size}, profile)


_PICKS = np.array([4, 0, 0, 3, -1, 5, 2], np.int32)  # two of them out of range

LAST = routine(
    "last_place", shape=_shape, dtype=_dtype, numpy=_numpy, grad=ZERO, kernel=_kernel, lower=_lower, flops=lambda node: 0,
    samples=[((_PICKS,), {"rows": 5}), ((_PICKS,), {"rows": 9})],
)  # fmt: skip
LAST_SORTED = routine(
    "last_place_sorted",
    shape=lambda order, indices, rows: _shape(indices, rows=rows),
    dtype=lambda order, indices, rows: _dtype(indices, rows=rows),
    numpy=lambda order, indices, rows: _numpy(indices, rows),
    grad=ZERO,
    kernel=_sorted_kernel,
    flops=lambda node: 0,
    samples=[((np.array([1, 2, 6, 3, 0, 5, 4], np.int32), np.where(_PICKS < 0, 9, _PICKS).astype(np.int32)), {"rows": 5})],
)


def last(indices: Node, rows: int) -> Node:
    """For each of `rows` places the number of the last index that names it, -1 where none does: int32 `(rows,)`.

    Raises:
        ShapeError: The indices are not a vector, or there are none.
        DtypeError: They are not int32.
    """
    return LAST(indices, rows=int(rows))
