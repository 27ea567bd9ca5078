"""How often each number is there: counters of a thread's own, without sums of ones."""

from __future__ import annotations

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import ZERO, KernelSpec, Profile, Shape, routine
from .choose import ceil_div, is_core
from .move import reshape
from .reduce import reduce_sum

_COPIED = 4096  # so many counters lie in a core's cache four times
_LEAST = 1 << 16  # numbers for which a second core is called


def _shape(x: Shape, *, rows: int, chunk: int) -> Shape:
    if len(x) != 1 or not x[0] or chunk < 1:
        raise ShapeError(f"counts: numbers are {x}; expected a vector with elements.")
    return (ceil_div(x[0], chunk), rows + 1)


def _dtype(x: str, **attrs: int) -> str:
    if x != "int32":
        raise DtypeError(f"counts: numbers are {x}; expected int32.")
    return x


def _numpy(x: np.ndarray, rows: int, chunk: int) -> np.ndarray:
    bins = np.where((x >= 0) & (x < rows), x, rows)
    return np.stack([np.bincount(bins[i : i + chunk], minlength=rows + 1) for i in range(0, len(x), chunk)]).astype(np.int32)


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    chunks, bins = node.shape
    copies = 4 if is_core(profile) and bins <= _COPIED + 1 else 1
    params = {"ROWS": bins - 1, "COUNT": node.src[0].size, "CHUNK": node.attrs["chunk"], "COPIES": copies}
    return KernelSpec("count_thread", params, (chunks, 1, 1))


def _lower(node: Node, profile: Profile) -> Node | None:
    """A chunk for each core, where there are many numbers for each counter."""
    (x,), chunk = node.src, ceil_div(node.src[0].size, profile.cores)
    if node.shape[0] > 1 or not is_core(profile) or chunk < max(_LEAST, 4 * node.size) or chunk == x.size:
        return None
    return reshape(reduce_sum(COUNTS(x, rows=node.attrs["rows"], chunk=chunk), axis=(0,)), node.shape)


COUNTS = routine(
    "bincount",
    shape=_shape,
    dtype=_dtype,
    numpy=_numpy,
    grad=ZERO,
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: node.src[0].size,
    samples=[((np.array([4, 0, 0, 3, -1, 5, 2, 3, 3], np.int32),), {"rows": 5, "chunk": chunk}) for chunk in (9, 5)],
)


def counts(x: Node, rows: int) -> Node:
    """`(rows + 1,)`: how often each number below `rows` is in an int32 vector, and how many are none of these.

    For a processor's core: one thread has all counters.

    Raises:
        ShapeError: x is no vector, or has no elements.
        DtypeError: x is not int32.
    """
    return reshape(COUNTS(x, rows=int(rows), chunk=x.size), (int(rows) + 1,))
