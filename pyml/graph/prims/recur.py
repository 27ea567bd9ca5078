"""Rows of which each element goes on from the one before: `y[i] = x[i] + factor[i] * y[i - 1]`."""

from __future__ import annotations

from math import isqrt

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Routine, Shape, routine
from .choose import ceil_div, flat, is_core
from .elementwise import mul
from .leaf import full
from .move import pad, reshape, slice_
from .reduce import reduce_prod

_HOST = 4096  # steps that numpy takes one by one
_SHORT = 64  # a row of at most this many elements is one thread's work everywhere


def _shape(x: Shape, factor: Shape, ends: Shape, *, reverse: bool, chunk: int) -> Shape:
    if len(x) != 2 or x[1] == 0 or factor != x or chunk < 1 or ends != (x[0], ceil_div(x[1], chunk)):
        raise ShapeError(f"recurrence: rows are {x}, factors {factor} and ends {ends}; expected matrices with a number for each chunk.")
    return x


def _dtype(*dtypes: str, reverse: bool, chunk: int) -> str:
    if set(dtypes) != {"float32"}:
        raise DtypeError(f"recurrence: operands are {', '.join(dtypes)}; expected float32.")
    return "float32"


def _numpy(x: np.ndarray, factor: np.ndarray, ends: np.ndarray, reverse: bool, chunk: int) -> np.ndarray:
    (rows, n), chunks = x.shape, ends.shape[1]
    if reverse:  # the same from the other end, where the chunk that may be short comes first
        back = _numpy(_filled(x, chunk)[:, ::-1], _filled(factor, chunk)[:, ::-1], ends[:, ::-1], False, chunk)
        return np.ascontiguousarray(back[:, ::-1][:, :n])
    starts = np.concatenate([np.zeros((rows, 1)), ends[:, :-1]], 1)
    a, f = (_filled(v, chunk).reshape(rows * chunks, chunk).astype(np.float64) for v in (x, factor))
    return _run(a, f, starts.reshape(-1)).reshape(rows, -1)[:, :n].astype(np.float32)


def _filled(x: np.ndarray, chunk: int) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, -x.shape[1] % chunk)))


def _run(x: np.ndarray, factor: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Rows of float64, each from `before` on: element by element, a long one in parts side by side."""
    rows, n = x.shape
    if n > _HOST:
        each = isqrt(n)
        terms, factors = (_filled(a, each).reshape(-1, each) for a in (x, factor))
        with np.errstate(over="ignore", invalid="ignore"):
            own, whole = (a.reshape(rows, -1) for a in (_run(terms, factors, np.zeros(len(terms)))[:, -1], np.prod(factors, 1)))
        if np.isfinite(own).all() and np.isfinite(whole).all():
            starts = np.concatenate([before[:, None], _run(own, whole, before)[:, :-1]], 1)
            return _run(terms, factors, starts.reshape(-1)).reshape(rows, -1)[:, :n]
    y = np.empty_like(x.T)
    for i, (a, f) in enumerate(zip(x.T, factor.T, strict=True)):
        before = y[i] = a + f * before
    return np.ascontiguousarray(y.T)


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    (rows, n), chunk = node.shape, node.attrs["chunk"]
    params = {"ROWS": rows, "N": n, "CHUNK": chunk, "CHUNKS": ceil_div(n, chunk), "REVERSE": node.attrs["reverse"]}
    return flat("recurrence", rows * ceil_div(n, chunk), params, profile)


def _lower(node: Node, profile: Profile) -> Node | None:
    """Chunks on their own: what each comes to, and all of them once more from what the one before came to."""
    (x, factor, _), reverse = node.src, node.attrs["reverse"]
    rows, n = x.shape
    chunk = min(n, max(32, ceil_div(rows * n, profile.threads)))
    if node.attrs["chunk"] < n or is_core(profile) or n <= _SHORT or chunk == n:
        return None
    chunks = ceil_div(n, chunk)
    part = lambda a, neutral: reshape(pad(a, ((0, 0), (0, chunks * chunk - n)), neutral), (rows * chunks, chunk))
    terms, factors = part(x, 0), part(factor, 1)
    last = 0 if reverse else chunk - 1
    own = slice_(recurrence(terms, factors, reverse=reverse), (0, last), (rows * chunks, last + 1))
    whole = reshape(reduce_prod(factors, axis=(1,)), (rows, chunks))
    ends = recurrence(reshape(own, (rows, chunks)), whole, reverse=reverse)
    return RECURRENCE(x, factor, ends, reverse=reverse, chunk=chunk)


def _grad(g: Node, y: Node, x: Node, factor: Node, ends: Node, reverse: bool, chunk: int) -> Grads:
    """Of rows that are one chunk; others are made for an adapter, after gradients."""
    assert chunk >= x.shape[1]
    worth = recurrence(g, moved(factor, not reverse), reverse=not reverse)
    return worth, mul(worth, moved(y, reverse)), None


def moved(x: Node, reverse: bool) -> Node:
    """Each element's next one, or else the one before; 0 at the end."""
    (rows, n), first = x.shape, int(reverse)
    return slice_(pad(x, ((0, 0), (1 - first, first))), (0, first), (rows, n + first))


_X, _F = np.random.default_rng(0).uniform(-1, 1, (2, 3, 7)).astype(np.float32)
RECURRENCE: Routine = routine(
    "recurrence",
    shape=_shape,
    dtype=_dtype,
    numpy=_numpy,
    grad=_grad,
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: 2 * node.size,
    samples=[
        ((_X, _F, _X[:, :1] * 0), {"reverse": reverse, "chunk": 7}) for reverse in (False, True)
    ],
)


def recurrence(x: Node, factor: Node, reverse: bool = False) -> Node:
    """`y[:, i] = x[:, i] + factor[:, i] * y[:, i - 1]`, the first without one before; `reverse` goes on from `y[:, i + 1]`.

    Raises:
        ShapeError: The operands are not matrices of one shape, with columns.
        DtypeError: They are not float32.
    """
    return RECURRENCE(x, factor, full((x.shape[0], 1), 0, x.dtype), reverse=reverse, chunk=x.shape[-1])
