"""Histograms of the channels of pictures, and the tables that spread them evenly: two kernels, of which one reads the pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import ZERO, KernelSpec, Profile, Shape, routine
from .choose import LOOP_ROUNDS, ceil_div, flat, fold, is_core, is_register
from .contract import float_only
from .elementwise import add, cast, div, maximum, minimum, mul, sub
from .gather import scatter_add
from .leaf import full, iota
from .move import broadcast_to, reshape
from .reduce import reduce_sum
from .scan import scan

_CHUNKS = 64  # in so many chunks the elements of a channel are counted
_LEAST = 2048  # elements of a chunk
_GROUP = 256
_LANES = 8  # threads that a processor's vectors have


def _chunks(x: Shape, chunk: int) -> int:
    return ceil_div(x[0] * x[2], chunk)


def _shape(x: Shape, *, bins: int, low: float, high: float, chunk: int) -> Shape:
    if len(x) != 3 or 0 in x:
        raise ShapeError(f"histogram: input is {x}; expected (outer, channels, inner), none of size 0.")
    return (_chunks(x, chunk), x[1], bins)


def _int32(x: str, **attrs: Any) -> str:
    float_only("histogram")(x)
    return "int32"


def _numpy(x: np.ndarray, bins: int, low: float, high: float, chunk: int) -> np.ndarray:
    scaled = x if (low, high) == (0, 255) else (x - x.dtype.type(low)) / x.dtype.type(high - low) * x.dtype.type(255)
    top = x.dtype.type(bins - 1)
    with np.errstate(invalid="ignore"):
        bars = np.nan_to_num(np.clip(scaled * top / x.dtype.type(255), 0, top)).astype(np.int64)
    y = np.zeros((_chunks(x.shape, chunk), x.shape[1], bins), np.int32)
    rows = np.moveaxis(bars, 1, 0).reshape(x.shape[1], -1)
    np.add.at(y, (np.arange(rows.shape[1])[None] // chunk, np.arange(len(rows))[:, None], rows), 1)
    return np.cumsum(y, axis=2, dtype=np.int32)


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    (x,), attrs = node.src, node.attrs
    chunks, channels, bins = node.shape
    low, high = attrs["low"], attrs["high"]
    params = {"CHANNELS": channels, "INNER": x.shape[2], "COUNT": x.shape[0] * x.shape[2], "CHUNK": attrs["chunk"], "CHUNKS": chunks,
              "BINS": bins, "LOW": float(low), "SPREAD": float(high - low)}  # fmt: skip
    hooks = {} if (low, high) == (0, 255) else {"scaled": "return (v - T(LOW)) / T(SPREAD) * T(255.0);"}
    if not is_register(profile):
        grid, across = fold(chunks * channels)
        return KernelSpec("histogram_group", {**params, "WG": min(_GROUP, profile.max_invocations), "X": across}, grid, hooks)
    lanes = channels if is_core(profile) else 1  # a core reads all of a chunk once
    wg = 1 if is_core(profile) else max(1, min(_LANES, profile.max_shared // (4 * bins)))
    grid, across = fold(ceil_div(chunks * (channels // lanes), wg))
    params |= {"LANES": lanes, "COPIES": 4 if is_core(profile) else 1, "WG": wg, "X": across}
    return KernelSpec("histogram_thread", params, grid, hooks)


def _fits(bins: int, profile: Profile) -> bool:
    """Whether the counts of a channel lie in the memory of a workgroup."""
    return is_core(profile) or 4 * bins <= profile.max_shared


def _lower(node: Node, profile: Profile) -> Node | None:
    """Sums of ones by index, where a workgroup has no room for the counts; all elements are one chunk then."""
    (x,), attrs = node.src, node.attrs
    channels, bins = node.shape[1:]
    if _fits(bins, profile) or node.shape[0] > 1:
        return None
    number = lambda n: full(x.shape, n, "float32")
    low, spread = attrs["low"], attrs["high"] - attrs["low"]
    scaled = x if (low, spread) == (0, 255) else mul(div(sub(x, number(low)), number(spread)), number(255))
    bars = minimum(maximum(div(mul(scaled, number(bins - 1)), number(255)), number(0)), number(bins - 1))
    own = broadcast_to(reshape(iota(channels) * full((channels,), bins, "int32"), (1, channels, 1)), x.shape)
    places = reshape(add(cast(bars, dtype="int32"), own), (x.size,))
    counts = scatter_add(places, full(places.shape, 1, "int32"), channels * bins)
    return reshape(scan(reshape(counts, (channels, bins))), node.shape)


_X = np.random.default_rng(0).uniform(-20, 280, (5, 3, 7)).astype(np.float32)
_X[0, 0, :2] = np.inf, -np.inf
HISTOGRAM = routine(
    "histogram",
    shape=_shape,
    dtype=_int32,
    numpy=_numpy,
    grad=ZERO,
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: 3 * node.src[0].size,
    samples=[
        ((_X,), {"bins": 256, "low": 0, "high": 255, "chunk": 35}),
        ((_X,), {"bins": 10, "low": -20, "high": 255, "chunk": 12}),
        ((_X[..., :1],), {"bins": 16, "low": 0, "high": 255, "chunk": 5}),
        ((_X,), {"bins": 5000, "low": 0, "high": 255, "chunk": 35}),
    ],
)


# ---- the table
def _table_shape(below: Shape, *, count: int) -> Shape:
    if len(below) != 3:
        raise ShapeError(f"equalizing: counts are {below}; expected (chunks, channels, bins).")
    return below[1:]


def _table_dtype(below: str, **attrs: Any) -> str:
    return "float32"


def _table_numpy(below: np.ndarray, count: int) -> np.ndarray:
    total = below.sum(0, dtype=np.int32)
    least = np.take_along_axis(total, np.argmax(total != 0, axis=1, keepdims=True), axis=1)  # of the first bar that has any
    rest = count - least
    steps = (total - least).astype(np.float32) * np.float32(255) / np.maximum(rest, 1).astype(np.float32)
    return np.where(rest == 0, np.float32(-1), np.clip(np.round(steps), 0, 255)).astype(np.float32)


def _table_kernel(node: Node, profile: Profile) -> KernelSpec:
    chunks, channels, bins = node.src[0].shape
    span = bins if is_register(profile) else 1
    params = {"CHANNELS": channels, "COUNT": node.attrs["count"], "CHUNKS": chunks, "BINS": bins, "SPAN": span}
    return flat("equalizing", channels * ceil_div(bins, span), params, profile)


def _chunk(count: int, bins: int, profile: Profile) -> int:
    """Elements of a chunk: all of them, or as many as keep an adapter's threads busy."""
    if is_core(profile):
        return max(_LEAST, ceil_div(count, profile.cores))
    chunk = max(_LEAST, ceil_div(count, _CHUNKS))
    return min(chunk, LOOP_ROUNDS - 2 * bins) if is_register(profile) else chunk


def _table_lower(node: Node, profile: Profile) -> Node | None:
    """A histogram of the adapter's chunks; those of more than a few are added up before."""
    below, count = node.src[0], node.attrs["count"]
    if below.op is not HISTOGRAM or below.shape[0] > 1 or not _fits(below.shape[2], profile):
        return None
    chunk = _chunk(count, below.shape[2], profile)
    if chunk >= count:
        return None
    parts = HISTOGRAM(*below.src, **(below.attrs | {"chunk": chunk}))
    if parts.shape[0] > _CHUNKS:
        parts = reshape(reduce_sum(parts, axis=(0,)), below.shape)
    return EQUALIZING(parts, count=count)


_BELOW = np.cumsum(np.random.default_rng(1).integers(0, 3, (2, 3, 9)), axis=2, dtype=np.int32)
_BELOW[:, 0, :3], _BELOW[:, 1] = 0, _BELOW[:, 1, -1:]
EQUALIZING = routine(
    "equalizing",
    shape=_table_shape,
    dtype=_table_dtype,
    numpy=_table_numpy,
    grad=ZERO,
    kernel=_table_kernel,
    lower=_table_lower,
    samples=[((_BELOW,), {"count": int(_BELOW[:, 1, -1].sum())})],
)


def equalizing(x: Node, bins: int, low: float, high: float) -> Node:
    """`(channels, bins)`: the values that spread the elements of each channel of `(outer, channels, inner)` evenly over 0 to 255.

    Bar b of `bins` is that of the elements `x` for which b is the whole part of `(x - low) / (high - low) * (bins - 1)`. -1 stands for all
    bars of a channel that has elements in one only.

    Raises:
        ShapeError: x has not three axes, or no elements.
        DtypeError: x is not float32.
    """
    count = x.shape[0] * x.shape[2]
    return EQUALIZING(HISTOGRAM(x, bins=bins, low=low, high=high, chunk=count), count=count)
