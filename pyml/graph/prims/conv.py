"""2-D convolution, channels last, and its two gradients; each is a routine, so gradients of gradients work."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import KernelSpec, Padding, Profile, Routine, Shape, Sizes, routine
from . import conv_panel as core
from .choose import LONG_SUM, ceil_div, chunk_of, filter_splits, flat, gemm, is_core, is_register
from .contract import float_only
from .conv_host import conv_numpy, filter_grad_numpy, filter_partials_numpy, input_grad_numpy
from .conv_layout import Window, backward_gemm, filter_gemm, forward_gemm
from .long_windows import conv_in_parts, input_grad_in_parts
from .move import reshape
from .reduce import reduce_sum


def _array(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def _attrs(**more: Any) -> dict[str, Any]:
    return {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1, **more}


def out_size(n: int, window: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    return (n + sum(padding) - dilation * (window - 1) - 1) // stride + 1


def _conv_shape(x: Shape, w: Shape, *, strides: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Shape:
    if len(x) != 4 or len(w) != 4:
        raise ShapeError(f"conv2d: input is {x} and kernel {w}; expected (batch, h, w, channels) and (kh, kw, channels, filters).")
    if w[2] * groups != x[3] or w[3] % groups:
        raise ShapeError(f"conv2d: input is {x} and kernel {w} in {groups} groups; {x[3]} channels != {groups} x {w[2]}, "
                         f"or {w[3]} filters do not divide into {groups}.")  # fmt: skip
    out = [out_size(*v) for v in zip(x[1:3], w[:2], strides, padding, dilation, strict=True)]
    if min(out) < 1:
        raise ShapeError(f"conv2d: the window {w[:2]} (dilation {dilation}) is larger than the padded input {x} (padding {padding}).")
    return (x[0], *out, w[3])


def _input_grad_shape(dy: Shape, w: Shape, *, input_hw: Sizes, strides: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Shape:
    x = (dy[0], *input_hw, w[2] * groups)
    expected = _conv_shape(x, w, strides=strides, padding=padding, dilation=dilation, groups=groups)
    if expected != tuple(dy):
        raise ShapeError(f"conv2d_input_grad: the gradient is {dy}, but a convolution of {x} with {w} gives {expected}.")
    return x


def _filter_grad_shape(x: Shape, dy: Shape, *, kernel_hw: Sizes, strides: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Shape:
    w = (*kernel_hw, x[3] // groups, dy[3])
    expected = _conv_shape(x, w, strides=strides, padding=padding, dilation=dilation, groups=groups)
    if expected != tuple(dy):
        raise ShapeError(f"conv2d_filter_grad: the gradient is {dy}, but a convolution of {x} with {w} gives {expected}.")
    return w


def _image(x: Node) -> Shape:
    return x.shape[1:3]


# ---- arithmetic
def _products(y: Node, w_shape: Shape) -> int:
    """A multiply-add for every element of the convolution's result (or its gradient) and every weight of that filter."""
    kh, kw, channels, _ = w_shape
    return 2 * y.size * kh * kw * channels


def _filter_flops(node: Node) -> int:
    return _products(node.src[1], node.shape[-4:])


# ---- kernels
def _conv_kernel(node: Node, profile: Profile) -> KernelSpec:
    """The kernel of a convolution: panels of a core, depthwise, registers, or a product of matrices."""
    x, w = node.src
    v = Window.of(x.shape, w.shape, node.shape, node.attrs)
    if is_core(profile) and v.depthwise and v.filters % 4 == 0:
        return core.depthwise_spec(v, profile)
    if is_core(profile) and core.is_thin(v):
        return core.thin_spec(v, profile)
    if v.depthwise and v.filters % 4 == 0:
        return flat("conv2d_depthwise", ceil_div(v.pixels, 4) * (v.filters // 4), v.params(thin=True) | {"BACK": False}, profile)
    if is_core(profile) and v.filters // v.groups % 4 == 0 and not v.padded:
        return core.conv_spec(v, profile)
    if is_register(profile) and v.groups == 1 and v.filters % 4 == 0:
        thin = v.channels % 4 != 0
        params = v.params() | {"CHECK": v.padded} | ({} if thin else {"BACK": False})
        threads = ceil_div(v.pixels, 8) * ceil_div(v.filters, 8)
        return flat("conv2d_thin_reg" if thin else "conv2d_reg", threads, params, profile)
    return gemm(forward_gemm(v), profile)


def _input_grad_kernel(node: Node, profile: Profile) -> KernelSpec:
    dy, w = node.src
    v = Window.of(node.shape, w.shape, dy.shape, node.attrs)
    cells = v.batch * v.h * v.w
    if v.depthwise and v.channels % 4 == 0:
        return flat("conv2d_depthwise", ceil_div(cells, 4) * (v.channels // 4), v.turned(thin=True) | {"BACK": True}, profile)
    if is_register(profile) and v.groups == 1 and v.channels % 4 == 0 and v.filters % 4 == 0:
        params = v.turned() | {"BACK": True, "CHECK": v.padded or v.window != (1, 1) or v.strides != (1, 1)}
        return flat("conv2d_reg", ceil_div(cells, 8) * ceil_div(v.channels, 8), params, profile)
    return gemm(backward_gemm(v), profile)


def _filter_partials_kernel(node: Node, profile: Profile) -> KernelSpec:
    """The kernel of the filters' gradient, `splits` parts of the pixels each by itself."""
    x, dy = node.src
    splits = node.attrs.get("splits", 1)
    v = Window.of(x.shape, node.shape[-4:], dy.shape, node.attrs)
    chunk = chunk_of(v.pixels, splits, node.attrs.get("whole", 4))
    taps = v.window[0] * v.window[1]
    if is_core(profile) and v.depthwise and v.channels % 4 == 0 and not v.padded and splits == 1:
        return core.depthwise_filter_spec(v, profile)
    if v.depthwise and v.channels % 4 == 0:
        params = v.params(thin=True) | {"S": splits, "CHUNK": chunk}
        return flat("conv2d_depthwise_filter", splits * taps * (v.channels // 4), params, profile, fold_name="FOLD")
    if is_core(profile) and v.filters // v.groups % 4 == 0 and not v.padded:
        spec = core.filter_spec(v, splits, chunk, profile)
        if spec is not None:
            return spec
    if is_register(profile) and v.groups == 1 and v.filters % 4 == 0:
        params = v.params() | {"S": splits, "CHUNK": chunk, "CHECK": v.padded}
        hooks = {}
        if v.channels % 4 == 0:
            params["X"], hooks["load4"] = "vec4f", "return x[i.x / 4u];"
        threads = splits * ceil_div(taps * v.channels, 8) * ceil_div(v.filters, 8)
        return flat("conv2d_filter_reg", threads, params, profile, hooks, fold_name="FOLD")
    return gemm(filter_gemm(v, splits, chunk), profile)


def _conv_lower(node: Node, profile: Profile) -> Node | None:
    """A convolution in parts, with its padding absorbed or made before, and with as many filters as vectors hold."""
    x, w = node.src
    if (parts := conv_in_parts(CONV, node)) is not None:
        return parts
    thin = is_core(profile) and core.is_thin(Window.of(x.shape, w.shape, node.shape, node.attrs))
    depthwise = thin or _is_depthwise(node, x.shape[3], w.shape[3])
    if (depthwise or not is_core(profile)) and (absorbed := _absorb_pad(node)):
        return absorbed
    if not is_core(profile):
        return None
    groups, filters = node.attrs["groups"], w.shape[3]
    if _sees_one(node, x.shape[3], filters):
        return CONV(core.repeat_channels(x, filters // groups), w, **node.attrs | {"groups": filters})
    if groups == x.shape[3] > 1 and not depthwise:  # as many channels as vectors hold
        x, w = (core.pad_channels(v, filters + -filters % 4) for v in node.src)
        return core.first_channels(CONV(x, w, **node.attrs | {"groups": w.shape[3]}), filters)
    thin_pad = x.shape[3] % 4 and core.pad_before(x)
    if (_is_padded(node) or thin_pad) and not depthwise:
        return CONV(core.pad_image(x, node.attrs["padding"]), w, **node.attrs | _UNPADDED)
    each = filters // groups
    if not each % 4 or depthwise:
        return None
    return core.first_of_groups(CONV(x, core.pad_groups(w, groups, each + -each % 4), **node.attrs), groups, each)


def _input_grad_lower(node: Node, profile: Profile) -> Node | None:
    a = node.attrs
    groups = a["groups"]
    if not is_core(profile):
        return input_grad_in_parts(INPUT_GRAD, node)
    if max(a["strides"]) > 1 and max(a["dilation"]) > 1:
        return None
    dy, w = node.src
    if _sees_one(node, node.shape[3], w.shape[3]):
        parts = INPUT_GRAD(dy, w, **a | {"groups": w.shape[3]})
        return reduce_sum(reshape(parts, (*node.shape, w.shape[3] // groups)), axis=(4,))
    return core.input_gradient(CONV, dy, w, a["input_hw"], a["strides"], a["padding"], a["dilation"], groups)


def _is_depthwise(node: Node, channels: int, filters: int) -> bool:
    return node.attrs["groups"] == channels == filters and filters % 4 == 0


def _sees_one(node: Node, channels: int, filters: int) -> bool:
    """Whether several filters see one channel each: with the channels repeated, each has its own."""
    return 1 < node.attrs["groups"] == channels < filters


def _absorb_pad(node: Node) -> Node | None:
    """The same convolution of an image before zeros were put around it, for kernels that pad by themselves."""
    inner = core.pad_before(node.src[0])
    if inner is None:
        return None
    x, more = inner
    padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(node.attrs["padding"], more, strict=True))
    return CONV(x, node.src[1], **node.attrs | {"padding": padding})


_UNPADDED = {"padding": ((0, 0), (0, 0))}


def _is_padded(node: Node) -> bool:
    return any(n for side in node.attrs["padding"] for n in side)


def _filter_lower(node: Node, profile: Profile) -> Node | None:
    """The filters' gradient as partial sums over pixels, where that keeps more threads at work or sums shorter."""
    x, dy = node.src
    kh, kw, channels, filters = node.shape
    groups = node.attrs["groups"]
    if is_core(profile):
        if _sees_one(node, x.shape[3], filters):
            return FILTER_GRAD(core.repeat_channels(x, filters // groups), dy, **node.attrs | {"groups": filters})
        if groups == x.shape[3] > 1 and filters % 4:
            x, dy = (core.pad_channels(v, filters + -filters % 4) for v in node.src)
            return core.first_channels(FILTER_GRAD(x, dy, **node.attrs | {"groups": dy.shape[3]}), filters)
        if _is_padded(node) or (x.shape[3] % 4 and core.pad_before(x)):
            return FILTER_GRAD(core.pad_image(x, node.attrs["padding"]), dy, **node.attrs | _UNPADDED)
        if _is_depthwise(node, x.shape[3], filters):
            return None
        each = filters // groups
        if not each % 4:
            splits = core.filter_parts(Window.of(x.shape, node.shape, dy.shape, node.attrs), profile)
            parts = node.attrs | {"splits": splits, "whole": dy.shape[2]}
            return reduce_sum(FILTER_PARTIALS(x, dy, **parts), axis=(0,)) if splits > 1 else None
        return core.first_of_groups(FILTER_GRAD(x, core.pad_groups(dy, groups, each + -each % 4), **node.attrs), groups, each)
    if groups == x.shape[3] == filters and filters % 4 == 0:  # depthwise: one tap and four channels a thread
        wanted = 256 if is_register(profile) else profile.threads // 4
        splits = max(1, min(dy.size // filters // 64, wanted // (kh * kw * filters // 4), 64))
    else:
        four = channels % 4 == 0 and filters // groups % 4 == 0
        splits = filter_splits(kh * kw * channels, filters // groups, dy.size // filters, groups, four, profile)
    splits = max(splits, ceil_div(dy.size // filters, LONG_SUM if is_register(profile) else 8 * LONG_SUM))
    return reduce_sum(FILTER_PARTIALS(x, dy, splits=splits, **node.attrs), axis=(0,)) if splits > 1 else None


# ---- operations
_STRIDED = _attrs(strides=(2, 1), padding=((1, 0), (2, 1)), dilation=(1, 2))
_GROUPED = _attrs(groups=2, padding=((1, 1), (1, 1)))
_DEPTHWISE = _attrs(groups=4, strides=(2, 2), padding=((0, 1), (0, 1)))

CONV = routine(
    "conv2d",
    shape=_conv_shape,
    dtype=float_only("conv2d"),
    numpy=conv_numpy,
    grad=lambda g, y, x, w, **a: (INPUT_GRAD(g, w, input_hw=_image(x), **a), FILTER_GRAD(x, g, kernel_hw=w.shape[:2], **a)),
    kernel=_conv_kernel,
    flops=lambda node: _products(node, node.src[1].shape),
    lower=_conv_lower,
    samples=[
        ((_array(0, 2, 6, 5, 1), _array(1, 3, 2, 1, 4)), _attrs()),
        ((_array(2, 1, 7, 8, 4), _array(3, 3, 3, 4, 8)), _STRIDED),
        ((_array(4, 2, 5, 5, 6), _array(5, 3, 3, 3, 2)), _GROUPED),
        ((_array(6, 1, 6, 7, 4), _array(7, 3, 3, 1, 4)), _DEPTHWISE),
        ((_array(8, 2, 4, 4, 3), _array(9, 1, 1, 3, 5)), _attrs()),
    ],
)
INPUT_GRAD: Routine = routine(
    "conv2d_input_grad",
    shape=_input_grad_shape,
    dtype=float_only("conv2d_input_grad"),
    numpy=input_grad_numpy,
    grad=lambda g, y, dy, w, input_hw, **a: (CONV(g, w, **a), FILTER_GRAD(g, dy, kernel_hw=w.shape[:2], **a)),
    kernel=_input_grad_kernel,
    flops=lambda node: _products(node.src[0], node.src[1].shape),
    lower=_input_grad_lower,
    samples=[
        ((_array(10, 2, 4, 4, 4), _array(11, 3, 2, 4, 4)), _attrs(input_hw=(6, 5))),
        ((_array(12, 1, 3, 7, 8), _array(13, 3, 3, 4, 8)), _attrs(input_hw=(7, 8)) | _STRIDED),
        ((_array(14, 2, 5, 5, 2), _array(15, 3, 3, 3, 2)), _attrs(input_hw=(5, 5)) | _GROUPED),
        ((_array(16, 1, 3, 3, 4), _array(17, 3, 3, 1, 4)), _attrs(input_hw=(6, 7)) | _DEPTHWISE),
    ],
)
FILTER_GRAD: Routine = routine(
    "conv2d_filter_grad",
    shape=_filter_grad_shape,
    dtype=float_only("conv2d_filter_grad"),
    numpy=filter_grad_numpy,
    grad=lambda g, y, x, dy, kernel_hw, **a: (INPUT_GRAD(dy, g, input_hw=_image(x), **a), CONV(x, g, **a)),
    kernel=_filter_partials_kernel,
    flops=_filter_flops,
    lower=_filter_lower,
    samples=[
        ((_array(20, 2, 6, 5, 1), _array(21, 2, 4, 4, 4)), _attrs(kernel_hw=(3, 2))),
        ((_array(22, 1, 7, 8, 4), _array(23, 1, 3, 7, 8)), _attrs(kernel_hw=(3, 3)) | _STRIDED),
        ((_array(24, 2, 5, 5, 6), _array(25, 2, 5, 5, 2)), _attrs(kernel_hw=(3, 3)) | _GROUPED),
        ((_array(26, 1, 6, 7, 4), _array(27, 1, 3, 3, 4)), _attrs(kernel_hw=(3, 3)) | _DEPTHWISE),
    ],
)
# the filter gradient in partial sums over the pixels, (splits, kh, kw, channels / groups, filters); a part is a multiple of `whole`
FILTER_PARTIALS = routine(
    "conv2d_filter_partials",
    shape=lambda x, dy, *, splits, whole=4, **a: (splits, *_filter_grad_shape(x, dy, **a)),
    dtype=float_only("conv2d_filter_grad"),
    numpy=filter_partials_numpy,
    grad=None,
    kernel=_filter_partials_kernel,
    flops=_filter_flops,
    samples=[((_array(28, 2, 6, 5, 1), _array(29, 2, 4, 4, 4)), _attrs(kernel_hw=(3, 2), splits=3)),
             ((_array(28, 2, 6, 5, 1), _array(29, 2, 4, 4, 4)), _attrs(kernel_hw=(3, 2), splits=3, whole=4)),
             ((_array(28, 2, 5, 7, 4), _array(29, 2, 4, 5, 4)), _attrs(kernel_hw=(2, 3), splits=3, whole=5))],
)  # fmt: skip


def _tuples(strides: Sizes, padding: Padding, dilation: Sizes, groups: int) -> dict[str, Any]:
    (top, bottom), (left, right) = padding
    return {
        "strides": tuple(map(int, strides)), "padding": ((int(top), int(bottom)), (int(left), int(right))),
        "dilation": tuple(map(int, dilation)), "groups": int(groups),
    }  # fmt: skip


def conv2d(x: Node, w: Node, strides: Sizes = (1, 1), padding: Padding = ((0, 0), (0, 0)), dilation: Sizes = (1, 1),
           groups: int = 1) -> Node:
    """Cross-correlation of `x` (batch, h, w, channels) with `w` (kh, kw, channels / groups, filters).

    Args:
        strides, dilation: One integer for each of height and width.
        padding: `((top, bottom), (left, right))` zeros.
        groups: Channels and filters are cut into this many groups that do not see each other.

    Raises:
        ShapeError: The channels do not fit, or the window is larger than the padded image.
    """
    return CONV(x, w, **_tuples(strides, padding, dilation, groups))


def conv2d_input_grad(dy: Node, w: Node, input_hw: Sizes, strides: Sizes = (1, 1), padding: Padding = ((0, 0), (0, 0)),
                      dilation: Sizes = (1, 1), groups: int = 1) -> Node:
    """The gradient of `conv2d` with respect to its input, whose height and width are `input_hw`; also a transposed convolution."""
    return INPUT_GRAD(dy, w, input_hw=tuple(map(int, input_hw)), **_tuples(strides, padding, dilation, groups))


def conv2d_filter_grad(x: Node, dy: Node, kernel_hw: Sizes, strides: Sizes = (1, 1), padding: Padding = ((0, 0), (0, 0)),
                       dilation: Sizes = (1, 1), groups: int = 1) -> Node:
    """The gradient of `conv2d` with respect to its filters, of size `kernel_hw`."""
    return FILTER_GRAD(x, dy, kernel_hw=tuple(map(int, kernel_hw)), **_tuples(strides, padding, dilation, groups))
