"""Convolutions for the kernels that run on one processor core: padding and strides become movements before them.

A padded image is made once and serves the convolution and its filter gradient; an input gradient is a convolution of
the gradient, one for every phase of the strides, whose results are interleaved.
"""

from __future__ import annotations

from collections.abc import Callable

from ..node import Node
from ..op import KernelSpec, Padding, Profile, Sizes
from .choose import LONG_SUM, ceil_div, flat, fold
from .conv_layout import Window
from .leaf import full
from .move import PAD, broadcast_to, concat, flip, pad, permute, reshape, slice_
from .pad_lines import PAD_LINES

_PIXELS = 240  # of one workgroup: with them the weights are read from the cache nearest to the core
_TERMS = 100  # pixels that a tile of a filter gradient adds up before the next tile reads the same


def unroll(n: int) -> int:
    """How many steps of a loop over n elements are written out."""
    return next(u for u in (4, 3, 5, 2, 7, 1) if n % u == 0)


def in_lanes(profile: Profile) -> bool:
    """Whether a product reads vectors of its first operand and spreads their lanes: four rows leave the registers for them."""
    return profile.rows == 4


def columns(n: int, pieces: int, profile: Profile, least: int = 1) -> int:
    """How many of n columns a workgroup has, where there are `pieces` to share already; all of them on one core.

    `least` is how many panels of eight are worth a workgroup.
    """
    if profile.pieces <= 1:
        return n
    panels = ceil_div(n, 8)
    across = min(panels // least, ceil_div(profile.pieces, pieces))
    return 8 * ceil_div(panels, across) if across > 1 else n


def conv_spec(v: Window, profile: Profile) -> KernelSpec:
    each = v.channels // v.groups
    line = v.window[1] * each if v.dilation[1] == v.groups == 1 else each
    blocks = ceil_div(v.pixels, _PIXELS)
    cols = columns(v.filters, blocks, profile)
    grid, across = fold(blocks * ceil_div(v.filters, cols))
    params = {"L": line, "U": unroll(line), "BLOCK": _PIXELS, "COLS": cols, "X": across}
    params |= {"R": profile.rows, "LANES": in_lanes(profile) and line % 4 == 0}
    return KernelSpec("conv2d_panel", _params(v) | _groups(v) | params, grid)


def _groups(v: Window) -> dict:
    return {"G": v.groups, "WIDE": v.groups == 1 or v.filters // v.groups % 8 == 0}


def is_thin(v: Window) -> bool:
    """Whether each channel, of which there are no whole vectors, has a filter of its own, and lines of numbers are whole vectors."""
    return v.groups == v.channels == v.filters and v.filters % 4 != 0 and v.strides[1] == 1 and v.ow * v.filters % 4 == 0


def thin_spec(v: Window, profile: Profile) -> KernelSpec:
    lines = ceil_div(v.oh, min(v.oh, ceil_div(profile.pieces, v.batch)))
    grid, across = fold(v.batch * ceil_div(v.oh, lines))
    (pt, _), (pl, _) = v.padding
    params = {"BATCH": v.batch, "H": v.h, "W": v.w * v.channels, "C": v.channels, "OH": v.oh, "OW": v.ow * v.channels, "KH": v.window[0],
              "KW": v.window[1], "SH": v.strides[0], "DH": v.dilation[0], "STEP": v.dilation[1] * v.channels, "PT": pt,
              "PL": pl * v.channels, "LINES": lines, "X": across}  # fmt: skip
    return KernelSpec("conv2d_depthwise_thin", params, grid)


def filter_parts(v: Window, profile: Profile) -> int:
    """Into how many partial sums a filter gradient is cut, so that every core reads a part of the pixels only, and none is too long.

    Whole rows of pixels lie in a part. Where the partial sums would be as much to move as the pixels, cores share one sum.
    """
    rows = v.window[0] * v.window[1] * v.channels // v.groups
    most = v.batch * (v.h * v.w * v.channels + v.oh * v.ow * v.filters) // (4 * rows * v.filters)
    return max(1, min(profile.threads // 4, most), min(v.batch * v.oh, ceil_div(v.pixels, LONG_SUM)))


def filter_spec(v: Window, splits: int, chunk: int, profile: Profile) -> KernelSpec | None:
    """The kernel; None where a part would end inside a row of pixels."""
    if splits > 1 and chunk % v.ow:
        return None
    rows = v.window[0] * v.window[1] * v.channels // v.groups
    part = chunk // v.ow if splits > 1 else v.batch * v.oh
    group = max(1, min(part, ceil_div(_TERMS, v.ow)))
    cols = columns(v.filters, splits * 4, profile) if splits == 1 else v.filters
    down = ceil_div(profile.pieces, 4 * splits * ceil_div(v.filters, cols)) if profile.pieces > 1 and splits == 1 else 1
    each = min(rows, ceil_div(ceil_div(rows, down), profile.rows) * profile.rows)
    grid, across = fold(splits * ceil_div(rows, each) * ceil_div(v.filters, cols))
    params = {"S": splits, "PART": part, "ROWS": each, "COLS": cols, "GROUP": group, "U": unroll(v.ow), "X": across}
    params |= {"T": profile.rows, "LANES": in_lanes(profile) and v.channels // v.groups % 4 == 0}
    return KernelSpec("conv2d_filter_panel", _params(v) | _groups(v) | params, grid)


def depthwise_spec(v: Window, profile: Profile) -> KernelSpec:
    return flat("conv2d_depthwise_panel", v.batch * v.oh * ceil_div(v.ow, 4) * (v.channels // 4), v.params(thin=True), profile)


def depthwise_filter_spec(v: Window, profile: Profile) -> KernelSpec:
    return flat("conv2d_depthwise_filter_panel", v.window[0] * (v.channels // 4), _params(v, thin=True), profile)


def _params(v: Window, thin: bool = False) -> dict:
    return {k: n for k, n in v.params(thin).items() if k not in ("PT", "PL")}


def pad_channels(x: Node, count: int) -> Node:
    """Zeros after the last axis up to `count`."""
    return fit(x, x.ndim - 1, 0, count - x.shape[-1])


def fit(x: Node, axis: int, before: int, after: int) -> Node:
    """Adds zeros before and after an axis, or cuts off where a number is negative."""
    start, stop = [0] * x.ndim, list(x.shape)
    start[axis], stop[axis] = max(0, -before), x.shape[axis] - max(0, -after)
    widths = [(0, 0)] * x.ndim
    widths[axis] = (max(0, before), max(0, after))
    return pad(slice_(x, tuple(start), tuple(stop)), widths)


def pad_image(x: Node, padding: Padding) -> Node:
    """Zeros around images; those of a `pad` before it are added in the same pass where that is a copy line by line."""
    if x.shape[3] % 4 == 0:
        return pad(x, ((0, 0), *padding, (0, 0)))
    inner = pad_before(x)
    if inner:
        x, more = inner
        padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(padding, more, strict=True))
    return PAD_LINES(x, padding=padding)


def pad_before(x: Node) -> tuple[Node, tuple] | None:
    """The image around which x has zeros, and how many, where that is what x is."""
    if x.op is not PAD or x.attrs["value"] != 0 or x.attrs["widths"][0] != (0, 0) or x.attrs["widths"][3] != (0, 0):
        return None
    return x.src[0], x.attrs["widths"][1:3]


def first_channels(y: Node, count: int) -> Node:
    return slice_(y, (0,) * y.ndim, (*y.shape[:-1], count))


def input_gradient(conv: Callable[..., Node], dy: Node, w: Node, input_hw: Sizes, strides: Sizes, padding: Padding, dilation: Sizes,
                   groups: int) -> Node:
    """The gradient as stride-1 convolutions by `conv`; dilation only with strides of 1.

    Cell i belongs to the phase a = (i + padding) mod stride, and sees dy[j - m] through tap a + stride * m, where
    j = (i + padding) // stride.
    """
    turned = _turned(flip(w, (0, 1)), groups)
    (sh, sw), ((pt, _), (pl, _)) = strides, padding
    rows = [_taps(w.shape[0], sh, a) for a in range(sh)]
    columns = [_taps(w.shape[1], sw, a) for a in range(sw)]
    first, last = pt // sh, (pt + input_hw[0] - 1) // sh
    left, right = pl // sw, (pl + input_hw[1] - 1) // sw
    shape = (dy.shape[0], last - first + 1, 1, right - left + 1, 1, turned.shape[3])

    def phase(a: int, b: int) -> Node | None:
        if not rows[a] or not columns[b]:
            return None
        # turned taps: the last tap of the phase comes first
        start = (w.shape[0] - 1 - rows[a][-1], w.shape[1] - 1 - columns[b][-1], 0, 0)
        stop = (w.shape[0] - rows[a][0], w.shape[1] - columns[b][0], *turned.shape[2:])
        part = turned if sh == sw == 1 else slice_(turned, start, stop, (sh, sw, 1, 1))
        down = (len(rows[a]) - 1) * dilation[0] - first, last - (dy.shape[1] - 1)
        across = (len(columns[b]) - 1) * dilation[1] - left, right - (dy.shape[2] - 1)
        y = dy
        if not 1 < groups == dy.shape[3] or min(*down, *across) < 0:       # a depthwise kernel pads by itself
            y, down, across = fit(fit(dy, 1, *down), 2, *across), (0, 0), (0, 0)
        return reshape(conv(y, part, strides=(1, 1), padding=(down, across), dilation=dilation, groups=groups), shape)

    parts = [[phase(a, b) for b in range(sw)] for a in range(sh)]
    empty = full(shape, 0.0, dy.dtype)
    lines = [concat([p if p is not None else empty for p in line], 4) if sw > 1 else line[0] for line in parts]
    whole = concat([line if line is not None else empty for line in lines], 2) if sh > 1 else lines[0]
    assert whole is not None
    x = reshape(whole, (shape[0], shape[1] * sh, shape[3] * sw, shape[5]))
    top, start = pt - sh * first, pl - sw * left
    return slice_(x, (0, top, start, 0), (shape[0], top + input_hw[0], start + input_hw[1], shape[5]))


def _turned(w: Node, groups: int) -> Node:
    """Filters whose channels and results are exchanged, group by group."""
    if groups == 1:
        return permute(w, (0, 1, 3, 2))
    *window, channels, filters = w.shape
    parts = reshape(w, (*window, channels, groups, filters // groups))
    return reshape(permute(parts, (0, 1, 4, 3, 2)), (*window, filters // groups, groups * channels))


def repeat_channels(x: Node, times: int) -> Node:
    """Every channel so many times, one after the other."""
    return reshape(broadcast_to(reshape(x, (*x.shape, 1)), (*x.shape, times)), (*x.shape[:-1], x.shape[-1] * times))


def pad_groups(x: Node, groups: int, each: int) -> Node:
    """The last axis with zeros after every group, which then has `each` numbers."""
    return reshape(pad_channels(reshape(x, (*x.shape[:-1], groups, x.shape[-1] // groups)), each), (*x.shape[:-1], groups * each))


def first_of_groups(x: Node, groups: int, count: int) -> Node:
    """The first numbers of every group of the last axis."""
    return reshape(first_channels(reshape(x, (*x.shape[:-1], groups, x.shape[-1] // groups)), count), (*x.shape[:-1], groups * count))


def _taps(window: int, stride: int, phase: int) -> list[int]:
    return list(range(phase, window, stride))
