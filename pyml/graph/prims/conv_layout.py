"""The sizes of a convolution, and its three products as implicit matrix products for the kernels that take hooks."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from ..op import Shape
from .choose import Gemm, Operand, ceil_div


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

    def params(self, thin: bool = False) -> dict[str, Any]:
        """`@param` values of a kernel from images to filters; `thin`: it has no filter count."""
        p = {"BATCH": self.batch, "H": self.h, "W": self.w, "C": self.channels, "OH": self.oh, "OW": self.ow}
        return p | ({} if thin else {"N": self.filters}) | self._window()

    def turned(self, thin: bool = False) -> dict[str, Any]:
        """The same for the way back, from filters to images."""
        p = {"BATCH": self.batch, "H": self.oh, "W": self.ow, "C": self.filters, "OH": self.h, "OW": self.w}
        return p | ({} if thin else {"N": self.channels}) | self._window()

    def _window(self) -> dict:
        names = ("KH", "KW", "SH", "SW", "DH", "DW", "PT", "PL")
        values = (*self.window, *self.strides, *self.dilation, self.padding[0][0], self.padding[1][0])
        return dict(zip(names, values, strict=True))


def _place(v: Window, row: str, tap_h: str, tap_w: str, channel: str) -> tuple[str, str]:
    """Where x has the cell which output pixel `row` sees through a tap, and WGSL before that, which returns outside of the image."""
    (sh, sw), (dh, dw), ((pt, _), (pl, _)) = v.strides, v.dilation, v.padding
    r = f"{row} / {v.ow}u % {v.oh}u * {sh}u + {tap_h} * {dh}u - {pt}u"  # wraps below zero, and then is not a row
    s = f"{row} % {v.ow}u * {sw}u + {tap_w} * {dw}u - {pl}u"
    guard = f"if (r >= {v.h}u || s >= {v.w}u) {{ return ZERO; }} " if v.padded else ""
    at = f"(({row} / {v.oh * v.ow}u * {v.h}u + r) * {v.w}u + s) * {v.channels}u + {channel}"
    return f"let r = {r}; let s = {s}; {guard}", at


def forward_gemm(v: Window) -> Gemm:
    """Rows are output pixels, columns filters; k runs over taps and channels."""
    c, f = v.channels // v.groups, v.filters // v.groups
    place, at = _place(v, "m", f"t / {v.window[1]}u", f"t % {v.window[1]}u", f"z * {c}u + k % {c}u")
    a = Operand("a", at, f"let t = k / {c}u; {place}", four=c % 4 == 0)
    b = Operand("b", f"k * {v.filters}u + z * {f}u + n", along_k=False, four=f % 4 == 0)
    out = f"return m * {v.filters}u + z * {f}u + n;"
    return Gemm(v.pixels, f, prod(v.window) * c, v.groups, a, b, out)


def backward_gemm(v: Window) -> Gemm:
    """Rows are input cells, columns channels; k runs over taps and filters.

    Under strides, cells that lie alike between them see the same taps: each of these phases is a product over its own taps,
    and none is multiplied with the zeros between.
    """
    c, f = v.channels // v.groups, v.filters // v.groups
    (sh, sw), (dh, dw), ((pt, _), (pl, _)), kw = v.strides, v.dilation, v.padding, v.window[1]
    if sh * sw > 1 and dh == dw == 1 and v.h % sh == v.w % sw == 0:
        return _by_phases(v, c, f)
    tests = [f"r / {sh}u >= {v.oh}u", f"s / {sw}u >= {v.ow}u"]
    tests += [f"r % {sh}u != 0u"] if sh > 1 else []
    tests += [f"s % {sw}u != 0u"] if sw > 1 else []
    before = (
        f"let t = k / {f}u; let r = m / {v.w}u % {v.h}u + {pt}u - t / {kw}u * {dh}u; "
        f"let s = m % {v.w}u + {pl}u - t % {kw}u * {dw}u; if ({' || '.join(tests)}) {{ return ZERO; }} "
    )
    at = f"((m / {v.h * v.w}u * {v.oh}u + r / {sh}u) * {v.ow}u + s / {sw}u) * {v.filters}u + z * {f}u + k % {f}u"
    a = Operand("a", at, before, four=f % 4 == 0)
    b = Operand("b", f"(k / {f}u * {c}u + n) * {v.filters}u + z * {f}u + k % {f}u", four=f % 4 == 0)
    out = f"return m * {v.channels}u + z * {c}u + n;"
    return Gemm(v.batch * v.h * v.w, c, prod(v.window) * f, v.groups, a, b, out)


def _by_phases(v: Window, c: int, f: int) -> Gemm:
    """z is group and phase: the cells in rows sh i + p and columns sw j + q of the image, for each p < sh and q < sw."""
    (sh, sw), ((pt, _), (pl, _)), (kh, kw), phases = v.strides, v.padding, v.window, prod(v.strides)
    h, w, taps = v.h // sh, v.w // sw, (ceil_div(kh, sh), ceil_div(kw, sw))
    phase = f"let p = z % {phases}u / {sw}u + {pt}u; let q = z % {sw}u + {pl}u; "
    phase += f"let i = k / {f * taps[1]}u; let j = k / {f}u % {taps[1]}u; let y = p % {sh}u + {sh}u * i; let x = q % {sw}u + {sw}u * j; "
    seen = f"if (y >= {kh}u || x >= {kw}u) {{ return ZERO; }} "
    group = f"z / {phases}u"
    before = f"{phase}{seen}let r = m / {w}u % {h}u + p / {sh}u - i; let s = m % {w}u + q / {sw}u - j; "  # wraps below zero
    before += f"if (r >= {v.oh}u || s >= {v.ow}u) {{ return ZERO; }} "
    a = Operand("a", f"((m / {h * w}u * {v.oh}u + r) * {v.ow}u + s) * {v.filters}u + {group} * {f}u + k % {f}u", before, four=f % 4 == 0)
    b = Operand("b", f"((y * {kw}u + x) * {c}u + n) * {v.filters}u + {group} * {f}u + k % {f}u", phase + seen, four=f % 4 == 0)
    row = f"(m / {h * w}u * {v.h}u + m / {w}u % {h}u * {sh}u + z % {phases}u / {sw}u) * {v.w}u + m % {w}u * {sw}u + z % {sw}u"
    return Gemm(v.batch * h * w, c, prod(taps) * f, v.groups * phases, a, b, f"return ({row}) * {v.channels}u + {group} * {c}u + n;")


def filter_gemm(v: Window, splits: int, chunk: int) -> Gemm:
    """Rows are taps and channels, columns filters; k runs over the pixels of one of `splits` parts. z is group, part."""
    c, f = v.channels // v.groups, v.filters // v.groups
    rows = prod(v.window) * c
    pixel = f"let p = z % {splits}u * {chunk}u + k; "
    pixel += f"if (p >= {v.pixels}u) {{ return ZERO; }} " if chunk * splits != v.pixels else ""
    group = f"z / {splits}u"
    place, at = _place(v, "p", f"t / {v.window[1]}u", f"t % {v.window[1]}u", f"{group} * {c}u + m % {c}u")
    a = Operand("a", at, f"{pixel}let t = m / {c}u; {place}", along_k=False, four=c % 4 == 0)
    b = Operand("b", f"p * {v.filters}u + {group} * {f}u + n", pixel, along_k=False, four=f % 4 == 0)
    out = f"return (z % {splits}u * {rows}u + m) * {v.filters}u + {group} * {f}u + n;"
    return Gemm(rows, f, chunk, v.groups * splits, a, b, out)
