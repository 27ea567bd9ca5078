"""Row operations on a matrix: softmax and its logarithm, and the column of the largest or smallest element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import ZERO, KernelSpec, Profile, Routine, Shape, routine
from .choose import ceil_div, flat, fold, is_core, is_register
from .contract import float_only
from .elementwise import add, exp, log
from .gather import gather
from .leaf import iota
from .move import broadcast_to, pad, reshape
from .reduce import reduce_max, reduce_min, reduce_sum

_SHORT = 32  # a row of at most this many elements is one thread's work on a GPU too
_X = np.random.default_rng(0).uniform(-3, 3, (5, 7)).astype(np.float32)
_WIDE = np.random.default_rng(1).uniform(-3, 3, (3, 300)).astype(np.float32)


def _matrix(name: str, reduces: bool) -> Callable[..., Shape]:
    def rule(x: Shape, **attrs: Any) -> Shape:
        if len(x) != 2 or x[1] == 0:
            raise ShapeError(f"{name}: input is {x}; expected a matrix with at least one column.")
        return x[:1] if reduces else x

    return rule


def _rows(file: str, node: Node, params: dict, profile: Profile, hooks: dict | None = None) -> KernelSpec:
    rows, cols = node.src[0].shape
    params = {"ROWS": rows, "COLS": cols, **params}
    if is_core(profile) and file == "softmax" and cols % 4 == 0:
        grid, across = fold(rows)
        return KernelSpec("softmax_core", {**params, "X": across}, grid, hooks or {})
    if is_register(profile) or cols <= _SHORT:
        return flat(f"{file}_thread", rows, params, profile, hooks)
    grid, across = fold(rows)
    wg = min(256 if cols >= 1024 else 64, profile.max_invocations)
    return KernelSpec(f"{file}_group", {**params, "WG": wg, "X": across}, grid, hooks or {})


_LONG = 16384  # a longer row is more than one thread's loops may take three times, and worth several threads


def _row(x: Node, reduced: Node) -> Node:
    """A number a row, for each of its elements."""
    return broadcast_to(reshape(reduced, (x.shape[0], 1)), x.shape)


def _softmax_lower(node: Node, profile: Profile) -> Node | None:
    """A long row by reductions, which share it among threads."""
    x = node.src[0]
    if not is_register(profile) or x.shape[1] <= _LONG:
        return None
    shifted = x - _row(x, reduce_max(x, axis=(1,)))
    e = exp(shifted)
    total = reduce_sum(e, axis=(1,))
    return shifted - _row(x, log(total)) if node.op is log_softmax else e / _row(x, total)


def _row_sum(x: Node) -> Node:
    return broadcast_to(reshape(reduce_sum(x, axis=(1,)), (x.shape[0], 1)), x.shape)


def _softmax_numpy(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _log_softmax_numpy(x: np.ndarray) -> np.ndarray:
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


softmax = routine(
    "softmax",
    shape=_matrix("softmax", reduces=False),
    dtype=float_only("softmax"),
    numpy=_softmax_numpy,
    grad=lambda g, y, x: (y * (g - _row_sum(g * y)),),
    kernel=lambda node, profile: _rows("softmax", node, {"LOG": False}, profile),
    lower=_softmax_lower,
    flops=lambda node: 5 * node.size,  # largest, difference, exponential, sum, quotient
    samples=[((_X,), {}), ((_WIDE,), {})],
)
log_softmax = routine(
    "log_softmax",
    shape=_matrix("log_softmax", reduces=False),
    dtype=float_only("log_softmax"),
    numpy=_log_softmax_numpy,
    grad=lambda g, y, x: (g - exp(y) * _row_sum(g),),
    kernel=lambda node, profile: _rows("softmax", node, {"LOG": True}, profile),
    lower=_softmax_lower,
    flops=lambda node: 5 * node.size,  # largest, difference, exponential, sum, difference
    samples=[((_X,), {}), ((_WIDE,), {})],
)


def _arg(name: str, largest: bool) -> Routine:
    """The primitive for the place of the largest or smallest element of each row."""
    def kernel(node: Node, profile: Profile) -> KernelSpec:
        dtype = node.src[0].dtype
        hooks = {} if dtype == "float32" else {"is_nan": "return false;"}
        element = {"float32": "f32", "int32": "i32"}.get(dtype, "u32")
        return _rows("arg", node, {"LARGEST": largest, "T": element}, profile, hooks)

    def lower(node: Node, profile: Profile) -> Node | None:
        """A long row in parts: the first of them with the largest element, which compares vectors, and the place within that one."""
        x = node.src[0]
        rows, cols = x.shape
        if not is_register(profile) or cols <= _LONG:
            return None
        parts = ceil_div(cols, _LONG)
        each = ceil_div(cols, parts)
        lost = {"float32": float("-inf"), "int32": -(2**31), "uint32": 0} if largest else {
            "float32": float("inf"), "int32": 2**31 - 1, "uint32": 2**32 - 1}  # fmt: skip
        cut = reshape(pad(x, ((0, 0), (0, parts * each - cols)), lost[x.dtype]), (rows * parts, each))
        best = node.op(reshape((reduce_max if largest else reduce_min)(cut, axis=(1,)), (rows, parts)))
        return add(best * each, node.op(gather(cut, add(best, iota(rows) * parts))))

    pick = np.argmax if largest else np.argmin
    return routine(
        name,
        shape=_matrix(name, reduces=True),
        dtype=lambda dtype: "int32",
        numpy=lambda x: pick(x, axis=1).astype(np.int32),
        grad=ZERO,
        kernel=kernel,
        lower=lower,
        flops=lambda node: node.src[0].size,
        samples=[((_X,), {}), ((np.round(_WIDE),), {})],
    )


argmax = _arg("argmax", largest=True)
argmin = _arg("argmin", largest=False)
