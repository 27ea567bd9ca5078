"""Pictures whose pixels come from other places: each from its own, or all by a map of the plane. One kernel for all of it."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import KernelSpec, Profile, Shape, routine
from .choose import flat, is_register
from .contract import float_only

MODES = ("constant", "nearest", "wrap", "mirror", "reflect")  # as kernels_wgsl/warp.wgsl numbers them
_PUT4 = "store(4u * i, v.x); store(4u * i + 1u, v.y); store(4u * i + 2u, v.z); store(4u * i + 3u, v.w);"
_WHOLE = 4  # elements of a pixel, its channels, that one thread of a GPU brings; of more each is a thread's


def _shape(x: Shape, places: Shape, *, mode: str, linear: bool, fill: float) -> Shape:
    maps = len(places) == 2 and places[0] in (1, *x[:1]) and places[1] in (6, 9)
    if len(x) != 4 or 0 in x or mode not in MODES or not (maps or places == (*x[:3], 2)):
        raise ShapeError(
            f"warp: pictures are {x} and places {places}; expected (batch, height, width, channels), none of size 0, and maps "
            f"(batch or 1, 6 or 9) or places (batch, height, width, 2)."
        )
    return x


def _places(shape: Shape, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns, `(batch, height, width)` or to be broadcast to that."""
    if places.ndim == 4:
        return places[..., 0], places[..., 1]
    down, across = np.arange(shape[1], dtype=places.dtype)[:, None], np.arange(shape[2], dtype=places.dtype)
    lines = [a * across + b * down + c for a, b, c in np.moveaxis(places.reshape(len(places), -1, 3, 1, 1), 0, 2)]
    return (lines[1], lines[0]) if len(lines) == 2 else (lines[1] / lines[2], lines[0] / lines[2])


def _folded(index: np.ndarray, size: int, mode: str) -> np.ndarray:
    if mode in ("constant", "nearest"):
        return index
    period = {"wrap": size, "mirror": max(2 * (size - 1), 1), "reflect": 2 * size}[mode]
    left = index - np.floor(index / index.dtype.type(period)) * period
    if mode == "wrap":
        return np.where(left < size, left, 0)
    return np.minimum(left, period - (mode == "reflect") - left)


def _numpy(x: np.ndarray, places: np.ndarray, mode: str, linear: bool, fill: float) -> np.ndarray:
    batch, height, width, _ = x.shape
    found, own = np.zeros_like(x), np.arange(batch)[:, None, None]
    with np.errstate(all="ignore"):
        at = _places(x.shape, places)
        low = [np.floor(p) if linear else np.rint(p) for p in at]
        sides = []  # of each axis the elements before and after: which they are, whether they are in the picture, and their shares
        for p, first, size in zip(at, low, (height, width), strict=True):
            index = [_folded(first + k, size, mode) for k in range(1 + linear)]
            inner = [np.clip(np.nan_to_num(i), 0, size - 1) for i in index]
            shares = (1 - (p - first), p - first) if linear else (np.ones_like(p),)
            sides.append([(e.astype(np.int64), (e == i) | (mode != "constant"), s) for e, i, s in zip(inner, index, shares, strict=True)])
        for row, is_row, share in sides[0]:
            for column, is_column, part in sides[1]:
                pixel = np.where((is_row & is_column)[..., None], x[own, row, column], x.dtype.type(fill))
                found += pixel * (share * part)[..., None] if linear else pixel
    return found


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    (batch, height, width, channels), places = node.shape, node.src[1].shape
    four = is_register(profile) and channels % 4 == 0
    count = channels // 4 if four else channels
    each = count if is_register(profile) or count <= _WHOLE else 1
    params = {
        "BATCH": batch, "H": height, "W": width, "C": count, "MAPS": places[0], "COLUMNS": places[-1],
        "MODE": MODES.index(node.attrs["mode"]), "LINEAR": node.attrs["linear"], "FILL": node.attrs["fill"],
        "EACH": each, "T": "vec4f" if four else "f32",
    }  # fmt: skip
    return flat("warp", batch * height * width * (count // each), params, profile, {"put": _PUT4} if four else {})


def _array(seed: int, *shape: int, low: float = -1, high: float = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


_TURNS = np.array([[0.8, -0.6, 1.2, 0.6, 0.8, -0.7], [-1.3, 0.2, 5.1, 0.4, 1.7, -2.3]], np.float32)
_SEEN = np.array([[0.9, 0.2, -0.3, 0.1, 1.2, 0.4, 0.03, -0.02, 1.1]], np.float32)
_WAYS = {"mode": "constant", "linear": True, "fill": 0.0}

WARP = routine(
    "warp",
    shape=_shape,
    dtype=float_only("warp"),
    numpy=_numpy,
    grad=None,
    kernel=_kernel,
    flops=lambda node: 9 * node.size + 40 * (node.size // node.shape[-1]),
    samples=[
        ((_array(0, 2, 4, 5, 3), _TURNS), _WAYS | {"fill": 0.5}),
        *[((_array(1, 2, 5, 4, 2), _TURNS), _WAYS | {"mode": mode}) for mode in MODES[1:]],
        ((_array(2, 2, 3, 4, 4), _SEEN), _WAYS),
        ((_array(3, 2, 3, 4, 8), _array(4, 2, 3, 4, 2, low=-3, high=7)), _WAYS | {"mode": "wrap", "linear": False}),
        ((_array(5, 1, 1, 1, 1), _array(6, 1, 1, 1, 2, low=-3, high=3)), _WAYS | {"mode": "mirror"}),
    ],
)


def warp(x: Node, places: Node, mode: str, linear: bool, fill: float) -> Node:
    """Pictures `x` (batch, height, width, channels), each pixel of which is taken from another place.

    Args:
        places: `(batch, height, width, 2)`, the row and the column of each pixel's place; or maps of the plane, one or one for each
            picture, of 6 or 9 numbers: pixel (i, j) comes from row `d j + e i + f` and column `a j + b i + c`, of 9 both divided
            by `g j + h i + k`.
        mode: What is outside, one of `MODES`.
        linear: Whether values between pixels are on a straight line; else the nearest pixel is taken.
        fill: What is outside by `"constant"`.

    Raises:
        ShapeError: The pictures have no pixels, or the places another shape.
        DtypeError: One of both is not float32.
    """
    return WARP(x, places, mode=mode, linear=bool(linear), fill=float(fill))
