"""Weighted sums of neighbours along an axis, by a table: what resizing with any filter is made of, one kernel per axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Routine, Shape, routine
from .choose import flat, is_register

_PUT4 = "store(4u * i, v.x); store(4u * i + 1u, v.y); store(4u * i + 2u, v.z); store(4u * i + 3u, v.w);"


def backwards(first: np.ndarray, taps: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The table of the transpose: for each of `n` inputs the first output that it is in, and its weight in that and the next."""
    count, width = taps.shape
    begin = np.searchsorted(first, np.arange(n) - width, "right")
    end = np.searchsorted(first, np.arange(n), "right")
    most = max(1, int((end - begin).max()))
    begin = np.clip(begin, 0, count - most)
    outputs = begin[:, None] + np.arange(most)
    place = np.arange(n)[:, None] - first[outputs]
    return begin, np.where((place >= 0) & (place < width), taps[outputs, np.clip(place, 0, width - 1)], 0)


def resample_table(first: np.ndarray, taps: np.ndarray, n: int) -> tuple[np.ndarray, dict[str, int]]:
    """The table that `resample` reads, int32 with the bits of the weights, and the sizes in it.

    Args:
        first: `(count,)`, not decreasing, `first[i] + taps.shape[1] <= n`: output i is the sum of `taps[i, k] * x[first[i] + k]`.
        taps: `(count, taps)`.
        n: Size of the axis of x.
    """
    begin, spread = backwards(first, taps, n)
    bits = [weights.astype(np.float32).ravel().view(np.int32) for weights in (taps, spread)]
    numbers = np.concatenate([first.astype(np.int32), bits[0], begin.astype(np.int32), bits[1]])
    return numbers, {"n": n, "count": len(first), "taps": taps.shape[1], "back": spread.shape[1]}


def _cut(n: int, count: int, taps: int, back: int, transposed: bool) -> tuple[int, int, int, int]:
    """Size of x, outputs, weights of each, and where their table begins."""
    if transposed:
        return count, n, back, count + count * taps
    return n, count, taps, 0


def _shape(x: Shape, table: Shape, **attrs: Any) -> Shape:
    size, count, taps, _ = _cut(**attrs)
    whole = attrs["count"] * (1 + attrs["taps"]) + attrs["n"] * (1 + attrs["back"])
    if len(x) != 3 or x[1] != size or table != (whole,) or taps > size or 0 in x:
        raise ShapeError(f"resample: x is {x} and the table {table}; expected (batch, {size}, width), none of size 0, and ({whole},).")
    return (x[0], count, x[2])


def _dtype(x: str, table: str, **attrs: Any) -> str:
    if x != "float32" or table != "int32":
        raise DtypeError(f"resample: x is {x} and the table {table}; expected float32 and int32.")
    return x


def _numpy(x: np.ndarray, table: np.ndarray, **attrs: Any) -> np.ndarray:
    _, count, taps, start = _cut(**attrs)
    first = table[start : start + count].astype(np.int64)
    weights = table[start + count :][: count * taps].view(np.float32).reshape(count, taps, 1)
    y = weights[:, 0] * x[:, first]
    for k in range(1, taps):
        y += weights[:, k] * x[:, first + k]
    return y


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    (batch, n, inner), (_, count, taps, start) = node.src[0].shape, _cut(**node.attrs)
    four = inner % 4 == 0 and is_register(profile)
    width = inner // 4 if four else inner
    params = {"BATCH": batch, "N": n, "COUNT": count, "WIDTH": width, "TAPS": taps, "START": start, "T": "vec4f" if four else "f32"}
    return flat("resample", batch * count * width, params, profile, {"put": _PUT4} if four else {})


def _grad(g: Node, y: Node, x: Node, table: Node, **attrs: Any) -> Grads:
    return (RESAMPLE(g, table, **attrs | {"transposed": not attrs["transposed"]}), None)


def _sample(seed: int, shape: Shape, first: list[int], taps: int,
            transposed: bool = False) -> tuple[tuple[np.ndarray, ...], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    table, sizes = resample_table(np.array(first), rng.uniform(-1, 1, (len(first), taps)), shape[1])
    x = rng.uniform(-1, 1, (shape[0], len(first) if transposed else shape[1], shape[2])).astype(np.float32)
    return (x, table), sizes | {"transposed": transposed}


RESAMPLE: Routine = routine(
    "resample",
    shape=_shape,
    dtype=_dtype,
    numpy=_numpy,
    grad=_grad,
    kernel=_kernel,
    flops=lambda node: 2 * node.size * node.attrs["back" if node.attrs["transposed"] else "taps"],
    samples=[
        _sample(0, (2, 5, 3), [0, 0, 1, 1, 2, 2, 2], 3),
        _sample(1, (1, 7, 8), [0, 2, 5], 2),
        _sample(2, (2, 4, 2), [0, 0, 3], 1, transposed=True),
    ],
)


def resample(x: Node, table: Node, sizes: dict[str, int]) -> Node:
    """`x` (batch, n, width) with `count` for `n` elements along axis 1, each a weighted sum of neighbours by `resample_table`.

    Raises:
        ShapeError: x or the table have other sizes.
        DtypeError: x is not float32, or the table not int32.
    """
    return RESAMPLE(x, table, **sizes, transposed=False)
