"""What rows with the same index come to, by the order of the indices: segments of any length, by threads that all have as much to do."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import KernelSpec, Profile, Shape, routine
from .choose import LOOP_ROUNDS, ceil_div, flat, is_core, is_register, is_software
from .elementwise import cast, greater_equal, less, logical_and, where
from .keys import ELEMENT
from .leaf import full
from .move import reshape
from .order import order_below
from .pick import PICK

_LANES = 8  # threads that a processor's vectors have
_BLOCK = 64  # rows that one thread looks for on a software adapter
_CHUNK = 256  # places of the order that are one thread's
PUT4 = "store(4u * i, v.x); store(4u * i + 1u, v.y); store(4u * i + 2u, v.z); store(4u * i + 3u, v.w);"
UFUNCS = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


def joined_hook(by: str, dtype: str) -> dict[str, str]:
    """The hook `joined` of two elements; a NaN wins, as in numpy."""
    nan = " | ((bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u)" if dtype == "float32" else ""
    text = {"sum": "a + b", "prod": "a * b", "max": f"select(a, b, (b > a){nan})", "min": f"select(a, b, (b < a){nan})"}
    return {"joined": f"return {text[by]};"}


def order_of(indices: Node, rows: int) -> Node:
    """The places of a vector of indices by their rows, in order where these are the same, those of no row last."""
    number = lambda n: full(indices.shape, n, "int32")
    inside = logical_and(greater_equal(indices, number(0)), less(indices, number(rows)))
    keys = cast(where(inside, indices, number(rows)), dtype="uint32")
    return reshape(order_below(reshape(keys, (1, indices.size)), rows), indices.shape)


def keys_of(indices: Node, order: Node) -> Node:
    """Indices in their order."""
    line = (1, indices.size)
    return reshape(PICK(reshape(indices, line), reshape(order, line), whole=True), indices.shape)


def block_of(rows: int, profile: Profile) -> int:
    """Rows that one thread looks for, one after another, where there are many."""
    return _BLOCK if is_software(profile) and rows >= 256 * _BLOCK else 1


def in_order(indices: Node, updates: Node, rows: int, by: str) -> Node:
    """For each of `rows` the updates with its index, joined; 0 where there are none. Indices are a vector."""
    order = order_of(indices, rows)
    keys = keys_of(indices, order)
    chunk = max(_CHUNK, ceil_div(indices.size, LOOP_ROUNDS // 2))
    return ENDS(keys, RUNS(order, keys, updates, by=by, chunk=chunk), rows=rows, by=by, chunk=chunk)


def _check(name: str, updates: Shape, *indices: Shape) -> None:
    if not indices[0] or not indices[0][0] or len(indices[0]) != 1 or any(i != updates[:1] for i in indices):
        raise ShapeError(f"{name}: indices are {indices} and updates {updates}; expected vectors, and a row of updates for each element.")


def _int32(name: str, updates: str, *indices: str) -> str:
    if any(i != "int32" for i in indices) or updates == "bool":
        raise DtypeError(f"{name}: indices are {', '.join(indices)} and updates {updates}; expected int32, and numbers.")
    return updates


def _runs_shape(order: Shape, keys: Shape, updates: Shape, *, by: str, chunk: int) -> Shape:
    _check("segment_runs", updates, order, keys)
    return updates


def _ends_shape(keys: Shape, runs: Shape, *, rows: int, by: str, chunk: int) -> Shape:
    _check("segment_ends", runs, keys)
    return (rows, *runs[1:])


def _runs_numpy(order: np.ndarray, keys: np.ndarray, updates: np.ndarray, by: str, chunk: int) -> np.ndarray:
    y = updates[order]
    for j in range(1, len(y)):
        if j % chunk and keys[j] == keys[j - 1]:
            y[j] = UFUNCS[by](y[j - 1], y[j])
    return y


def _ends_numpy(keys: np.ndarray, runs: np.ndarray, rows: int, by: str, chunk: int) -> np.ndarray:
    y = np.zeros((rows, *runs.shape[1:]), runs.dtype)
    begun = np.zeros(rows, bool)
    for j, r in enumerate(keys):
        if 0 <= r < rows and ((j + 1) % chunk == 0 or j + 1 == len(keys) or keys[j + 1] != r):
            y[r] = UFUNCS[by](y[r], runs[j]) if begun[r] else runs[j]
            begun[r] = True
    return y


def _kernel(file: str, node: Node, threads: int, params: dict[str, Any], profile: Profile) -> KernelSpec:
    inner, element, by = prod(node.shape[1:]), ELEMENT[node.dtype], node.attrs["by"]
    four = inner % 4 == 0 and by == "sum" and is_register(profile)
    width = inner // 4 if four else inner
    params |= {"WIDTH": width, "CHUNK": node.attrs["chunk"], "COUNT": node.src[0].size, "E": element}
    hooks = ({"put": PUT4} if four else {}) | (joined_hook(by, node.dtype) if by != "sum" else {})
    return flat(file, threads * width, params | {"T": f"vec4<{element}>" if four else element}, profile, hooks)


def _runs_kernel(node: Node, profile: Profile) -> KernelSpec:
    chunks = ceil_div(node.shape[0], node.attrs["chunk"])
    return _kernel("segment_runs", node, chunks, {"CHUNKS": chunks}, profile)


def _ends_kernel(node: Node, profile: Profile) -> KernelSpec:
    rows = node.shape[0]
    block = block_of(rows, profile)
    return _kernel("segment_ends", node, ceil_div(rows, block), {"ROWS": rows, "BLOCK": block}, profile)


_KEYS = np.array([0, 0, 0, 2, 3, 3, 9], np.int32)
_ORDER = np.array([1, 2, 6, 3, 0, 5, 4], np.int32)
_UPDATES = np.random.default_rng(3).uniform(-1, 1, (7, 3)).astype(np.float32)
_EACH = [{"by": by, "chunk": chunk} for by, chunk in (("sum", 2), ("prod", 3), ("max", 2), ("min", 7))]

RUNS = routine(
    "segment_runs",
    shape=_runs_shape,
    dtype=lambda order, keys, updates, **attrs: _int32("segment_runs", updates, order, keys),
    numpy=_runs_numpy,
    grad=None,
    kernel=_runs_kernel,
    samples=[((_ORDER, _KEYS, _UPDATES), attrs) for attrs in _EACH],
)
ENDS = routine(
    "segment_ends",
    shape=_ends_shape,
    dtype=lambda keys, runs, **attrs: _int32("segment_ends", runs, keys),
    numpy=_ends_numpy,
    grad=None,
    kernel=_ends_kernel,
    samples=[((_KEYS, _UPDATES), {"rows": 5, **attrs}) for attrs in _EACH],
)


# ---- few rows: every thread has sums of all of them
def _parts_shape(indices: Shape, updates: Shape, *, rows: int, chunk: int) -> Shape:
    _check("scatter_add_parts", updates, indices)
    return (ceil_div(indices[0], chunk), rows, *updates[1:])


def _parts_numpy(indices: np.ndarray, updates: np.ndarray, rows: int, chunk: int) -> np.ndarray:
    y = np.zeros((ceil_div(len(indices), chunk), rows, *updates.shape[1:]), updates.dtype)
    (inside,) = np.nonzero((indices >= 0) & (indices < rows))
    np.add.at(y, (inside // chunk, indices[inside]), updates[inside])
    return y


def _parts_kernel(node: Node, profile: Profile) -> KernelSpec:
    chunks, rows, *rest = node.shape
    four, element = prod(rest) % 4 == 0 and is_register(profile), ELEMENT[node.dtype]
    wg = 1 if is_core(profile) else max(1, min(_LANES, profile.max_shared // (4 * max(1, rows * prod(rest)))))
    params = {"ROWS": rows, "WIDTH": prod(rest) // 4 if four else prod(rest), "COUNT": node.src[0].size, "CHUNK": node.attrs["chunk"],
              "CHUNKS": chunks, "WG": wg, "E": element, "T": f"vec4<{element}>" if four else element}  # fmt: skip
    return KernelSpec("scatter_add_parts", params, (ceil_div(chunks, wg), 1, 1), {"put": PUT4} if four else {})


PARTS = routine(
    "scatter_add_parts",
    shape=_parts_shape,
    dtype=lambda indices, updates, **attrs: _int32("scatter_add_parts", updates, indices),
    numpy=_parts_numpy,
    grad=None,
    kernel=_parts_kernel,
    flops=lambda node: node.src[1].size,
    samples=[((np.array([4, 0, 0, 3, -1, 5, 2], np.int32), _UPDATES), {"rows": 5, "chunk": 3})],
)
