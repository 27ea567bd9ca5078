"""Elements of rows by their columns, and back to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .choose import flat
from .elementwise import cast, equal, where, zeros_like
from .keys import ELEMENT
from .leaf import iota
from .move import broadcast_to, reshape
from .reduce import reduce_sum


def _rows(x: Shape, places: Shape) -> None:
    if len(x) != 2 or len(places) != 2 or x[0] != places[0] or x[1] == 0:
        raise ShapeError(f"rows are {x} and places {places}; expected two matrices with the same number of rows, the first with columns.")


def _pick_shape(x: Shape, places: Shape, **attrs: Any) -> Shape:
    _rows(x, places)
    return places


def _put_shape(x: Shape, places: Shape) -> Shape:
    _rows(x, places)
    if x != places:
        raise ShapeError(f"put_rows: rows are {x} and places {places}; expected the same shape.")
    return x


def _first_dtype(x: str, places: str, **attrs: Any) -> str:
    if places != "int32":
        raise DtypeError(f"places are {places}; expected int32.")
    return x


def _pick_grad(g: Node, y: Node, x: Node, places: Node, whole: bool) -> Grads:
    if whole:
        return PUT(g, places), None
    (rows, n), k = x.shape, places.shape[1]
    cube = (rows, k, n)  # each element adds up what was taken of it
    hit = equal(broadcast_to(reshape(places, (rows, k, 1)), cube), broadcast_to(iota(n), cube))
    each = broadcast_to(reshape(g, (rows, k, 1)), cube)
    return reduce_sum(where(hit, each, zeros_like(each)), axis=(1,)), None


def _put_numpy(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    np.put_along_axis(y, places, x, 1)
    return y


def _pick_kernel(node: Node, profile: Profile) -> KernelSpec:
    (rows, n), k = node.src[0].shape, node.shape[1]
    return flat("pick_rows", rows * k, {"ROWS": rows, "N": n, "K": k, "T": ELEMENT[node.dtype]}, profile)


def _put_kernel(node: Node, profile: Profile) -> KernelSpec:
    rows, n = node.shape
    return flat("put_rows", rows * n, {"ROWS": rows, "N": n, "T": ELEMENT[node.dtype]}, profile)


_X = np.random.default_rng(0).uniform(-3, 3, (4, 6)).astype(np.float32)
_ORDER = np.argsort(np.random.default_rng(1).uniform(size=(4, 6)), axis=1).astype(np.int32)
_FEW = np.array([[0, 5], [2, 2], [1, 0], [3, 4]], np.int32)

PICK = routine(
    "pick_rows",
    shape=_pick_shape,
    dtype=_first_dtype,
    numpy=lambda x, places, whole: np.take_along_axis(x, places, 1),
    grad=_pick_grad,
    kernel=_pick_kernel,
    flops=lambda node: 0,
    samples=[((_X, _ORDER), {"whole": True}), ((_X, _FEW), {"whole": False})],
)
PUT = routine(
    "put_rows",
    shape=_put_shape,
    dtype=_first_dtype,
    numpy=_put_numpy,
    grad=lambda g, y, x, places: (PICK(g, places, whole=True), None),
    kernel=_put_kernel,
    flops=lambda node: 0,
    samples=[((_X, _ORDER), {})],
)


def pick_rows(x: Node, places: Node, whole: bool = False) -> Node:
    """`y[r, j] = x[r, places[r, j]]`; `whole` where each row of places is an order of all columns.

    Raises:
        ShapeError: They are not matrices of as many rows.
    """
    if x.dtype == "bool":  # what follows a routine in its kernel takes numbers
        return cast(PICK(cast(x, dtype="uint32"), places, whole=whole), dtype="bool")
    return PICK(x, places, whole=whole)
