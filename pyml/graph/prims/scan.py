"""Running sums and products of rows: each chunk of a row goes on from the result over those before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .choose import ceil_div, flat, fold, is_core, is_register
from .elementwise import mul
from .keys import ELEMENT
from .leaf import full
from .move import flip, pad, reshape, slice_
from .recur import moved, recurrence
from .reduce import reduce_prod, reduce_sum

_SHORT = 64  # a row of at most this many elements is one thread's work everywhere
_GROUP = 256
_WHOLE = 16384  # a row of at most this many elements is one workgroup's work where there are many rows
_CHAIN = 4096  # elements that are added up one after another: longer chains of floats lose digits


def _shape(x: Shape, ends: Shape, *, product: bool, chunk: int) -> Shape:
    if len(x) != 2 or x[1] == 0 or chunk < 1 or ends != (x[0], ceil_div(x[1], chunk)):
        raise ShapeError(f"scan: rows are {x} and ends {ends}; expected a matrix with columns and a number for each chunk of {chunk}.")
    return x


def _dtype(x: str, ends: str, **attrs: Any) -> str:
    if x != ends or x == "bool":
        raise DtypeError(f"scan: rows are {x} and ends {ends}; expected numbers of the same dtype.")
    return x


def _numpy(x: np.ndarray, ends: np.ndarray, product: bool, chunk: int) -> np.ndarray:
    (rows, n), chunks = x.shape, ends.shape[1]
    neutral = x.dtype.type(1 if product else 0)
    padded = np.full((rows, chunks * chunk), neutral, x.dtype)
    padded[:, :n] = x
    run, join = (np.cumprod, np.multiply) if product else (np.cumsum, np.add)
    wide = np.float64 if x.dtype == np.float32 else x.dtype  # the chunk is the whole row here
    inside = run(padded.reshape(rows, chunks, chunk), axis=2, dtype=wide)
    starts = np.concatenate([np.full((rows, 1), neutral, x.dtype), ends[:, :-1]], 1)
    return np.ascontiguousarray(join(starts[:, :, None], inside).reshape(rows, -1)[:, :n].astype(x.dtype))


def _chunk(rows: int, n: int, profile: Profile) -> int:
    """How long the chunks of a row are; n where one thread, or workgroup, does it all."""
    if is_core(profile):
        return n if n <= 2 * _CHAIN else _CHAIN
    if is_register(profile):
        return n if n <= _SHORT else min(n, max(32, min(_CHAIN, ceil_div(rows * n, profile.threads))))
    if n <= _SHORT or (n <= _WHOLE and rows >= 256):
        return n
    return n if n <= 4 * _GROUP else min(n, 16 * _GROUP)


def _lower(node: Node, profile: Profile) -> Node | None:
    """Chunks on their own: their results, the running ones of those, and each chunk from there on."""
    x, product = node.src[0], node.attrs["product"]
    rows, n = x.shape
    if node.attrs["chunk"] < n or (chunk := _chunk(rows, n, profile)) == n:
        return None
    chunks = ceil_div(n, chunk)
    padded = reshape(pad(x, ((0, 0), (0, chunks * chunk - n)), int(product)), (rows, chunks, chunk))
    ends = scan((reduce_prod if product else reduce_sum)(padded, axis=(2,)), product)
    return SCAN(x, ends, product=product, chunk=chunk)


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    (rows, n), chunks = node.shape, node.src[1].shape[1]
    chunk = node.attrs["chunk"]
    params = {"ROWS": rows, "N": n, "CHUNK": chunk, "CHUNKS": chunks, "PRODUCT": node.attrs["product"], "T": ELEMENT[node.dtype]}
    wg = min(_GROUP, profile.max_invocations)
    if is_register(profile) or n <= _SHORT or (chunks > 1 and chunk % (4 * wg)):
        return flat("scan_thread", rows * chunks, params, profile)
    grid, across = fold(rows * chunks)
    return KernelSpec("scan_group", {**params, "WG": wg, "X": across}, grid)


def _grad(g: Node, y: Node, x: Node, ends: Node, product: bool, chunk: int) -> Grads:
    """Of rows that are one chunk; others are made for an adapter, after gradients."""
    assert chunk >= x.shape[1]
    if not product:
        return flip(scan(flip(g, (1,))), (1,)), None
    # what the product up to j is worth is g[j] + x[j + 1] * what the next one is worth, and each x was multiplied with the one before
    worth = recurrence(g, moved(x, True), reverse=True)
    before = slice_(pad(y, ((0, 0), (1, 0)), 1.0), (0, 0), x.shape)
    return mul(worth, before), None


_X = np.random.default_rng(0).uniform(-1, 1, (3, 7)).astype(np.float32)
_Z = np.array([[2.0, 0.0, 3.0, -1.0], [0.0, 0.5, 0.0, 2.0]], np.float32)
_INTEGERS = np.random.default_rng(1).integers(-9, 9, (2, 2500)).astype(np.int32)
_ENDS = np.random.default_rng(2).integers(-9, 9, (2, 3)).astype(np.int32)
_ONE = np.zeros((3, 1), np.int32).astype(np.float32)

SCAN = routine(
    "scan",
    shape=_shape,
    dtype=_dtype,
    numpy=_numpy,
    grad=_grad,
    kernel=_kernel,
    lower=_lower,
    samples=[
        ((_X, _ONE), {"product": False, "chunk": 7}),
        ((_Z, _ONE[:2]), {"product": True, "chunk": 4}),
        ((_INTEGERS, _ENDS), {"product": False, "chunk": 1024}),
        ((_INTEGERS[:, :60] | 1, _ENDS[:, :1]), {"product": True, "chunk": 60}),
    ],
)


def scan(x: Node, product: bool = False) -> Node:
    """The running sum, or product, along the rows of a matrix.

    Raises:
        ShapeError: x is not a matrix, or has no columns.
        DtypeError: x is bool.
    """
    return SCAN(x, full((x.shape[0], 1), 0, x.dtype), product=product, chunk=x.shape[-1])


__all__ = ["SCAN", "scan"]
