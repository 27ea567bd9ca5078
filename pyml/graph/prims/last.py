"""Which of several rows for the same place comes last."""

from __future__ import annotations

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import ZERO, KernelSpec, Profile, Shape, routine
from .choose import ceil_div, flat, is_core, sums_by_order
from .segments import block_of, keys_of, order_of


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
    order = order_of(indices, rows)
    return LAST_SORTED(order, keys_of(indices, order), rows=rows)


def _sorted_kernel(node: Node, profile: Profile) -> KernelSpec:
    block = block_of(node.size, profile)
    params = {"ROWS": node.size, "COUNT": node.src[1].size, "BLOCK": block}
    return flat("last_sorted", ceil_div(node.size, block), params, profile)


_PICKS = np.array([4, 0, 0, 3, -1, 5, 2], np.int32)  # two of them out of range

LAST = routine(
    "last_place", shape=_shape, dtype=_dtype, numpy=_numpy, grad=ZERO, kernel=_kernel, lower=_lower, flops=lambda node: 0,
    samples=[((_PICKS,), {"rows": 5}), ((_PICKS,), {"rows": 9})],
)  # fmt: skip


def _sorted_shape(order: Shape, keys: Shape, *, rows: int) -> Shape:
    if order != keys:
        raise ShapeError(f"last: the order is {order} and keys {keys}; expected the same shape.")
    return _shape(keys, rows=rows)


def _sorted_numpy(order: np.ndarray, keys: np.ndarray, rows: int) -> np.ndarray:
    found = _numpy(keys, rows)
    return np.where(found < 0, -1, order[found]).astype(np.int32)


LAST_SORTED = routine(
    "last_place_sorted",
    shape=_sorted_shape,
    dtype=lambda order, keys, rows: _dtype(keys, rows=rows),
    numpy=_sorted_numpy,
    grad=ZERO,
    kernel=_sorted_kernel,
    flops=lambda node: 0,
    samples=[((np.array([1, 2, 6, 3, 0, 5, 4], np.int32), np.array([0, 0, 2, 3, 4, 5, 9], np.int32)), {"rows": 5})],
)


def last(indices: Node, rows: int) -> Node:
    """For each of `rows` places the number of the last index that names it, -1 where none does: int32 `(rows,)`.

    Raises:
        ShapeError: The indices are not a vector, or there are none.
        DtypeError: They are not int32.
    """
    return LAST(indices, rows=int(rows))
