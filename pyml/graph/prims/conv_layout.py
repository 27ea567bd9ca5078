"""The sizes of a convolution, and its three products as implicit matrix products for the kernels that take hooks."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from ..op import Shape
from .choose import Gemm, chunk_of


@dataclass(frozen=True)
class Window:
    """A convolution of (batch, h, w, channels) to (batch, oh, ow, filters)."""

    batch: int
    h: int
    w: int
    channels: int
    oh: int
    ow: int
    filters: int
    window: tuple[int, int]
    strides: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    groups: int

    @classmethod
    def of(cls, x: Shape, w: Shape, y: Shape, attrs: dict[str, Any]) -> Window:
        batch, h, width, channels = x
        return cls(batch, h, width, channels, y[1], y[2], y[3], (w[0], w[1]),
                   attrs["strides"], attrs["dilation"], attrs["padding"], attrs["groups"])  # fmt: skip

    @property
    def pixels(self) -> int:
        return self.batch * self.oh * self.ow

    @property
    def padded(self) -> bool:
        return any(n > 0 for side in self.padding for n in side)

    @property
    def depthwise(self) -> bool:
        return self.groups == self.channels == self.filters and self.groups > 1

    def params(self, thin=False) -> dict:
        """`@param` values of a kernel from images to filters; `thin`: it has no filter count."""
        p = {"BATCH": self.batch, "H": self.h, "W": self.w, "C": self.channels, "OH": self.oh, "OW": self.ow}
        return p | ({} if thin else {"N": self.filters}) | self._window()

    def turned(self, thin=False) -> dict:
        """The same for the way back, from filters to images."""
        p = {"BATCH": self.batch, "H": self.oh, "W": self.ow, "C": self.filters, "OH": self.h, "OW": self.w}
        return p | ({} if thin else {"N": self.channels}) | self._window()

    def _window(self) -> dict:
        names = ("KH", "KW", "SH", "SW", "DH", "DW", "PT", "PL")
        values = (*self.window, *self.strides, *self.dilation, self.padding[0][0], self.padding[1][0])
        return dict(zip(names, values, strict=True))


def _place(v: Window, row: str, tap_h: str, tap_w: str, image: str, channel: str) -> str:
    """WGSL that returns x at the cell which output pixel `row` sees through a tap, or zero outside."""
    (sh, sw), (dh, dw), ((pt, _), (pl, _)) = v.strides, v.dilation, v.padding
    r = f"{row} / {v.ow}u % {v.oh}u * {sh}u + {tap_h} * {dh}u - {pt}u"  # wraps below zero, and then is no row
    s = f"{row} % {v.ow}u * {sw}u + {tap_w} * {dw}u - {pl}u"
    guard = f"if (r >= {v.h}u || s >= {v.w}u) {{ return 0.0; }} " if v.padded else ""
    at = f"(({row} / {v.oh * v.ow}u * {v.h}u + r) * {v.w}u + s) * {v.channels}u + {channel}"
    return f"let r = {r}; let s = {s}; {guard}return {image}[{at}];"


def forward_gemm(v: Window) -> Gemm:
    """Rows are output pixels, columns filters; k runs over taps and channels."""
    c, f = v.channels // v.groups, v.filters // v.groups
    a = f"let t = k / {c}u; {_place(v, 'm', f't / {v.window[1]}u', f't % {v.window[1]}u', 'a', f'z * {c}u + k % {c}u')}"
    b = f"return b[k * {v.filters}u + z * {f}u + n];"
    out = f"return m * {v.filters}u + z * {f}u + n;"
    return Gemm(v.pixels, f, prod(v.window) * c, v.groups, a, b, out)


def backward_gemm(v: Window) -> Gemm:
    """Rows are input cells, columns channels; k runs over taps and filters."""
    c, f = v.channels // v.groups, v.filters // v.groups
    (sh, sw), (dh, dw), ((pt, _), (pl, _)) = v.strides, v.dilation, v.padding
    tests = [f"r / {sh}u >= {v.oh}u", f"s / {sw}u >= {v.ow}u"]
    tests += [f"r % {sh}u != 0u"] if sh > 1 else []
    tests += [f"s % {sw}u != 0u"] if sw > 1 else []
    a = (
        f"let t = k / {f}u; let r = m / {v.w}u % {v.h}u + {pt}u - t / {v.window[1]}u * {dh}u; "
        f"let s = m % {v.w}u + {pl}u - t % {v.window[1]}u * {dw}u; if ({' || '.join(tests)}) {{ return 0.0; }} "
        f"return a[((m / {v.h * v.w}u * {v.oh}u + r / {sh}u) * {v.ow}u + s / {sw}u) * {v.filters}u + z * {f}u + k % {f}u];"
    )
    b = f"return b[(k / {f}u * {c}u + n) * {v.filters}u + z * {f}u + k % {f}u];"
    out = f"return m * {v.channels}u + z * {c}u + n;"
    return Gemm(v.batch * v.h * v.w, c, prod(v.window) * f, v.groups, a, b, out, b_along_k=True)


def filter_gemm(v: Window, splits: int) -> Gemm:
    """Rows are taps and channels, columns filters; k runs over the pixels of one of `splits` parts. z is group, part."""
    c, f = v.channels // v.groups, v.filters // v.groups
    chunk, rows = chunk_of(v.pixels, splits), prod(v.window) * c
    pixel = f"let p = z % {splits}u * {chunk}u + k; "
    pixel += f"if (p >= {v.pixels}u) {{ return 0.0; }} " if chunk * splits != v.pixels else ""
    group = f"z / {splits}u"
    tap = f"let t = m / {c}u; "
    a = pixel + tap + _place(v, "p", f"t / {v.window[1]}u", f"t % {v.window[1]}u", "a", f"{group} * {c}u + m % {c}u")
    b = f"{pixel}return b[p * {v.filters}u + {group} * {f}u + n];"
    out = f"return (z % {splits}u * {rows}u + m) * {v.filters}u + {group} * {f}u + n;"
    return Gemm(rows, f, chunk, v.groups * splits, a, b, out, a_along_k=False)
