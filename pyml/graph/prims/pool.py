"""Max and average pooling, channels last, and their gradients. A maximum's gradient goes to its first cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import KernelSpec, Padding, Profile, Routine, Shape, Sizes, routine
from .choose import ceil_div, flat, is_register
from .contract import float_only
from .long_windows import pool_in_parts
from .pool_host import avg_grad_numpy, avg_numpy, max_grad_numpy, max_numpy, pick_numpy

_PUT4 = "store(4u * i, v.x); store(4u * i + 1u, v.y); store(4u * i + 2u, v.z); store(4u * i + 3u, v.w);"
_NAN_WINS = "return select(best, v, (v > best) | ((bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u)));"


def _array(seed: int, *shape: int) -> np.ndarray:
    # distinct values, so that finite differences never move a maximum
    rng = np.random.default_rng(seed)
    return (rng.permutation(int(np.prod(shape))).reshape(shape) / 10 - 1).astype(np.float32)


def _pool_shape(x: Shape, *, size: Sizes, strides: Sizes, padding: Padding) -> Shape:
    if len(x) != 4:
        raise ShapeError(f"pool2d: input is {x}; expected (batch, height, width, channels).")
    if any(p >= k for side, k in zip(padding, size, strict=True) for p in side):
        raise ShapeError(f"pool2d: padding {padding} must be smaller than the window {size}.")
    out = [(n + sum(p) - k) // s + 1 for n, p, k, s in zip(x[1:3], padding, size, strides, strict=True)]
    if min(out) < 1:
        raise ShapeError(f"pool2d: the window {size} is larger than the padded input {x} (padding {padding}).")
    return (x[0], *out, x[3])


def _like_x(x: Shape, y: Shape, d: Shape, *, size: Sizes, strides: Sizes, padding: Padding) -> Shape:
    expected = _pool_shape(x, size=size, strides=strides, padding=padding)
    if tuple(y) != expected or tuple(d) != expected:
        raise ShapeError(f"max_pool2d_grad: maxima {y} and gradient {d} must have the pooled shape {expected} of input {x}.")
    return x


def _like_y(x: Shape, y: Shape, v: Shape, *, size: Sizes, strides: Sizes, padding: Padding) -> Shape:
    expected = _pool_shape(x, size=size, strides=strides, padding=padding)
    if tuple(y) != expected or tuple(v) != tuple(x):
        raise ShapeError(f"max_pool2d_pick: input {x}, values {v} and maxima {y} do not fit; expected maxima {expected}.")
    return y


def _avg_grad_shape(d: Shape, *, input_hw: Sizes, size: Sizes, strides: Sizes, padding: Padding) -> Shape:
    x = (d[0], *input_hw, d[3])
    expected = _pool_shape(x, size=size, strides=strides, padding=padding)
    if tuple(d) != expected:
        raise ShapeError(f"avg_pool2d_grad: the gradient is {d}, but pooling {x} gives {expected}.")
    return x


# ---- kernels
def _kernel(file: str, node: Node, image: Shape, pooled: Shape, profile: Profile, cells: int, element: str = "f32",
            names: str = "T") -> KernelSpec:
    """`cells` threads a channel. A software adapter takes four channels a thread; on a GPU neighbours load neighbours."""
    a = node.attrs
    four = is_register(profile) and image[3] % 4 == 0
    params = {"BATCH": image[0], "H": image[1], "W": image[2], "C": image[3] // 4 if four else image[3],
              "OH": pooled[1], "OW": pooled[2], "KH": a["size"][0], "KW": a["size"][1]}  # fmt: skip
    if file != "max_pool2d_grad_apart":
        params |= {"SH": a["strides"][0], "SW": a["strides"][1], "PT": a["padding"][0][0], "PL": a["padding"][1][0]}
    params["T"] = f"vec4<{element}>" if four else element
    if "B" in names:
        params["B"] = "vec4<bool>" if four else "bool"
    return flat(file, cells * params["C"], params, profile, {"put": _PUT4} if four else {})


def _max_kernel(node: Node, profile: Profile) -> KernelSpec:
    x = node.src[0]
    element = {"float32": "f32", "int32": "i32", "uint32": "u32"}[x.dtype]
    spec = _kernel("max_pool2d", node, x.shape, node.shape, profile, node.size // node.shape[3], element)
    spec.params["E"] = element
    if element != "f32":
        spec.hooks["larger"] = "return max(best, v);"
    elif "put" in spec.hooks:
        spec.hooks["larger"] = _NAN_WINS
    return spec


def _max_grad_kernel(node: Node, profile: Profile) -> KernelSpec:
    x, y, _ = node.src
    size, (batch, h, w, _) = node.attrs["size"], x.shape
    if node.attrs["strides"] == size and node.attrs["padding"][0][0] == node.attrs["padding"][1][0] == 0:
        windows = batch * ceil_div(h, size[0]) * ceil_div(w, size[1])
        return _kernel("max_pool2d_grad_apart", node, x.shape, y.shape, profile, windows, names="TB")
    return _kernel("max_pool2d_grad", node, x.shape, y.shape, profile, batch * h * w, names="TB")


def _pick_kernel(node: Node, profile: Profile) -> KernelSpec:
    return _kernel("max_pool2d_pick", node, node.src[0].shape, node.shape, profile, node.size // node.shape[3], names="TB")


def _avg_kernel(node: Node, profile: Profile) -> KernelSpec:
    return _kernel("avg_pool2d", node, node.src[0].shape, node.shape, profile, node.size // node.shape[3])


def _avg_grad_kernel(node: Node, profile: Profile) -> KernelSpec:
    return _kernel("avg_pool2d_grad", node, node.shape, node.src[0].shape, profile, node.size // node.shape[3])


def _cells(pooled: int) -> Callable[[Node], int]:
    """Arithmetic: one operation per cell of every window; `pooled` says which operand has their number, -1 the result."""
    return lambda node: (node if pooled < 0 else node.src[pooled]).size * node.attrs["size"][0] * node.attrs["size"][1]


def _max_lower(node: Node, profile: Profile) -> Node | None:
    lowest = {"float32": float("-inf"), "int32": -(2**31), "uint32": 0}[node.dtype]
    return pool_in_parts(MAX, node, lowest, mean=False) if is_register(profile) else None


def _avg_lower(node: Node, profile: Profile) -> Node | None:
    return pool_in_parts(AVG, node, 0, mean=True) if is_register(profile) else None


# ---- operations
_APART: dict[str, Any] = {"size": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
_SAME: dict[str, Any] = {"size": (2, 2), "strides": (2, 2), "padding": ((0, 1), (0, 1))}
_OVERLAP: dict[str, Any] = {"size": (3, 2), "strides": (2, 1), "padding": ((1, 1), (0, 1))}
_INPUTS = [(_array(0, 2, 5, 6, 4), _APART), (_array(1, 1, 5, 7, 3), _SAME), (_array(2, 1, 5, 4, 4), _OVERLAP)]


def _with_pooled(last: str) -> list[Any]:
    out = []
    for x, attrs in _INPUTS:
        y = max_numpy(x, **attrs)
        out.append(((x, y, _array(9, *(y if last == "y" else x).shape)), attrs))
    return out


MAX = routine(
    "max_pool2d",
    shape=_pool_shape,
    numpy=max_numpy,
    grad=lambda g, y, x, **a: (MAX_GRAD(x, y, g, **a),),
    kernel=_max_kernel,
    lower=_max_lower,
    flops=_cells(-1),
    samples=[((x,), attrs) for x, attrs in _INPUTS],
)
MAX_GRAD: Routine = routine(
    "max_pool2d_grad",
    shape=_like_x,
    dtype=float_only("max_pool2d_grad"),
    numpy=max_grad_numpy,
    grad=lambda g, dx, x, y, d, **a: (None, None, PICK(x, y, g, **a)),
    kernel=_max_grad_kernel,
    flops=_cells(1),
    samples=_with_pooled("y"),
)
PICK: Routine = routine(
    "max_pool2d_pick",
    shape=_like_y,
    dtype=float_only("max_pool2d_pick"),
    numpy=pick_numpy,
    grad=lambda g, out, x, y, v, **a: (None, None, MAX_GRAD(x, y, g, **a)),
    kernel=_pick_kernel,
    flops=_cells(-1),
    samples=_with_pooled("x"),
)
AVG = routine(
    "avg_pool2d",
    shape=_pool_shape,
    dtype=float_only("avg_pool2d"),
    numpy=avg_numpy,
    grad=lambda g, y, x, **a: (AVG_GRAD(g, input_hw=x.shape[1:3], **a),),
    kernel=_avg_kernel,
    lower=_avg_lower,
    flops=_cells(-1),
    samples=[((x,), attrs) for x, attrs in _INPUTS],
)
AVG_GRAD: Routine = routine(
    "avg_pool2d_grad",
    shape=_avg_grad_shape,
    dtype=float_only("avg_pool2d_grad"),
    numpy=avg_grad_numpy,
    grad=lambda g, dx, d, input_hw, **a: (AVG(g, **a),),
    kernel=_avg_grad_kernel,
    flops=_cells(0),
    samples=[((avg_numpy(x, **attrs),), attrs | {"input_hw": x.shape[1:3]}) for x, attrs in _INPUTS],
)


def _window(size: Sizes, strides: Sizes, padding: Padding) -> dict[str, Any]:
    (top, bottom), (left, right) = padding
    return {
        "size": tuple(map(int, size)), "strides": tuple(map(int, strides)),
        "padding": ((int(top), int(bottom)), (int(left), int(right))),
    }  # fmt: skip


def max_pool2d(x: Node, size: Sizes, strides: Sizes, padding: Padding = ((0, 0), (0, 0))) -> Node:
    """The largest value in each window of `x` (batch, height, width, channels); padding never wins, a NaN does.

    Raises:
        ShapeError: The window is larger than the padded image, or the padding is not smaller than the window.
    """
    return MAX(x, **_window(size, strides, padding))


def avg_pool2d(x: Node, size: Sizes, strides: Sizes, padding: Padding = ((0, 0), (0, 0))) -> Node:
    """The mean of the cells of `x` in each window; padding is not counted. Raises as `max_pool2d`."""
    return AVG(x, **_window(size, strides, padding))
