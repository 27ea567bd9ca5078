"""Reductions over any axes; the reduced axes disappear."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod

import numpy as np

from ..node import Node
from ..op import Grads, Profile, Reduction, Shape, reduction
from .choose import is_core
from .elementwise import cast, div, equal
from .move import PERMUTE, broadcast_to, flip, pad, permute, reshape, slice_
from .split import split


def _keep(x: Node, shape: Shape, axis: Shape) -> Node:
    """Puts the reduced axes back with size 1 and broadcasts to `shape`."""
    return broadcast_to(reshape(x, tuple(1 if i in axis else n for i, n in enumerate(shape))), shape)


def _extreme_grad(g: Node, y: Node, x: Node, axis: Shape) -> Grads:
    # ties share the gradient equally, as Keras on JAX and TensorFlow do
    hit = cast(equal(x, _keep(y, x.shape, axis)), dtype=g.dtype)
    return (hit * _keep(div(g, reduce_sum(hit, axis=axis)), x.shape, axis),)


def _prod_grad(g: Node, y: Node, x: Node, axis: Shape) -> Grads:
    """The product of all other elements, for each element."""
    from .scan import scan

    # y / x is wrong where x is 0, so each element's partial product is formed from those before it and those behind
    rest = tuple(i for i in range(len(x.shape)) if i not in axis)
    moved = permute(x, rest + axis)
    n = prod(x.shape[i] for i in axis)
    flat = reshape(moved, (x.size // n, n))

    def before(v: Node) -> Node:
        return slice_(pad(scan(v, product=True), ((0, 0), (1, 0)), 1), (0, 0), v.shape)

    partial = before(flat) * flip(before(flip(flat, (1,))), (1,)) if n != 2 else flip(flat, (1,))
    grad = partial * broadcast_to(reshape(g, (x.size // n, 1)), flat.shape)
    order = tuple(int(i) for i in np.argsort(rest + axis))
    return (permute(reshape(grad, moved.shape), order),)


_WORTH = 1 << 14  # elements for which one more kernel, that puts what is left in order, costs less than jumps in memory


def _lower(node: Node, profile: Profile) -> Node | None:
    """On a core along the axes that lie in memory, whatever order they were put in; long ones in parts."""
    x, axis = node.src[0], node.attrs["axis"]
    if not (is_core(profile) and x.op is PERMUTE and x.buffer is None):
        return split(node, profile)
    axes = x.attrs["axes"]
    left = [a for i, a in enumerate(axes) if i not in axis]
    if left != sorted(left) and x.size < _WORTH:
        return split(node, profile)
    y = node.op(x.src[0], axis=tuple(sorted(axes[i] for i in axis)))
    return permute(y, tuple(sorted(left).index(a) for a in left))


_X = np.random.default_rng(0).uniform(-2, 2, (3, 4, 5)).astype(np.float32)
_SAMPLES = [((_X,), {"axis": (1,)}), ((_X,), {"axis": (0, 2)}), ((_X,), {"axis": (0, 1, 2)}), ((_X[0, 0],), {"axis": (0,)})]
_LOWEST = {"float32": float("-inf"), "int32": -(2**31), "uint32": 0}
_HIGHEST = {"float32": float("inf"), "int32": 2**31 - 1, "uint32": 2**32 - 1}
_NAN_TEST = {"float32": "(bitcast<I>(b) & I(0x7fffffff)) > I(0x7f800000)"}


def _extreme(compare: str) -> Callable[[str], str]:
    def combine(dtype: str) -> str:
        # a NaN wins, as in numpy: max() of WGSL would drop it, and compilers make that of a choice by a comparison alone
        return f"select(a, b, (b {compare} a) | ({_NAN_TEST[dtype]}))" if dtype in _NAN_TEST else f"select(a, b, b {compare} a)"

    return combine


_BLOCK = 128


def _sum_numpy(x: np.ndarray, axis: Shape) -> np.ndarray:
    """numpy adds in pairs along the last axis only; along the others blocks are added up first, axis by axis."""
    if x.dtype.kind != "f" or (len(axis) == x.ndim and x.flags.c_contiguous):
        return np.sum(x, axis=axis, dtype=x.dtype)
    for a in reversed(axis):
        while x.shape[a] > 2 * _BLOCK and a != x.ndim - 1:
            whole = x.shape[a] // _BLOCK * _BLOCK
            cut = (slice(None),) * a
            blocks = x[(*cut, slice(0, whole))].reshape(*x.shape[:a], -1, _BLOCK, *x.shape[a + 1 :])
            x = np.concatenate([blocks.sum(a + 1, dtype=x.dtype), x[(*cut, slice(whole, None))]], a)
        x = np.sum(x, axis=a, dtype=x.dtype)
    return x


SUM = reduction(
    "reduce_sum",
    neutral=lambda dtype: 0,
    combine=lambda dtype: "a + b",
    numpy=_sum_numpy,
    grad=lambda g, y, x, axis: (_keep(g, x.shape, axis),),
    rounds=True,
    lower=_lower,
    samples=_SAMPLES,
)
PROD = reduction(
    "reduce_prod",
    neutral=lambda dtype: 1,
    combine=lambda dtype: "a * b",
    numpy=lambda x, axis: np.prod(x, axis=axis, dtype=x.dtype),
    grad=_prod_grad,
    lower=_lower,
    samples=[*_SAMPLES, ((np.array([[0, 2, 3], [0, 0, 1]], np.float32),), {"axis": (1,)})],
    tol=2e-5,
)
MAX = reduction("reduce_max", neutral=_LOWEST.__getitem__, combine=_extreme(">"), numpy=np.max, grad=_extreme_grad,
                needs_elements=True, lower=_lower, samples=_SAMPLES)  # fmt: skip
MIN = reduction("reduce_min", neutral=_HIGHEST.__getitem__, combine=_extreme("<"), numpy=np.min, grad=_extreme_grad,
                needs_elements=True, lower=_lower, samples=_SAMPLES)  # fmt: skip


def _apply(op: Reduction, x: Node, axis: Iterable[int]) -> Node:
    axis = tuple(axis)
    return op(x, axis=axis) if axis else x


def reduce_sum(x: Node, axis: Iterable[int]) -> Node:
    return _apply(SUM, x, axis)


def reduce_prod(x: Node, axis: Iterable[int]) -> Node:
    return _apply(PROD, x, axis)


def reduce_max(x: Node, axis: Iterable[int]) -> Node:
    return _apply(MAX, x, axis)


def reduce_min(x: Node, axis: Iterable[int]) -> Node:
    return _apply(MIN, x, axis)
