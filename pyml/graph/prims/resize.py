"""Linear interpolation between pixels, channels last; its gradient is two products with the matrices of weights."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, Sizes, routine
from .choose import flat, is_register
from .contract import float_only, matmul
from .elementwise import cast, equal, floor_divide, maximum, minimum, mod
from .leaf import full, iota
from .move import broadcast_to, permute, reshape

_PUT4 = "store(4u * i, v.x); store(4u * i + 1u, v.y); store(4u * i + 2u, v.z); store(4u * i + 3u, v.w);"

Position = tuple[int, int, int]  # mul, add and div: new place i is at old place (mul * i + add) / div


def _shape(x: Shape, *, size: Sizes, rows: Position, columns: Position) -> Shape:
    if len(x) != 4 or 0 in x:
        raise ShapeError(f"resize_bilinear: input is {x}; expected (batch, height, width, channels), none of size 0.")
    for count, (mul, add, div) in zip(size, (rows, columns), strict=True):
        if count < 1 or mul < 0 or div < 1 or add < -div:
            raise ShapeError(f"resize_bilinear: positions ({mul} * i + {add}) / {div} for i < {count} of {x} begin before -1.")
    return (x[0], *size, x[3])


def _around(n: int, count: int, mul: int, add: int, div: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each new pixel the old ones before and after it, and how far it is from the first to the second."""
    at = np.arange(count) * mul + add + div
    return np.clip(at // div - 1, 0, n - 1), np.minimum(at // div, n - 1), (at % div / div).astype(np.float32)


def _numpy(x: np.ndarray, size: Sizes, rows: Position, columns: Position) -> np.ndarray:
    for axis, count, position in ((1, size[0], rows), (2, size[1], columns)):
        low, high, part = _around(x.shape[axis], count, *position)
        part = part.reshape([count if i == axis else 1 for i in range(4)])
        first = np.take(x, low, axis)
        x = first + (np.take(x, high, axis) - first) * part
    return x


def _weights(n: int, count: int, position: Position) -> Node:
    """`(count, n)`: how much of each old pixel is in each new one."""
    mul, add, div = position
    at = iota(count) * mul + (add + div)
    whole = floor_divide(at, full((count,), div, "int32"))
    part = cast(mod(at, full((count,), div, "int32")), dtype="float32") * (1.0 / div)
    last, one = full((count,), n - 1, "int32"), full((count,), 1, "int32")
    low, high = minimum(maximum(whole, one) - 1, last), minimum(whole, last)

    def wide(v: Node) -> Node:
        return broadcast_to(reshape(v, (count, 1)), (count, n))

    pixel = broadcast_to(reshape(iota(n), (1, n)), (count, n))
    is_low, is_high = (cast(equal(wide(v), pixel), dtype="float32") for v in (low, high))
    return is_low * (1.0 - wide(part)) + is_high * wide(part)


def _along_last(g: Node, matrix: Node) -> Node:
    rows = matmul(reshape(g, (g.size // g.shape[-1], g.shape[-1])), matrix)
    return reshape(rows, (*g.shape[:-1], matrix.shape[1]))


def _grad(g: Node, y: Node, x: Node, size: Sizes, rows: Position, columns: Position) -> Grads:
    g = _along_last(permute(g, (0, 1, 3, 2)), _weights(x.shape[2], size[1], columns))  # batch, new height, channels, width
    g = _along_last(permute(g, (0, 3, 2, 1)), _weights(x.shape[1], size[0], rows))  # batch, width, channels, height
    return (permute(g, (0, 3, 1, 2)),)


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    batch, h, w, channels = node.src[0].shape
    (oh, ow), (my, ay, dy), (mx, ax, dx) = node.attrs["size"], node.attrs["rows"], node.attrs["columns"]
    four = is_register(profile) and channels % 4 == 0
    params = {
        "BATCH": batch, "H": h, "W": w, "C": channels // 4 if four else channels, "OH": oh, "OW": ow,
        "MY": my, "SY": ay + dy, "DY": dy, "MX": mx, "SX": ax + dx, "DX": dx, "T": "vec4f" if four else "f32",
    }  # fmt: skip
    return flat("resize_bilinear", batch * oh * ow * params["C"], params, profile, {"put": _PUT4} if four else {})


def _array(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


BILINEAR = routine(
    "resize_bilinear",
    shape=_shape,
    dtype=float_only("resize_bilinear"),
    numpy=_numpy,
    grad=_grad,
    kernel=_kernel,
    flops=lambda node: 9 * node.size,
    samples=[
        ((_array(0, 1, 4, 5, 4),), {"size": (8, 7), "rows": (8, -4, 16), "columns": (10, -2, 14)}),
        ((_array(1, 2, 5, 4, 3),), {"size": (3, 9), "rows": (5, 0, 3), "columns": (4, 0, 9)}),
        ((_array(2, 1, 3, 3, 8),), {"size": (5, 1), "rows": (2, 0, 4), "columns": (3, 0, 1)}),
    ],
)


def resize_bilinear(x: Node, size: Sizes, rows: Position, columns: Position) -> Node:
    """`x` (batch, height, width, channels) at `size`; new row i is at old row `(mul * i + add) / div` of `rows`, columns likewise.

    Raises:
        ShapeError: x is not an image, or a position begins before -1.
        DtypeError: x is not float32.
    """
    return BILINEAR(x, size=tuple(map(int, size)), rows=tuple(map(int, rows)), columns=tuple(map(int, columns)))
