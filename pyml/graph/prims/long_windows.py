"""Convolutions and pools with very large windows, as sums (or maxima) of those with a part of the window.

A sum in one chain loses about as many units in the last place as it has terms, and some adapters end long loops early.
"""

from __future__ import annotations

from ..node import Node
from ..op import Op
from .choose import LONG_SUM
from .elementwise import add, maximum
from .leaf import full
from .move import pad, slice_

LARGEST = 2 * LONG_SUM  # terms that one thread takes
_NONE = ((0, 0), (0, 0))


def _along(x: Node, axis: int, first: int, last: int) -> Node:
    start = tuple(first if i == axis else 0 for i in range(x.ndim))
    return slice_(x, start, tuple(last if i == axis else n for i, n in enumerate(x.shape)))


def _halves(n: int) -> tuple[tuple[int, int], tuple[int, int]]:
    half = (n // 2 + 3) // 4 * 4 if n >= 8 else n // 2
    return (0, half), (half, n)


def _under(x: Node, axis: int, first: int, last: int, outputs: int, stride: int, dilation: int) -> Node:
    """The part of `x`, which has its padding already, under taps `first` … `last` - 1 of all windows along an axis."""
    start = first * dilation
    return _along(x, axis, start, start + (outputs - 1) * stride + (last - first - 1) * dilation + 1)


def conv_in_parts(conv: Op, node: Node) -> Node | None:
    """A convolution of one group with too many products an output as the sum of two."""
    x, w = node.src
    kh, kw, channels, _ = w.shape
    attrs = node.attrs
    if kh * kw * channels <= LARGEST or attrs["groups"] > 1:
        return None
    if channels >= max(kh, kw, 2):
        return add(*(conv(_along(x, 3, *part), _along(w, 2, *part), **attrs) for part in _halves(channels)))
    side = 0 if kh > kw else 1
    x = pad(x, ((0, 0), *attrs["padding"], (0, 0)))
    parts = []
    for first, last in _halves(w.shape[side]):
        seen = _under(x, 1 + side, first, last, node.shape[1 + side], attrs["strides"][side], attrs["dilation"][side])
        parts.append(conv(seen, _along(w, side, first, last), **attrs | {"padding": _NONE}))
    return add(*parts)


def input_grad_in_parts(input_grad: Op, node: Node) -> Node | None:
    """A gradient of images of one group, or a transposed convolution, with too many products a cell as the sum of two."""
    dy, w = node.src
    kh, kw, _, filters = w.shape
    if kh * kw * filters <= LARGEST or filters == 1 or node.attrs["groups"] > 1:
        return None
    return add(*(input_grad(_along(dy, 3, *part), _along(w, 3, *part), **node.attrs) for part in _halves(filters)))


def pool_in_parts(pool: Op, node: Node, lowest: float, mean: bool) -> Node | None:
    """A pool with a very large window as that of two; `lowest` is what padding counts as."""
    (x,), size, attrs = node.src, node.attrs["size"], node.attrs
    if size[0] * size[1] <= LARGEST:
        return None
    if attrs["padding"] != _NONE:
        widths = ((0, 0), *attrs["padding"], (0, 0))
        plain = attrs | {"padding": _NONE}
        y = pool(pad(x, widths, lowest), **plain)
        return y / pool(pad(full(x.shape, 1.0, x.dtype), widths), **plain) if mean else y  # padding does not count
    side = 0 if size[0] > size[1] else 1
    parts = []
    for first, last in _halves(size[side]):
        part = (last - first, size[1]) if side == 0 else (size[0], last - first)
        y = pool(_under(x, 1 + side, first, last, node.shape[1 + side], attrs["strides"][side], 1), **attrs | {"size": part})
        parts.append(y * ((last - first) / size[side]) if mean else y)
    return add(*parts) if mean else maximum(*parts)
