"""Rows by index, and their transpose: rows added up by index. Deterministic, without atomics."""

from __future__ import annotations

from math import prod

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Elementwise, KernelSpec, Lookup, Profile, Routine, Shape, registered, routine
from .choose import LOOP_ROUNDS, ceil_div, flat, is_core, is_register, is_software, sums_by_order
from .counts import counts
from .elementwise import add, greater_equal, less, logical_and, mul, where
from .leaf import full, iota, resized
from .move import PERMUTE, broadcast_to, reshape, slice_
from .reduce import reduce_sum
from .segments import PARTS, PUT4, in_order, order_of

_SPAN = 32  # columns (or fours of them) whose sums one thread of a software adapter keeps
_SUMS = 1 << 22  # sums that a processor core keeps in memory of its own, 16 MB of them
_CHAIN = 1024  # updates that may be added up one after another: longer chains of floats lose digits
_PRIVATE = 2048  # sums of a thread of a software adapter
_PARTS = 64  # in so many chunks it adds up to few rows
_FAR = 1 << 16  # counts of so many rows do not lie near a core
_NARROW = 8  # a row of so many elements is one thread's on a processor core, which looks at its index once
_LOOKED_UP = 4  # a row of at most so many elements, the channels of a picture, may be looked up element by element
_ELEMENT = {"float32": "f32", "int32": "i32", "uint32": "u32", "bool": "u32"}


def _index_dtype(name: str, dtype: str) -> None:
    if dtype != "int32":
        raise DtypeError(f"{name}: indices are {dtype}; expected int32, so cast them first.")


def _gather_shape(x: Shape, indices: Shape) -> Shape:
    if not x:
        raise ShapeError("gather: the operand is a scalar; expected at least one axis.")
    return (*indices, *x[1:])


def _gather_dtype(x: str, indices: str) -> str:
    _index_dtype("gather", indices)
    return x


def _scatter_shape(indices: Shape, updates: Shape, *, rows: int) -> Shape:
    if tuple(updates[: len(indices)]) != tuple(indices):
        raise ShapeError(f"scatter_add: indices are {indices} and updates {updates}; updates must start with the shape of indices.")
    return (rows, *updates[len(indices) :])


def _scatter_dtype(indices: str, updates: str, *, rows: int) -> str:
    _index_dtype("scatter_add", indices)
    if updates == "bool":
        raise DtypeError("scatter_add: updates are bool; cast them to int32 or float32 to count.")
    return updates


def _gather_numpy(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    inside = (indices >= 0) & (indices < x.shape[0])
    if x.shape[0] == 0:
        return np.zeros((*indices.shape, *x.shape[1:]), x.dtype)
    y = x[np.where(inside, indices, 0)]
    return y if inside.all() else np.where(inside.reshape(*indices.shape, *(1,) * (x.ndim - 1)), y, np.zeros((), x.dtype))


def _scatter_numpy(indices: np.ndarray, updates: np.ndarray, rows: int) -> np.ndarray:
    flat_indices = indices.reshape(-1)
    updates = updates.reshape(len(flat_indices), *updates.shape[indices.ndim :])
    inside = (flat_indices >= 0) & (flat_indices < rows)
    wide = updates.astype(np.float64) if updates.dtype == np.float32 else updates  # a chain of a million terms of one row loses 1 %
    y = np.zeros((rows, *updates.shape[1:]), wide.dtype)
    np.add.at(y, flat_indices[inside], wide[inside])
    return y.astype(updates.dtype, copy=False)


def _kernel(file: str, rows: int, inner: int, count: int, threads: int, dtype: str, profile: Profile) -> KernelSpec:
    four = inner % 4 == 0 and is_register(profile)
    element = _ELEMENT[dtype]
    width = inner // 4 if four else inner
    params = {"ROWS": rows, "WIDTH": width, "COUNT": count, "E": element, "T": f"vec4<{element}>" if four else element}
    return flat(file, threads * width, params, profile, {"put": PUT4} if four else {})


def _gather_kernel(node: Node, profile: Profile) -> KernelSpec:
    x, indices = node.src
    spec = _kernel("gather_rows", x.shape[0], prod(x.shape[1:]), indices.size, indices.size, node.dtype, profile)
    width = spec.params["WIDTH"]
    if not (is_core(profile) and 1 < width <= _NARROW):
        return KernelSpec(spec.file, spec.params | {"EACH": 1}, spec.grid, spec.hooks)
    params = {k: v for k, v in spec.params.items() if k not in ("WG", "X")} | {"EACH": width}
    return flat(spec.file, indices.size, params, profile, spec.hooks)


def _gather_lower(node: Node, profile: Profile) -> Node | None:
    """Lookups: of short rows by computed indices, which fuse with what computes these and with what follows; and of what
    lies in another order in memory, as `take` along a later axis, instead of a copy in this order."""
    x, indices = node.src
    of = indices
    while of.op.keeps_order:
        of = of.src[0]
    computed = of.op.is_view or isinstance(of.op, Elementwise)
    if x.op is not PERMUTE and (prod(x.shape[1:]) > _LOOKED_UP or not computed):
        return None
    base, axes = (x.src[0], x.attrs["axes"]) if x.op is PERMUTE else (x, range(x.ndim))
    steps = [prod(base.shape[a + 1 :]) for a in axes]
    number = lambda n: full(indices.shape, n, "int32")
    inside = logical_and(greater_equal(indices, number(0)), less(indices, number(x.shape[0])))
    along = lambda v, first: broadcast_to(reshape(v, (1,) * first + v.shape + (1,) * (node.ndim - first - v.ndim)), node.shape)
    place = along(where(inside, indices * number(steps[0]), number(-x.size)), 0)
    for axis, (size, step) in enumerate(zip(x.shape[1:], steps[1:], strict=True), indices.ndim):
        if size > 1:
            place = place + along(iota(size) * full((size,), step, "int32"), axis)
    return LOOKUP(reshape(base, (base.size,)), place)


def _scatter_kernel(node: Node, profile: Profile) -> KernelSpec:
    rows = node.attrs["rows"]
    if is_core(profile):
        spec = _kernel("scatter_add_sums", rows, prod(node.shape[1:]), node.src[0].size, rows, node.dtype, profile)
        block = min(rows, max(1, _SUMS // max(1, prod(node.shape[1:]))))
        long = node.src[0].size > _CHAIN and node.dtype == "float32"
        rare = long and spec.params["WIDTH"] == 1 and rows >= _FAR and node.src[0].size < 64 * rows
        held = {"LONG": long, "RARE": rare, "HELD": block * spec.params["WIDTH"] if long else 1, "COUNTED": block if long else 1}
        params = {k: v for k, v in spec.params.items() if k not in ("WG", "X")} | {"BLOCK": block} | held
        return KernelSpec(spec.file, params, (ceil_div(rows, block), 1, 1), spec.hooks)
    spec = _kernel("scatter_add_rows", rows, prod(node.shape[1:]), node.src[0].size, rows, node.dtype, profile)
    if not is_register(profile):
        return spec
    span = min(spec.params["WIDTH"], _SPAN)
    params = {k: v for k, v in spec.params.items() if k not in ("WG", "X")} | {"SPAN": span}
    return flat("scatter_add_span", rows * ceil_div(spec.params["WIDTH"], span), params, profile, spec.hooks)


def _threads(node: Node, profile: Profile) -> int:
    """How many threads look at all indices, where they do."""
    inner = max(1, prod(node.shape[1:]))
    width = inner // 4 if inner % 4 == 0 and is_register(profile) else inner
    return node.attrs["rows"] * (ceil_div(width, _SPAN) if is_software(profile) else width)


def _scatter_lower(node: Node, profile: Profile) -> Node | None:
    """Counted, where all updates are one whole number; by the order of the indices, where every row would look at too many; in
    parts, where loops would be too long for one thread."""
    (indices, updates), rows = node.src, node.attrs["rows"]
    count, width = indices.size, prod(node.shape[1:])
    if is_core(profile) and updates.op.constant and updates.dtype == "int32" and node.ndim == 1 and 0 < rows <= _SUMS and count:
        return mul(slice_(counts(reshape(indices, (count,)), rows), (0,), (rows,)), resized(updates, (rows,)))
    sort = sums_by_order(_threads(node, profile), count, profile)
    indices, updates = reshape(indices, (count,)), reshape(updates, (count, *node.shape[1:]))
    many = sort or (count > 4 * _CHAIN and node.dtype == "float32")
    if many and is_software(profile) and 4 * node.size <= count * width and node.size <= _PRIVATE:
        longest = max(_CHAIN // 2, 4 * rows) if node.dtype == "float32" else count  # the sums of a chunk cost a part of what is in it
        chunk = max(1, min(ceil_div(count, _PARTS), longest, (LOOP_ROUNDS - 2 * node.size) // (width + 1)))
        return reduce_sum(PARTS(indices, updates, rows=rows, chunk=chunk), axis=(0,))
    if sort and is_software(profile) and count > LOOP_ROUNDS // 2:
        return in_order(indices, updates, rows, "sum")
    if sort:
        return SCATTER_ADD_SORTED(order_of(indices, rows), indices, updates, rows=rows)
    most = max(1, LOOP_ROUNDS // (min(_SPAN, max(1, width)) + 3))
    if not is_software(profile) or count <= most:
        return None
    total = None
    for first in range(0, count, most):
        last = min(first + most, count)
        zeros = (0,) * (updates.ndim - 1)
        part = SCATTER_ADD(slice_(indices, (first,), (last,)), slice_(updates, (first, *zeros), (last, *updates.shape[1:])), **node.attrs)
        total = part if total is None else add(total, part)
    return total


def _sorted_kernel(node: Node, profile: Profile) -> KernelSpec:
    rows = node.attrs["rows"]
    return _kernel("scatter_add_sorted", rows, prod(node.shape[1:]), node.src[0].size, rows, node.dtype, profile)


_ROWS = np.random.default_rng(0).uniform(-1, 1, (5, 3)).astype(np.float32)
_BLOCK = np.random.default_rng(1).uniform(-1, 1, (6, 2, 4)).astype(np.float32)
_PICKS = np.array([4, 0, 0, 3, -1, 5, 2], np.int32)  # two of them out of range

LOOKUP = registered(Lookup("lookup", lambda table, indices: indices, lambda table, indices: _gather_dtype(table, indices),
                           _gather_numpy, cost=8))  # fmt: skip
GATHER = routine(
    "gather",
    shape=_gather_shape,
    dtype=_gather_dtype,
    numpy=_gather_numpy,
    grad=lambda g, y, x, indices: (SCATTER_ADD(indices, g, rows=x.shape[0]), None),
    kernel=_gather_kernel,
    lower=_gather_lower,
    flops=lambda node: 0,
    samples=[((_ROWS, _PICKS), {}), ((_BLOCK, np.array([[1, 5], [0, 1]], np.int32)), {})],
)
SCATTER_ADD: Routine = routine(
    "scatter_add",
    shape=_scatter_shape,
    dtype=_scatter_dtype,
    numpy=_scatter_numpy,
    grad=lambda g, y, indices, updates, rows: (None, GATHER(g, indices)),
    kernel=_scatter_kernel,
    lower=_scatter_lower,
    flops=lambda node: node.src[1].size,
    samples=[
        ((_PICKS, np.random.default_rng(2).uniform(-1, 1, (7, 3)).astype(np.float32)), {"rows": 5}),
        ((np.array([[1, 5], [1, 1]], np.int32), _BLOCK[:4].reshape(2, 2, 2, 4)), {"rows": 6}),
    ],
)
SCATTER_ADD_SORTED: Routine = routine(
    "scatter_add_sorted",
    shape=lambda order, indices, updates, rows: _scatter_shape(indices, updates, rows=rows),
    dtype=lambda order, indices, updates, rows: _scatter_dtype(indices, updates, rows=rows),
    numpy=lambda order, indices, updates, rows: _scatter_numpy(indices, updates, rows),
    grad=None,
    kernel=_sorted_kernel,
    flops=lambda node: node.src[2].size,
    samples=[((np.array([1, 2, 6, 3, 0, 5, 4], np.int32), np.where(_PICKS < 0, 9, _PICKS).astype(np.int32),
               np.random.default_rng(3).uniform(-1, 1, (7, 3)).astype(np.float32)), {"rows": 5})],
)  # fmt: skip


def gather(x: Node, indices: Node) -> Node:
    """`x[indices]` along the first axis, `indices.shape + x.shape[1:]`; an index that is not a row gives zeros.

    Raises:
        DtypeError: The indices are not int32.
    """
    return GATHER(x, indices)


def lookup(table: Node, places: Node) -> Node:
    """The elements of a vector at places that are computed where they are needed; 0 where there is no such place."""
    return LOOKUP(table, places)


def scatter_add(indices: Node, updates: Node, rows: int) -> Node:
    """`(rows, …)`: row r is the sum of the `updates[i]` with `indices[i] == r`, in order; other indices are dropped.

    Raises:
        ShapeError: `updates` does not start with the shape of `indices`.
    """
    return SCATTER_ADD(indices, updates, rows=int(rows))
