"""Columns by elements: of the largest ones, and where a value would stand."""

from __future__ import annotations

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import ZERO, KernelSpec, Profile, Shape, routine, same_dtype
from .choose import LOOP_ROUNDS, ceil_div, flat, fold, is_core, is_register, is_software
from .elementwise import BITCAST, bitwise_xor, cast, equal, isnan, less, where
from .keys import ELEMENT, four_keys_hook, host_keys, key_hook, matrix
from .leaf import full
from .move import pad, slice_
from .order import ARGSORT
from .pick import PICK

_LISTED = 32  # so many are kept in a sorted list while a row is read
_LOWEST = {"float32": float("-inf"), "int32": -(2**31), "uint32": 0, "bool": False}
_CHUNK = 512  # elements that a thread looks at at least, where a row is shared
_X = np.random.default_rng(0).uniform(-3, 3, (4, 6)).astype(np.float32)
_FEW = np.array([[0, 5], [2, 2], [1, 0], [3, 4]], np.int32)
_TIES = np.random.default_rng(2).integers(-3, 3, (3, 50)).astype(np.int32)
_EDGES = np.array([-2, -1, -1, 0, 1.5, np.inf, np.nan], np.float32)


def _top_shape(x: Shape, *, k: int, chunks: int) -> Shape:
    matrix("top_places", x)
    if not 1 <= k <= x[1] or chunks < 1:
        raise ShapeError(f"top_places: the {k} largest of {x[1]} in {chunks} chunks; expected from 1 to as many as there are.")
    return (x[0], chunks * k)


def _unit(n: int) -> int:
    """Elements that chunks of a row consist of."""
    return 4 if n % 4 == 0 else 1


def _top_numpy(x: np.ndarray, k: int, chunks: int) -> np.ndarray:
    keys, (rows, n) = host_keys(x, descending=True), x.shape
    y, start = np.full((rows, chunks, k), -1, np.int32), 0
    unit = _unit(n)
    for c in range(chunks):
        size = unit * (n // unit // chunks + (c < n // unit % chunks))
        best = np.argsort(keys[:, start : start + size], axis=1, kind="stable")[:, :k]
        y[:, c, : best.shape[1]] = best + start
        start += size
    return y.reshape(rows, chunks * k)


def _top_kernel(node: Node, profile: Profile) -> KernelSpec:
    (x,), chunks, k = node.src, node.attrs["chunks"], node.attrs["k"]
    rows, n = x.shape
    params = {"ROWS": rows, "CHUNKS": chunks, "K": k}
    if _unit(n) == 4:
        params |= {"Q": n // 4, "T": f"vec4<{ELEMENT[x.dtype]}>"}
        if k > _LISTED and is_core(profile):
            grid, across = fold(rows * chunks)
            return KernelSpec("top_heap", {**params, "X": across}, grid, four_keys_hook(x.dtype))
        return flat("top_quad", rows * chunks, params, profile, four_keys_hook(x.dtype))
    params |= {"N": n, "T": ELEMENT[x.dtype]}
    return flat("top_thread", rows * chunks, params, profile, key_hook(x.dtype))


def _top_lower(node: Node, profile: Profile) -> Node | None:
    """The largest of each chunk, and of these the largest; the first of all in order, where that is less work."""
    (x,), k = node.src, node.attrs["k"]
    rows, n = x.shape
    if k > _LISTED and (not is_core(profile) or 4 * k > n):
        return slice_(ARGSORT(x, descending=True), (0, 0), (rows, k))
    if k > _LISTED and n % 4:  # what is put behind is less than all, or later
        return TOP(pad(x, ((0, 0), (0, -n % 4)), _LOWEST[x.dtype]), k=k, chunks=1)
    if k > _LISTED:
        chunk = max(16 * k, ceil_div(rows * n, profile.cores))
    else:
        least = 8192 if is_core(profile) else _CHUNK if is_register(profile) else 128
        chunk = max(4 * k, least, ceil_div(rows * n, max(1, profile.threads)))
    if is_software(profile):  # where an increasing row has all of the list move for each element
        chunk = min(chunk, LOOP_ROUNDS // (2 * k + 4))  # chunks may be up to twice as long
    chunks = n // chunk
    if node.attrs["chunks"] > 1 or chunks < 2:
        return None
    found = TOP(x, k=k, chunks=chunks)
    return PICK(found, TOP(PICK(x, found, whole=False), k=k, chunks=1), whole=False)


TOP = routine(
    "top_places",
    shape=_top_shape,
    dtype=lambda x, **attrs: "int32",
    numpy=_top_numpy,
    grad=ZERO,
    kernel=_top_kernel,
    lower=_top_lower,
    flops=lambda node: node.src[0].size,
    samples=[((_X,), {"k": 3, "chunks": 1}), *(((_TIES,), {"k": k, "chunks": chunks}) for k, chunks in ((5, 1), (20, 3), (33, 1)))],
)


def top_places(x: Node, k: int) -> Node:
    """Columns of the k largest elements of each row, the largest first, a NaN before all numbers: int32 `(rows, k)`.

    Raises:
        ShapeError: x is not a matrix, or has not so many columns.
    """
    return TOP(x, k=k, chunks=1)


# ---- where a value would stand
def _search_shape(edges: Shape, x: Shape, *, right: bool) -> Shape:
    if len(edges) != 1 or edges[0] == 0:
        raise ShapeError(f"search: edges are {edges}; expected a vector with elements.")
    return x


def _search_dtype(edges: str, x: str, *, right: bool) -> str:
    if edges != "uint32":
        raise DtypeError(f"search: edges are {edges}; expected their keys, uint32.")
    return "int32"


def _search_kernel(node: Node, profile: Profile) -> KernelSpec:
    edges, x = node.src
    params = {"N": edges.size, "COUNT": node.size, "RIGHT": node.attrs["right"], "T": ELEMENT[x.dtype]}
    return flat("search_thread", node.size, params, profile, key_hook(x.dtype, "v"))


def _search_numpy(edges: np.ndarray, x: np.ndarray, right: bool) -> np.ndarray:
    return np.searchsorted(edges, host_keys(x).reshape(x.shape), side="right" if right else "left").astype(np.int32)


SEARCH = routine(
    "search",
    shape=_search_shape,
    dtype=_search_dtype,
    numpy=_search_numpy,
    grad=ZERO,
    kernel=_search_kernel,
    samples=[
        ((host_keys(_EDGES), _X), {"right": False}), ((host_keys(_EDGES), _EDGES), {"right": True}),
        ((host_keys(np.arange(9, dtype=np.int32)), _FEW), {"right": True}),
    ],
)


def _keys(x: Node) -> Node:
    """`host_keys` on the device, so that a search computes those of its edges once."""
    if x.dtype in ("bool", "uint32"):
        return cast(x, dtype="uint32")
    number = lambda n: full(x.shape, n, "uint32")
    bits, top = BITCAST(x, dtype="uint32"), number(0x80000000)
    if x.dtype == "int32":
        return bitwise_xor(bits, top)
    key = bitwise_xor(bits, where(less(bits, top), top, number(0xFFFFFFFF)))
    return where(isnan(x), number(0xFFFFFFFF), where(equal(bits, top), top, key))


def search(edges: Node, x: Node, right: bool = False) -> Node:
    """How many of the increasing `edges` come before each element of x, with `right` its equals among them: int32.

    Raises:
        ShapeError: The edges are not a vector, or there are none.
        DtypeError: The dtypes differ.
    """
    same_dtype(edges.dtype, x.dtype)
    return SEARCH(_keys(edges), x, right=right)
